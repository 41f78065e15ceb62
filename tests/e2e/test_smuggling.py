"""Requests that two servers could read in two ways (RFC 9112 section 11.2): none reaches a server as it was.

Each is sent to a server that keeps the bytes it gets. What it got is read by h11 as one request after the other; every
request in it must be one that the box judged, and the marker that stands where a second request would begin must not
be the beginning of one.
"""

from contextlib import suppress

import h11
import pytest

from tests.e2e import raw
from tests.e2e.box import PRIMARY, Box
from tests.e2e.client import connect, learn_trust, open_tunnel, secure
from tests.e2e.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-hostile")]

HOST, BLOCKED = "www.pages.example", "adult.schoolgate.test"
HIDDEN = f"GET /hidden HTTP/1.1\r\nHost: {BLOCKED}\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

SHAPES = {
    "length and coding": ("Content-Length: 5\r\nTransfer-Encoding: chunked", f"0\r\n\r\n{HIDDEN}"),
    "coding and length": (f"Transfer-Encoding: chunked\r\nContent-Length: {len(HIDDEN) + 5}", f"0\r\n\r\n{HIDDEN}"),
    "two lengths": (f"Content-Length: 0\r\nContent-Length: {len(HIDDEN)}", HIDDEN),
    "two lengths in one": (f"Content-Length: 0, {len(HIDDEN)}", HIDDEN),
    "a length with a sign": (f"Content-Length: +{len(HIDDEN)}", HIDDEN),
    "a negative length": ("Content-Length: -1", HIDDEN),
    "a length in hexadecimal": ("Content-Length: 0x1", "a" + HIDDEN),
    "a length with a space": ("Content-Length : 0", HIDDEN),
    "two codings": ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", f"0\r\n\r\n{HIDDEN}"),
    "an unknown coding": ("Transfer-Encoding: xchunked", f"0\r\n\r\n{HIDDEN}"),
    "a coding in a list": ("Transfer-Encoding: gzip, chunked", f"0\r\n\r\n{HIDDEN}"),
    "a coding behind a tab": ("Transfer-Encoding:\tchunked\r\nContent-Length: 3", f"0\r\n\r\n{HIDDEN}"),
    "a coding before a vertical tab": ("Transfer-Encoding: \x0bchunked", f"0\r\n\r\n{HIDDEN}"),
    "a name with a space": ("Transfer-Encoding : chunked", f"0\r\n\r\n{HIDDEN}"),
    "a folded line": (f"X: y\r\n Content-Length: {len(HIDDEN)}", HIDDEN),
    "a folded coding": ("Transfer-Encoding:\r\n chunked\r\nContent-Length: 3", f"0\r\n\r\n{HIDDEN}"),
    "a line feed alone": (f"X: y\nContent-Length: {len(HIDDEN)}", HIDDEN),
    "a carriage return alone": (f"X: y\rContent-Length: {len(HIDDEN)}", HIDDEN),
    "a zero byte": ("X: y\0z", ""),
    "a line without a colon": ("Nonsense", ""),
    "an empty name": (": x", ""),
    "a chunk with a bare line feed": ("Transfer-Encoding: chunked", f"0\n\n{HIDDEN}"),
    "a chunk whose end is wrong": ("Transfer-Encoding: chunked", f"3\r\nabcXX{HIDDEN}0\r\n\r\n"),
    "a chunk of odd size": ("Transfer-Encoding: chunked", f"0x0\r\n\r\n{HIDDEN}"),
    "a chunk of negative size": ("Transfer-Encoding: chunked", f"-1\r\n\r\n{HIDDEN}"),
    "a chunk with an extension": ("Transfer-Encoding: chunked", f'0;a="\n"\r\n\r\n{HIDDEN}'),
    "a trailer that is none": ("Transfer-Encoding: chunked", f"0\r\nContent-Length: 9\r\n\r\n{HIDDEN}"),
    "two hosts": (f"Host: {BLOCKED}", ""),
    "an upgrade to HTTP/2": ("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA", HIDDEN),
    "a length hidden by Connection": (f"Connection: Content-Length\r\nContent-Length: {len(HIDDEN)}", HIDDEN),
}


