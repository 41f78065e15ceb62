"""Byte for byte: servers that do exactly what a test says, and ClientHellos as real clients make them."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket

from tests.e2e.client import SECONDS, everything


@contextmanager
def server(serve: Callable[[socket], None], host: str = "127.0.0.1") -> Iterator[int]:
    """A server that calls `serve` with each connection, in a thread of its own, and closes it then; yields its port."""
    listening = socket()
    listening.bind((host, 0))
    listening.listen(1024)
    threads: list[threading.Thread] = []
    open_now: set[socket] = set()

    def handle(connection: socket) -> None:
        connection.settimeout(SECONDS)
        with suppress(OSError), connection:
            serve(connection)
        open_now.discard(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                open_now.add(connection)
                threads.append(threading.Thread(target=handle, args=[connection], daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(SHUT_RDWR)
        listening.close()
        accepting.join(5)
        for connection in list(open_now):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)
        for thread in threads:
            thread.join(5)


class Recorder:
    """Keeps what comes on each connection until the client ends it, and answers with `answer` as soon as something
    came."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.came: list[bytearray] = []

    def __call__(self, connection: socket) -> None:
        own = bytearray()
        self.came.append(own)
        while more := connection.recv(65_536):
            first, own[len(own) :] = not own, more
            if first and self.answer:
                connection.sendall(self.answer)


def client_hello(name: str | None, *extensions: bytes) -> bytes:
    """A real ClientHello, as OpenSSL makes it, with further extensions put in."""
    context = ssl.create_default_context()
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    hello = bytearray(outgoing.read())
    for extension in extensions:
        _add(hello, extension)
    return bytes(hello)


def extension(kind: int, content: bytes) -> bytes:
    """An extension (RFC 8446 section 4.2)."""
    return kind.to_bytes(2) + len(content).to_bytes(2) + content


ENCRYPTED_HELLO = extension(0xFE0D, b"\0\0\1\0\1\7\0\x20" + bytes(range(32)) + b"\0\x90" + bytes(144))
"""encrypted_client_hello of type outer; GREASE looks the same (RFC 9849 section 6.2)"""


def _add(hello: bytearray, added: bytes) -> None:
    """Put an extension at the end of a ClientHello in one record, and correct the three lengths around it."""
    at = 5 + 4 + 34
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2])
    at += 1 + hello[at]
    for place, width in ((at, 2), (6, 3), (3, 2)):
        length = int.from_bytes(hello[place : place + width]) + len(added)
        hello[place : place + width] = length.to_bytes(width)
    hello += added


def is_alert(said: bytes) -> bool:
    """Whether it is the fatal alert access_denied and nothing else (RFC 8446 section 6)."""
    return len(said) == 7 and said[:1] == b"\x15" and said[5:] == b"\x02\x31"


def said_after(connection: socket, content: bytes) -> bytes:
    """Send it, and return everything that comes back until the other side ends."""
    with suppress(OSError):
        connection.sendall(content)
    return everything(connection)
