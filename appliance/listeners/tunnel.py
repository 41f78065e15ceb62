"""A CONNECT: judged by the name asked for before anything is dialled, then by what the ClientHello says, and put on
its lane: splice, inspect or terminate."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

from appliance.enforcement import Step, step
from appliance.errors import UpstreamError
from appliance.gate import Gate, stricter
from appliance.listeners.conversation import SETUP_SECONDS, Conversation
from appliance.listeners.dial import Dialer
from appliance.listeners.handoff import HandOff, Handover
from appliance.listeners.http import Authority, PlainLane, is_own_name, problem_of
from appliance.listeners.splice import Splicer
from appliance.listeners.trust import TRUST_HOST, Trust
from appliance.snapshot import Snapshot
from appliance.wire import WireError
from appliance.wire.proxy import ESTABLISHED, Connect, Plain, opening
from appliance.wire.tls import ACCESS_DENIED, ClientHello, HelloReader
from filters.bypass import hello_of
from filters.model import Action, Hello, Verdict, Via
from filters.names import host as normalise
from filters.policy import Failure

BREATH = 0.005
"""seconds before a busy inspect worker is offered a connection again"""
_SPLICES = (Step.SPLICE, Step.SPLICE_TO_TARGET)


class Tunnel:
    """Who asked for what."""

    __slots__ = ("host", "name", "port", "talk")

    def __init__(self, talk: Conversation, host: str, port: int) -> None:
        self.talk, self.host, self.port = talk, host, port
        self.name = host
        """the name that a certificate must be for: the ClientHello's, once it is read"""


