"""What all commands share: help, place, errors, terminals."""

import errno
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from appliance.cli.base import of_disk
from appliance.cli.program import program
from tests.appliance.cli.command import SCHOOLGATE, Command, ran, spawn


def commands(
    group: click.Group = program, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*above, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))


ALL = dict(commands())
LEAVES = {words: command for words, command in ALL.items() if not isinstance(command, click.Group)}
CONTRACT = """
    run | try | explain | status | check | events | rules import | rules build | rules status | rules update |
    rules test | rules remove | allow | pause | override list | override end
"""
PRINTS_DATA = ["try", "explain", "status", "check", "events", "allow", "pause"]
PRINTS_DATA += ["rules import", "rules status", "rules update", "override list"]


def test_the_words_of_the_contract_are_there() -> None:
    assert {tuple(words.split()) for words in CONTRACT.split("|")} <= set(LEAVES)


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_and_every_option_says_what_it_is_for(words: tuple[str, ...]) -> None:
    command = ALL[words]
    assert command.help and command.help.rstrip().endswith((".", "`.", '".')), words
    assert "..." not in command.get_short_help_str(80), f"{words}: the list of commands would cut it short"
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{words} {option.opts}"


@pytest.mark.parametrize("words", PRINTS_DATA)
def test_what_prints_data_prints_it_for_programs_too(words: str) -> None:
    assert "--json" in [name for option in LEAVES[tuple(words.split())].params for name in option.opts]


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_takes_the_place_of_the_box(words: tuple[str, ...]) -> None:
    assert {"--state", "--config"} <= {name for option in LEAVES[words].params for name in option.opts}


def test_the_place_stands_before_or_behind_the_command(box: Command) -> None:
    state = str(box.state)
    assert ran("--state", state, "check").out == ran("check", "--state", state).out
    assert str(box.state) in ran("check", "--json", SCHOOLGATE_STATE=state).out


def test_the_last_place_counts(box: Command, fresh: Command) -> None:
    assert str(box.state) in ran("--state", fresh.state, "check", "--json", "--state", box.state).out


def test_a_configuration_that_is_not_there(box: Command) -> None:
    told = box.refuses("check", "--config", box.state / "nowhere.toml")
    assert "nowhere.toml: there is no such configuration" in told


ANY = [
    ("status",),
    ("check",),
    ("events",),
    ("explain", "example.org"),
    ("try", "example.org"),
    ("rules", "status"),
    ("rules", "build"),
    ("rules", "test"),
    ("rules", "update"),
    ("rules", "remove", "nothing"),
    ("rules", "import", "LIST", "--category", "games"),
    ("allow", "example.org", "--group", "primary", "--for", "5m"),
    ("pause", "--group", "primary", "--for", "5m"),
    ("override", "list"),
    ("override", "end", "nothing"),
    ("run",),
]
LOOKS = {"check", "explain", "rules status", "rules test", "rules update", "override list"}
"""what a person may ask anywhere; everything else needs a folder to write to, or a box that runs"""


@pytest.mark.parametrize("words", ANY, ids=" ".join)
@pytest.mark.parametrize("place", ["below-a-file", "no-rights-to-make"])
def test_no_command_trips_over_a_place_that_cannot_be(words: tuple[str, ...], place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "list.txt").write_text("a.example\n")
    state = tmp_path / "file" / "state" if place == "below-a-file" else Path("/proc/nothing/here")
    words = tuple(str(tmp_path / "list.txt") if word == "LIST" else word for word in words)
    if " ".join(words[:2] if words[0] in ("rules", "override") else words[:1]) in LOOKS:
        Command(state).good(*words)
    else:
        Command(state).refuses(*words)


@pytest.mark.parametrize("file", ["rules.set", "overrides.json", "box.key", "schoolgate.toml", "lists"])
@pytest.mark.parametrize("words", [words for words in ANY if words != ("run",)], ids=" ".join)
def test_no_command_trips_over_a_file_that_cannot_be_read(box: Command, file: str, words: tuple[str, ...]) -> None:
    path = box.state / file
    if path.is_dir():
        (path / ".lock").unlink()
        path.rmdir()
        path.touch()
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
    (box.state / "list.txt").write_text("a.example\n")
    said = box(*(str(box.state / "list.txt") if word == "LIST" else word for word in words))
    assert said.status in (0, 1), said
    if said.status:
        assert said.err.startswith("schoolgate: "), said.err


