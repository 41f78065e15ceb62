"""What the tests of the event store share: an event, a recorder with clocks to move, a recorder in its own process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance import control, health
from appliance.store.events import read_events
from appliance.store.recorder import SOCKET, Recorder
from appliance.store.schema import Row
from appliance.wire.event import Event

NOON = 1_795_003_200
"""2026-11-18 12:00 UTC, a Wednesday"""

BODY = """
import sys, threading, time
from pathlib import Path
from appliance import control, health
from appliance.store.events import read_events
from appliance.store.recorder import SOCKET, Recorder
state, hurry = Path(sys.argv[1]), float(sys.argv[2])
recorder = Recorder(state, 30, 120, monotonic=lambda: time.monotonic() * hurry)
sock = control.bind(state / SOCKET)
recorder.run(sock, threading.Event())
"""


@dataclass
class FakeClock:
    """Both clocks of a recorder, moved by the test."""

    wall: float = NOON
    ticks: float = 1_000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds


def an_event(number: int = 0, at: int = NOON, **told: str) -> Event:
    words = {
        "group": "lower-secondary",
        "category": "gambling",
        "action": "block",
        "reason": "blocked_by_category",
        "via": "tls",
        "host": f"www.casino{number}.example",
        "rule_list": "ut1-gambling",
        "client": "10.20.3.4",
    }
    return Event(at=at, rule_line=number, **(words | told))


def a_recorder(state: Path, clock: FakeClock, retention_days: int = 30) -> Recorder:
    return Recorder(state, retention_days, 120, now=clock.now, monotonic=clock.monotonic)


@contextmanager
def running(state: Path, hurry: float = 1.0) -> Iterator[subprocess.Popen[bytes]]:
    """A recorder in a process of its own, ready to answer; killed at the end. Its time runs `hurry` times as fast."""
    process = subprocess.Popen([sys.executable, "-c", BODY, str(state), str(hurry)])
    try:
        wait_for(lambda: asked(state), f"the recorder answers (ended: {process.poll()})")
        yield process
    finally:
        process.kill()
        process.wait()


def asked(state: Path) -> control.Message | None:
    return control.ask(state / SOCKET, "status") if (state / SOCKET).exists() else None


def wait_for(what: Callable[[], object], saying: str, seconds: float = 60.0) -> None:
    """Until what() is true; fails loudly rather than wait for ever."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"never happened: {saying}"
        time.sleep(0.01)


def send(state: Path, datagrams: list[bytes]) -> int:
    """Send without giving up while the recorder's queue is full; how many were taken."""
    with control.sender() as via:
        for sent, datagram in enumerate(datagrams):
            end = time.monotonic() + 5
            while not control.send(via, state / SOCKET, datagram):
                if time.monotonic() > end:
                    return sent
                time.sleep(0.001)
    return len(datagrams)


def bytes_of(state: Path) -> bytes:
    """Everything that any file below the state folder holds, and what the files are called."""
    files = [path for path in state.rglob("*") if path.is_file()]
    return b"\n".join(str(path).encode() + b"\n" + path.read_bytes() for path in files)


def kill(process: subprocess.Popen[bytes]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def a_row(domain: str, at: float = NOON, rule_list: str = "ut1-gambling") -> Row:
    return Row(int(at) // 60, "0a1b2c3d", domain, "primary", "gambling", "block", "sealed", "tls", rule_list, 7)


def domains(state: Path) -> dict[str, int]:
    return {event.domain: event.count for event in read_events(state)}


def status(recorder: Recorder) -> control.Message:
    told = recorder.take(b'{"ask":"status"}')
    assert told is not None
    return told


def codes(told: control.Message) -> list[str]:
    found = [warning["code"] for warning in told["warnings"]]
    assert set(found) <= {code.value for code in health.Code}
    return found


def settle(recorder: Recorder, clock: FakeClock) -> None:
    """Let time pass until nothing waits."""
    recorder.tick()
    while status(recorder)["waiting"]:
        clock.sleep(recorder.wait())
        recorder.tick()


def total(state: Path) -> int:
    return sum(event.count for event in read_events(state))
