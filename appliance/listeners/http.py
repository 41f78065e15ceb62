"""The plain http lane: each request judged by host and path, relayed, or answered with a page of the box's own.

h11 reads and writes the messages, so that what passes is what was judged: a request is written anew from its parsed
parts, and one that two servers could read in two ways is refused (RFC 9112 section 11.2).
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import h11

from appliance.enforcement import Step, step
from appliance.errors import UpstreamError
from appliance.gate import Gate
from appliance.listeners import messages
from appliance.listeners.dial import Dialer, Forbidden, NameNotFound
from appliance.notice.page import HEADERS, Problem
from appliance.notice.pages import Pages
from appliance.wire import WireError
from appliance.wire.proxy import LONGEST_HEAD
from filters.model import Via
from filters.names import host as normalise

IDLE_SECONDS = 60.0
"""for a client to begin the next request on a connection that it keeps"""
HEAD_SECONDS = 10.0
"""for a request's head to be whole once it has begun"""
ANSWER_SECONDS = 300.0
"""for a server to send the next bytes of an answer"""
LINGER_SECONDS = 2.0
"""for a client to read the last answer of a connection while it still sends"""
_CHUNK = 65_536
_SAFE = (b"GET", b"HEAD", b"OPTIONS")
"""asked again where a kept connection turns out to have ended (RFC 9110 section 9.2.2)"""

Switched = tuple[socket.socket, bytes, bytes]
"""after 101 Switching Protocols: the server's socket, bytes waiting for it, and bytes waiting for the client"""


@dataclass(frozen=True, slots=True)
class Authority:
    """The server a tunnel was asked for."""

    host: str
    port: int


def problem_of(error: UpstreamError) -> Problem:
    """What a person is told of it."""
    if isinstance(error, NameNotFound):
        return Problem.NAME_NOT_FOUND
    return Problem.PRIVATE_ADDRESS if isinstance(error, Forbidden) else Problem.UPSTREAM_DOWN


def is_own_name(host: str) -> bool:
    """Whether the name is one of the box's own."""
    return host == "schoolgate.internal" or host.endswith(".schoolgate.internal")


class PlainLane:
    """Serves one client's plain http connection at a time; holds nothing between them."""

    def __init__(self, gate: Gate, dialer: Dialer, pages: Callable[[], Pages], web: Path) -> None:
        self.gate, self.dialer, self.pages, self.web = gate, dialer, pages, web

    def refusal(self, problem: Problem, host: str, language: str = "", detail: str = "") -> bytes:
        """A whole response that says why a request is not served; the connection ends with it."""
        body = self.pages().problem(problem, host, language, detail)
        lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in HEADERS]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        return "\r\n".join(lines).encode() + body

    def unreachable(self, host: str, error: UpstreamError, language: str = "") -> bytes:
        """The refusal for a server that could not be reached."""
        return self.refusal(problem_of(error), host, language)

    async def serve(
        self, client: socket.socket, device: str, read: bytes, to: Authority | None = None
    ) -> Switched | None:
        """Serve requests until the client or the protocol ends the connection. `read` is what the client already
        sent; `to` is set inside a tunnel. Returns the sockets to splice after a switch of protocols."""
        return await _Connection(self, client, device, read, to).serve()


