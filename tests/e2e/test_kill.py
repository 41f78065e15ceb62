"""Kill -9 of any one process while traffic flows: it is back within two seconds, the other lanes go on, and what must
be blocked never passes meanwhile."""

import http.client
import os
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket

import pytest

from tests.e2e import raw
from tests.e2e.box import GUEST, PRIMARY, Box, until
from tests.e2e.client import Refused, fetch, fetch_secure, learn_trust, open_tunnel, trusting
from tests.e2e.origin import Certificates, Origin
from tests.e2e.processes import children

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-kill")]

RESTARTED, READY = 2.0, 6.0
"""seconds; how soon it is ready depends on the machine and on what else runs there: a worker loads a big library"""
PAUSE = 0.02
"""seconds between two requests of a client, so that the machine is not busy with clients alone"""
HOST, BLOCKED = "www.pages.example", "adult.schoolgate.test"
TRUSTS, NEVER_TRUSTED = PRIMARY.format(1), GUEST.format(1)
FAILED = (OSError, http.client.HTTPException, Refused)  # what a client sees when the process it talks to dies


class Traffic:
    """Clients that ask without a pause, each in a thread: one for each lane, and three for what is blocked."""

    def __init__(self, box: Box, origin: Origin, plain_tls: ssl.SSLContext, own_tls: ssl.SSLContext) -> None:
        self.served = dict.fromkeys(("plain", "splice", "inspect"), 0)
        self.failed = dict.fromkeys(self.served, 0)
        self.passed: list[str] = []
        """what should have been blocked and was not"""
        self.asked_blocked = 0
        self._stop = threading.Event()
        http_port, https_port = origin.http, origin.https
        self._jobs: list[Callable[[], None]] = [
            lambda: self._ask("plain", lambda: fetch(box, f"http://{HOST}:{http_port}/", NEVER_TRUSTED).body),
            lambda: self._ask("splice", lambda: fetch_secure(box, HOST, https_port, plain_tls, NEVER_TRUSTED).body),
            lambda: self._ask("inspect", lambda: fetch_secure(box, HOST, https_port, own_tls, TRUSTS).body),
            lambda: self._ask_blocked(lambda: fetch(box, f"http://{BLOCKED}:{http_port}/", NEVER_TRUSTED).status),
            lambda: self._ask_blocked(lambda: fetch_secure(box, BLOCKED, https_port, own_tls, TRUSTS).status),
            lambda: self._ask_blocked(lambda: fetch_secure(box, BLOCKED, https_port, plain_tls, NEVER_TRUSTED).status),
        ]

    def _ask(self, lane: str, ask: Callable[[], bytes]) -> None:
        try:
            assert ask() == b"hello from /"
            self.served[lane] += 1
        except FAILED:
            self.failed[lane] += 1

    def _ask_blocked(self, ask: Callable[[], int]) -> None:
        self.asked_blocked += 1
        try:
            status = ask()
        except FAILED:
            return
        if status not in (403, 502):
            self.passed.append(f"status {status}")

    def _repeat(self, job: Callable[[], None]) -> None:
        while not self._stop.is_set():
            job()
            time.sleep(PAUSE)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._repeat, args=[job]) for job in self._jobs]
        for thread in threads:
            thread.start()
        try:
            until(lambda: all(self.served.values()), 10, f"every lane serves: {self.served}, {self.failed}")
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(20)


@pytest.fixture
def traffic(box: Box, origin: Origin, certificates: Certificates) -> Traffic:
    origin.forget()
    return Traffic(box, origin, trusting(certificates.path), learn_trust(box, TRUSTS))


def kill(box: Box, name: str) -> tuple[float, float]:
    """Kill a process as the kernel would: seconds until its successor was started, and until that was ready."""
    pid = box.pids()[name]
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: box.pids("starting", "running").get(name, pid) != pid, 20, f"{name} is started again")
    restarted = time.monotonic() - killed
    until(lambda: box.pids().get(name, pid) != pid, 20, f"{name} is ready again")
    return restarted, time.monotonic() - killed


