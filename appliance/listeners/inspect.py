"""The inspect lane: stock mitmproxy, in a process of its own, for devices that trust the box. The only importer of it.

It takes connections that a gate hands over (appliance.listeners.handoff) as a proxy mode of its own. Its addon
translates between mitmproxy's hooks and the gate; it never decides. Bodies are streamed, never kept; nothing is logged,
because a log line here would be browsing.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from mitmproxy import certs, http, options, tls
from mitmproxy.addons import core, disable_h2c, next_layer, proxyserver, tlsconfig
from mitmproxy.connection import Client
from mitmproxy.master import Master
from mitmproxy.proxy import context, events, layer
from mitmproxy.proxy.layers import modes
from mitmproxy.proxy.mode_servers import ServerInstance
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.utils import expect

from appliance import control
from appliance.ca import Authority
from appliance.clock import now
from appliance.enforcement import Step, step
from appliance.gate import Gate
from appliance.listeners.handoff import Handover, take
from appliance.listeners.trust import TRUST_HOST, Learner
from appliance.notice.page import HEADERS, Problem
from appliance.notice.pages import Pages
from filters.model import Via
from filters.names import host as normalise

_LEAVES_KEPT = 1_000


class HandoverMode(ProxyMode):
    """ "handover:PATH": connections come from gates over the Unix socket at PATH."""

    @property
    def description(self) -> str:
        return "Connections handed over by Schoolgate's gates"

    @property
    def transport_protocol(self) -> Literal["tcp"]:
        return "tcp"

    def __post_init__(self) -> None:
        if not self.data:
            raise ValueError("handover needs the path of a socket")


class HandedOver(modes.DestinationKnown):
    """The first layer of such a connection: the gate has chosen where it goes, or that it goes nowhere."""

    @expect(events.Start)
    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        self.child_layer = layer.NextLayer(self.context)
        if self.context.server.address and self.context.server.address[0]:
            failed = yield from self.finish_start()
            if failed:
                self._handle_event = self.child_layer.handle_event
                yield from self.child_layer.handle_event(event)
        else:
            self._handle_event = self.child_layer.handle_event
            yield from self.child_layer.handle_event(event)


class HandoverServer(ServerInstance[HandoverMode]):
    """Takes the connections and gives each to mitmproxy's own handler."""

    _bound: socket.socket | None = None
    _next: Handover | None = None

    @property
    def is_running(self) -> bool:
        return self._bound is not None

    @property
    def listen_addrs(self) -> tuple[()]:
        return ()

    async def _start(self) -> None:
        self._bound = control.bind(Path(self.mode.data))
        asyncio.get_running_loop().add_reader(self._bound, self._readable)

    async def _stop(self) -> None:
        if self._bound:
            asyncio.get_running_loop().remove_reader(self._bound)
            self._bound.close()
            self._bound = None

    def _readable(self) -> None:
        while self._bound and (taken := take(self._bound)):
            asyncio.ensure_future(self._handle(*taken))  # noqa: RUF006  the handler registers itself

    async def _handle(self, client: socket.socket, handover: Handover) -> None:
        try:
            reader, writer = await asyncio.open_connection(sock=client)
        except OSError:
            client.close()
            return
        reader.feed_data(handover.read)
        self._next = handover  # read by make_top_layer, which handle_stream calls before it first waits
        await self.handle_stream(reader, writer)

    def make_top_layer(self, context: context.Context) -> layer.Layer:
        handover = self._next
        assert handover is not None
        context.server.address = (handover.address, handover.port)
        context.server.sni = handover.host
        return HandedOver(context)


