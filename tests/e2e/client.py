"""Clients of a box: a device that binds its own address, speaks as little or as much as a test needs, and never hides
what came back."""

import html
import http.client
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, socket
from ssl import SSLContext, SSLSocket

from tests.e2e.box import Box

SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    issuer: str = ""
    """who vouched for the certificate, over TLS"""

    @property
    def text(self) -> str:
        """The body as a person reads it."""
        return html.unescape(self.body.decode())

    @property
    def is_ours(self) -> bool:
        """Whether it is a page of the box and none of the origin's."""
        return b'class="mark">Schoolgate' in self.body


def connect(box: Box, device: str = "127.0.0.1") -> socket:
    """A connection to the proxy's port from this device."""
    connection = socket(AF_INET6 if ":" in device else AF_INET)
    connection.settimeout(SECONDS)
    try:
        connection.bind((device, 0))
        connection.connect((device if ":" in device else box.proxy[0], box.proxy[1]))
    except OSError:
        connection.close()
        raise
    return connection


def fetch(box: Box, url: str, device: str = "127.0.0.1", method: str = "GET", **more: object) -> Answer:
    """One http request through the proxy; `more` is body and headers as http.client takes them."""
    connection = http.client.HTTPConnection(*box.proxy, timeout=SECONDS, source_address=(device, 0))
    try:
        connection.request(method, url, **more)  # type: ignore[arg-type]
        return _answer(connection.getresponse())
    finally:
        connection.close()


def _answer(response: http.client.HTTPResponse, issuer: str = "") -> Answer:
    return Answer(response.status, dict(response.getheaders()), response.read(), issuer)


def trusting(*certificates: str) -> SSLContext:
    """A client's TLS that trusts these authorities and nobody else."""
    context = ssl.create_default_context(cafile=certificates[0])
    for path in certificates[1:]:
        context.load_verify_locations(path)
    return context


def open_tunnel(box: Box, host: str, port: int, device: str = "127.0.0.1", early: bytes = b"") -> socket:
    """A CONNECT that was answered with 200; `early` is sent in the same segment. Raises Refused."""
    connection = connect(box, device)
    name = f"[{host}]" if ":" in host else host
    try:
        connection.sendall(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode() + early)
        head = b""
        while b"\r\n\r\n" not in head and (more := connection.recv(1)):
            head += more
        if not head.startswith(b"HTTP/1.1 200 "):
            raise Refused(head + everything(connection))
    except BaseException:
        connection.close()
        raise
    return connection


class Refused(Exception):
    """The box did not open a tunnel; holds what it said instead."""

    def __init__(self, said: bytes) -> None:
        super().__init__(said[:200])
        self.said = said


def secure(
    box: Box, host: str, port: int, context: SSLContext, device: str = "127.0.0.1", name: str | None = None
) -> SSLSocket:
    """TLS through a tunnel; `name` is the server name where it is another than the host that is asked for."""
    tunnel = open_tunnel(box, host, port, device)
    try:
        return context.wrap_socket(tunnel, server_hostname=name or host)
    except BaseException:
        tunnel.close()
        raise


def fetch_secure(
    box: Box, host: str, port: int, context: SSLContext, device: str = "127.0.0.1", path: str = "/"
) -> Answer:
    """One https request through the proxy. Raises ssl.SSLError where the handshake fails, Refused where it never
    came to one."""
    with secure(box, host, port, context, device) as connection:
        issuer = dict(entry[0] for entry in (connection.getpeercert() or {}).get("issuer", ()))  # type: ignore[misc]
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        return _answer(response, str(issuer.get("organizationName", "")))


def learn_trust(box: Box, device: str) -> SSLContext:
    """Install the box's certificate on a device: fetch the trust page with it. Returns the device's TLS."""
    context = trusting(str(box.ca))
    answer = fetch_secure(box, "schoolgate.internal", 443, context, device, "/trusted")
    assert answer.status == 200, answer
    return context


def everything(connection: socket) -> bytes:
    """What comes until the other side ends."""
    found = b""
    try:
        while more := connection.recv(65_536):
            found += more
    except ConnectionResetError:
        pass
    return found


def curl(box: Box, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """curl through the proxy."""
    command = ["curl", "--silent", "--show-error", "--max-time", "30", "--proxy", box.proxy_url, *arguments]
    return subprocess.run(command, capture_output=True, timeout=240, check=False)
