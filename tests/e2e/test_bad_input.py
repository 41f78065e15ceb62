"""Bad input, sentence by sentence as it was asked for: whatever is broken, the box filters on or refuses to start, and
tells it in one sentence with the place and a remedy. Nothing prints a traceback to a person."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.box import CONFIG, SCHOOLGATE, Box, until
from tests.e2e.client import fetch

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-bad-input")]

BLOCKED = "http://gambling.schoolgate.test/"
SMALL = CONFIG.replace("processes = 2", "processes = 1").replace("workers = 1", "workers = 0")
STATUS = 10.0
STOPPED = (
    ("check",),
    ("events",),
    ("explain", "example.org", "--json"),
    ("rules", "status"),
    ("rules", "build"),
    ("override", "list"),
)
RUNNING = (
    ("status",),
    ("try", "http://gambling.schoolgate.test/"),
    ("events",),
    ("allow", "example.org", "--group", "guest", "--for", "1m"),
)


@pytest.fixture
def box() -> Iterator[Box]:
    """A small box that has not been started yet."""
    box = Box(config=SMALL, policies={})
    try:
        yield box
    finally:
        box.close()


@pytest.fixture(scope="module")
def first() -> Iterator[Box]:
    """A box after a first run that went well."""
    box = Box(config=SMALL, policies={})
    try:
        box.start()
        assert box.stop() == 0
        yield box
    finally:
        box.close()


@pytest.fixture
def used(box: Box, first: Box) -> Box:
    """One that begins with that state, and with ports of its own."""
    shutil.copytree(first.state, box.state, ignore=shutil.ignore_patterns("run"))
    shutil.copyfile(box.config, box.state / "last-good" / "schoolgate.toml")
    return box


MISTAKES = [
    # file, what is wrong, the place that is told, the remedy
    ("schoolgate.toml", "[web]\nlisten =\n", r"schoolgate\.toml:2: this is no TOML at column \d+", "quotes"),
    ("schoolgate.toml", "[web]\nlissen = 1\n", r"schoolgate\.toml:2: web\.lissen: is not a setting", "'listen'"),
    (
        "schoolgate.toml",
        "[events]\nterm_days = 0\n",
        r"schoolgate\.toml:2: events\.term_days: must be",
        "from 1 to 366",
    ),
    ("schoolgate.toml", '[groups]\ndefault = "gest"\n', r"schoolgate\.toml:2: groups\.default: must be", "'guest'"),
    ("policies/primary.toml", 'name = "x"\nblock = ["gamse"]\n', r"primary\.toml:2: block: names", "'games'"),
    ("policies/primary.toml", 'name = "x"\n[[open]]\nto = "25:00"\n', r"primary\.toml:3: open\[1\]\.to: ", '"08:30"'),
    ("policies/primary.toml", 'name = "x"\nblok = []\n', r"primary\.toml:2: blok: is not a setting", "'block'"),
    ("policies/primry.toml", 'name = "x"\n', r"primry\.toml: is named for no group", "'primary.toml'"),
]


@pytest.mark.parametrize(("file", "text", "place", "remedy"), MISTAKES)
def test_a_broken_config_or_policy_refuses_to_start_on_a_first_run(
    box: Box, file: str, text: str, place: str, remedy: str
) -> None:
    (box.folder / file).write_text(text)
    said = box.cli("run", good=False)
    assert re.search(place, said) and remedy in said, said
    assert len(said.splitlines()) <= 2, "a sentence, and a remedy"


@pytest.mark.parametrize(("file", "text", "place", "remedy"), MISTAKES[1::4])
def test_a_broken_config_or_policy_starts_with_the_last_good_one(
    used: Box, file: str, text: str, place: str, remedy: str
) -> None:
    (used.folder / file).write_text(text)
    used.start()
    assert re.search(place, used.said()) and remedy in used.said()
    assert "The last good configuration is in force." in used.said()
    until(lambda: "config-broken" in used.warnings(), STATUS, "there is a Warning")
    assert fetch(used, BLOCKED).status == 403, "on the ports and by the policies of the last good one"


def flip(path: Path) -> None:
    """Change one bit in the midst of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


BREAK: dict[str, Callable[[Path], object]] = {
    "a bit": flip,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "a web page": lambda path: path.write_bytes(b"<!DOCTYPE html>" * 9),
}


@pytest.mark.parametrize("how", BREAK)
def test_a_corrupt_compiled_set_is_refused_by_checksum_and_the_last_good_kept(used: Box, how: str) -> None:
    BREAK[how](used.state / "rules.set")
    told = used.cli("check", good=False)
    assert "rules.set: " in told and "The last good rule set is in force." in told
    assert "rules build" in told
    assert json.loads(used.cli("explain", "gambling.schoolgate.test", "--json"))["action"] == "block"
    if how != "a bit":
        return
    used.start()
    until(lambda: "rules-broken" in used.warnings(), STATUS, "there is a Warning")
    assert fetch(used, BLOCKED).status == 403
    used.cli("rules", "build")
    until(lambda: "rules-broken" not in used.warnings(), STATUS, "the Warning is gone")
    assert fetch(used, BLOCKED).status == 403


def test_a_corrupt_compiled_set_without_a_last_good_is_made_anew_and_told(used: Box) -> None:
    for path in (used.state / "rules.set", used.state / "last-good" / "rules.set"):
        path.write_bytes(b"corrupt")
    assert "rules.set: it is too short" in used.cli("explain", "example.org", good=False)
    used.start()
    assert "rules.set was damaged and was made anew" in used.said()
    assert fetch(used, BLOCKED).status == 403


def test_a_corrupt_event_store_is_set_aside_under_a_dated_name_and_a_new_one_started(used: Box) -> None:
    (used.state / "events.db").write_bytes(b"corrupt" * 999)
    assert "is damaged" in used.cli("events", good=False)
    used.start()
    until(lambda: "event-store-set-aside" in used.warnings(), STATUS, "there is a Warning")
    (aside,) = used.state.glob("events.db.corrupt-*")
    assert re.fullmatch(r"events\.db\.corrupt-\d{8}-\d{6}", aside.name)
    assert aside.name in used.cli("status")
    assert fetch(used, BLOCKED).status == 403
    until(lambda: json.loads(used.cli("events", "--json")), STATUS, "the new one takes events")


EVERYTHING = ("rules.set", "last-good/rules.set", "events.db", "overrides.json", "trust.json", "pseudonym.json")
NOISE = b"\xff\x00corrupt"


@pytest.mark.parametrize(
    ("files", "content"), [(EVERYTHING, b""), (EVERYTHING, NOISE), (("box.key",), NOISE)], ids=["empty", "noise", "key"]
)
def test_nothing_prints_a_traceback_to_a_person(used: Box, files: tuple[str, ...], content: bytes) -> None:
    for file in files:
        (used.state / file).write_bytes(content)
    for words in STOPPED:
        speaks(used, *words)
    for file in files:
        (used.state / file).write_bytes(content)
    used.start()
    assert fetch(used, BLOCKED).status == 403, "it filters on"
    for words in RUNNING:
        speaks(used, *words)
    assert used.stop() == 0
    assert "Traceback" not in used.said()


def speaks(box: Box, *words: str) -> None:
    """A command succeeds, or fails with a sentence and a remedy."""
    command = [SCHOOLGATE, "--state", str(box.state), "--config", str(box.config), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), (words, done.stderr)
    assert len(done.stderr.splitlines()) <= 2, (words, done.stderr)
    if done.returncode:
        assert re.match(r"schoolgate: [^\n]+\.\n  [^\n]+\n\Z", done.stderr), (words, done.stderr)