OTHERS = {
    # process: the lanes that do not notice
    "gate-0": (),
    "gate-1": (),
    "inspect-worker-0": ("plain", "splice"),
    "recorder": ("plain", "splice", "inspect"),
    "web": ("plain", "splice", "inspect"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_process_that_is_killed_comes_back(box: Box, origin: Origin, traffic: Traffic, name: str) -> None:
    with traffic.flowing():
        restarted, ready = kill(box, name)
        failed, served = dict(traffic.failed), dict(traffic.served)
        until(lambda: all(traffic.served[lane] > served[lane] for lane in served), 10, "every lane serves again")
    print(f"{name}: again after {restarted:.2f} s, ready after {ready:.2f} s; failed {failed}, served {served}")
    assert restarted <= RESTARTED and ready <= READY
    assert {lane: failed[lane] for lane in OTHERS[name]} == dict.fromkeys(OTHERS[name], 0)
    if name.startswith("gate"):
        assert max(failed.values()) <= 3, "only connections that the dead gate held may fail"
    assert traffic.asked_blocked > 10 and traffic.passed == []
    assert BLOCKED not in {host.partition(":")[0] for _, host, _ in origin.seen}
    assert BLOCKED not in origin.certificates.asked


def test_connections_of_the_other_gate_live_on(box: Box) -> None:
    """One tunnel on each gate; the death of one gate ends one of them."""
    hello, came = raw.client_hello(HOST), raw.Recorder(b"answer")
    gates = ("gate-0", "gate-1")
    with raw.server(came) as port, ExitStack() as closing:
        held: dict[str, socket] = {}
        while len(held) < 2:
            before = {gate: box.ask(gate)["lanes"]["splice"] for gate in gates}
            tunnel = closing.enter_context(open_tunnel(box, HOST, port, early=hello))
            assert tunnel.recv(100) == b"answer"
            (gate,) = (gate for gate in gates if box.ask(gate)["lanes"]["splice"] > before[gate])
            held[gate] = tunnel
        kill(box, "gate-0")
        assert held["gate-0"].recv(100) == b""
        held["gate-1"].sendall(b"still here")
        until(lambda: any(bytes(one).endswith(b"still here") for one in came.came), 5, "the other tunnel works")


def test_without_a_worker_nothing_is_let_through_unread(box: Box, origin: Origin, certificates: Certificates) -> None:
    """What is blocked stays blocked, and a policy that is closed on failure closes what it wanted to read."""
    learn_trust(box, TRUSTS)
    either = trusting(certificates.path, str(box.ca))
    os.kill(box.pids()["inspect-worker-0"], signal.SIGKILL)
    refused = 0

    def inspected_again() -> bool:
        nonlocal refused
        try:
            issuer = fetch_secure(box, HOST, origin.https, either, TRUSTS).issuer
        except OSError:  # an alert, or the end of the connection that the dead worker held
            refused += 1
            return False
        assert issuer.startswith("Schoolgate"), "it was let through though its policy is closed on failure"
        return True

    until(inspected_again, 10, "the worker is back")
    assert refused
    assert fetch_secure(box, HOST, origin.https, either, NEVER_TRUSTED).status == 200


def test_the_supervisors_death_ends_everything_and_the_next_start_finds_its_state(box: Box, origin: Origin) -> None:
    box.cli("allow", "gambling.schoolgate.test", "--group", "guest", "--for", "2h")
    authority, process = box.ca.read_bytes(), box.process
    assert process is not None
    own = children(process.pid)
    assert len(own) == 5
    os.kill(process.pid, signal.SIGKILL)
    process.wait(5)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in own), 10, "no process outlives it")
    with pytest.raises(ConnectionRefusedError):
        fetch(box, f"http://{HOST}:{origin.http}/")
    box.start()
    assert box.ca.read_bytes() == authority
    assert fetch(box, f"http://gambling.schoolgate.test:{origin.http}/", NEVER_TRUSTED).status == 200
    assert fetch(box, f"http://{BLOCKED}:{origin.http}/", NEVER_TRUSTED).status == 403
    assert fetch_secure(box, HOST, origin.https, trusting(str(box.ca)), TRUSTS).issuer.startswith("Schoolgate")
