"""Clients that are slow, broken or hostile: each is cut off in time, and nobody else notices."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from socket import SO_LINGER, SOL_SOCKET, socket

import pytest

from tests.e2e import raw
from tests.e2e.box import GUEST, PRIMARY, STAFF, Box, until
from tests.e2e.client import (
    Refused,
    connect,
    everything,
    fetch,
    fetch_secure,
    learn_trust,
    open_tunnel,
    trusting,
)
from tests.e2e.origin import Certificates, Origin

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-hostile")]

HOST = "www.pages.example"
DEADLINE = 10.0
"""seconds that a client has to say what it wants, and again for its ClientHello"""
SLACK = 4.0
"""seconds: the box looks once a second, and the machine may be busy"""


@pytest.fixture(autouse=True)
def unharmed(box: Box, origin: Origin) -> Iterator[None]:
    """After each test everybody is served, no process has died, and nobody was shown a traceback."""
    before = box.pids()
    yield
    assert fetch(box, f"http://{HOST}:{origin.http}/", STAFF.format(99)).body == b"hello from /"
    assert box.pids() == before
    assert "Traceback" not in box.said() and "exception" not in box.said(), box.said()


def held_for(connection: socket, say: bytes = b"", drip: bytes = b"") -> float:
    """Seconds until the box ends the connection, while it is sent `drip` once a second, at most 30."""
    connection.settimeout(1.0)
    started = time.monotonic()
    with connection, suppress(OSError):
        connection.sendall(say)
        while time.monotonic() - started < 30:
            try:
                if not connection.recv(65_536):
                    break
            except TimeoutError:
                connection.sendall(drip)
    return time.monotonic() - started


def test_clients_that_take_their_time_are_cut_off(box: Box, origin: Origin) -> None:
    """All at once, so that the test takes as long as one of them."""
    hello = raw.client_hello(HOST)
    head = f"GET http://{HOST}:{origin.http}/ HTTP/1.1\r\nHost: x\r\n".encode()
    slow = {
        "says nothing": (connect(box), b"", b""),
        "a letter a second": (connect(box), b"", b"G"),
        "a head that does not end": (connect(box), head, b"X-Header: 1\r\n"),
        "a letter a second of CONNECT": (connect(box), b"CONNECT ", b"x"),
        "a tunnel and then nothing": (open_tunnel(box, HOST, origin.https), b"", b""),
        "a hello, a byte a second": (open_tunnel(box, HOST, origin.https), hello[:60], hello[60:61]),
        "a second head, a letter a second": (answered(box, origin), b"", b"G"),
        "a head in a tunnel": (open_tunnel(box, HOST, origin.http), b"GET / HTTP/1.1\r\nHost: x\r\n", b"X: 1\r\n"),
    }
    with ThreadPoolExecutor(len(slow)) as threads:
        times = dict(zip(slow, threads.map(lambda row: held_for(*row), slow.values()), strict=True))
    late = {name: round(seconds, 1) for name, seconds in times.items() if seconds > DEADLINE + SLACK}
    assert not late, f"held for longer than {DEADLINE} s: {late}"
    early = {name: round(seconds, 1) for name, seconds in times.items() if seconds < DEADLINE - 1.5}
    assert not early, f"a slow school link needs this time: {early}"


def answered(box: Box, origin: Origin) -> socket:
    """A connection on which one request was answered."""
    connection = connect(box)
    connection.sendall(f"GET http://{HOST}:{origin.http}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    said = b""
    while not said.endswith(b"hello from /"):
        said += connection.recv(1000)
    return connection


GARBAGE = {
    "zeros": bytes(1000),
    "a TLS hello on the proxy's port": raw.client_hello(HOST),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "SOCKS5": b"\x05\x01\x00",
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a head too long": b"GET http://x.example/ HTTP/1.1\r\n" + b"X-Y: zzzzzzzzzz\r\n" * 4000,
    "a line too long": b"GET http://x.example/" + b"a" * 100_000,
    "a method too long": b"A" * 1000 + b" http://x.example/ HTTP/1.1\r\n\r\n",
    "no version": b"GET http://x.example/\r\n\r\n",
    "a path only": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "ftp": b"GET ftp://x.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n",
    "a port that is none": b"GET http://x.example:99999/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a bracket too many": b"GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a bracket too few": b"GET http://::1]/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address that is none": b"GET http://[x]/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a host that is none": b"GET http://x..y/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a host of strange letters": b"GET http://\xe2\x84\x80.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "a host too long": b"GET http://" + b"a." * 200 + b"example/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT without a port": b"CONNECT x.example HTTP/1.1\r\n\r\n",
    "CONNECT to port 0": b"CONNECT x.example:0 HTTP/1.1\r\n\r\n",
    "CONNECT to an address line": b"CONNECT http://x.example/ HTTP/1.1\r\n\r\n",
    "CONNECT with too many words": b"CONNECT x.example:443 y HTTP/1.1\r\n\r\n",
    "CONNECT to nobody": b"CONNECT :443 HTTP/1.1\r\n\r\n",
    "CONNECT to a user": b"CONNECT me@x.example:443 HTTP/1.1\r\n\r\n",
    "CONNECT to dots": b"CONNECT ..:443 HTTP/1.1\r\n\r\n",
    "CONNECT to strange bytes": b"CONNECT \xff\xfe\x00:443 HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_refused_at_once(box: Box, content: bytes) -> None:
    started = time.monotonic()
    with connect(box) as client:
        said = raw.said_after(client, content)
    assert said == b"" or said.startswith(b"HTTP/1.1 400 ")
    assert time.monotonic() - started < DEADLINE / 2


IN_A_TUNNEL = {
    "zeros": bytes(100),
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n" * 3,
    "a hello too long": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(80_000),
    "an endless hello": (b"\x16\x03\x01\x40\x00\x01\x00\xff\xff" + bytes(16_379)) * 8,
    "an empty record": b"\x16\x03\x01\x00\x00" * 100,
    "a record too long": b"\x16\x03\x01\xff\xff" + bytes(70_000),
    "another message": b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",
    "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "SSL 2": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(40),
    "lengths that lie": raw.client_hello(HOST)[:50] + b"\xff" * 2000,
    "a second CONNECT": b"CONNECT x.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("content", IN_A_TUNNEL.values(), ids=IN_A_TUNNEL)
def test_garbage_in_a_tunnel_reaches_nobody(box: Box, content: bytes) -> None:
    came = raw.Recorder()
    started = time.monotonic()
    with raw.server(came) as port, open_tunnel(box, HOST, port) as tunnel:
        said = raw.said_after(tunnel, content)
    assert said == b"" or said.startswith(b"HTTP/1.1 400 ") or raw.is_alert(said)
    assert not any(came.came)
    assert time.monotonic() - started < DEADLINE + SLACK


def test_clients_that_vanish_leave_nothing(box: Box, origin: Origin) -> None:
    """Reset at every stage: while a name is resolved, in a head, in a hello, in a download."""
    hello, requests = raw.client_hello(HOST), f"http://{HOST}:{origin.http}/bytes/50000000 HTTP/1.1\r\nHost: x\r\n\r\n"
    for number in range(200):
        client = connect(box, f"127.0.3.{number % 50 + 1}")
        stage = number % 5
        if stage == 0:
            client.sendall(b"GET http://x")
        elif stage == 1:
            client.sendall(f"CONNECT nowhere{number}.invalid:443 HTTP/1.1\r\n\r\n".encode())
        elif stage == 2:
            client.sendall(f"CONNECT {HOST}:{origin.https} HTTP/1.1\r\n\r\n".encode() + hello[:100])
        elif stage == 3:
            client.sendall(f"CONNECT {HOST}:{origin.https} HTTP/1.1\r\n\r\n".encode() + hello)
        else:
            client.sendall(b"GET " + requests.encode())
            client.recv(1000)
        client.setsockopt(SOL_SOCKET, SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() sends a reset
        client.close()
    until(lambda: idle(box), 15, "every connection is forgotten")


def idle(box: Box) -> bool:
    status = box.status()
    return status.in_use["setup"] == status.in_use["splice"] == 0


def test_a_server_that_accepts_nobody_is_given_up(box: Box, certificates: Certificates) -> None:
    """Its queue is full, so that nothing answers: connect_seconds is 3 in this box."""
    host, device = "www.pages.example", PRIMARY.format(1)
    tls, trusts = trusting(certificates.path), learn_trust(box, device)
    with socket() as silent, ExitStack() as queue:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        for _ in range(3):
            waiting = queue.enter_context(socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        started = time.monotonic()
        with ThreadPoolExecutor(3) as threads:
            plain = threads.submit(fetch, box, f"http://{host}:{port}/", GUEST.format(1))
            spliced = threads.submit(fetch_secure, box, host, port, tls, GUEST.format(1))
            inspected = threads.submit(fetch_secure, box, host, port, trusts, device)
        assert plain.result().status == inspected.result().status == 502
        assert plain.result().is_ours and inspected.result().is_ours
        with pytest.raises(Refused, match=r"HTTP/1\.1 502 "):
            spliced.result()
        assert 2.5 < time.monotonic() - started < 3 + SLACK


def test_a_server_that_vanishes_ends_only_its_own_client(box: Box, origin: Origin) -> None:
    hello = raw.client_hello(HOST)

    def vanish(connection: socket) -> None:
        connection.recv(100)
        connection.setsockopt(SOL_SOCKET, SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with raw.server(vanish) as port:
        tunnels = [open_tunnel(box, HOST, port, early=hello) for _ in range(20)]
        assert [everything(tunnel) for tunnel in tunnels] == [b""] * 20
        for tunnel in tunnels:
            tunnel.close()
    until(lambda: idle(box), 15, "every connection is forgotten")
