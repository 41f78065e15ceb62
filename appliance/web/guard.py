"""What stands before every page: who is asked, who asks, and what goes out with each answer.

Host: a page of the box answers only to the box's own names, so that no outside name can be pointed at it (DNS
rebinding). Client: only the app behind the gate's socket believes the gate's header; the other believes the socket.
Headers: nothing is kept by the browser, nothing is loaded from elsewhere, no cookie is ever set.
"""

import re
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from appliance.web.recent import canonical

PUBLIC_NAMES = frozenset({"schoolgate.internal", "help.schoolgate.internal"})
LOCAL_NAMES = PUBLIC_NAMES | {"localhost", "127.0.0.1", "::1"}

CLIENT_HEADER = "X-Schoolgate-Client"
"""the device's IP address, set by the gate on its own socket; the gate removes what a device sends under this name"""
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9.-]{1,253}))(?::(?P<port>[0-9]{1,5}))?")

_HEADERS = (
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)

_WRONG_HOST = "This box does not answer to this name. Open http://schoolgate.internal/ instead.\n"


class Guard:
    """ASGI middleware: 421 (RFC 9110 section 15.5.20) for a name that is not the box's, and headers on every answer."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS:
                    headers[name] = value
            await send(message)

        known = host_name(Headers(scope=scope)) in self._names
        app = self._app if known else PlainTextResponse(_WRONG_HOST, 421)
        await app(scope, receive, send_with_headers)


def host_name(headers: Headers) -> str | None:
    """The name or address in the one Host header, in lower case, without port or final dot; None if unclear."""
    values = headers.getlist("host")
    match = _HOST.fullmatch(values[0]) if len(values) == 1 else None
    if match is None:
        return None
    address = match["v6"]
    return canonical(address) if address else match["name"].lower().removesuffix(".")


def client_of(request: Request, through_gate: bool) -> str | None:
    """The IP address of the device that asks, or None when nobody can tell."""
    if through_gate:
        values = request.headers.getlist(CLIENT_HEADER)
        return canonical(values[0].strip()) if len(values) == 1 else None
    return canonical(request.client.host) if request.client else None