class TunnelLane:
    """Serves CONNECT. `used` counts connections for each lane."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        gate: Gate,
        dialer: Dialer,
        handoff: HandOff,
        trust: Trust,
        plain: PlainLane,
        splicer: Splicer,
        used: Counter[str],
    ) -> None:
        self._snapshot, self._gate, self._dialer = snapshot, gate, dialer
        self._handoff, self._trust, self._plain, self._splicer = handoff, trust, plain, splicer
        self._used = used

    async def serve(self, tunnel: Tunnel) -> bool:
        """Serve one tunnel. True where somebody else has taken the client's socket over."""
        if is_own_name(tunnel.host):
            return await self._to_box(tunnel)
        verdict = self._gate.judge(tunnel.host, tunnel.talk.device, Via.TLS)
        with ExitStack() as held:
            server: socket.socket | None = None
            if self._step(verdict, tunnel) in _SPLICES:
                try:
                    server = await self._dial(verdict, tunnel)
                except UpstreamError as error:
                    await tunnel.talk.say_goodbye(self._plain.unreachable(tunnel.host, error))
                    return False
                held.callback(server.close)
            hello = await self._hello(tunnel)
            if hello is None:
                return await self._not_tls(tunnel)
            final = self._judge_hello(verdict, tunnel, hello)
            if server and final.target == verdict.target and self._step(final, tunnel) in _SPLICES:
                held.pop_all()
                return self._splice(tunnel, server)
        return await self._enforce(tunnel, final)

    async def _hello(self, tunnel: Tunnel) -> ClientHello | None:
        """Open the tunnel and read the ClientHello; None where the client speaks something else."""
        tunnel.talk.allow(SETUP_SECONDS)
        await tunnel.talk.say(ESTABLISHED)
        try:
            return await tunnel.talk.read(HelloReader())
        except WireError:
            return None

    def _judge_hello(self, verdict: Verdict, tunnel: Tunnel, hello: ClientHello) -> Verdict:
        """The stricter of the verdicts by the name asked for and by the hello."""
        name = normalise(hello.server_name) if hello.server_name else None
        outer = self._snapshot().tables.ech_outer_names
        kind = hello_of(tunnel.host, name, encrypted=hello.encrypted, outer_names=outer)
        if kind is Hello.NAMED and name == tunnel.host:
            return verdict
        tunnel.name = name or tunnel.host
        return stricter(verdict, self._gate.judge(tunnel.name, tunnel.talk.device, Via.TLS, hello=kind))

    async def _enforce(self, tunnel: Tunnel, verdict: Verdict) -> bool:
        """Put a connection whose ClientHello is read on its lane, when it is not the one that was prepared."""
        lane = self._step(verdict, tunnel)
        try:
            if lane is Step.INSPECT:
                if await self._inspect(tunnel, verdict):
                    return True
                lane = self._without_inspection(tunnel, verdict)
            if lane in _SPLICES:
                return self._splice(tunnel, await self._dial(verdict, tunnel))
        except UpstreamError:
            pass  # the tunnel is open already: an alert is all that can be said
        return await self._terminate(tunnel)

    def _without_inspection(self, tunnel: Tunnel, verdict: Verdict) -> Step:
        """No worker takes the connection: what is blocked stays blocked, the rest is the policy's choice."""
        snapshot = self._snapshot()
        policy = snapshot.tables.policies[snapshot.clients.group(tunnel.talk.device)]
        closed = verdict.action is Action.BLOCK or policy.on_failure is Failure.CLOSED
        return Step.TERMINATE if closed else Step.SPLICE

    async def _inspect(self, tunnel: Tunnel, verdict: Verdict) -> bool:
        """Hand the connection to a worker; False where none is there. A blocked one is dialled nowhere, nor is one
        whose name leads nowhere: there the worker shows the page that says so."""
        if verdict.action is Action.BLOCK:
            return await self._give(tunnel)
        try:
            addresses = await self._dialer.addresses(tunnel.host, tunnel.port)
        except UpstreamError as error:
            return await self._give(tunnel, problem=problem_of(error).value)
        return await self._give(tunnel, addresses)

    async def _give(self, tunnel: Tunnel, addresses: tuple[str, ...] = ("",), problem: str = "") -> bool:
        first, *others = addresses
        handover = Handover(tunnel.name, tunnel.port, first, bytes(tunnel.talk.buffer), tuple(others), problem)
        tunnel.talk.unwatch()
        given = self._handoff.give(tunnel.talk.client, tunnel.talk.device, handover)
        while not given and self._handoff.busy:  # until the set-up's time is over, which ends this task
            await asyncio.sleep(BREATH)
            given = self._handoff.give(tunnel.talk.client, tunnel.talk.device, handover)
        self._used["inspect"] += given
        return given

    async def _terminate(self, tunnel: Tunnel) -> bool:
        self._used["terminate"] += 1
        await tunnel.talk.say_goodbye(ACCESS_DENIED)
        return False

    async def _to_box(self, tunnel: Tunnel) -> bool:
        """The box's own names. Only the trust page is there over TLS; the others are plain http, so that every device
        can open them."""
        if await self._hello(tunnel) is None:
            return await self._not_tls(tunnel)
        if tunnel.host == TRUST_HOST and await self._give(tunnel):
            return True
        return await self._terminate(tunnel)

    async def _not_tls(self, tunnel: Tunnel) -> bool:
        """Browsers open plain WebSockets through CONNECT; anything that is neither TLS nor HTTP is not carried."""
        try:
            asked: Connect | Plain = await tunnel.talk.read(opening)
        except WireError:
            return False
        if not isinstance(asked, Plain):
            return False  # no tunnel in a tunnel
        return await serve_plain(
            self._plain, self._splicer, tunnel.talk, Authority(tunnel.host, tunnel.port), self._used
        )

    def _step(self, verdict: Verdict, tunnel: Tunnel) -> Step:
        return step(Via.TLS, verdict.action, self._trust.inspects(tunnel.talk.device, tunnel.name))

    async def _dial(self, verdict: Verdict, tunnel: Tunnel) -> socket.socket:
        tunnel.talk.allow(self._snapshot().config.connect_seconds + 1.0)
        return await self._dialer.connect(verdict.target or tunnel.host, tunnel.port)

    def _splice(self, tunnel: Tunnel, server: socket.socket) -> bool:
        self._used["splice"] += 1
        self._splicer.begin(tunnel.talk.client, server, bytes(tunnel.talk.buffer))
        return True


async def serve_plain(
    plain: PlainLane, splicer: Splicer, talk: Conversation, to: Authority | None, used: Counter[str]
) -> bool:
    """The plain http lane; True where the protocol was switched, so that the sockets are spliced now."""
    used["plain"] += 1
    talk.unwatch()
    talk.allow(float("inf"))  # the lane has time-outs of its own
    switched = await plain.serve(talk.client, talk.device, bytes(talk.buffer), to)
    if switched is None:
        return False
    used["splice"] += 1
    splicer.begin(talk.client, *switched)
    return True
