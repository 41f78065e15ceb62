"""CONNECT: spliced untouched where the name is allowed, ended by an alert where it is not, whatever the hello's shape."""

import ssl
from collections.abc import Callable
from socket import SHUT_WR, socket

import httpx
import pytest

from appliance.notice.texts import texts
from tests.e2e import raw
from tests.e2e.box import GUEST, PRIMARY, STAFF, Box, until
from tests.e2e.client import Refused, connect, curl, everything, fetch, fetch_secure, open_tunnel, secure, trusting
from tests.e2e.origin import BLOCK, Certificates, Origin

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-tunnel")]

HOST = "www.pages.example"
BLOCKED = "adult.schoolgate.test"
ECH_OUTER = "cloudflare-ech.com"


@pytest.fixture
def fresh(origin: Origin) -> Origin:
    origin.forget()
    return origin


@pytest.fixture
def device_tls(certificates: Certificates) -> ssl.SSLContext:
    """TLS of a device that knows nothing of the box."""
    return trusting(certificates.path)


@pytest.mark.needs("curl")
def test_curl_gets_an_allowed_page_untouched(box: Box, fresh: Origin, certificates: Certificates) -> None:
    got = curl(box, "--cacert", certificates.path, f"https://{HOST}:{fresh.https}/a")
    assert (got.returncode, got.stdout) == (0, b"hello from /a"), got
    assert fresh.certificates.asked == [HOST]


@pytest.mark.parametrize(("two", "protocol"), [(False, "HTTP/1.1"), (True, "HTTP/2")])
def test_httpx_gets_an_allowed_page_untouched(
    box: Box, fresh: Origin, device_tls: ssl.SSLContext, two: bool, protocol: str
) -> None:
    with httpx.Client(proxy=box.proxy_url, verify=device_tls, http2=two) as client:
        for path in ("/1", "/bytes/2000000", "/3"):
            answer = client.get(f"https://{HOST}:{fresh.https}{path}")
            assert (answer.status_code, answer.http_version) == (200, protocol)
        assert len(client.get(f"https://{HOST}:{fresh.https}/bytes/3000000").content) == 3_000_000
    assert fresh.certificates.asked == [HOST]
    assert {row[0] for row in fresh.seen} == {protocol.lower().replace("http/2", "h2")}


@pytest.mark.needs("curl")
def test_a_blocked_name_is_ended_by_an_alert_and_why_tells_the_reason(
    box: Box, fresh: Origin, device_tls: ssl.SSLContext
) -> None:
    mine, other = GUEST.format(31), GUEST.format(32)
    with pytest.raises(ssl.SSLError, match="ACCESS_DENIED"):
        fetch_secure(box, BLOCKED, fresh.https, device_tls, mine)
    got = curl(box, "--interface", mine, "--insecure", f"https://{BLOCKED}:{fresh.https}/")
    assert got.returncode == 35 and b"access denied" in got.stderr
    assert fresh.certificates.asked == [], "nothing was dialled"
    until(lambda: BLOCKED in fetch(box, "http://schoolgate.internal/why", mine).text, 5, "it is told why")
    assert BLOCKED not in fetch(box, "http://schoolgate.internal/why", other).text


@pytest.mark.parametrize("cut", [1, 2, 5, 100])
def test_a_hello_in_many_segments(box: Box, cut: int) -> None:
    for host, allowed in ((HOST, True), (BLOCKED, False)):
        hello, came = raw.client_hello(host), raw.Recorder(b"answer")
        with raw.server(came) as port, open_tunnel(box, host, port) as tunnel:
            for at in range(0, len(hello), cut):
                tunnel.sendall(hello[at : at + cut])
            if allowed:
                assert tunnel.recv(100) == b"answer"
                assert came.came == [hello]
            else:
                assert raw.is_alert(everything(tunnel))
                assert came.came == []


