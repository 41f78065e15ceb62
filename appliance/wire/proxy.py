"""What a client first says to a proxy: CONNECT (RFC 9110 section 9.3.6), or a request with the whole address in it."""

import re
from dataclasses import dataclass

from appliance.wire import NEED_DATA, Need, WireError

LONGEST_HEAD = 32_768
"""bytes of a request line with its headers; Squid takes 64 kB, nginx 32 kB, and cookies fill most of it"""
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

_METHOD = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32} ")
_METHOD_SO_FAR = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{0,32} ?")
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:/\[\]@]{1,255})):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Connect:
    """The client asks for a tunnel."""

    host: str
    """as sent, not normalised; without brackets"""
    port: int
    length: int
    """bytes of the head; what follows belongs to the tunnel"""


@dataclass(frozen=True, slots=True)
class Plain:
    """Any other request: the head is whole, and HTTP proper begins at the buffer's start."""


def opening(buffer: bytes | bytearray) -> Connect | Plain | Need:
    """What the client opens with; NEED_DATA while the head is not whole. Raises WireError where it is no HTTP request,
    or its head passes LONGEST_HEAD."""
    if not _METHOD.match(buffer) and not _METHOD_SO_FAR.fullmatch(buffer[:33]):
        raise WireError("not an HTTP request")
    end = buffer.find(b"\r\n\r\n", 0, LONGEST_HEAD)
    if end < 0:
        if len(buffer) >= LONGEST_HEAD:
            raise WireError("a request head too long")
        return NEED_DATA
    if not buffer.startswith(b"CONNECT "):
        return Plain()
    line = bytes(buffer[: buffer.find(b"\r\n")]).decode("latin-1").split(" ")
    if len(line) != 3 or not line[2].startswith("HTTP/1."):
        raise WireError("not a CONNECT request")
    host, port = authority(line[1])
    return Connect(host, port, end + 4)


def authority(text: str) -> tuple[str, int]:
    """ "name:443" or "[::1]:443" as (host, port). Raises WireError."""
    found = _AUTHORITY.fullmatch(text)
    if not found or not 0 < int(found[3]) < 65_536:
        raise WireError("not a host and a port")
    return found[1] or found[2], int(found[3])
