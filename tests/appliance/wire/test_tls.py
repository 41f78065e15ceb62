"""ClientHellos: real ones from OpenSSL, made ones, cut in every way, and damaged; mitmproxy's reader is the oracle."""

import ssl
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mitmproxy.proxy.layers.tls import parse_client_hello

from appliance.wire import NEED_DATA, Need, WireError
from appliance.wire.tls import ACCESS_DENIED, LONGEST_HELLO, LONGEST_RECORD, ClientHello, HelloReader, client_hello

HANDSHAKE = b"\x16\x03\x01"


def u16(number: int) -> bytes:
    return number.to_bytes(2)


def vector(content: bytes, width: int) -> bytes:
    return len(content).to_bytes(width) + content


def server_name(*names: tuple[int, bytes]) -> bytes:
    listed = b"".join(bytes([kind]) + vector(name, 2) for kind, name in names)
    return u16(0) + vector(vector(listed, 2), 2)


def alpn(*protocols: bytes) -> bytes:
    return u16(16) + vector(vector(b"".join(vector(one, 1) for one in protocols), 2), 2)


def made(extensions: bytes | None, session: bytes = b"", ciphers: bytes = b"\x13\x01") -> bytes:
    """A handshake message; None leaves even the length of the extensions out, as TLS 1.0 may."""
    body = b"\x03\x03" + bytes(32) + vector(session, 1) + vector(ciphers, 2) + b"\x01\x00"
    if extensions is not None:
        body += vector(extensions, 2)
    return b"\x01" + vector(body, 3)


def in_records(message: bytes, size: int = 16_384) -> bytes:
    return b"".join(HANDSHAKE + vector(message[at : at + size], 2) for at in range(0, len(message), size))


def message_of(wire: bytes) -> bytes:
    """The handshake message out of records."""
    found, at = b"", 0
    while at < len(wire):
        length = int.from_bytes(wire[at + 3 : at + 5])
        found += wire[at + 5 : at + 5 + length]
        at += 5 + length
    return found


