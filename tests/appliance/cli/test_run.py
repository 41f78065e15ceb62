"""`run`, `status`, `check`, and `try` through a box that really runs (without an inspect worker, to be quick)."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.appliance.cli.command import Command, lines, spawn
from tests.e2e.box import free_port, until

pytestmark = pytest.mark.xdist_group("cli-box")
CONFIG = """\
[proxy]
listen = ["127.0.0.1:{}"]
processes = 1
[web]
listen = "127.0.0.1:{}"
[inspect]
workers = 0
"""


def test_a_check_of_nothing(fresh: Command) -> None:
    told = lines(fresh.good("check").out)
    assert told == [
        "Configuration  none, so the defaults hold: good",
        "Policies       those that come with Schoolgate",
        "Rule set       none yet; the first `schoolgate run` makes it",
    ]
    assert not fresh.state.exists()


def test_a_check_of_something(box: Command) -> None:
    (box.state / "schoolgate.toml").touch()
    (box.state / "policies").mkdir()
    (box.state / "policies" / "staff.toml").write_text('name = "own"\n')
    told = lines(box.good("check").out)
    assert told[0].endswith("schoolgate.toml: good")
    assert told[1] == "Policies       1 of the school's own (staff)"
    assert told[2].startswith("Rule set ") and ": good, " in told[2]
    assert told[3].startswith("! No list of illegal content is loaded")
    found = box.good("check", "--json").json
    assert list(found) == ["config", "rules", "origin", "warnings"]
    assert [list(warning) for warning in found["warnings"]] == [["code", "text", "hint"]] * len(found["warnings"])


def test_a_check_finds_what_is_broken(box: Command) -> None:
    (box.state / "rules.set").write_bytes(b"damaged")
    said = box("check")
    assert said.status == 1 and "broken, the last good one is in force" in said.out
    assert "`schoolgate rules build`" in said.err
    box.good("rules", "build")
    box.good("check")
    (box.state / "schoolgate.toml").write_text("[web]\nlissen = 1\n")
    told = box.refuses("check")
    assert "schoolgate.toml:2: web.lissen: is not a setting" in told and "Did you mean 'listen'?" in told


def test_a_check_of_a_policy_that_is_named_for_nobody(box: Command) -> None:
    (box.state / "schoolgate.toml").touch()
    (box.state / "policies").mkdir()
    (box.state / "policies" / "primry.toml").write_text('name = "x"\n')
    told = box.refuses("check")
    assert "primry.toml: is named for no group" in told and "Did you mean 'primary.toml'?" in told


def test_nobody_is_at_home(box: Command) -> None:
    for words in (["status"], ["status", "--json"], ["try", "example.org"]):
        told = box.refuses(*words)
        assert "no box is running with the state in " in told and "`schoolgate run`" in told
    assert not (box.state / "run").exists(), "to ask leaves nothing behind"


@pytest.fixture
def short(prototype: Path) -> Iterator[Command]:
    """A box whose sockets' paths fit, as those of pytest's folders do not."""
    with tempfile.TemporaryDirectory(prefix="sgc-", dir="/tmp") as folder:
        yield Command(Path(shutil.copytree(prototype, Path(folder) / "s")))


def test_two_boxes_with_one_state(short: Command) -> None:
    (short.state / "run").mkdir()
    with (short.state / "run" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "a box is already running with the state in " in short.refuses("run")


def test_a_state_whose_sockets_cannot_be(tmp_path: Path) -> None:
    deep = Command(tmp_path / ("x" * 90))
    told = deep.refuses("run")
    assert "the path of the state folder is too long" in told and not deep.state.exists()


@pytest.mark.parametrize("section", ["proxy", "web"])
def test_a_port_that_is_taken(short: Command, section: str) -> None:
    proxy, web = free_port(), free_port()
    (short.state / "schoolgate.toml").write_text(CONFIG.format(proxy, web))
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as another box would
        other.bind(("127.0.0.1", proxy if section == "proxy" else web))
        other.listen()
        told = short.refuses("run")
    assert f"cannot listen on 127.0.0.1 port {proxy if section == 'proxy' else web} (" in told
    assert f"[{section}] listen" in told


def test_an_address_that_is_not_here(short: Command) -> None:
    (short.state / "schoolgate.toml").write_text('[proxy]\nlisten = ["192.0.2.1:8080"]\n')
    assert "cannot listen on 192.0.2.1 port 8080 (Cannot assign requested address)" in short.refuses("run")


@dataclass(frozen=True)
class Running(Command):
    """A box that runs."""

    proxy: int
    process: subprocess.Popen[str]
    head: str
    """what it printed until it was ready"""


@contextmanager
def started() -> Iterator[Running]:
    """Started as a person starts it, in a terminal's session; stopped with Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="sgc-", dir="/tmp") as folder:
        proxy = free_port()
        (Path(folder) / "schoolgate.toml").write_text(CONFIG.format(proxy, free_port()))
        process = spawn("run", "--state", folder, start_new_session=True, stderr=subprocess.STDOUT)
        assert process.stdout
        head = [process.stdout.readline()]
        while head[-1] and head[-1].strip() != "Ctrl-C stops it.":
            head.append(process.stdout.readline())
        try:
            yield Running(Path(folder), proxy, process, "".join(head))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.communicate(timeout=30)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with started() as running:
        yield running


