"""One request through the box, as a device would send it, and what came back in plain words: `schoolgate try`."""

import html
import http.client
import re
import socket
import ssl
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, urlsplit

from appliance.config import Address
from appliance.errors import ConfigError, NotRunning
from filters.names import host as normalise

SECONDS = 20.0
LONGEST_PAGE = 65_536
"""bytes of an answer that are read: the box's own pages are far shorter"""
_OWN_PAGE = b'class="mark">Schoolgate'
_OWN_NAME = b"schoolgate.internal"
_DENIED = "ACCESS_DENIED"
_SAFE = "/%:@!$&'()*+,;=~-._?[]"


class Kind(Enum):
    """What became of the request."""

    PASSED = "passed"
    BLOCKED = "blocked"
    FAILED = "failed"
    """allowed, but the other end did not answer; or no request that can be sent"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one request."""

    url: str
    kind: Kind
    status: int | None
    """of the answer, where there was one"""
    detail: str


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL, taken apart."""

    url: str
    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port, as CONNECT and Host name them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def probe(url: str, proxy: Address, source: str = "", seconds: float = SECONDS) -> Outcome:
    """Ask for `url` through `proxy`, from the own address `source` where it is given; `seconds` without a byte end it.
    Raises NotRunning where nothing listens, ConfigError where the URL is none."""
    target = _target(url)
    own = (source, 0) if source and ":" not in proxy[0] else None
    try:
        connection = socket.create_connection(proxy, seconds, own)
    except OSError as error:
        hint = "Start the box, `schoolgate run`, or see its state: `schoolgate status`."
        raise NotRunning(f"nothing answers on {proxy[0]} port {proxy[1]} ({error.strerror or error})", hint) from error
    with connection:
        try:
            return _through_tunnel(target, connection) if target.secure else _asked(target, connection, target.url)
        except TimeoutError:
            return Outcome(url, Kind.FAILED, None, f"Nothing came back within {seconds:g} seconds.")
        except (OSError, http.client.HTTPException) as error:
            return Outcome(url, Kind.FAILED, None, f"The connection ended: {error}.")


def _target(url: str) -> _Target:
    wrong = ConfigError(f"{url!r} is not a web address", "Write it like https://example.org/ or http://example.org/")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise wrong from error
    host = normalise(parts.hostname or "")
    if parts.scheme not in ("http", "https") or host is None or port == 0:
        raise wrong
    secure = parts.scheme == "https"
    path = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
    name = f"[{host}]" if ":" in host else host
    sent = f"{parts.scheme}://{name}{f':{port}' if port else ''}{path}"
    return _Target(sent, secure, host, port or (443 if secure else 80), path)


def _asked(target: _Target, connection: socket.socket, path: str) -> Outcome:
    """The answer to a GET on this connection."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {target.authority}", "Accept-Language: en", "Connection: close", "", ""]
    connection.sendall("\r\n".join(lines).encode())
    return _of_answer(target, _answer(connection))


def _answer(connection: socket.socket) -> http.client.HTTPResponse:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer


def _of_answer(target: _Target, answer: http.client.HTTPResponse) -> Outcome:
    page = answer.read(LONGEST_PAGE)
    if _OWN_PAGE not in page or answer.status < 400:
        return Outcome(target.url, Kind.PASSED, answer.status, f"The server answered with status {answer.status}.")
    found = re.search(rb"<title>(.*?)</title>", page, re.DOTALL)
    title = html.unescape(found[1].decode(errors="replace")).strip() if found else ""
    kind = Kind.BLOCKED if answer.status == 403 else Kind.FAILED
    return Outcome(target.url, kind, answer.status, f'The box answered with its own page: "{title}".')


def _through_tunnel(target: _Target, connection: socket.socket) -> Outcome:
    """The answer to CONNECT, and to a TLS handshake behind it. The certificate is not verified: asked is only who
    answers, and nothing is sent to a server but the handshake."""
    connection.sendall(f"CONNECT {target.authority} HTTP/1.1\r\nHost: {target.authority}\r\n\r\n".encode())
    answer = _answer(connection)  # a server says nothing before it is greeted, so no byte of it is lost here
    if answer.status != 200:
        return _of_answer(target, answer)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with context.wrap_socket(connection, server_hostname=target.host) as secured:
            if b"Schoolgate" not in (secured.getpeercert(binary_form=True) or b""):
                detail = "The TLS handshake succeeded: the box moves it untouched, from end to end."
                return Outcome(target.url, Kind.PASSED, None, detail)
            if target.host.encode().endswith(_OWN_NAME):  # a fetch of the trust page would say that we trust the box
                return Outcome(target.url, Kind.PASSED, None, "The box itself answered.")
            outcome = _asked(target, secured, target.path)
    except ssl.SSLError as error:
        if _DENIED in (error.reason or "").upper():
            return Outcome(target.url, Kind.BLOCKED, None, "The box ended it with a TLS alert (access denied).")
        return Outcome(target.url, Kind.FAILED, None, f"The TLS handshake failed: {error.reason or error}.")
    return Outcome(outcome.url, outcome.kind, outcome.status, f"Inspected by the box. {outcome.detail}")