def real(
    name: str | None,
    *,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    protocols: tuple[str, ...] = (),
    ciphers: str | None = None,
) -> bytes:
    """What OpenSSL sends first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = newest
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if ciphers:
        context.set_ciphers(ciphers)
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


LARGE = tuple(f"protocol-{number:03}-{'x' * 200}" for number in range(60))
LONG_NAME = ".".join(["a" * 63] * 3 + ["b" * 61])
REAL = {
    "tls 1.3": (real("www.example.org"), "www.example.org", ()),
    "tls 1.2": (real("example.org", newest=ssl.TLSVersion.TLSv1_2), "example.org", ()),
    "alpn": (real("example.org", protocols=("h2", "http/1.1")), "example.org", (b"h2", b"http/1.1")),
    "no name": (real(None, protocols=("h2",)), None, (b"h2",)),
    "an address, which is no name": (real("93.184.215.14"), None, ()),
    "a long name": (real(LONG_NAME), LONG_NAME, ()),
    "in another script": (real("bücher.example"), "xn--bcher-kva.example", ()),
    "as large as post-quantum ones and more": (
        real("example.org", protocols=LARGE),
        "example.org",
        tuple(one.encode() for one in LARGE),
    ),
    "one cipher": (
        real("example.org", newest=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-RSA-AES128-GCM-SHA256"),
        "example.org",
        (),
    ),
}


@dataclass(frozen=True)
class Refused:
    """The reader raised WireError."""


def read(wire: bytes) -> ClientHello | Need | Refused:
    try:
        return client_hello(wire)
    except WireError:
        return Refused()


def byte_by_byte(wire: bytes) -> ClientHello | Need | Refused:
    """The first answer that is not NEED_DATA, as a listener that reads single bytes would have it."""
    for length in range(len(wire) + 1):
        answer = read(wire[:length])
        if answer is not NEED_DATA:
            return answer
    return NEED_DATA


@pytest.mark.parametrize("which", REAL)
def test_a_real_hello(which: str) -> None:
    wire, name, protocols = REAL[which]
    assert client_hello(wire) == ClientHello(name, False, protocols)


@pytest.mark.parametrize("which", REAL)
def test_mitmproxy_reads_the_same_in_a_real_hello(which: str) -> None:
    wire = REAL[which][0]
    ours, theirs = client_hello(wire), parse_client_hello(wire)
    assert isinstance(ours, ClientHello) and theirs
    assert (ours.server_name, list(ours.alpn)) == (theirs.sni, theirs.alpn_protocols)
    assert ours.encrypted == any(kind == 0xFE0D for kind, _ in theirs.extensions)


@pytest.mark.parametrize("which", REAL)
@pytest.mark.parametrize("size", [1, 7, 100, 16_384])
def test_the_same_hello_in_many_records(which: str, size: int) -> None:
    wire, name, protocols = REAL[which]
    assert client_hello(in_records(message_of(wire), size)) == ClientHello(name, False, protocols)


@pytest.mark.parametrize("which", [which for which in REAL if len(REAL[which][0]) < 2_000])
@pytest.mark.parametrize("size", [3, 16_384])
def test_byte_by_byte_is_as_whole(which: str, size: int) -> None:
    wire = in_records(message_of(REAL[which][0]), size)
    assert byte_by_byte(wire) == client_hello(wire)
    assert all(read(wire[:length]) is NEED_DATA for length in range(0, len(wire) - 1, 5))


@pytest.mark.parametrize("which", REAL)
def test_what_follows_a_hello_is_none_of_its_business(which: str) -> None:
    wire = REAL[which][0]
    assert client_hello(wire + b"GET / HTTP/1.1") == client_hello(wire)
    assert client_hello(bytearray(wire)) == client_hello(wire)


ECH = u16(0xFE0D) + vector(b"\x00" + b"\x00\x01\x00\x01" + b"\x2a" + vector(bytes(32), 2) + vector(bytes(144), 2), 2)


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        (None, ClientHello(None, False)),
        (b"", ClientHello(None, False)),
        (server_name((0, b"a.example")), ClientHello("a.example", False)),
        (ECH + server_name((0, b"a.example")), ClientHello("a.example", True)),
        (server_name((0, b"a.example")) + ECH, ClientHello("a.example", True)),
        (ECH, ClientHello(None, True)),
        (u16(0x0A0A) + vector(b"", 2) + server_name((0, b"a.example")), ClientHello("a.example", False)),  # RFC 8701
        (server_name((7, b"other"), (0, b"a.example")), ClientHello("a.example", False)),
        (server_name((0, b"")), ClientHello(None, False)),
        (server_name((0, b"\xff\xfe")), ClientHello("\ufffd\ufffd", False)),
        (server_name((0, b"A.Example.")), ClientHello("A.Example.", False)),
        (alpn(b"h2", b"\x00"), ClientHello(None, False, (b"h2", b"\x00"))),
        (server_name((0, b"a.example")) + alpn(), ClientHello("a.example", False)),
    ],
)
def test_made_hellos(extensions: bytes | None, expected: ClientHello) -> None:
    assert client_hello(in_records(made(extensions))) == expected


@pytest.mark.parametrize(
    "wire",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x28",  # an alert
        b"\x16\x02\x00\x00\x01\x01",
        b"\x80\x2e\x01\x03\x01",  # SSL 2.0
        b"\x16\x03\x01\x00\x00",  # an empty record (RFC 8446 section 5.1)
        HANDSHAKE + u16(LONGEST_RECORD + 1),
        in_records(b"\x02" + made(b"")[1:]),  # a ServerHello
        in_records(b"\x01" + (LONGEST_HELLO + 1).to_bytes(3)),
        in_records(b"\x01" + vector(b"\x03\x03" + bytes(20), 3)),  # ends in the random
        in_records(b"\x01" + vector(b"\x03\x03" + bytes(32) + b"\xff", 3)),  # a session id that is not there
        in_records(made(u16(0) + u16(50) + b"xx")),
        in_records(made(b"\x00")),
        in_records(made(server_name((0, b"a.example"))[:-1])),
        in_records(made(u16(0) + vector(vector(b"\x00\x00\xff" + b"a", 2), 2))),
        in_records(made(u16(16) + vector(vector(b"\x09h2", 2), 2))),
        in_records(b"\x01" + vector(made(b"")[4:] + b"more", 3)),
    ],
)
def test_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        client_hello(wire)
    assert byte_by_byte(wire) == Refused()


@pytest.mark.parametrize(
    "wire", [b"", b"\x16", HANDSHAKE, HANDSHAKE + b"\x00", HANDSHAKE + b"\x01\x00\x01\x00\x10\x00"]
)
def test_more_is_needed(wire: bytes) -> None:
    assert client_hello(wire) is NEED_DATA


def test_the_longest_hello_that_is_read() -> None:
    session, ciphers = bytes(32), b"\x13\x01" * 100
    base = len(made(b"", session, ciphers)) - 4
    filler = u16(21) + vector(bytes(LONGEST_HELLO - base - 4 - 13), 2)  # padding (RFC 7685)
    message = made(server_name((0, b"a.io")) + filler, session, ciphers)
    assert len(message) == 4 + LONGEST_HELLO
    assert client_hello(in_records(message)) == ClientHello("a.io", False)


WHOLE = [wire for wire, _, _ in REAL.values()]


@given(st.sampled_from(WHOLE), st.data())
def test_cut_anywhere_and_followed_by_anything(wire: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, min(len(wire), 700)))
    damaged = wire[:cut] + data.draw(st.binary(max_size=80))
    assert isinstance(read(damaged), ClientHello | Need | Refused)
    if len(damaged) < 800:
        assert byte_by_byte(damaged) == read(damaged)


@given(st.sampled_from(WHOLE), st.integers(0, 600), st.integers(1, 255))
def test_one_byte_changed(wire: bytes, at: int, flip: int) -> None:
    damaged = bytearray(wire)
    damaged[at % len(wire)] ^= flip
    assert isinstance(read(bytes(damaged)), ClientHello | Need | Refused)


@given(st.binary(max_size=120) | st.binary(max_size=120).map(lambda noise: HANDSHAKE + noise))
def test_any_bytes(noise: bytes) -> None:
    assert byte_by_byte(noise) == read(noise)


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(1, 60))
def test_any_records_around_any_message(parts: list[bytes], size: int) -> None:
    wire = in_records(made(b"".join(parts)), size)
    assert byte_by_byte(wire) == read(wire)


extension_parts = st.one_of(
    st.builds(lambda name: server_name((0, name.encode())), st.from_regex(r"\A[a-z0-9-]{1,20}\.[a-z]{2,8}\Z")),
    st.builds(lambda names: alpn(*names), st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=4)),
    st.builds(
        lambda kind, content: u16(kind) + vector(content, 2),
        st.sampled_from([0x0A0A, 10, 13, 21, 35, 41, 43, 45, 51, 0x4469, 0xFF01]),
        st.binary(max_size=300),
    ),
    st.just(ECH),
)


@settings(max_examples=2 * settings.default.max_examples)
@given(
    st.lists(extension_parts, max_size=6, unique_by=lambda part: part[:2]),
    st.binary(max_size=32),
    st.integers(1, 400),
)
def test_mitmproxy_reads_the_same_in_any_honest_hello(parts: list[bytes], session: bytes, size: int) -> None:
    wire = in_records(made(b"".join(parts), session), size)
    ours, theirs = client_hello(wire), parse_client_hello(wire)
    assert isinstance(ours, ClientHello) and theirs
    if theirs.sni is not None:  # it takes only names that its own rules call valid
        assert ours.server_name == theirs.sni
    assert list(ours.alpn) == theirs.alpn_protocols
    assert ours.encrypted == any(kind == 0xFE0D for kind, _ in theirs.extensions)


def test_openssl_understands_the_alert() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="example.org")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    incoming.write(ACCESS_DENIED)
    with pytest.raises(ssl.SSLError, match=r"(?i)access.denied"):
        client.do_handshake()


@given(st.integers(1, 40), st.integers(1, 700))
def test_a_reader_that_goes_on_says_what_one_that_begins_anew_says(record: int, step: int) -> None:
    """The listener's reader gathers each record once; it must never differ from reading everything again."""
    name = b"www.school.example"
    host = b"\x00" + len(name).to_bytes(2) + name
    extension = b"\x00\x00" + (len(host) + 2).to_bytes(2) + len(host).to_bytes(2) + host
    body = (
        b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00" + len(extension).to_bytes(2) + extension
    )
    message = b"\x01" + len(body).to_bytes(3) + body
    parts = [message[at : at + record] for at in range(0, len(message), record)]
    sent = b"".join(b"\x16\x03\x01" + len(part).to_bytes(2) + part for part in parts)
    going_on = HelloReader()
    for end in range(1, len(sent) + step, step):
        assert going_on(sent[:end]) == client_hello(sent[:end])
    assert client_hello(sent) == ClientHello(name.decode(), False)
