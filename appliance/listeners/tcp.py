"""The explicit proxy's listener: accepts, reads what the client opens with, and gives it to its lane.

On the port: HTTP/1.1 as a proxy speaks it (CONNECT, or requests with the whole address in them). What a block looks
like to the pupil: a page over plain http and on devices that trust the box; elsewhere a TLS alert, and the page at
http://schoolgate.internal/why tells the reason.
"""

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Callable

from appliance.gate import Gate
from appliance.listeners.conversation import Conversation, Gone
from appliance.listeners.dial import Dialer
from appliance.listeners.handoff import HandOff
from appliance.listeners.http import PlainLane
from appliance.listeners.splice import Splicer
from appliance.listeners.trust import Trust
from appliance.listeners.tunnel import Tunnel, TunnelLane, serve_plain
from appliance.notice.page import Problem
from appliance.snapshot import Snapshot
from appliance.wire import WireError
from appliance.wire.proxy import Connect, Plain, opening
from filters.names import host as normalise

AT_ONCE = 64
"""connections accepted before others are served again"""
BREATH = 0.2
"""seconds without accepting when the descriptors are used up"""
_USED_UP = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Listener:
    """One process's share of the port."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        gate: Gate,
        dialer: Dialer,
        handoff: HandOff,
        trust: Trust,
        plain: PlainLane,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._snapshot, self._plain = snapshot, plain
        self.used: Counter[str] = Counter(splice=0, inspect=0, terminate=0, plain=0)
        """connections that took each lane since the start"""
        self._splicer = Splicer(self._loop)
        self._tunnels = TunnelLane(snapshot, gate, dialer, handoff, trust, plain, self._splicer, self.used)
        self._talks: dict[Conversation, None] = {}
        self._listening: list[socket.socket] = []

    def listen(self, listening: socket.socket) -> None:
        """Begin to accept on a bound socket; it is closed by close()."""
        listening.setblocking(False)
        self._listening.append(listening)
        self._loop.add_reader(listening, self._accept, listening)

    def lanes(self) -> dict[str, int]:
        """Connections now, as far as this process still holds them."""
        return {"setup": len(self._talks), "splice": len(self._splicer.flows)}

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                client, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _USED_UP:
                    self._make_room(listening)
                    return
                continue
            client.setblocking(False)
            talk = Conversation(self._loop, client, str(address[0]))
            self._talks[talk] = None
            talk.task = self._loop.create_task(self._serve(talk))

    def _make_room(self, listening: socket.socket) -> None:
        """No descriptors are left: let those go that have been saying nothing for longest, and accept later."""
        self._loop.remove_reader(listening)
        for talk in list(self._talks)[:AT_ONCE]:
            self._end(talk)
        self._loop.call_later(BREATH, self._loop.add_reader, listening, self._accept, listening)

    def sweep(self) -> None:
        """Called every second: ends conversations that take too long, and flows on which nothing moves."""
        now = self._loop.time()
        for talk in list(self._talks):
            if now > talk.deadline:
                self._end(talk)
        self._splicer.sweep(now, self._snapshot().config.idle_seconds)

    def _end(self, talk: Conversation) -> None:
        if talk.task:
            talk.task.cancel()

    async def close(self) -> None:
        """Stop accepting and close every connection."""
        for listening in self._listening:
            self._loop.remove_reader(listening)
            listening.close()
        tasks = [talk.task for talk in self._talks if talk.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._splicer.close()

    async def _serve(self, talk: Conversation) -> None:
        taken = False
        try:
            taken = await self._open(talk)
        except (Gone, OSError, asyncio.CancelledError):
            pass  # the client left, or took too long: there is nobody to tell
        finally:
            del self._talks[talk]
            if not taken:
                talk.unwatch()
                talk.client.close()

    async def _open(self, talk: Conversation) -> bool:
        """Serve one connection. True where somebody else has taken the socket over."""
        try:
            asked: Connect | Plain = await talk.read(opening)
        except WireError as error:
            await talk.say_goodbye(self._plain.refusal(Problem.BAD_REQUEST, "", detail=str(error)))
            return False
        if isinstance(asked, Plain):
            return await serve_plain(self._plain, self._splicer, talk, None, self.used)
        host = normalise(asked.host)
        if host is None:
            await talk.say_goodbye(self._plain.refusal(Problem.BAD_REQUEST, asked.host))
            return False
        del talk.buffer[: asked.length]
        return await self._tunnels.serve(Tunnel(talk, host, asked.port))
