"""Moves bytes between two sockets, both ways, until both are done: the splice lane.

Small turns go through one shared buffer, two system calls each. When a direction keeps filling that buffer, its bytes
go kernel to kernel through a borrowed pipe (splice(2)), and the pipe is given back as soon as it is empty, so that an
idle connection holds two sockets and nothing else. A side that cannot take bytes stops the other side's reading; a
side that ends is told to the other (half-close); nothing ever spins, because only what can move is watched.
"""

import asyncio
import fcntl
import os
import socket
from collections.abc import Callable
from contextlib import suppress

BUFFER = 65_536
BULK_AFTER = 4
"""turns in a row that filled the buffer, before a pipe is worth its two extra calls"""
PIPE = 1 << 20
POOLED = 16
_FLAGS = os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE


class Pipes:
    """A few pipes, kept empty between uses. An unprivileged user may have only so many pages in pipes
    (/proc/sys/fs/pipe-user-pages-soft), so there is a limit, and without a pipe bytes go through the buffer."""

    def __init__(self, most: int = POOLED) -> None:
        self._free: list[tuple[int, int]] = []
        self._left = most

    def borrow(self) -> tuple[int, int] | None:
        """(read end, write end), or None when all are in use."""
        if self._free:
            return self._free.pop()
        if not self._left:
            return None
        try:
            pipe = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        self._left -= 1
        with suppress(OSError):  # the kernel's own 64 KiB do as well, only more slowly
            fcntl.fcntl(pipe[1], fcntl.F_SETPIPE_SZ, PIPE)
        return pipe

    def give_back(self, pipe: tuple[int, int], clean: bool) -> None:
        """Take a pipe back; one that may still hold bytes is closed."""
        if clean:
            self._free.append(pipe)
            return
        os.close(pipe[0])
        os.close(pipe[1])
        self._left += 1

    def close(self) -> None:
        """Close every pipe that is not borrowed."""
        while self._free:
            self.give_back(self._free.pop(), clean=False)


class Direction:
    """Bytes from one socket to the other. The source is watched only while nothing waits for the sink."""

    __slots__ = ("done", "flow", "full_turns", "held", "in_pipe", "pipe", "sink", "source", "watched")

    def __init__(self, flow: "Flow", source: socket.socket, sink: socket.socket, waiting: bytes) -> None:
        self.flow, self.source, self.sink = flow, source, sink
        self.held = waiting
        """bytes that were read and could not be written yet"""
        self.pipe: tuple[int, int] | None = None
        self.in_pipe = 0
        self.full_turns = 0
        self.watched = self.done = False

    def start(self) -> None:
        """Watch the source, and send what waits. Whoever watched it before does so no more, without a system call."""
        self._watch()
        if self.held:
            self._guarded(self._flush)

    def stop(self) -> None:
        """Watch nothing any more, and give the pipe back."""
        if self.watched:
            self.flow.loop.remove_reader(self.source)
            self.watched = False
        if self.held or self.in_pipe:
            self.flow.loop.remove_writer(self.sink)
        self.release()

    def release(self) -> None:
        """Give the pipe back."""
        if self.pipe:
            self.flow.pipes.give_back(self.pipe, clean=not self.in_pipe)
            self.pipe, self.in_pipe, self.full_turns = None, 0, 0

    def _watch(self) -> None:
        if not self.watched and not self.done:
            self.watched = True
            self.flow.loop.add_reader(self.source, self._guarded, self._turn)

    def _guarded(self, act: Callable[[], None]) -> None:
        self.flow.active = True
        try:
            act()
        except BlockingIOError:
            pass  # readiness was taken back; the next event comes by itself
        except OSError:
            self.flow.close()

    def _turn(self) -> None:
        """The source has bytes, or has ended."""
        if self.pipe:
            self.in_pipe = moved = os.splice(self.source.fileno(), self.pipe[1], PIPE, flags=_FLAGS)
        else:
            view = self.flow.buffer
            moved = self.source.recv_into(view)
            if moved:
                self._send(view, moved)
        if not moved:
            self._end()
        elif self.in_pipe:
            self._flush()

    def _send(self, view: memoryview, size: int) -> None:
        try:
            sent = self.sink.send(view[:size])
        except BlockingIOError:
            sent = 0
        if sent < size:
            self.held = bytes(view[sent:size])
            self._wait_for_sink()
        elif size < BUFFER:
            self.full_turns = 0
        else:
            self.full_turns += 1
            if self.full_turns >= BULK_AFTER:
                self.pipe = self.flow.pipes.borrow()

    def _flush(self) -> None:
        """Write what waits; when all of it went, read on."""
        try:
            while self.in_pipe and self.pipe:
                self.in_pipe -= os.splice(self.pipe[0], self.sink.fileno(), self.in_pipe, flags=_FLAGS)
            while self.held:
                self.held = self.held[self.sink.send(self.held) :]
        except BlockingIOError:
            self._wait_for_sink()
            return
        self._watch()

    def _wait_for_sink(self) -> None:
        loop = self.flow.loop
        if self.watched:
            loop.remove_reader(self.source)
            self.watched = False
        loop.add_writer(self.sink, self._guarded, self._sink_ready)

    def _sink_ready(self) -> None:
        self.flow.loop.remove_writer(self.sink)
        self._flush()

    def _end(self) -> None:
        """The source will send no more: tell the sink, and go on the other way until that ends too."""
        self.done = True
        self.flow.loop.remove_reader(self.source)
        self.watched = False
        self.release()
        self.sink.shutdown(socket.SHUT_WR)
        self.flow.ended()