def test_a_hello_in_the_segment_of_the_connect(box: Box) -> None:
    hello, came = raw.client_hello(HOST), raw.Recorder(b"answer")
    with raw.server(came) as port, open_tunnel(box, HOST, port, early=hello + b"and early data") as tunnel:
        assert tunnel.recv(100) == b"answer"
        assert came.came == [hello + b"and early data"]
    with open_tunnel(box, BLOCKED, 443, early=raw.client_hello(BLOCKED)) as tunnel:
        assert raw.is_alert(everything(tunnel))


def test_a_hello_cut_into_records(box: Box) -> None:
    hello = raw.client_hello(HOST)
    body = hello[5:]
    cut = b"".join(hello[:3] + len(part).to_bytes(2) + part for part in (body[:1], body[1:60], body[60:]))
    came = raw.Recorder(b"answer")
    with raw.server(came) as port, open_tunnel(box, HOST, port, early=cut) as tunnel:
        assert tunnel.recv(100) == b"answer"
        assert came.came == [cut]


def test_a_post_quantum_hello(box: Box) -> None:
    padding = raw.extension(21, bytes(1600))
    hello, came = raw.client_hello(HOST, padding), raw.Recorder(b"answer")
    assert len(hello) > 2000
    with raw.server(came) as port, open_tunnel(box, HOST, port) as tunnel:
        tunnel.sendall(hello[:1400])
        tunnel.sendall(hello[1400:])
        assert tunnel.recv(100) == b"answer"


@pytest.mark.parametrize(("asked", "named"), [(HOST, BLOCKED), (BLOCKED, HOST), (BLOCKED, BLOCKED)])
def test_both_names_are_judged(box: Box, asked: str, named: str) -> None:
    came = raw.Recorder()
    with raw.server(came) as port, open_tunnel(box, asked, port, GUEST.format(3)) as tunnel:
        assert raw.is_alert(raw.said_after(tunnel, raw.client_hello(named)))
    assert [bytes(one) for one in came.came if one] == []


def test_two_allowed_names_may_differ(box: Box, fresh: Origin, device_tls: ssl.SSLContext) -> None:
    with secure(box, HOST, fresh.https, device_tls, name="other.pages.example") as connection:
        assert connection.version()
    assert fresh.certificates.asked == ["other.pages.example"]


@pytest.mark.parametrize(
    ("device", "name", "extensions", "passes"),
    [
        (PRIMARY, None, (), False),
        (STAFF, None, (), True),
        (PRIMARY, HOST, (raw.ENCRYPTED_HELLO,), True),
        (PRIMARY, ECH_OUTER, (raw.ENCRYPTED_HELLO,), False),
        (PRIMARY, "other.pages.example", (raw.ENCRYPTED_HELLO,), False),
        (STAFF, ECH_OUTER, (raw.ENCRYPTED_HELLO,), True),
    ],
    ids=["no name, child", "no name, adult", "GREASE", "ECH by its outer name", "ECH by another name", "ECH, adult"],
)
def test_hellos_that_hide_the_name(
    box: Box, device: str, name: str | None, extensions: tuple[bytes, ...], passes: bool
) -> None:
    hello, came = raw.client_hello(name, *extensions), raw.Recorder(b"answer")
    with raw.server(came) as port, open_tunnel(box, HOST, port, device.format(4), early=hello) as tunnel:
        if passes:
            assert tunnel.recv(100) == b"answer"
            assert came.came == [hello]
        else:
            assert raw.is_alert(everything(tunnel))
            assert [bytes(one) for one in came.came if one] == []


@pytest.mark.parametrize(
    ("host", "port", "told"),
    [
        ("missing.pages.example", 443, "name_not_found"),
        ("nowhere.invalid", 443, "name_not_found"),
        ("down.pages.example", 9, "upstream_down"),
    ],
)
def test_what_cannot_be_reached_is_explained(box: Box, host: str, port: int, told: str) -> None:
    with pytest.raises(Refused) as refused:
        open_tunnel(box, host, port)
    assert refused.value.said.startswith(b"HTTP/1.1 502 ")
    assert texts("en").say(f"problem.{told}.title").partition("'")[0].encode() in refused.value.said


