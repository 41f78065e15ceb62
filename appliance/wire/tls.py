"""Reads what a TLS ClientHello tells before any decryption, and writes the alert that ends a refused connection.

RFC 8446 (sections 4.1.2, 5.1, 6), RFC 6066 section 3 (server_name), RFC 7301 (ALPN), RFC 9849 (ECH).
"""

from dataclasses import dataclass

from appliance.wire import NEED_DATA, Need, WireError

CLIENT_HELLO = 1
LONGEST_RECORD = 16_384 + 2_048
"""bytes; older stacks may pass 2^14 by the expansion that RFC 5246 section 6.2.3 allowed"""
LONGEST_HELLO = 65_536
"""bytes; post-quantum hellos are about 1.8 kB, and nothing honest comes near this"""
_SERVER_NAME, _ALPN, _ECH = 0, 16, 0xFE0D
ACCESS_DENIED = bytes((21, 3, 3, 0, 2, 2, 49))
"""the fatal alert access_denied (RFC 8446 section 6.2), in a record of its own"""


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What the box needs of a ClientHello."""

    server_name: str | None
    """as sent, not normalised; None without a server_name extension of type host_name"""
    encrypted: bool
    """carries encrypted_client_hello, real or GREASE"""
    alpn: tuple[bytes, ...] = ()


def client_hello(buffer: bytes | bytearray) -> ClientHello | Need:
    """The ClientHello at the start of `buffer`, however it is cut into records and segments; NEED_DATA while it is
    not whole. Raises WireError where the bytes are no ClientHello, or one past LONGEST_HELLO."""
    return HelloReader()(buffer)


class HelloReader:
    """client_hello() for a buffer that grows: each record is gathered once, so that a hello that trickles in by tiny
    records costs no more than its length."""

    __slots__ = ("_at", "_gathered")

    def __init__(self) -> None:
        self._at = 0
        """where the record begins that is not whole yet"""
        self._gathered = bytearray()
        """the handshake bytes of the whole records before it"""

    def __call__(self, buffer: bytes | bytearray) -> ClientHello | Need:
        """As client_hello(); `buffer` holds what it held at the last call, and more."""
        while True:
            length = _record(buffer[self._at : self._at + 5])
            if isinstance(length, Need):
                return NEED_DATA
            part = buffer[self._at + 5 : self._at + 5 + length]
            body = _body(self._gathered + part)
            if not isinstance(body, Need):
                return _read(body)
            if len(part) < length:
                return NEED_DATA
            self._gathered += part
            self._at += 5 + length


def _body(gathered: bytearray) -> bytes | Need:
    """The body of the ClientHello that begins the handshake bytes, once it is whole."""
    if gathered[:1] not in (b"", bytes((CLIENT_HELLO,))):
        raise WireError("not a ClientHello")
    size = int.from_bytes(gathered[1:4]) if len(gathered) >= 4 else 0
    if size > LONGEST_HELLO:
        raise WireError("a ClientHello too long to be honest")
    return bytes(gathered[4 : 4 + size]) if 4 <= len(gathered) >= 4 + size else NEED_DATA


def _record(header: bytes | bytearray) -> int | Need:
    """The length of the handshake record that begins with these bytes, at most five."""
    if header[:1] not in (b"", b"\x16"):
        raise WireError("not a TLS handshake")
    if header[1:2] not in (b"", b"\x03"):
        raise WireError("not a TLS version")
    if len(header) < 5:
        return NEED_DATA
    length = header[3] << 8 | header[4]
    if not 0 < length <= LONGEST_RECORD:
        raise WireError("a TLS record of impossible length")
    return length


def _read(hello: bytes) -> ClientHello:
    """The extensions of a ClientHello's body. Raises WireError where lengths contradict each other."""
    at = 34  # version and random
    at = _skip(hello, at, 1)  # session id
    at = _skip(hello, at, 2)  # cipher suites
    at = _skip(hello, at, 1)  # compression methods
    name: str | None = None
    encrypted, alpn = False, tuple[bytes, ...]()
    if at == len(hello):
        return ClientHello(None, False)
    end = _skip(hello, at, 2)
    if end != len(hello):
        raise WireError("bytes behind the extensions")
    at += 2
    while at < end:
        kind = int.from_bytes(hello[at : at + 2])
        after = _skip(hello, at + 2, 2)
        content = hello[at + 4 : after]
        if kind == _SERVER_NAME and name is None:
            name = _host_name(content)
        elif kind == _ALPN:
            alpn = _protocols(content)
        elif kind == _ECH:
            encrypted = True
        at = after
    return ClientHello(name, encrypted, alpn)


def _skip(data: bytes, at: int, width: int) -> int:
    """Where the vector that begins at `at` with a length of `width` bytes ends."""
    if at + width > len(data):
        raise WireError("a ClientHello cut short")
    end = at + width + int.from_bytes(data[at : at + width])
    if end > len(data):
        raise WireError("a ClientHello whose lengths do not fit")
    return end


def _host_name(content: bytes) -> str | None:
    """The first host_name of a server_name extension (RFC 6066 section 3)."""
    end = _skip(content, 0, 2)
    at = 2
    while at < end:
        after = _skip(content, at + 1, 2)
        if content[at] == 0:
            return content[at + 3 : after].decode("ascii", "replace") or None
        at = after
    return None


def _protocols(content: bytes) -> tuple[bytes, ...]:
    end, at, found = _skip(content, 0, 2), 2, []
    while at < end:
        after = _skip(content, at, 1)
        found.append(content[at + 1 : after])
        at = after
    return tuple(found)
