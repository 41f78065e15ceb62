"""Ten thousand idle connections: they cost no processor time, delay nobody, and leave nothing behind."""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest

from tests.e2e import raw
from tests.e2e.box import Box, until
from tests.e2e.client import SECONDS, connect, fetch, fetch_secure, trusting
from tests.e2e.origin import Certificates, Origin
from tests.e2e.processes import cpu_seconds, descriptors, resident

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-idle"), pytest.mark.timeout(240)]

WANTED = 10_000
AT_ONCE = 250
HOST = "www.pages.example"
IDLE_CPU = 0.1
"""seconds of processor time in two idle seconds, for each process; a loop that spins takes two"""


@pytest.fixture(scope="module")
def holder() -> Iterator[int]:
    """The port of a server that holds every connection."""
    script = Path(__file__).with_name("holder.py")
    with subprocess.Popen([sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.communicate()


def possible() -> int:
    """How many connections the limit of open files lets a test hold: a gate needs two for each, and half of them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(WANTED, int((hard - 500) / 1.25))


def test_idle_connections(box: Box, origin: Origin, certificates: Certificates, holder: int) -> None:
    pids = box.pids()
    files = {name: descriptors(pid) for name, pid in pids.items()}
    memory = {name: resident(pid) for name, pid in pids.items()}
    number, started = possible(), time.monotonic()
    clients: list[socket] = []
    try:
        while len(clients) < number:
            clients += open_some(box, holder, len(clients), min(AT_ONCE, number - len(clients)))
        took = time.monotonic() - started
        assert box.status().in_use["splice"] == number
        grown = {name: resident(pid) - memory[name] for name, pid in pids.items()}
        waited = served(box, origin, certificates)
        idle = idle_cpu(pids)
        each = sum(grown.values()) / number
        print(f"{number} idle connections in {took:.1f} s, {each:.0f} bytes each; others wait {waited * 1000:.0f} ms")
        assert max(idle.values()) <= IDLE_CPU, idle
        assert waited < 1.0
    finally:
        for client in clients:
            client.close()
    until(lambda: box.status().in_use["splice"] == 0, 20, "all connections are forgotten")
    until(
        lambda: {name: descriptors(pid) for name, pid in pids.items()} == files, 10, f"no descriptor is left: {files}"
    )
    assert box.pids() == pids


def open_some(box: Box, port: int, begun: int, number: int) -> list[socket]:
    """This many tunnels that a server has taken, from many devices."""
    hello = raw.client_hello(HOST)
    request = f"CONNECT {HOST}:{port} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode() + hello
    clients = [connect(box, f"127.0.4.{(begun + at) % 250 + 1}") for at in range(number)]
    for client in clients:
        client.settimeout(SECONDS)
        client.sendall(request)
    for client in clients:
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
    return clients


def served(box: Box, origin: Origin, certificates: Certificates) -> float:
    """The longest that any of 40 others has to wait, in seconds."""
    context, longest = trusting(certificates.path), 0.0
    for number in range(20):
        started = time.monotonic()
        assert fetch(box, f"http://{HOST}:{origin.http}/{number}").status == 200
        halfway = time.monotonic()
        assert fetch_secure(box, HOST, origin.https, context).status == 200
        longest = max(longest, halfway - started, time.monotonic() - halfway)
    return longest


def idle_cpu(pids: dict[str, int]) -> dict[str, float]:
    """Processor time of each process in two seconds in which nobody asks anything; tried three times, because what was
    asked before may still be put away."""
    for _ in range(3):
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        time.sleep(2)
        used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        if max(used.values()) <= IDLE_CPU:
            break
    return used


def test_a_box_at_rest_rests(box: Box) -> None:
    assert max(idle_cpu(box.pids()).values()) <= IDLE_CPU
