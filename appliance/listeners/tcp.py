"""The explicit proxy's listener: reads just enough of a connection to judge it, and puts it on the lane it is for.

On the port: HTTP/1.1 as a proxy speaks it (CONNECT, or requests with the whole address in them). What a block looks
like to the pupil: a page over plain http and on devices that trust the box; elsewhere a TLS alert, and the page at
http://help.schoolgate.internal/why tells the reason.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress

from appliance.enforcement import Step, step
from appliance.errors import UpstreamError
from appliance.gate import Gate, stricter
from appliance.listeners.dial import Dialer
from appliance.listeners.handoff import HandOff, Handover
from appliance.listeners.http import Authority, PlainLane, is_own_name
from appliance.listeners.splice import BUFFER, Flow, Pipes
from appliance.listeners.trust import TRUST_HOST, Trust
from appliance.notice.page import Problem
from appliance.snapshot import Snapshot
from appliance.wire import Need, WireError
from appliance.wire.proxy import ESTABLISHED, Connect, Plain, opening
from appliance.wire.tls import ACCESS_DENIED, ClientHello, client_hello
from filters.bypass import hello_of
from filters.model import Action, Hello, Verdict, Via
from filters.names import host as normalise
from filters.policy import Failure

SETUP_SECONDS = 10.0
"""for a client to say what it wants, from the first byte of a connection to a whole ClientHello"""
LINGER_SECONDS = 2.0
"""for a client to read an alert or a page before the connection is closed"""


class Gone(Exception):
    """The client went away, or took too long."""


class Listener:
    """One process's share of the port: what it accepts, sets up, and splices."""

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
        self._snapshot, self._gate, self._dialer = snapshot, gate, dialer
        self._handoff, self._trust, self._plain = handoff, trust, plain
        self._buffer = memoryview(bytearray(BUFFER))
        self._pipes = Pipes()
        self._flows: set[Flow] = set()
        self._setups: dict[asyncio.Task[None], float] = {}
        self._listening: list[socket.socket] = []
        self.used = dict.fromkeys(("splice", "inspect", "terminate", "plain"), 0)
        """connections that took each lane since the start"""

    def listen(self, listening: socket.socket) -> None:
        """Begin to accept on a bound socket; it is closed by close()."""
        listening.setblocking(False)
        self._listening.append(listening)
        self._loop.add_reader(listening, self._accept, listening)

    def lanes(self) -> dict[str, int]:
        """Connections on each lane now, as far as this process still holds them."""
        return {"setup": len(self._setups), "splice": len(self._flows)}

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(64):
            try:
                client, address = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._make_room(listening)
                    return
                continue
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._serve(client, str(address[0])))
            self._setups[task] = self._loop.time() + SETUP_SECONDS
            task.add_done_callback(self._setups.pop)

    def _make_room(self, listening: socket.socket) -> None:
        """No descriptors are left: let the clients go that have been saying nothing for longest, and accept later."""
        self._loop.remove_reader(listening)
        for task in list(self._setups)[:64]:
            task.cancel()
        self._loop.call_later(0.2, self._loop.add_reader, listening, self._accept, listening)

    def sweep(self) -> None:
        """Called every second: ends set-ups that take too long, and flows on which nothing moves."""
        now = self._loop.time()
        for task, deadline in list(self._setups.items()):
            if now > deadline:
                task.cancel()
        most = self._snapshot().config.idle_seconds
        for flow in list(self._flows):
            if flow.look(now) > most:
                flow.close()

    async def close(self) -> None:
        """Stop accepting and close every connection."""
        for listening in self._listening:
            self._loop.remove_reader(listening)
            listening.close()
        tasks = list(self._setups)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for flow in list(self._flows):
            flow.close()
        self._pipes.close()

    async def _serve(self, client: socket.socket, device: str) -> None:
        taken = False
        try:
            taken = await self._open(client, device)
        except (Gone, OSError, asyncio.CancelledError):
            pass  # the client left, or took too long: there is nobody to tell
        finally:
            if not taken:
                client.close()

    async def _open(self, client: socket.socket, device: str) -> bool:
        """Serve one connection. True where somebody else has taken the socket over."""
        buffer = bytearray()
        try:
            asked: Connect | Plain = await self._read(client, buffer, opening)
        except WireError as error:
            return await self._say(client, self._plain.refusal(Problem.BAD_REQUEST, "", detail=str(error)))
        if isinstance(asked, Plain):
            return await self._serve_plain(client, device, bytes(buffer))
        host = normalise(asked.host)
        if host is None:
            return await self._say(client, self._plain.refusal(Problem.BAD_REQUEST, asked.host))
        del buffer[: asked.length]
        return await self._tunnel(_Tunnel(client, device, host, asked.port, buffer))

    async def _serve_plain(self, client: socket.socket, device: str, read: bytes, to: Authority | None = None) -> bool:
        self.used["plain"] += 1
        self._allow(float("inf"))  # the lane has time-outs of its own
        switched = await self._plain.serve(client, device, read, to)
        if switched is None:
            return False
        self._splice(client, *switched)
        return True

    async def _tunnel(self, tunnel: "_Tunnel") -> bool:
        """A CONNECT: judged by the name asked for before anything is dialled, then by what the ClientHello says."""
        if is_own_name(tunnel.host):
            return await self._tunnel_to_box(tunnel)
        verdict = self._gate.judge(tunnel.host, tunnel.device, Via.TLS)
        with ExitStack() as held:
            server: socket.socket | None = None
            if self._step(verdict, tunnel) in _SPLICES:
                try:
                    server = await self._dial(verdict, tunnel)
                except UpstreamError as error:
                    return await self._say(tunnel.client, self._plain.unreachable(tunnel.host, error))
                held.callback(server.close)
            hello = await self._hello(tunnel)
            if hello is None:
                return await self._not_tls(tunnel)
            final = self._judge_hello(verdict, tunnel, hello)
            if server and final.target == verdict.target and self._step(final, tunnel) in _SPLICES:
                held.pop_all()
                return self._splice(tunnel.client, server, bytes(tunnel.read), b"")
        return await self._enforce(tunnel, final)

    async def _hello(self, tunnel: "_Tunnel") -> ClientHello | None:
        """Open the tunnel and read the ClientHello; None where the client speaks something else."""
        self._allow(SETUP_SECONDS)
        await self._loop.sock_sendall(tunnel.client, ESTABLISHED)
        try:
            return await self._read(tunnel.client, tunnel.read, client_hello)
        except WireError:
            return None

    def _judge_hello(self, verdict: Verdict, tunnel: "_Tunnel", hello: ClientHello) -> Verdict:
        """The stricter of the verdicts by the name asked for and by the hello."""
        name = normalise(hello.server_name) if hello.server_name else None
        outer = self._snapshot().tables.ech_outer_names
        kind = hello_of(tunnel.host, name, encrypted=hello.encrypted, outer_names=outer)
        if kind is Hello.NAMED and name == tunnel.host:
            return verdict
        tunnel.name = name or tunnel.host
        return stricter(verdict, self._gate.judge(tunnel.name, tunnel.device, Via.TLS, hello=kind))

    async def _enforce(self, tunnel: "_Tunnel", verdict: Verdict) -> bool:
        """Put the connection, whose ClientHello is read, on its lane."""
        taken = self._step(verdict, tunnel)
        if taken is Step.INSPECT:
            try:
                if await self._inspect(tunnel, verdict):
                    return True
            except UpstreamError:
                return await self._terminate(tunnel)
            group = self._snapshot().clients.group(tunnel.device)
            if verdict.action is Action.BLOCK or self._snapshot().tables.policies[group].on_failure is Failure.CLOSED:
                return await self._terminate(tunnel)
        if taken is Step.TERMINATE:
            return await self._terminate(tunnel)
        try:
            server = await self._dial(verdict, tunnel)
        except UpstreamError:
            return await self._terminate(tunnel)
        return self._splice(tunnel.client, server, bytes(tunnel.read), b"")

    async def _inspect(self, tunnel: "_Tunnel", verdict: Verdict) -> bool:
        """Hand the connection to an inspect worker; False where none is there. A blocked one is dialled nowhere."""
        address = ""
        if verdict.action is not Action.BLOCK:
            address = (await self._dialer.addresses(tunnel.host, tunnel.port))[0]
        handover = Handover(tunnel.name, tunnel.port, address, bytes(tunnel.read))
        if not self._handoff.give(tunnel.client, tunnel.device, handover):
            return False
        self.used["inspect"] += 1
        return True

    async def _terminate(self, tunnel: "_Tunnel") -> bool:
        self.used["terminate"] += 1
        return await self._say(tunnel.client, ACCESS_DENIED)

    async def _tunnel_to_box(self, tunnel: "_Tunnel") -> bool:
        """The box's own names. Only the trust page is there over TLS; the others are plain http, so that every device
        can open them."""
        if await self._hello(tunnel) is None:
            return await self._not_tls(tunnel)
        if tunnel.host == TRUST_HOST:
            handover = Handover(TRUST_HOST, tunnel.port, "", bytes(tunnel.read))
            if self._handoff.give(tunnel.client, tunnel.device, handover):
                return True
        return await self._terminate(tunnel)

    async def _not_tls(self, tunnel: "_Tunnel") -> bool:
        """Browsers open plain WebSockets through CONNECT; anything that is neither TLS nor HTTP is not carried."""
        if tunnel.read[:1].isalpha():
            return await self._serve_plain(
                tunnel.client, tunnel.device, bytes(tunnel.read), Authority(tunnel.host, tunnel.port)
            )
        return False

    def _step(self, verdict: Verdict, tunnel: "_Tunnel") -> Step:
        return step(Via.TLS, verdict.action, self._trust.inspects(tunnel.device, tunnel.name))

    async def _dial(self, verdict: Verdict, tunnel: "_Tunnel") -> socket.socket:
        self._allow(self._snapshot().config.connect_seconds + 1.0)
        return await self._dialer.connect(verdict.target or tunnel.host, tunnel.port)

    def _splice(self, client: socket.socket, server: socket.socket, to_server: bytes, to_client: bytes) -> bool:
        self.used["splice"] += 1
        flow = Flow(self._loop, self._pipes, self._buffer, client, server, self._flows.discard)
        self._flows.add(flow)
        flow.start(to_server, to_client)
        return True

    async def _read[T](self, client: socket.socket, buffer: bytearray, reader: Callable[[bytearray], T | Need]) -> T:
        """Read into the buffer until the reader has its value. Raises Gone, or the reader's WireError."""
        while True:
            if buffer:
                value = reader(buffer)
                if not isinstance(value, Need):
                    return value
            more = await self._loop.sock_recv(client, 16_384)
            if not more:
                raise Gone
            buffer += more

    async def _say(self, client: socket.socket, content: bytes) -> bool:
        """Send the last bytes of a connection, and wait a little for the client to read them: closing at once, with
        bytes of the client's unread, would make the kernel throw ours away."""
        self._allow(LINGER_SECONDS)
        await self._loop.sock_sendall(client, content)
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)
        while await self._loop.sock_recv(client, 16_384):
            pass
        return False

    def _allow(self, seconds: float) -> None:
        """Give the set-up that runs now this much more time."""
        task = asyncio.current_task()
        if task in self._setups:
            self._setups[task] = self._loop.time() + seconds


_SPLICES = (Step.SPLICE, Step.SPLICE_TO_TARGET)


class _Tunnel:
    """A CONNECT on its way: who asked for what, and what was read behind it."""

    __slots__ = ("client", "device", "host", "name", "port", "read")

    def __init__(self, client: socket.socket, device: str, host: str, port: int, read: bytearray) -> None:
        self.client, self.device, self.host, self.port, self.read = client, device, host, port, read
        self.name = host
        """the name that the certificate must be for: the ClientHello's, once it is read"""
