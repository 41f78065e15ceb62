"""The load: clients that speak TLS 1.3, through CONNECT where there is a proxy, and count what is answered.

Every answer is read whole and must be the one expected; the first that is not ends the run. As a program, one worker:
`python load.py` reads an Order as JSON on standard input and prints a Count. A worker's own cost for a full handshake
is that of the TLS library; about 20 µs for a request on a kept connection (`ab`, written in C, takes 10, but can not
CONNECT; `hey` takes more than either).
"""

import json
import resource
import select
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

WORKERS = 2
"""processes that make load; one alone would not keep up with a path that costs nothing"""
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Order:
    """What one worker is to do."""

    port: int
    host: str
    """the name to be reached, and the server name of the ClientHello"""
    origin_port: int
    """what is asked for with CONNECT; 0 where TLS is spoken to `port` at once"""
    path: str = "/1k"
    clients: int = 25
    each: int = 1
    """requests on each connection; 1 means a new connection for each"""
    most: int = 20_000
    """requests in all, however fast they are answered"""
    seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class Count:
    """What became of it."""

    rate: float
    """answers a second"""
    p50: float
    """milliseconds"""
    p99: float
    answers: int
    cpu: float
    """processor seconds of the load itself"""


class Broken(Exception):
    """An answer that is not the expected one, or none."""


