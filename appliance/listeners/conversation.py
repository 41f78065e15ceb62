"""A client that has connected and has not been put on a lane yet: read from it, answer it, and give it only so long."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

from appliance.wire import Need

SETUP_SECONDS = 10.0
"""for a client to say what it wants, and again for its ClientHello"""
LINGER_SECONDS = 2.0
"""for a client to read an alert or a page before the connection is closed"""
CHUNK = 16_384
MOST_UNUSED = 131_072
"""bytes read before anybody uses them; twice the longest ClientHello"""


class Gone(Exception):
    """The client went away, or took too long."""


class Conversation:
    """One client. The socket is watched once, from the first byte until a lane takes it over, because a system call to
    watch it again for each message would cost as much as the message."""

    __slots__ = ("_waiter", "_watched", "buffer", "client", "deadline", "device", "ended", "loop", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop, client: socket.socket, device: str) -> None:
        self.loop, self.client, self.device = loop, client, device
        self.buffer = bytearray()
        """what was read and not used yet"""
        self.ended = False
        """the client will send no more"""
        self.deadline = loop.time() + SETUP_SECONDS
        """of the loop's time; the listener ends the conversation then"""
        self.task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._watched = False

    def allow(self, seconds: float) -> None:
        """Give this much time from now."""
        self.deadline = self.loop.time() + seconds

    async def read[T](self, reader: Callable[[bytearray], T | Need]) -> T:
        """Read into the buffer until the reader has its value. Raises Gone, or the reader's WireError."""
        while True:
            if self.buffer:
                value = reader(self.buffer)
                if not isinstance(value, Need):
                    return value
            await self._more()

    async def _more(self) -> None:
        """Wait for further bytes. Raises Gone where there will be none."""
        if self.ended:
            raise Gone
        if not self._watched:
            self._watched = True
            self.loop.add_reader(self.client, self._readable)
        self._waiter = self.loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
        if self.ended:
            raise Gone

    def _readable(self) -> None:
        try:
            more = self.client.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        self.buffer += more
        if not more:
            self.ended = True
        if self.ended or len(self.buffer) >= MOST_UNUSED:
            self.unwatch()
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def unwatch(self) -> None:
        """Watch the socket no more, for somebody else to read from it."""
        if self._watched:
            self._watched = False
            self.loop.remove_reader(self.client)

    async def say(self, content: bytes) -> None:
        """Send bytes and go on. What is said fits the socket's buffer but for a client that reads nothing."""
        try:
            sent = self.client.send(content)
        except BlockingIOError:
            sent = 0
        if sent < len(content):
            await self.loop.sock_sendall(self.client, content[sent:])

    async def say_goodbye(self, content: bytes) -> None:
        """Send the last bytes, and wait a little for the client to read them: closing at once, with bytes of the
        client's unread, would make the kernel throw ours away."""
        self.allow(LINGER_SECONDS)
        await self.say(content)
        with suppress(OSError):
            self.client.shutdown(socket.SHUT_WR)
        with suppress(Gone):
            while True:
                await self._more()
                self.buffer.clear()
