"""The servers that pages come from: real HTTP/1.1, HTTP/2 and WebSockets, with and without real TLS, on loopback.

They run on an event loop in a thread of the test process and remember what reached them, so that a test can say that
nothing did. The certificate is chosen by the name that the client sends: expired.pages.example gets an expired one, and
so on; every other name a good one from `Certificates.authority`.
"""

import asyncio
import json
import ssl
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h11
import trustme
import websockets
from websockets.asyncio.server import ServerConnection, serve

GOOD = ("pages.example", "*.pages.example", "*.schoolgate.test", "cloudflare-ech.com", "localhost", "127.0.0.1")
BLOCK = bytes(range(256)) * 1024
"""what long bodies are made of"""
_HOSTS = ("127.0.0.1", "::1")


class Certificates:
    """A good authority, and bad certificates for the names that say so."""

    def __init__(self, folder: Path) -> None:
        self.authority, other = trustme.CA(key_type=trustme.KeyType.ECDSA), trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.path = str(folder / "origin-ca.pem")
        self.authority.cert_pem.write_to_path(self.path)
        past = datetime.now(UTC) - timedelta(days=1)
        self._bad = {
            "expired.pages.example": _context(self.authority.issue_cert("expired.pages.example", not_after=past)),
            "wronghost.pages.example": _context(self.authority.issue_cert("another.invalid")),
            "untrusted.pages.example": _context(other.issue_cert("untrusted.pages.example")),
            "selfsigned.pages.example": _self_signed(other, folder),
        }
        self.server = _context(self.authority.issue_cert(*GOOD))
        self.asked: list[str | None] = []
        """the server name of every ClientHello that came"""
        self.server.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        self.asked.append(name)
        if name in self._bad:
            connection.context = self._bad[name]


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def _self_signed(authority: trustme.CA, folder: Path) -> ssl.SSLContext:
    path = folder / "self-signed.pem"
    path.write_bytes(authority.private_key_pem.bytes() + authority.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class Origin:
    """Four listeners: http, https (HTTP/1.1 and HTTP/2 by ALPN), ws and wss (echo)."""

    def __init__(self, certificates: Certificates) -> None:
        self.certificates = certificates
        self.seen: list[tuple[str, str, str]] = []
        """(protocol, authority, path) of every request"""
        self.connections = 0
        """connections to the http port"""
        self.http = self.https = self.ws = self.wss = 0
        self._loop = asyncio.new_event_loop()
        self._stop, ready = asyncio.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve(ready)], daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def close(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def forget(self) -> None:
        """Forget what has come so far."""
        self.seen.clear()
        self.connections = 0
        self.certificates.asked.clear()

    async def _serve(self, ready: threading.Event) -> None:
        tls = self.certificates.server
        plain = await asyncio.start_server(self._http1, _HOSTS[0], 0)
        self.http = plain.sockets[0].getsockname()[1]
        secure = await asyncio.start_server(self._either, _HOSTS[0], 0, ssl=tls)
        self.https = secure.sockets[0].getsockname()[1]
        six = await asyncio.start_server(self._http1, _HOSTS[1], self.http)
        secure_six = await asyncio.start_server(self._either, _HOSTS[1], self.https, ssl=tls)
        one = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificates.authority.issue_cert(*GOOD).configure_cert(one)
        async with (
            plain,
            secure,
            six,
            secure_six,
            serve(_echo_frames, _HOSTS[0], 0, max_size=None) as ws,
            serve(_echo_frames, _HOSTS[0], 0, ssl=one, max_size=None) as wss,
        ):
            self.ws, self.wss = (next(iter(server.sockets)).getsockname()[1] for server in (ws, wss))
            ready.set()
            await self._stop.wait()
            for server in (plain, secure, six, secure_six):
                server.close_clients()

    async def _either(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        await (self._http2 if protocol == "h2" else self._http1)(reader, writer)

    async def _http1(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = h11.Connection(h11.SERVER)
        self.connections += 1

        async def event() -> object:
            while (found := protocol.next_event()) is h11.NEED_DATA:
                if protocol.they_are_waiting_for_100_continue:
                    go_on = h11.InformationalResponse(status_code=100, headers=[])
                    writer.write(protocol.send(go_on))
                protocol.receive_data(await reader.read(65_536))
            return found

        try:
            while isinstance(request := await event(), h11.Request):
                host = next((value.decode() for name, value in request.headers if name == b"host"), "")
                path = request.target.decode()
                self.seen.append(("http/1.1", host, path))
                body = [bytes(part.data) async for part in _until_end(event)]
                status, length, parts = answer(path, dict(request.headers.raw_items()), b"".join(body))
                headers = [("Content-Type", "text/plain"), ("Content-Length", str(length))]
                writer.write(protocol.send(h11.Response(status_code=status, headers=headers)) or b"")
                for part in parts if request.method != b"HEAD" else ():
                    writer.write(protocol.send(h11.Data(data=part)) or b"")
                    await writer.drain()
                writer.write(protocol.send(h11.EndOfMessage()) or b"")
                await writer.drain()
                if protocol.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                    break
                protocol.start_next_cycle()
        except (OSError, h11.ProtocolError):
            return
        finally:
            writer.close()

    async def _http2(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        protocol.initiate_connection()
        waiting: dict[int, deque[memoryview]] = {}
        try:
            while True:
                writer.write(protocol.data_to_send())
                await writer.drain()
                if not (data := await reader.read(65_536)):
                    return
                for event in protocol.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        headers = dict(event.headers)
                        path = headers[b":path"].decode()
                        self.seen.append(("h2", headers[b":authority"].decode(), path))
                        status, _, parts = answer(path, {}, b"")
                        protocol.send_headers(event.stream_id, [(":status", str(status))])
                        waiting[event.stream_id] = deque(memoryview(part) for part in parts)
                _send_what_fits(protocol, waiting)
        except OSError:
            return
        finally:
            writer.close()


async def _until_end(event: object) -> AsyncIterator[h11.Data]:
    assert callable(event)
    while isinstance(found := await event(), h11.Data):
        yield found


def _send_what_fits(protocol: h2.connection.H2Connection, waiting: dict[int, deque[memoryview]]) -> None:
    """As much of each answer as the client's windows let through."""
    for stream, parts in list(waiting.items()):
        while parts and (room := protocol.local_flow_control_window(stream)) > 0:
            part = parts.popleft()
            size = min(room, protocol.max_outbound_frame_size)
            protocol.send_data(stream, bytes(part[:size]))
            if part[size:]:
                parts.appendleft(part[size:])
        if not parts:
            protocol.end_stream(stream)
            del waiting[stream]


def answer(path: str, headers: dict[bytes, bytes], body: bytes) -> tuple[int, int, Iterable[bytes]]:
    """(status, length, parts of the body): /bytes/N, /headers, /echo; anything else says hello."""
    if path.startswith("/bytes/"):
        size = int(path.removeprefix("/bytes/"))
        whole, rest = divmod(size, len(BLOCK))
        return 200, size, (*[BLOCK] * whole, *([BLOCK[:rest]] if rest else []))
    if path == "/headers":
        told = json.dumps([[name.decode(), value.decode()] for name, value in headers.items()]).encode()
        return 200, len(told), [told]
    content = body if path == "/echo" else f"hello from {path}".encode()
    return 200, len(content), [content] if content else []


async def _echo_frames(connection: ServerConnection) -> None:
    try:
        async for message in connection:
            await connection.send(message)
    except websockets.ConnectionClosed:
        return