def requests_in(came: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """(method, target, host) of every request in the bytes a server got, as a strict server reads them."""
    reader, found = h11.Connection(h11.SERVER), list[tuple[bytes, bytes, bytes]]()
    if came:
        reader.receive_data(came)
    while (event := reader.next_event()) is not h11.NEED_DATA:
        assert event is not h11.PAUSED, came
        if isinstance(event, h11.Request):
            found.append((event.method, event.target, dict(event.headers)[b"host"]))
        elif isinstance(event, h11.EndOfMessage):
            reader.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
            reader.send(h11.EndOfMessage())
            reader.start_next_cycle()
    assert not reader.trailing_data[0], f"a part of a request reached the server: {came!r}"
    return found


@pytest.mark.parametrize("tunnel", [False, True], ids=["proxy", "tunnel"])
@pytest.mark.parametrize(("header", "body"), SHAPES.values(), ids=SHAPES)
def test_no_ambiguous_request_reaches_a_server(box: Box, header: str, body: str, tunnel: bool) -> None:
    came = raw.Recorder(ANSWER)
    with raw.server(came) as port:
        target = "/shown" if tunnel else f"http://{HOST}:{port}/shown"
        with open_tunnel(box, HOST, port) if tunnel else connect(box) as client:
            client.settimeout(1.0)
            client.sendall(f"POST {target} HTTP/1.1\r\nHost: {HOST}:{port}\r\n{header}\r\n\r\n{body}".encode())
            said = b""
            try:
                while more := client.recv(65_536):
                    said += more
            except (TimeoutError, ConnectionResetError):
                pass
    for got in map(bytes, came.came):
        assert {host for _, _, host in requests_in(got)} <= {f"{HOST}:{port}".encode()}, got
        head, _, _ = got.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        framing = [line for line in lines if line.startswith((b"content-length", b"transfer-encoding"))]
        assert len(framing) <= 1, got
        assert not any(line[:1].isspace() or b"\n" in line or b"\r" in line or b"\0" in line for line in lines), got
    assert said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 200 ")) or not any(came.came)


@pytest.mark.parametrize(("header", "body"), SHAPES.values(), ids=SHAPES)
def test_nothing_hides_in_an_inspected_request(box: Box, origin: Origin, header: str, body: str) -> None:
    """There the server is h11, which would see the hidden request where it had become one."""
    origin.forget()
    device = PRIMARY.format(1)
    with secure(box, HOST, origin.https, learn_trust(box, device), device) as client:
        client.settimeout(0.3)
        client.sendall(f"POST /shown HTTP/1.1\r\nHost: {HOST}\r\n{header}\r\n\r\n{body}".encode())
        with suppress(OSError):
            while client.recv(65_536):
                pass
    assert {path for _, _, path in origin.seen} <= {"/shown"}


def test_a_second_request_in_the_same_bytes_is_judged_by_itself(box: Box, origin: Origin) -> None:
    origin.forget()
    with connect(box) as client:
        said = raw.said_after(
            client,
            f"GET http://{HOST}:{origin.http}/1 HTTP/1.1\r\nHost: x\r\n\r\n"
            f"GET http://{BLOCKED}:{origin.http}/2 HTTP/1.1\r\nHost: x\r\n\r\n"
            f"GET http://{HOST}:{origin.http}/3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(),
        )
    assert said.count(b"HTTP/1.1 200 ") == 2 and said.count(b"HTTP/1.1 403 ") == 1
    assert [path for _, _, path in origin.seen] == ["/1", "/3"]


def test_an_answer_that_is_ambiguous_does_not_poison_the_next(box: Box) -> None:
    """Both lengths in an answer: the connection to that server is not used again."""
    twice = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    came = raw.Recorder(twice + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
    with raw.server(came) as port, connect(box) as client:
        for _ in range(2):
            client.sendall(f"GET http://{HOST}:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            said = b""
            while b"ok" not in said:
                said += client.recv(65_536)
            assert b"poison" not in said
            assert not (b"ontent-length" in said.lower() and b"ransfer-encoding" in said.lower())
    assert len(came.came) == 2
