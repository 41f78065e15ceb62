"""What clients say first to a proxy: a table of openings, byte by byte against whole, and noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.wire import NEED_DATA, Need, WireError
from appliance.wire.proxy import ESTABLISHED, LONGEST_HEAD, Connect, Plain, authority, opening

CURL = (
    b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n"
    b"User-Agent: curl/8\r\nProxy-Connection: Keep-Alive\r\n\r\n"
)


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (CURL, Connect("example.org", 443, len(CURL))),
        (b"CONNECT a:1 HTTP/1.0\r\n\r\n", Connect("a", 1, 24)),
        (b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", Connect("::1", 443, 30)),
        (b"CONNECT [2001:DB8::a]:8443 HTTP/1.1\r\n\r\n", Connect("2001:DB8::a", 8443, 39)),
        (b"CONNECT 10.0.0.1:65535 HTTP/1.1\r\n\r\n", Connect("10.0.0.1", 65_535, 35)),
        (b"CONNECT EXAMPLE.org.:443 HTTP/1.1\r\n\r\n", Connect("EXAMPLE.org.", 443, 37)),
        (b"CONNECT xn--bcher-kva.example:443 HTTP/1.1\r\n\r\n", Connect("xn--bcher-kva.example", 443, 46)),
        (b"GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", Plain()),
        (b"POST http://example.org/ HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", Plain()),
        (b"GET / HTTP/1.1\r\n\r\n", Plain()),
        (b"M-SEARCH * HTTP/1.1\r\n\r\n", Plain()),
        (b"connect example.org:443 HTTP/1.1\r\n\r\n", Plain()),  # methods are case-sensitive (RFC 9110 section 9.1)
        (b"GET  nonsense\r\n\r\n", Plain()),  # what speaks http proper refuses it
    ],
)
def test_openings(wire: bytes, expected: Connect | Plain) -> None:
    assert opening(wire) == expected
    assert opening(bytearray(wire) + b"what follows") == expected
    assert byte_by_byte(wire) == expected


@pytest.mark.parametrize(
    "wire",
    [
        b"\x16\x03\x01\x02\x00",  # TLS
        b"\x05\x01\x00",  # SOCKS
        b"\r\n\r\n",
        b" GET / HTTP/1.1\r\n\r\n",
        b"GET\t/ HTTP/1.1\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"A" * 33 + b" / HTTP/1.1\r\n\r\n",
        b"CONNECT example.org HTTP/1.1\r\n\r\n",
        b"CONNECT example.org: HTTP/1.1\r\n\r\n",
        b"CONNECT example.org:0 HTTP/1.1\r\n\r\n",
        b"CONNECT example.org:65536 HTTP/1.1\r\n\r\n",
        b"CONNECT example.org:http HTTP/1.1\r\n\r\n",
        b"CONNECT example.org:443\r\n\r\n",
        b"CONNECT example.org:443 HTTP/2.0\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1 x\r\n\r\n",
        b"CONNECT  example.org:443 HTTP/1.1\r\n\r\n",
        b"CONNECT user@example.org:443 HTTP/1.1\r\n\r\n",
        b"CONNECT https://example.org:443 HTTP/1.1\r\n\r\n",
        b"CONNECT ::1:443 HTTP/1.1\r\n\r\n",
        b"CONNECT [::1:443 HTTP/1.1\r\n\r\n",
        b"CONNECT :443 HTTP/1.1\r\n\r\n",
        b"CONNECT " + b"a" * 256 + b":443 HTTP/1.1\r\n\r\n",
        b"GET http://example.org/ HTTP/1.1\r\nCookie: " + b"x" * LONGEST_HEAD,
    ],
    ids=lambda wire: wire[:40],
)
def test_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        opening(wire)


@pytest.mark.parametrize(
    "wire",
    [b"", b"C", b"CONNECT", b"CONNECT ", b"GET http://example.org/ HTTP/1.1\r\n", CURL[:-1], b"GET / HTTP/1.1\n\n"],
)
def test_more_is_needed(wire: bytes) -> None:
    assert opening(wire) is NEED_DATA


def test_a_head_may_be_as_long_as_the_limit_and_no_longer() -> None:
    start, end = b"CONNECT a:1 HTTP/1.1\r\nX: ", b"\r\n\r\n"
    filler = LONGEST_HEAD - len(start) - len(end)
    assert opening(start + b"x" * filler + end) == Connect("a", 1, LONGEST_HEAD)
    with pytest.raises(WireError):
        opening(start + b"x" * (filler + 1) + end)
    assert opening(start + b"x" * (filler - 1)) is NEED_DATA


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a.example:80", ("a.example", 80)), ("[::1]:443", ("::1", 443)), ("a:00443", ("a", 443))],
)
def test_authority(text: str, expected: tuple[str, int]) -> None:
    assert authority(text) == expected


@pytest.mark.parametrize("text", ["", ":", "a", "a:", "a:b", "a:-1", "a:1:2", "a b:1", "a/b:1", "[a]:1", "[]:1", "a:٣"])
def test_no_authority(text: str) -> None:
    with pytest.raises(WireError):
        authority(text)


Answer = Connect | Plain | Need | str


def read(wire: bytes) -> Answer:
    try:
        return opening(wire)
    except WireError:
        return "refused"


def byte_by_byte(wire: bytes) -> Answer:
    """The first answer that is not NEED_DATA."""
    for length in range(len(wire) + 1):
        if (answer := read(wire[:length])) is not NEED_DATA:
            return answer
    return NEED_DATA


words = st.sampled_from(
    [
        b"CONNECT",
        b"GET",
        b" ",
        b"a.example:443",
        b"[::1]:80",
        b"http://a.example/",
        b"HTTP/1.1",
        b"\r\n",
        b"\r\n\r\n",
        b"X: y",
        b":",
        b"\x00",
    ]
)


@given(st.lists(words, max_size=14).map(b"".join) | st.binary(max_size=60))
def test_byte_by_byte_is_as_whole(wire: bytes) -> None:
    """A head that is whole may be refused later than its first bytes, but never otherwise."""
    assert byte_by_byte(wire) == read(wire)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_what_follows_the_head_belongs_to_the_tunnel(before: bytes, tunnel: bytes) -> None:
    header = b"X: " + before.translate(None, b"\r\n") + b"\r\n"
    wire = b"CONNECT a.example:443 HTTP/1.1\r\n" + header + b"\r\n"
    assert opening(wire + tunnel) == Connect("a.example", 443, len(wire))


@given(st.text(max_size=40))
def test_any_text_is_an_authority_or_refused(text: str) -> None:
    try:
        host, port = authority(text)
    except WireError:
        return
    assert host and 0 < port < 65_536 and "@" not in host


def test_the_answer_to_connect_is_a_whole_head() -> None:
    assert ESTABLISHED.startswith(b"HTTP/1.1 200 ")
    assert ESTABLISHED.endswith(b"\r\n\r\n") and ESTABLISHED.count(b"\r\n\r\n") == 1