class Certificates(tlsconfig.TlsConfig):
    """mitmproxy's TLS, with leaves from the box's own authority. Upstream certificates are verified by mitmproxy."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._leaves: dict[str, certs.CertStoreEntry] = {}

    def configure(self, updated: set[str]) -> None:
        if self.certstore is None:  # mitmproxy asks it for nothing but dhparams: get_cert is ours
            self.certstore = certs.CertStore(None, certs.Cert(self._authority.certificate), None, b"", None)

    def running(self) -> None:
        pass

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        super().tls_clienthello(data)
        if not data.context.server.address or not data.context.server.address[0]:
            data.establish_server_tls_first = False

    def get_cert(self, conn_context: context.Context) -> certs.CertStoreEntry:
        host = conn_context.client.sni or conn_context.server.sni or ""
        entry = self._leaves.get(host)
        moment = now()
        if entry is None or entry.cert.notafter < moment:
            if len(self._leaves) >= _LEAVES_KEPT:
                self._leaves.clear()
            leaf = self._authority.leaf(host, moment)
            entry = certs.CertStoreEntry(certs.Cert(leaf.certificate), leaf.key, None, [])  # type: ignore[arg-type]
            self._leaves[host] = entry
        return entry


class Translator:
    """Hooks in, the gate's answer out."""

    def __init__(
        self, gate: Gate, pages: Callable[[], Pages], learner: Learner, tell_gates: Callable[[control.Message], None]
    ) -> None:
        self._gate, self._pages, self._learner, self._tell_gates = gate, pages, learner, tell_gates
        self._unproven: dict[str, Problem] = {}
        self.connections = 0

    def client_connected(self, client: Client) -> None:
        self.connections += 1

    def client_disconnected(self, client: Client) -> None:
        self.connections -= 1
        self._unproven.pop(client.id, None)

    def tls_established_client(self, data: tls.TlsData) -> None:
        if data.context.server.sni != TRUST_HOST:
            self._learner.accepted(_device(data.context.client))

    def tls_failed_client(self, data: tls.TlsData) -> None:
        device, host = _device(data.context.client), data.context.server.sni or ""
        self._tell_gates({"pin": [device, host]})
        if self._learner.refused(device, host):
            self._tell_gates({"trust": "changed"})

    def tls_failed_server(self, data: tls.TlsData) -> None:
        self._unproven[data.context.client.id] = Problem.CERTIFICATE_INVALID

    def server_connect_error(self, data: object) -> None:
        client = getattr(data, "client", None)
        if client is not None:
            self._unproven.setdefault(client.id, Problem.UPSTREAM_DOWN)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        device, language = _device(flow.client_conn), flow.request.headers.get("accept-language", "")
        host = normalise(flow.request.pretty_host)
        if host == TRUST_HOST and flow.server_conn.sni == TRUST_HOST:
            if self._learner.learned(device):
                self._tell_gates({"trust": "changed"})
            flow.response = _page(200, self._pages().trusted(language))
            return
        if host is None:
            flow.response = _page(400, self._pages().problem(Problem.BAD_REQUEST, flow.request.pretty_host, language))
            return
        verdict = self._gate.judge(host, device, Via.HTTP, flow.request.path)
        if step(Via.HTTP, verdict.action, trusted=True) is Step.BLOCK_PAGE:
            flow.response = _page(403, self._pages().block(verdict, host, language))
        elif problem := self._unproven.get(flow.client_conn.id):
            flow.response = _page(502, self._pages().problem(problem, host, language))
        elif not flow.server_conn.address or not flow.server_conn.address[0]:
            flow.response = _page(502, self._pages().problem(Problem.UPSTREAM_DOWN, host, language))
        else:
            flow.request.stream = True

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        if flow.response is not None:
            flow.response.stream = True


def _device(client: Client) -> str:
    return str(client.peername[0])


def _page(status: int, body: bytes) -> http.Response:
    return http.Response.make(status, body, dict(HEADERS))


Running = Master
"""what runs until its shutdown() is called"""


async def run(
    path: Path,
    gate: Gate,
    authority: Authority,
    pages: Callable[[], Pages],
    learner: Learner,
    tell_gates: Callable[[control.Message], None],
    upstream_ca: str,
    started: Callable[[Running, Translator], None],
) -> None:
    """Serve the connections handed over at `path` until the master that `started` was given is shut down."""
    logging.disable(logging.CRITICAL)
    settings = options.Options(
        mode=[f"handover:{path}"],
        ssl_verify_upstream_trusted_ca=upstream_ca or None,
        rawtcp=False,
        upstream_cert=False,
    )
    master = Master(settings)
    translator = Translator(gate, pages, learner, tell_gates)
    master.addons.add(
        core.Core(),
        disable_h2c.DisableH2C(),
        proxyserver.Proxyserver(),
        next_layer.NextLayer(),
        Certificates(authority),
        translator,
    )
    started(master, translator)
    await master.run()
