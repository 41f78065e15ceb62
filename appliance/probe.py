"""One request through the box, as a device would send it, and what came back in plain words: `schoolgate try`."""

import http.client
import ssl
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from appliance.config import Address
from appliance.errors import ConfigError, NotRunning

SECONDS = 20.0


class Kind(Enum):
    """What became of the request."""

    PASSED = "passed"
    BLOCKED = "blocked"
    FAILED = "failed"
    """allowed, but the other end did not answer"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one request."""

    url: str
    kind: Kind
    status: int | None
    """of the answer, where there was one"""
    detail: str


def probe(url: str, proxy: Address, source: str = "") -> Outcome:
    """Ask for `url` through `proxy`, from the own address `source` where it is given. Raises NotRunning where nothing
    listens, ConfigError where the URL is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{url!r} is not a web address", "Write it like https://example.org/")
    own = (source, 0) if source else None
    connection = http.client.HTTPConnection(*proxy, timeout=SECONDS, source_address=own)
    try:
        connection.connect()
    except OSError as error:
        raise NotRunning(
            f"nothing listens on {proxy[0]} port {proxy[1]}", "Start the box: `schoolgate run`."
        ) from error
    try:
        if parts.scheme == "http":
            return _plain(url, connection)
        return _tls(url, parts.hostname, parts.port or 443, connection)
    except TimeoutError:
        return Outcome(url, Kind.FAILED, None, "The box did not answer in time.")
    except (OSError, http.client.HTTPException) as error:
        return Outcome(url, Kind.FAILED, None, f"The connection ended: {error}.")
    finally:
        connection.close()


def _plain(url: str, connection: http.client.HTTPConnection) -> Outcome:
    connection.request("GET", url, headers={"Accept-Language": "en"})
    answer = connection.getresponse()
    page = answer.read(65_536)
    return _of_answer(url, answer.status, page)


def _of_answer(url: str, status: int, page: bytes) -> Outcome:
    own = b'class="mark">Schoolgate' in page
    if own and status == 403:
        return Outcome(
            url, Kind.BLOCKED, status, "The box answered with its block page. `schoolgate explain` says why."
        )
    if own and status >= 500:
        return Outcome(url, Kind.FAILED, status, "It is allowed, but the server or the link did not answer.")
    return Outcome(url, Kind.PASSED, status, f"The server answered with status {status}.")


def _tls(url: str, host: str, port: int, connection: http.client.HTTPConnection) -> Outcome:
    assert connection.sock is not None
    name = f"[{host}]" if ":" in host else host
    connection.sock.sendall(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.sock.recv(4_096)
        if not more:
            return Outcome(url, Kind.FAILED, None, "The box closed the connection.")
        head += more
    status = int(head.split(b" ", 2)[1])
    if status != 200:
        return _of_answer(url, status, head)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only whether it answers is asked here
    try:
        with context.wrap_socket(connection.sock, server_hostname=host) as secured:
            issuer = _issuer(secured.getpeercert(binary_form=True) or b"")
    except ssl.SSLError as error:
        if "ACCESS_DENIED" in (error.reason or "").upper():
            detail = "The box ended it with a TLS alert (access denied). `schoolgate explain` says why."
            return Outcome(url, Kind.BLOCKED, None, detail)
        return Outcome(url, Kind.FAILED, None, f"The TLS handshake failed: {error.reason or error}.")
    how = "inspected by the box" if b"Schoolgate" in issuer else "untouched, from end to end"
    return Outcome(url, Kind.PASSED, None, f"The TLS handshake succeeded, {how}.")


def _issuer(certificate: bytes) -> bytes:
    """The DER of a certificate holds the issuer's name as it is, which is enough to see whose it is."""
    return certificate