class Flow:
    """One spliced connection. `close()` may be called at any time and more than once."""

    __slots__ = ("_directions", "_on_close", "_sockets", "active", "buffer", "closed", "idle_since", "loop", "pipes")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pipes: Pipes,
        buffer: memoryview,
        client: socket.socket,
        server: socket.socket,
        on_close: Callable[["Flow"], None],
    ) -> None:
        self.loop, self.pipes, self.buffer = loop, pipes, buffer
        self._sockets, self._on_close = (client, server), on_close
        self._directions: tuple[Direction, ...] = ()
        self.active, self.closed = True, False
        self.idle_since = loop.time()

    def start(self, to_server: bytes = b"", to_client: bytes = b"") -> None:
        """Begin, with bytes that were already read from either side."""
        client, server = self._sockets
        self._directions = (Direction(self, client, server, to_server), Direction(self, server, client, to_client))
        for direction in self._directions:
            if not self.closed:
                direction.start()

    def look(self, now: float) -> float:
        """Called every second or so: returns for how many seconds nothing moved, and lets idle pipes go."""
        if self.active:
            self.active, self.idle_since = False, now
            return 0.0
        for direction in self._directions:
            if not direction.in_pipe:
                direction.release()
        return now - self.idle_since

    def ended(self) -> None:
        """One direction is done."""
        if all(direction.done for direction in self._directions):
            self.close()

    def close(self) -> None:
        """Close both sockets and forget the flow."""
        if self.closed:
            return
        self.closed = True
        for direction in self._directions:
            direction.stop()
        for end in self._sockets:
            end.close()
        self._on_close(self)


class Splicer:
    """Every flow of a process, with the buffer and the pipes that they share."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buffer = memoryview(bytearray(BUFFER))
        self._pipes = Pipes()
        self.flows: set[Flow] = set()

    def begin(
        self, client: socket.socket, server: socket.socket, to_server: bytes = b"", to_client: bytes = b""
    ) -> None:
        """Move bytes between the two from now on, first those that were already read; both sockets are ours now."""
        flow = Flow(self._loop, self._pipes, self._buffer, client, server, self.flows.discard)
        self.flows.add(flow)
        flow.start(to_server, to_client)

    def sweep(self, now: float, most: float) -> None:
        """Close the flows on which nothing moved for `most` seconds; `now` is the loop's time."""
        for flow in list(self.flows):
            if flow.look(now) > most:
                flow.close()

    def close(self) -> None:
        """Close everything."""
        for flow in list(self.flows):
            flow.close()
        self._pipes.close()
