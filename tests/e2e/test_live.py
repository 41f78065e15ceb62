"""Changes while the box runs: in force within two seconds where they are good, and without effect but for a Warning
where they are not."""

import json
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.box import GUEST, PRIMARY, STAFF, Box, until
from tests.e2e.client import Refused, fetch, fetch_secure, trusting
from tests.e2e.origin import Certificates, Origin

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-live")]

SOON = 3.0
"""seconds: two are promised, and one is for a machine that does other things as well"""
PATIENT = 10.0
BLOCKED, OTHER = "adult.schoolgate.test", "gambling.schoolgate.test"
Opens = Callable[[str, str], bool]


@pytest.fixture
def opens(box: Box, origin: Origin, certificates: Certificates) -> Opens:
    """Whether a device gets the page of a host: over http and over https, which must agree, at both gates."""
    context = trusting(certificates.path)

    def ask(host: str, device: str) -> bool:
        found = {fetch(box, f"http://{host}:{origin.http}/", device).status == 200 for _ in range(4)}
        for _ in range(4):
            try:
                found.add(fetch_secure(box, host, origin.https, context, device).status == 200)
            except (ssl.SSLError, Refused):
                found.add(False)
        return all(found)

    return ask


@contextmanager
def changed(path: Path, content: bytes) -> Iterator[None]:
    """The file holds this for a while, replaced as an editor does it."""
    before = path.read_bytes()
    replace(path, content)
    try:
        yield
    finally:
        replace(path, before)


def replace(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".beside")
    beside.write_bytes(content)
    beside.replace(path)


def test_an_override_opens_a_name_for_one_group_and_ends_when_told(box: Box, opens: Opens) -> None:
    guest, primary = GUEST.format(1), PRIMARY.format(1)
    assert not opens(BLOCKED, guest)
    box.cli("allow", BLOCKED, "--group", "guest", "--for", "45m", "--reason", "biology")
    until(lambda: opens(BLOCKED, guest), SOON, "it is open")
    assert not opens(BLOCKED, primary) and not opens(OTHER, guest)
    (row,) = json.loads(box.cli("override", "list", "--json"))
    assert (row["host"], row["group"], row["reason"]) == (BLOCKED, "guest", "biology")
    box.cli("override", "end", row["id"])
    until(lambda: not opens(BLOCKED, guest), SOON, "it is closed again")


def test_an_override_ends_by_itself(box: Box, opens: Opens) -> None:
    guest = GUEST.format(1)
    box.cli("allow", BLOCKED, "--group", "guest", "--for", "1m")
    path = box.state / "overrides.json"
    (row,) = json.loads(path.read_text())
    ends = datetime.now(UTC) + timedelta(seconds=3)  # nobody wants to wait for the minute
    replace(path, json.dumps([row | {"until": ends.isoformat()}]).encode())
    until(lambda: opens(BLOCKED, guest), SOON, "it is open")
    until(lambda: not opens(BLOCKED, guest), 3 + SOON, "it is closed again")
    assert datetime.now(UTC) >= ends
    assert json.loads(box.cli("override", "list", "--json")) == []


def test_a_pause_closes_everything_but_help(box: Box, opens: Opens) -> None:
    guest = GUEST.format(1)
    assert opens("www.pages.example", guest)
    box.cli("pause", "--group", "guest", "--for", "10m")
    until(lambda: not opens("www.pages.example", guest), SOON, "it is paused")
    assert opens("protected.schoolgate.test", guest) and opens("www.pages.example", STAFF.format(1))
    assert fetch(box, "http://help.schoolgate.internal/", guest).status == 200
    (row,) = json.loads(box.cli("override", "list", "--json"))
    box.cli("override", "end", row["id"])
    until(lambda: opens("www.pages.example", guest), SOON, "it goes on")


def test_nobody_opens_what_is_sealed(box: Box, opens: Opens) -> None:
    told = box.cli("allow", "sealed.schoolgate.test", "--group", "staff", "--for", "1h", good=False)
    assert "sealed" in told and "Traceback" not in told
    assert not opens("sealed.schoolgate.test", STAFF.format(1))


def test_a_changed_configuration_is_taken_up(box: Box, opens: Opens) -> None:
    device = "127.30.0.1"
    assert not opens(OTHER, device)
    text = box.config.read_text().replace("[proxy]", '"127.30.0.0/16" = "staff"\n\n[proxy]')
    with changed(box.config, text.encode()):
        until(lambda: opens(OTHER, device), SOON, "the device is staff")
    until(lambda: not opens(OTHER, device), SOON, "it is a guest again")