def test_a_hint_can_be_typed_as_it_stands(tmp_path: Path) -> None:
    told = ran("status", "--state", tmp_path / "a b", cwd=tmp_path, PATH=os.defpath).err
    assert f"`{SCHOOLGATE} run --state '{tmp_path / 'a b'}'`" in told
    folder = Path(SCHOOLGATE).parent
    told = ran("status", cwd=folder.parent, PATH=os.defpath, SCHOOLGATE_STATE=str(tmp_path)).err
    assert "`bin/schoolgate run`" in told, "from where the program lies below, and a state that the environment names"
    assert "`schoolgate run`" in ran("status", cwd=tmp_path, PATH=f"{folder}:{os.defpath}").err


def test_the_state_of_a_checkout_need_not_be_typed_again(tmp_path: Path) -> None:
    folder = Path(SCHOOLGATE).parent
    told = ran("status", "--state", "var", cwd=tmp_path, PATH=f"{folder}:{os.defpath}").err
    assert "`schoolgate run`" in told


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EIO])
def test_what_the_disk_says_is_a_sentence_with_a_hint(number: int) -> None:
    error = of_disk(OSError(number, os.strerror(number), "/some/file"))
    assert str(error) == f"/some/file: {os.strerror(number)}"
    assert error.hint.endswith(".")


def test_colours_only_where_they_are_wanted(box: Command) -> None:
    assert "\x1b[" in box("explain", "adult.schoolgate.test", color=True).out
    assert "\x1b[" not in box("explain", "adult.schoolgate.test", color=True, NO_COLOR="1").out
    assert "\x1b[" not in box("explain", "adult.schoolgate.test").out


@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}]
)
def test_any_encoding_will_do(box: Command, environment: dict[str, str], tmp_path: Path) -> None:
    told = ran("--state", box.state, "explain", "bücher и книги", **environment)
    assert told.status == 1 and "is neither a host nor a URL" in told.err
    (tmp_path / "list.txt").write_text("good.example\n中文 no name\nother.example\n", encoding="utf-8")
    imported = ran("--state", box.state, "rules", "import", tmp_path / "list.txt", "--category", "games", **environment)
    assert imported.status == 0 and "2 accepted, 1 rejected" in imported.out, imported


def test_a_reader_that_has_seen_enough(box: Command) -> None:
    process = spawn("--state", box.state, "rules", "status")
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(30) == 0


def test_a_disk_that_is_full(box: Command) -> None:
    with Path("/dev/full").open("w") as full:
        process = spawn("--state", box.state, "explain", "example.org", stdout=full)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err == "schoolgate: No space left on device.\n  Make room on the disk.\n"


def test_no_bars_where_nobody_watches(box: Command) -> None:
    assert ran("--state", box.state, "rules", "build").err == ""


def test_ctrl_c_is_a_sentence(box: Command) -> None:
    """In the midst of a download that never ends: what was in force stays."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/list.txt"
        before = (box.state / "rules.set").read_bytes()
        process = spawn("--state", box.state, "rules", "import", url, "--category", "games", start_new_session=True)
        server.settimeout(30)
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na.example\n")
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert err == "schoolgate: stopped before the end.\n  What was in force stays in force.\n"
    assert (box.state / "rules.set").read_bytes() == before
    assert sorted(path.name for path in (box.state / "lists").iterdir()) == [".lock"]


def test_ctrl_c_before_anything_was_read_shows_no_traceback() -> None:
    process = subprocess.Popen(
        [SCHOOLGATE, "--version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert "appliance" not in err, "whatever Python itself says, none of our files is in it"


@pytest.mark.parametrize("words", [["frobnicate"], ["explain"], ["run", "--nonsense"], ["events", "--days", "0"]])
def test_wrong_words_are_wrong_usage(fresh: Command, words: list[str]) -> None:
    assert "Usage: " in fresh.refuses(*words, status=2)


def test_the_version(fresh: Command) -> None:
    assert fresh.good("--version").out.startswith("schoolgate ")