class _Connection:
    """One client connection: requests one after the other, and the server's connection kept while the host is the
    same."""

    def __init__(self, lane: PlainLane, client: socket.socket, device: str, read: bytes, to: Authority | None) -> None:
        self._lane, self._socket, self._device, self._to = lane, client, device, to
        self._loop = asyncio.get_running_loop()
        self._client = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        self._client.receive_data(read)
        self._server: tuple[tuple[str, int], socket.socket, h11.Connection] | None = None

    async def serve(self) -> Switched | None:
        try:
            while isinstance(request := await self._request(), h11.Request):
                switched = await self._answer(request)
                if switched:
                    self._server = None
                    return switched
                if self._client.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                    await self._linger()
                    break
                self._client.start_next_cycle()
        except h11.RemoteProtocolError as error:
            if self._client.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                await self._loop.sock_sendall(self._socket, self._lane.refusal(Problem.BAD_REQUEST, "", "", str(error)))
                await self._linger()
        except (TimeoutError, h11.LocalProtocolError):
            pass  # an answer that has begun can only be cut short
        finally:
            self._leave_server()
        return None

    async def _request(self) -> object:
        """The head of the next request, before which a client may be silent for long, but not within it."""
        event = self._client.next_event()
        if event is not h11.NEED_DATA:
            return event
        await self._receive(self._client, self._socket, IDLE_SECONDS)
        async with asyncio.timeout(HEAD_SECONDS):
            return await self._event(self._client, self._socket, HEAD_SECONDS)

    async def _linger(self) -> None:
        """Let the client read the last answer: closing with bytes of its own unread would throw the answer away."""
        with suppress(OSError):  # TimeoutError is one
            self._socket.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(LINGER_SECONDS):
                while await self._loop.sock_recv(self._socket, _CHUNK):
                    pass

    def _leave_server(self) -> None:
        if self._server:
            self._server[1].close()
            self._server = None

    async def _answer(self, request: h11.Request) -> Switched | None:
        """Judge one request, and answer it or relay it."""
        language = messages.header(request, b"accept-language").decode("latin-1")
        try:
            asked, port, path = messages.split_target(request, (self._to.host, self._to.port) if self._to else None)
        except WireError:
            await self._refuse(self._lane.refusal(Problem.BAD_REQUEST, "", language))
            return None
        host = normalise(asked)
        if host is None or messages.is_ambiguous(request):
            await self._refuse(self._lane.refusal(Problem.BAD_REQUEST, asked, language))
            return None
        try:
            if is_own_name(host):
                return await self._relay(request, (str(self._lane.web), 0), Authority(host, port), path)
            verdict = self._lane.gate.judge(host, self._device, Via.HTTP, path)
            if step(Via.HTTP, verdict.action, trusted=False) is Step.BLOCK_PAGE:
                await self._respond(403, self._lane.pages().block(verdict, host, language))
                return None
            return await self._relay(request, (verdict.target or host, port), Authority(host, port), path)
        except UpstreamError as error:
            await self._refuse(self._lane.unreachable(host, error, language))
            return None

    async def _refuse(self, response: bytes) -> None:
        """Send a whole response and end the connection."""
        await self._loop.sock_sendall(self._socket, response)
        self._client.send_failed()

    async def _respond(self, status: int, body: bytes) -> None:
        """Answer with a page; the connection stays open when the request has no body that would be in the way."""
        await self._drain_request()
        headers = [*HEADERS, ("Content-Length", str(len(body)))]
        send = self._client.send
        out = send(h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode()))
        out = (out or b"") + (send(h11.Data(data=body)) or b"") + (send(h11.EndOfMessage()) or b"")
        await self._loop.sock_sendall(self._socket, out)

    async def _drain_request(self) -> None:
        if self._client.they_are_waiting_for_100_continue:
            return
        read = 0
        while self._client.their_state is h11.SEND_BODY and read < 1 << 20:
            event = await self._event(self._client, self._socket, IDLE_SECONDS)
            read += len(event.data) if isinstance(event, h11.Data) else 0

    async def _relay(self, request: h11.Request, at: tuple[str, int], to: Authority, path: str) -> Switched | None:
        """Pass one request on and its answer back. Raises UpstreamError before anything of an answer was sent."""
        kept = self._server
        try:
            return await self._pass(request, at, to, path)
        except UpstreamError:
            if not kept or kept[0] != at or request.method not in _SAFE or messages.has_body(request):
                raise
            return await self._pass(request, at, to, path)

    async def _pass(self, request: h11.Request, at: tuple[str, int], to: Authority, path: str) -> Switched | None:
        connection, protocol = await self._reach(at)
        own = at[1] == 0
        sent = messages.forwarded_request(request, to.host, to.port, path, self._device if own else None)
        body = self._loop.create_task(self._pass_request(connection, protocol, sent))
        answer = self._loop.create_task(self._pass_answer(connection, protocol))
        try:
            await asyncio.wait({body, answer}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                await body  # raises where the client is gone or makes no sense: nobody waits for the answer
            return await answer
        finally:
            body.cancel()
            answer.cancel()
            await asyncio.gather(body, answer, return_exceptions=True)
            done = protocol.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}
            if done and not protocol.trailing_data[0]:  # more than was asked for would answer the next request
                protocol.start_next_cycle()
            elif protocol.their_state is not h11.SWITCHED_PROTOCOL:
                self._leave_server()

    async def _reach(self, at: tuple[str, int]) -> tuple[socket.socket, h11.Connection]:
        """A connection to the server, the one in hand where it leads there and the server did not end it."""
        if self._server and self._server[0] == at and not _has_ended(self._server[1]):
            return self._server[1], self._server[2]
        self._leave_server()
        connection = await (self._reach_web(at[0]) if at[1] == 0 else self._lane.dialer.connect(*at))
        protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD * 2)
        self._server = (at, connection, protocol)
        return connection, protocol

    async def _reach_web(self, path: str) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            await self._loop.sock_connect(connection, path)
        except OSError as error:
            connection.close()
            raise UpstreamError("the box's own pages are starting") from error
        return connection

    async def _pass_request(self, server: socket.socket, protocol: h11.Connection, request: h11.Request) -> None:
        """The request and its body, as it comes."""
        event: object = request
        while isinstance(event, h11.Request | h11.Data | h11.EndOfMessage):
            sent = protocol.send(event) or b""
            try:
                await self._loop.sock_sendall(server, sent)
            except OSError:
                return  # the server takes no more; its answer may say why
            if isinstance(event, h11.EndOfMessage):
                return
            if isinstance(event, h11.Request) and self._client.their_state is not h11.SEND_BODY:
                event = h11.EndOfMessage()  # asked again: the end was read before
            else:
                event = await self._event(self._client, self._socket, ANSWER_SECONDS)

    async def _pass_answer(self, server: socket.socket, protocol: h11.Connection) -> Switched | None:
        """The answer, as it comes. Raises UpstreamError where the server ends or errs before it began."""
        begun = False
        while True:
            try:
                event = await self._event(protocol, server, ANSWER_SECONDS)
            except (h11.RemoteProtocolError, OSError) as error:
                if begun:
                    raise OSError("the server broke off") from error
                raise UpstreamError("the server did not answer properly") from error
            if isinstance(event, h11.Response | h11.InformationalResponse):
                begun = begun or isinstance(event, h11.Response)
                event = messages.forwarded_response(event)
            elif not isinstance(event, h11.Data | h11.EndOfMessage):
                raise UpstreamError("the server closed the connection")
            await self._loop.sock_sendall(self._socket, self._client.send(event))
            if isinstance(event, h11.EndOfMessage):
                return None
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                return server, self._client.trailing_data[0], protocol.trailing_data[0]

    async def _event(self, protocol: h11.Connection, source: socket.socket, seconds: float) -> object:
        """The next event on one side."""
        while (event := protocol.next_event()) is h11.NEED_DATA:
            await self._receive(protocol, source, seconds)
        return event

    async def _receive(self, protocol: h11.Connection, source: socket.socket, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            protocol.receive_data(await self._loop.sock_recv(source, _CHUNK))


def _has_ended(connection: socket.socket) -> bool:
    """Whether the server has closed a connection that was kept (or sent what nobody asked for)."""
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
