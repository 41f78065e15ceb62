"""What of an http message passes through the box, and what is between two neighbours only (RFC 9110 section 7.6)."""

from urllib.parse import urlsplit

import h11

from appliance.wire import WireError
from appliance.wire.proxy import authority

_BETWEEN_NEIGHBOURS = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
Message = h11.Request | h11.Response | h11.InformationalResponse
_OWN = b"x-schoolgate-"
"""headers of the box's own; none may come in from outside"""


def split_target(request: h11.Request, tunnel: tuple[str, int] | None) -> tuple[str, int, str]:
    """(host as sent, port, path) of a request: the whole address in the request line, or, inside a tunnel, the
    tunnel's. A Host header beside a whole address is ignored (RFC 9112 section 3.2.2). Raises WireError."""
    target = bytes(request.target).decode("latin-1")
    if tunnel and target.startswith("/"):
        return tunnel[0], tunnel[1], target
    if not target.lower().startswith("http://"):
        raise WireError("not an address that a proxy can fetch")
    try:
        parts = urlsplit(target)
    except ValueError as error:
        raise WireError("not an address") from error
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    name = parts.netloc.rpartition("@")[2]
    if name.endswith(":"):
        name += "80"  # an empty port is the default (RFC 3986 section 3.2.3)
    elif not name.rpartition("]")[2].count(":"):
        name += ":80"
    host, port = authority(name)
    return host, port, path


def forwarded_request(request: h11.Request, host: str, port: int, path: str, device: str | None) -> h11.Request:
    """The request as the server gets it: what was judged, written anew. `device` only for the box's own pages."""
    upgrade = header(request, b"upgrade")
    name = f"[{host}]" if ":" in host else host
    headers = [(b"Host", (name if port == 80 else f"{name}:{port}").encode())]
    headers += _kept(request, without=(b"host",))
    headers += _coding(request)
    if upgrade.lower() == b"websocket":
        headers += [(b"Connection", b"Upgrade"), (b"Upgrade", upgrade)]
    if device is not None:
        headers.append((b"X-Schoolgate-Client", device.encode()))
    return h11.Request(method=request.method, target=path.encode("latin-1"), headers=headers)


def forwarded_response[R: h11.Response | h11.InformationalResponse](response: R) -> R:
    """The answer as the client gets it."""
    headers = _kept(response) + _coding(response)
    if response.status_code == 101:
        headers += [(b"Connection", b"Upgrade"), (b"Upgrade", header(response, b"upgrade") or b"websocket")]
    return type(response)(status_code=response.status_code, headers=headers, reason=response.reason)


def has_body(request: h11.Request) -> bool:
    """Whether a body follows the head (RFC 9112 section 6)."""
    return bool(header(request, b"content-length") or header(request, b"transfer-encoding"))


def is_ambiguous(request: h11.Request) -> bool:
    """Whether two servers could find the body's end in two places (RFC 9112 sections 6.1 and 6.3)."""
    coded, measured = header(request, b"transfer-encoding"), header(request, b"content-length")
    if coded:
        return bool(measured) or request.http_version < b"1.1"
    return bool(measured) and b"content-length" in _named(request)


def header(message: Message, name: bytes) -> bytes:
    """The first header of that name, in lower case, or b""."""
    return next((bytes(value) for key, value in message.headers if key == name), b"")


def _coding(message: Message) -> list[tuple[bytes, bytes]]:
    """How the body is framed; h11 has refused what could be read in two ways."""
    value = header(message, b"transfer-encoding")
    return [(b"Transfer-Encoding", value)] if value else []


def _kept(message: Message, without: tuple[bytes, ...] = ()) -> list[tuple[bytes, bytes]]:
    """The headers that are for the other end."""
    named = _named(message)
    return [
        (bytes(raw), bytes(value))
        for raw, value in message.headers.raw_items()
        if (key := bytes(raw).lower()) not in _BETWEEN_NEIGHBOURS
        and key not in named
        and key not in without
        and not key.startswith(_OWN)
    ]


def _named(message: Message) -> set[bytes]:
    """The headers that are between neighbours because the message says so (RFC 9110 section 7.6.1)."""
    return {
        name.strip().lower()
        for key, value in message.headers
        if key in (b"connection", b"proxy-connection")
        for name in bytes(value).split(b",")
    }