class _Client:
    """One connection at a time, driven by readiness."""

    __slots__ = ("began", "bench", "left", "missing", "size", "socket", "step")

    def __init__(self, bench: "_Worker") -> None:
        self.bench = bench
        self.open()

    def open(self) -> None:
        order = self.bench.order
        self.began, self.left, self.size, self.missing = time.perf_counter(), order.each, 0, 0
        raw = socket.socket()
        raw.setblocking(False)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.connect_ex(("127.0.0.1", order.port))
        self.socket = raw
        self.step = self.connected
        self.bench.watch(self, select.EPOLLOUT)

    def connected(self) -> None:
        order = self.bench.order
        if order.origin_port:
            place = f"{order.host}:{order.origin_port}"
            self.socket.send(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
            self.step = self.tunnelled
        else:
            self.encrypt()
        self.bench.epoll.modify(self.socket, select.EPOLLIN)

    def tunnelled(self) -> None:
        answer = self.socket.recv(4_096)
        if b" 200 " not in answer[:16] or not answer.endswith(_HEAD_END):
            raise Broken(f"CONNECT was answered with {answer[:80]!r}")
        self.encrypt()

    def encrypt(self) -> None:
        worker = self.bench
        self.socket = worker.context.wrap_socket(
            self.socket, server_hostname=worker.order.host, do_handshake_on_connect=False
        )
        self.step = self.shaking
        self.shaking()

    def shaking(self) -> None:
        try:
            self.socket.do_handshake()  # type: ignore[attr-defined]
        except ssl.SSLWantReadError:
            return
        self.step = self.answered
        self.socket.send(self.bench.request)

    def answered(self) -> None:
        worker = self.bench
        try:
            size = self.socket.recv_into(worker.buffer)
        except ssl.SSLWantReadError:
            return
        if self.missing:
            self.missing -= size
        else:
            self.size = self.size or _answer_size(worker.buffer, size)
            self.missing = self.size - size
        if self.missing > 0 and size:
            return
        if self.missing or not size:
            raise Broken("an answer that is too long or cut short")
        now = time.perf_counter()
        worker.times.append(now - self.began)
        self.left -= 1
        if self.left and worker.goes_on(now):
            self.began = now
            self.socket.send(worker.request)
            return
        worker.forget(self)
        if worker.goes_on(now):
            self.open()


def _answer_size(buffer: bytearray, size: int) -> int:
    """The length of the answer whose head is in the buffer, head and body."""
    end = buffer.find(_HEAD_END, 0, size)
    head = bytes(buffer[:end]).decode("latin-1")
    if end < 0 or not head.startswith("HTTP/1.1 200 "):
        raise Broken(f"an answer that begins {bytes(buffer[: min(size, 80)])!r}")
    for line in head.lower().split("\r\n"):
        if line.startswith("content-length:"):
            return end + 4 + int(line[15:])
    raise Broken("an answer without a length")


class _Worker:
    """All clients of one process."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.context = _context()
        self.epoll = select.epoll()
        self.buffer = bytearray(65_536)
        self.times: list[float] = []
        self._clients: dict[int, _Client] = {}
        self._until = 0.0
        close = "Connection: close\r\n" if order.each == 1 else ""
        self.request = f"GET {order.path} HTTP/1.1\r\nHost: {order.host}:{order.origin_port}\r\n{close}\r\n".encode()

    def watch(self, client: _Client, events: int) -> None:
        self._clients[client.socket.fileno()] = client
        self.epoll.register(client.socket, events)

    def forget(self, client: _Client) -> None:
        self.epoll.unregister(client.socket)
        del self._clients[client.socket.fileno()]
        client.socket.close()

    def goes_on(self, now: float) -> bool:
        return now < self._until and len(self.times) + len(self._clients) <= self.order.most

    def run(self) -> Count:
        began = time.perf_counter()
        self._until = began + self.order.seconds
        for _ in range(min(self.order.clients, self.order.most)):
            _Client(self)
        while self._clients:
            ready = self.epoll.poll(30)
            if not ready:
                raise Broken("nothing was answered for 30 s")
            for number, _ in ready:
                if client := self._clients.get(number):
                    client.step()
        took = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_SELF)
        times = sorted(self.times)
        return Count(
            len(times) / took,
            times[len(times) // 2] * 1e3,
            times[int(len(times) * 0.99)] * 1e3,
            len(times),
            used.ru_utime + used.ru_stime,
        )


def _context() -> ssl.SSLContext:
    """TLS 1.3 only, each handshake full. What the certificate says is checked once a round, by `probe`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def press(order: Order) -> Count:
    """Put an order to WORKERS processes at once, and add up what they count. Raises Broken."""
    told = json.dumps(asdict(order)).encode()
    workers = [
        subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(WORKERS)
    ]
    for worker in workers:
        assert worker.stdin
        worker.stdin.write(told + b"\n")
        worker.stdin.flush()
    outputs = [worker.communicate() for worker in workers]
    for worker, (_, errors) in zip(workers, outputs, strict=True):
        if worker.returncode:
            raise Broken(errors.decode(errors="replace").strip().rpartition("\n")[2])
    counts = [Count(**json.loads(output)) for output, _ in outputs]
    return Count(
        sum(count.rate for count in counts),
        max(count.p50 for count in counts),
        max(count.p99 for count in counts),
        sum(count.answers for count in counts),
        sum(count.cpu for count in counts),
    )


def open_tls(order: Order, authority: str | None) -> ssl.SSLSocket:
    """One blocking connection; with an authority's file, its certificate must be good for the host."""
    raw = socket.create_connection(("127.0.0.1", order.port), timeout=60)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if order.origin_port:
        place = f"{order.host}:{order.origin_port}"
        raw.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        answer = raw.recv(4_096)
        if b" 200 " not in answer[:16]:
            raise Broken(f"CONNECT was answered with {answer[:80]!r}")
    context = ssl.create_default_context(cafile=authority) if authority else _context()
    return context.wrap_socket(raw, server_hostname=order.host)


def fetch(order: Order, authority: str | None = None) -> tuple[int, float]:
    """GET the order's path once: the body's bytes, and the seconds from the request to the last of them."""
    with open_tls(order, authority) as connection:
        began = time.perf_counter()
        connection.sendall(f"GET {order.path} HTTP/1.1\r\nHost: {order.host}\r\nConnection: close\r\n\r\n".encode())
        buffer = bytearray(262_144)
        got = connection.recv_into(buffer)
        size = _answer_size(buffer, got)
        while got < size:
            more = connection.recv_into(buffer)
            if not more:
                raise Broken(f"a download that ended after {got:,} bytes")
            got += more
        return got, time.perf_counter() - began


if __name__ == "__main__":
    given = Order(**json.loads(sys.stdin.readline()))
    print(json.dumps(asdict(_Worker(given).run())))