def test_a_person_is_told_what_to_do_next(running: Running) -> None:
    starting, head, *told = lines(running.head)
    assert starting == "Schoolgate is starting ..."
    assert head.startswith("Schoolgate is running with ") and head.endswith("Devices that no network names are guest.")
    assert [line.split("  ")[0] for line in told] == [
        "Proxy", "Look", "Try", "Browser", "For pupils", "Settings", "Ctrl-C stops it.",
    ]  # fmt: skip
    assert f"127.0.0.1:{running.proxy}, or the PAC file http://127.0.0.1:" in told[0]
    assert told[2].endswith(f" try http://adult.schoolgate.test/ --state {running.state}")
    assert told[5].endswith(str(running.state / "schoolgate.toml"))


def test_status_tells_of_processes_and_counts(running: Running) -> None:
    told = running.good("status", "--json").json
    assert list(told) == ["processes", "in_use", "used", "judged", "blocked", "events", "warnings"]
    assert [process["name"] for process in told["processes"]] == ["recorder", "web", "gate-0"]
    assert {process["state"] for process in told["processes"]} == {"running"}
    printed = running.good("status").out
    assert "process            state      restarts" in printed
    assert "! No list of illegal content is loaded" in printed


def test_what_is_blocked(running: Running) -> None:
    said = lines(running.good("try", "http://adult.schoolgate.test/a b").out)
    assert said[0] == "BLOCKED  http://adult.schoolgate.test/a%20b"
    assert said[1] == 'The box answered with its own page: "This page stays closed here".'
    assert said[2] == "Why: schoolgate explain http://adult.schoolgate.test/a%20b --group guest"
    said = lines(running.good("try", "adult.schoolgate.test", "--group", "primary").out)
    assert said[:2] == [
        "BLOCKED  https://adult.schoolgate.test/",
        "The box ended it with a TLS alert (access denied).",
    ]
    until(lambda: len(running.good("events", "--json").json) >= 2, 10, "both are flagged")
    assert {event["group"] for event in running.good("events", "--json").json} == {"guest", "primary"}
    assert running.good("status", "--json").json["blocked"]["adult"] >= 2


def test_what_fails(running: Running) -> None:
    told = running.good("try", "http://adult.schoolgate.test/", "--group", "staff", "--json").json
    assert list(told) == ["url", "group", "outcome", "status", "detail"]
    assert (told["outcome"], told["status"], told["group"]) == ("failed", 502, "staff")


def test_what_passes(running: Running) -> None:
    said = lines(running.good("try", "http://help.schoolgate.internal/").out)
    assert said == ["PASSED  http://help.schoolgate.internal/", "The server answered with status 200."]


def test_what_is_inside_stays_inside_and_is_no_matter_of_rules(running: Running) -> None:
    said = lines(running.good("try", f"http://127.0.0.1:{running.proxy}/", "--group", "staff").out)
    assert said == [
        f"BLOCKED  http://127.0.0.1:{running.proxy}/",
        'The box answered with its own page: "This address belongs to the inside of the school".',
    ]


@pytest.mark.parametrize("url", ["", "nonsense://x", "http://[::1", "https://x y/", "http://example.org:99999/"])
def test_what_cannot_be_tried(running: Running, url: str) -> None:
    assert "is not a web address" in running.refuses("try", url)


def test_ctrl_c_ends_it_and_keeps_the_state() -> None:
    with started() as running:
        running.good("try", "http://adult.schoolgate.test/")
        os.killpg(running.process.pid, signal.SIGINT)
        out, _ = running.process.communicate(timeout=30)
        assert running.process.returncode == 0
        assert out.rstrip().endswith("Schoolgate has stopped. Its state is kept; start it again the same way.")
        assert "Traceback" not in out
        running.refuses("status")
        assert len(running.good("events", "--json").json) == 1, "what waited was written at the end"