def test_a_changed_policy_is_taken_up(box: Box, opens: Opens) -> None:
    path = box.folder / "policies" / "primary.toml"
    with changed(path, path.read_bytes().replace(b'"gambling", ', b"")):
        until(lambda: opens(OTHER, PRIMARY.format(1)), SOON, "the category is open")
    until(lambda: not opens(OTHER, PRIMARY.format(1)), SOON, "it is closed again")


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("schoolgate.toml", b"[proxy]\nprocesses = 'two'\n", "schoolgate.toml:2: proxy.processes:"),
        ("schoolgate.toml", b"[proxy]\nproceses = 2\n", "Did you mean 'processes'?"),
        ("schoolgate.toml", b"this is no TOML", "schoolgate.toml:"),
        ("schoolgate.toml", b"\xff\xfe", "UTF-8"),
        ("policies/primary.toml", b'name = "primary"\nblock = ["adlut"]\n', "primary.toml:2: block:"),
    ],
)
def test_a_broken_configuration_changes_nothing_and_says_so(
    box: Box, opens: Opens, file: str, content: bytes, told: str
) -> None:
    with changed(box.folder / file, content):
        until(lambda: "config-broken" in box.warnings(), PATIENT, "there is a Warning")
        said = box.cli("status")
        assert told in said and "Traceback" not in said
        assert opens("www.pages.example", GUEST.format(1)) and not opens(BLOCKED, GUEST.format(1))
        assert opens(OTHER, STAFF.format(1)) and not opens(OTHER, PRIMARY.format(1)), "the groups are as they were"
        assert told in box.cli("check", good=False)
    until(lambda: "config-broken" not in box.warnings(), PATIENT, "the Warning is gone")


def test_a_corrupt_rule_set_is_not_taken_up(box: Box, opens: Opens) -> None:
    rules = box.state / "rules.set"
    good = rules.read_bytes()
    for broken in (b"", good[:-100], good[:5000] + b"\0\1\2\3" + good[5004:], b"<!doctype html>" * 100):
        with changed(rules, broken):
            until(lambda: "rules-broken" in box.warnings(), PATIENT, "there is a Warning")
            assert not opens(BLOCKED, GUEST.format(1)) and opens("www.pages.example", GUEST.format(1))
        until(lambda: "rules-broken" not in box.warnings(), PATIENT, "the Warning is gone")


def test_a_rule_set_cut_short_in_its_place_opens_nothing(box: Box, opens: Opens, origin: Origin) -> None:
    """The gates have the file mapped: the kernel ends them when they read behind its end. They start with the last good
    set."""
    box.cli("rules", "build")
    box.cli("rules", "build")
    origin.forget()
    os.truncate(box.state / "rules.set", 4096)

    def recovered() -> bool:
        try:
            return fetch(box, f"http://{BLOCKED}:{origin.http}/", GUEST.format(1)).status == 403
        except OSError:
            return False

    until(lambda: recovered() and len(box.pids()) == 5 and "rules-broken" in box.warnings(), 20, "it runs and warns")
    assert origin.seen == []
    box.cli("rules", "build")
    until(lambda: "rules-broken" not in box.warnings(), PATIENT, "the Warning is gone")
    assert opens("www.pages.example", GUEST.format(1)) and not opens(BLOCKED, GUEST.format(1))


def test_a_damaged_file_of_overrides_ends_them_all(box: Box, opens: Opens) -> None:
    box.cli("allow", BLOCKED, "--group", "guest", "--for", "45m")
    until(lambda: opens(BLOCKED, GUEST.format(1)), SOON, "it is open")
    with changed(box.state / "overrides.json", b'[{"id": 1'):
        until(lambda: not opens(BLOCKED, GUEST.format(1)), SOON, "it is closed")
        assert "overrides-broken" in box.warnings()
    until(lambda: "overrides-broken" not in box.warnings(), PATIENT, "the Warning is gone")


def test_try_tells_what_happens(box: Box, origin: Origin) -> None:
    def tried(url: str, *more: str) -> tuple[str, str]:
        row = json.loads(box.cli("try", url, "--json", *more))
        return row["outcome"], row["detail"]

    assert tried(f"http://{OTHER}:{origin.http}/")[0] == "blocked"
    assert tried(f"http://{OTHER}:{origin.http}/", "--group", "staff")[0] == "passed"
    outcome, detail = tried(f"https://{OTHER}:{origin.https}/")
    assert outcome == "blocked" and "alert" in detail
    outcome, detail = tried(f"https://www.pages.example:{origin.https}/")
    assert outcome == "passed" and "untouched" in detail
    assert tried("http://missing.pages.example/")[0] == "failed"
    assert tried("https://missing.pages.example/")[0] == "failed"
    assert tried("https://down.pages.example:9/")[0] == "failed"
