"""The inspect lane: stock mitmproxy, in a process of its own, for devices that trust the box. The only importer of it.

It takes connections that a gate hands over (appliance.listeners.handoff) as a proxy mode of its own. Its addon
translates between mitmproxy's hooks and appliance.listeners.inspected; it never decides. Bodies are streamed, never
kept; nothing is logged, because a log line here would be browsing.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from mitmproxy import certs, ctx, http, options, tls
from mitmproxy.addonmanager import Loader
from mitmproxy.addons import core, disable_h2c, next_layer, proxyserver, tlsconfig
from mitmproxy.connection import Client, Server
from mitmproxy.master import Master
from mitmproxy.proxy import commands, context, events, layer
from mitmproxy.proxy.mode_servers import ProxyConnectionHandler, ServerInstance
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.utils import expect

from appliance import control
from appliance.ca import Authority
from appliance.clock import now
from appliance.listeners.handoff import Handover, take
from appliance.listeners.inspected import Asked, Inspected
from appliance.notice.page import HEADERS, Problem

_LEAVES_KEPT = 1_000
_LONGEST_BODY = 1 << 20
"""bytes of a request's body that are read before the answer is a page of the box's own"""


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


class HandedOver(layer.Layer):
    """The first layer of such a connection: the gate has chosen where it goes, or that it goes nowhere. Where no
    address answers, it goes nowhere too; server.error tells the problem then."""

    def __init__(self, context: context.Context, handover: Handover) -> None:
        super().__init__(context)
        self._handover = handover

    @expect(events.Start)
    def _handle_event(self, event: events.Event) -> layer.CommandGenerator[None]:
        problem = self._handover.problem
        for address in (self._handover.address, *self._handover.others) if self._handover.address else ():
            if not (yield commands.OpenConnection(self._aim(address))):
                break
            problem = Problem.UPSTREAM_DOWN.value
        else:
            self._aim("").error = problem
        child = layer.NextLayer(self.context)
        self._handle_event = child.handle_event
        yield from child.handle_event(event)

    def _aim(self, address: str) -> Server:
        self.context.server = Server(address=(address, self._handover.port))
        self.context.server.sni = self._handover.host
        return self.context.server


class Handler(ProxyConnectionHandler):
    """mitmproxy's own, with an end to the patience for servers that do not answer."""

    async def open_connection(self, command: commands.OpenConnection) -> None:
        task = asyncio.current_task()

        def give_up() -> None:
            if task and command.connection.timestamp_tcp_setup is None:
                task.cancel()

        timer = asyncio.get_running_loop().call_later(ctx.options.connect_seconds, give_up)
        try:
            await super().open_connection(command)
        finally:
            timer.cancel()


class HandoverServer(ServerInstance[HandoverMode]):
    """Takes the connections and gives each to mitmproxy's own handler."""

    _bound: socket.socket | None = None

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
        handler = Handler(ctx.master, reader, writer, ctx.options, self.mode)
        handler.layer = HandedOver(handler.layer.context, handover)
        with self.manager.register_connection(handler.client.id, handler):
            await handler.handle_client()

    def make_top_layer(self, context: context.Context) -> layer.Layer:
        raise NotImplementedError("a connection comes with its hand-over")


class Certificates(tlsconfig.TlsConfig):
    """mitmproxy's TLS, with leaves from the box's own authority. Upstream certificates are verified by mitmproxy."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._leaves: dict[str, certs.CertStoreEntry] = {}
        # asked for nothing but dhparams, for get_cert is ours
        self.certstore = certs.CertStore(None, certs.Cert(authority.certificate), None, b"", None)  # type: ignore[arg-type]

    def configure(self, updated: set[str]) -> None:
        pass  # mitmproxy's makes an authority of its own

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

    def __init__(self, inspected: Inspected, serving: Callable[[], None]) -> None:
        self._inspected, self._serving = inspected, serving
        self._unproven: set[str] = set()
        """clients' connections whose server has no good certificate"""
        self.connections = 0

    def load(self, loader: Loader) -> None:
        loader.add_option("connect_seconds", int, 10, "How long a server may take to accept a connection.")

    def running(self) -> None:
        self._serving()

    def client_connected(self, client: Client) -> None:
        self.connections += 1

    def client_disconnected(self, client: Client) -> None:
        self.connections -= 1
        self._unproven.discard(client.id)

    def tls_established_client(self, data: tls.TlsData) -> None:
        self._inspected.accepted(_device(data.context.client), data.context.server.sni or "")

    def tls_failed_client(self, data: tls.TlsData) -> None:
        self._inspected.refused(_device(data.context.client), data.context.server.sni or "")

    def tls_failed_server(self, data: tls.TlsData) -> None:
        self._unproven.add(data.context.client.id)

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        request, tunnel = flow.request, flow.server_conn.sni or ""
        host, language = _one_name(request), request.headers.get("accept-language", "")
        asked = Asked(_device(flow.client_conn), tunnel, host, request.path, language)
        page = self._inspected.page(asked, self._problem(flow))
        if page is None:
            request.stream = True
            return
        flow.response = http.Response.make(*page, dict(HEADERS))
        if _has_long_body(request):
            flow.kill()  # mitmproxy would keep all of it before it answers

    def _problem(self, flow: http.HTTPFlow) -> Problem | None:
        """Why the server cannot be asked, if it cannot."""
        if flow.client_conn.id in self._unproven:
            return Problem.CERTIFICATE_INVALID
        if flow.server_conn.address and flow.server_conn.address[0]:
            return None
        return Problem(flow.server_conn.error or Problem.UPSTREAM_DOWN)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        if flow.response:
            flow.response.stream = True

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        if flow.websocket:
            flow.websocket.messages.clear()  # mitmproxy would keep them for as long as the connection lives


def _device(client: Client) -> str:
    return str(client.peername[0])


def _one_name(request: http.Request) -> str:
    """The host that a request names, without port, or ""; the request then names it in one way only, so that the server
    reads the name that is judged (RFC 9112 section 3.2.2, RFC 9113 section 8.3.1)."""
    if not request.is_http2:
        request.authority = ""
    if not request.host_header:
        return ""
    request.host_header = request.host_header
    return request.pretty_host


def _has_long_body(request: http.Request) -> bool:
    length = request.headers.get("content-length", "")
    return "transfer-encoding" in request.headers or (length.isdigit() and int(length) > _LONGEST_BODY)


Running = Master
"""what runs until its shutdown() is called"""


async def run(
    path: Path,
    authority: Authority,
    inspected: Inspected,
    verify_by: Path,
    connect_seconds: int,
    started: Callable[[Running, Translator], None],
) -> None:
    """Serve the connections handed over at `path` until the master is shut down that `started` is given, once
    connections are taken. Servers are verified by the authorities in the file `verify_by`."""
    logging.disable(logging.CRITICAL)
    settings = options.Options(
        mode=[f"handover:{path}"],
        ssl_verify_upstream_trusted_ca=str(verify_by),
        rawtcp=False,
        upstream_cert=False,
    )
    master = Master(settings)
    translator = Translator(inspected, lambda: started(master, translator))
    master.addons.add(
        core.Core(),
        disable_h2c.DisableH2C(),
        proxyserver.Proxyserver(),
        next_layer.NextLayer(),
        Certificates(authority),
        translator,
    )
    settings.update(connect_seconds=connect_seconds)
    await master.run()