@pytest.mark.parametrize("host", ["six.pages.example", "second.pages.example"])
def test_every_address_of_a_name_is_tried(box: Box, fresh: Origin, device_tls: ssl.SSLContext, host: str) -> None:
    assert fetch_secure(box, host, fresh.https, device_tls).body == b"hello from /"


def through(box: Box, serve: Callable[[socket], None], talk: Callable[[socket], None]) -> None:
    """A spliced connection between a client that does `talk` and a server that does `serve`, after the hello."""
    hello = raw.client_hello(HOST)

    def after_hello(connection: socket) -> None:
        came = b""
        while len(came) < len(hello):
            came += connection.recv(len(hello) - len(came))
        serve(connection)

    with raw.server(after_hello) as port, open_tunnel(box, HOST, port, early=hello) as tunnel:
        talk(tunnel)


def test_a_client_that_has_said_all_still_gets_everything(box: Box) -> None:
    whole = BLOCK * 40

    def serve(connection: socket) -> None:
        assert everything(connection) == b"all I have to say"
        connection.sendall(whole)

    def talk(tunnel: socket) -> None:
        tunnel.sendall(b"all I have to say")
        tunnel.shutdown(SHUT_WR)
        assert everything(tunnel) == whole

    through(box, serve, talk)


def test_a_server_that_has_said_all_still_gets_everything(box: Box) -> None:
    whole, came = BLOCK * 40, list[bytes]()

    def serve(connection: socket) -> None:
        connection.sendall(b"that is all")
        connection.shutdown(SHUT_WR)
        came.append(everything(connection))

    def talk(tunnel: socket) -> None:
        assert everything(tunnel) == b"that is all"
        tunnel.sendall(whole)
        tunnel.shutdown(SHUT_WR)
        until(lambda: came, 10, "the server has everything")

    through(box, serve, talk)
    assert came == [whole]


def test_a_slow_reader_stops_the_server_and_loses_nothing(box: Box) -> None:
    whole, sent = BLOCK * 100, list[int]()

    def serve(connection: socket) -> None:
        connection.setblocking(False)
        at = 0
        while at < len(whole):  # as far as it goes without anybody reading
            try:
                at += connection.send(whole[at : at + 65_536])
            except BlockingIOError:
                break
        sent.append(at)
        connection.settimeout(20)
        connection.sendall(whole[at:])

    def talk(tunnel: socket) -> None:
        until(lambda: sent, 5, "the server has to wait")
        assert everything(tunnel) == whole

    through(box, serve, talk)
    assert sent[0] < len(whole), "nothing between them may hold so much"


@pytest.mark.parametrize("group", [GUEST, PRIMARY, STAFF])
def test_a_sealed_name_is_closed_for_everybody(box: Box, fresh: Origin, group: str) -> None:
    with open_tunnel(box, "sealed.schoolgate.test", fresh.https, group.format(9)) as tunnel:
        assert raw.is_alert(raw.said_after(tunnel, raw.client_hello("sealed.schoolgate.test")))
    assert fresh.certificates.asked == []


def test_a_device_with_an_ipv6_address(box: Box, fresh: Origin, device_tls: ssl.SSLContext) -> None:
    assert fetch_secure(box, HOST, fresh.https, device_tls, "::1").body == b"hello from /"


def test_the_connect_may_be_http_1_0(box: Box) -> None:
    hello, came = raw.client_hello(HOST), raw.Recorder(b"answer")
    with raw.server(came) as port, connect(box) as client:
        client.sendall(f"CONNECT {HOST}:{port} HTTP/1.0\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        client.sendall(hello)
        assert client.recv(100) == b"answer"
