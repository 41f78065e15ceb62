"""The plain http lane: what passes passes unchanged, what is blocked gets a page, what fails is explained."""

import json
from collections.abc import Iterator
from socket import socket

import httpx
import pytest

from appliance.notice.texts import texts
from tests.e2e.box import GUEST, PRIMARY, Box
from tests.e2e.client import connect, curl, everything, fetch, open_tunnel
from tests.e2e.origin import BLOCK, Origin
from tests.e2e.raw import Recorder, server

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-http")]

HOST = "www.pages.example"
BLOCKED = "adult.schoolgate.test"
LONGEST_PAGE = 20_000


@pytest.fixture
def fresh(origin: Origin) -> Origin:
    origin.forget()
    return origin


@pytest.fixture(scope="module")
def browser(box: Box) -> Iterator[httpx.Client]:
    with httpx.Client(proxy=box.proxy_url) as client:
        yield client


@pytest.mark.needs("curl")
def test_curl_gets_an_allowed_page(box: Box, fresh: Origin) -> None:
    got = curl(box, f"http://{HOST}:{fresh.http}/a?b=c")
    assert (got.returncode, got.stdout) == (0, b"hello from /a?b=c"), got
    assert fresh.seen == [("http/1.1", f"{HOST}:{fresh.http}", "/a?b=c")]


def test_connections_are_kept_on_both_sides(browser: httpx.Client, fresh: Origin) -> None:
    for path in ("/1", "/2", "/3"):
        assert browser.get(f"http://{HOST}:{fresh.http}{path}").text == f"hello from {path}"
    assert fresh.connections == 1
    assert browser.get(f"http://other.pages.example:{fresh.http}/").status_code == 200
    assert fresh.connections == 2


@pytest.mark.parametrize("size", [0, 1, 65_536, 5_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_pass_both_ways(browser: httpx.Client, fresh: Origin, size: int, chunked: bool) -> None:
    body = (BLOCK * (size // len(BLOCK) + 1))[:size]
    parts = iter([body[at : at + 70_000] for at in range(0, size, 70_000)])
    answer = browser.post(f"http://{HOST}:{fresh.http}/echo", content=parts if chunked else body)
    assert answer.content == body


@pytest.mark.needs("curl")
def test_a_client_that_waits_for_100_continue_is_told_to_go_on(box: Box, fresh: Origin) -> None:
    got = curl(box, "-v", "-H", "Expect: 100-continue", "--data-binary", "x" * 5000, f"http://{HOST}:{fresh.http}/echo")
    assert got.stdout == b"x" * 5000
    assert b"HTTP/1.1 100" in got.stderr


def test_head_has_no_body(browser: httpx.Client, fresh: Origin) -> None:
    answer = browser.head(f"http://{HOST}:{fresh.http}/bytes/12345")
    assert (answer.headers["content-length"], answer.content) == ("12345", b"")


def test_an_answer_that_ends_with_the_connection_is_whole(box: Box) -> None:
    def old_server(connection: socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + BLOCK)

    with server(old_server) as port:
        assert fetch(box, f"http://{HOST}:{port}/").body == BLOCK


def test_an_answer_that_breaks_off_does_not_look_whole(box: Box) -> None:
    def broken_server(connection: socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")

    with server(broken_server) as port, httpx.Client(proxy=box.proxy_url) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(f"http://{HOST}:{port}/")


def test_what_is_between_neighbours_stays_there(box: Box, fresh: Origin) -> None:
    sent = {
        "Host": "somewhere.else.example",
        "Connection": "X-Mine",
        "X-Mine": "1",
        "Proxy-Connection": "keep-alive",
        "Proxy-Authorization": "Basic eDp5",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "X-Schoolgate-Client": "10.0.0.1",
        "X-Kept": "2",
    }
    came = dict(json.loads(fetch(box, f"http://{HOST}:{fresh.http}/headers", headers=sent).body))
    assert came.pop("Host") == f"{HOST}:{fresh.http}", "the address in the request line is the one that was judged"
    assert set(came) == {"X-Kept", "Accept-Encoding"}


def test_a_blocked_page(browser: httpx.Client, fresh: Origin) -> None:
    answer = browser.get(f"http://{BLOCKED}:{fresh.http}/", headers={"Accept-Language": "en"})
    assert answer.status_code == 403
    assert len(answer.content) + len(str(answer.headers)) <= LONGEST_PAGE
    assert b'class="mark">Schoolgate' in answer.content and BLOCKED in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert fresh.seen == [] and fresh.connections == 0


@pytest.mark.parametrize(
    ("language", "told"), [("ar", 'dir="rtl"'), ("ru, en;q=0.5", 'lang="ru"'), ("xx", 'lang="en"')]
)
def test_a_blocked_page_speaks_the_readers_language(
    browser: httpx.Client, fresh: Origin, language: str, told: str
) -> None:
    assert told in browser.get(f"http://{BLOCKED}/", headers={"Accept-Language": language}).text


def test_a_blocked_upload_gets_the_page_too(browser: httpx.Client, fresh: Origin) -> None:
    for size in (10, 3_000_000):
        answer = browser.post(f"http://{BLOCKED}:{fresh.http}/", content=b"x" * size)
        assert answer.status_code == 403
    assert fresh.seen == []


def test_an_upload_that_the_server_refuses_at_once_is_told_so(box: Box) -> None:
    refusal = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"

    def small_server(connection: socket) -> None:
        connection.recv(10)
        connection.sendall(refusal)
        everything(connection)

    with server(small_server) as port, httpx.Client(proxy=box.proxy_url) as client:
        assert client.post(f"http://{HOST}:{port}/", content=b"x" * 3_000_000).status_code == 413


def test_a_kept_connection_that_the_server_just_ended_is_made_anew(box: Box) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def once(connection: socket) -> None:
        connection.recv(65_536)
        connection.sendall(answer)
        connection.recv(65_536)  # the next request comes, and is never answered

    with server(once) as port, httpx.Client(proxy=box.proxy_url) as client:
        assert [client.get(f"http://{HOST}:{port}/").text for _ in range(3)] == ["ok"] * 3


@pytest.mark.parametrize(
    ("host", "status", "told"),
    [
        ("missing.pages.example", 502, "name_not_found"),
        ("nowhere.invalid", 502, "name_not_found"),
        ("down.pages.example", 502, "upstream_down"),
    ],
)
def test_what_cannot_be_reached_is_explained(box: Box, host: str, status: int, told: str) -> None:
    answer = fetch(box, f"http://{host}:9/", headers={"Accept-Language": "en"})
    assert (answer.status, answer.is_ours) == (status, True)
    assert texts("en").say(f"problem.{told}.title") in answer.text


@pytest.mark.parametrize("host", ["six.pages.example", "second.pages.example"])
def test_every_address_of_a_name_is_tried(box: Box, fresh: Origin, host: str) -> None:
    assert fetch(box, f"http://{host}:{fresh.http}/x").body == b"hello from /x"


def test_a_device_with_an_ipv6_address(box: Box, fresh: Origin) -> None:
    with connect(box, "::1") as device:
        device.sendall(f"GET http://{HOST}:{fresh.http}/six HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert everything(device).endswith(b"hello from /six")


def test_plain_http_in_a_tunnel_is_judged_request_by_request(box: Box, fresh: Origin) -> None:
    with open_tunnel(box, HOST, fresh.http) as tunnel:
        tunnel.sendall(b"GET /in HTTP/1.1\r\nHost: whatever.example\r\nConnection: close\r\n\r\n")
        assert everything(tunnel).endswith(b"hello from /in")
    assert fresh.seen == [("http/1.1", f"{HOST}:{fresh.http}", "/in")]
    with open_tunnel(box, BLOCKED, fresh.http) as tunnel:
        tunnel.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert tunnel.recv(100).startswith(b"HTTP/1.1 403 ")
    assert len(fresh.seen) == 1


@pytest.mark.parametrize("url", ["http://schoolgate.internal/", "http://help.schoolgate.internal/"])
def test_the_boxs_own_pages(box: Box, url: str) -> None:
    answer = fetch(box, url, GUEST.format(1))
    assert answer.status == 200 and b"Schoolgate" in answer.body


def test_why_tells_a_device_its_own_blocks_and_nobody_elses(box: Box) -> None:
    mine, other = PRIMARY.format(21), PRIMARY.format(22)
    fetch(box, f"http://{BLOCKED}/", mine)
    fetch(box, "http://gambling.schoolgate.test/", other)
    page = fetch(box, "http://schoolgate.internal/why", mine, headers={"X-Schoolgate-Client": other}).body.decode()
    assert BLOCKED in page and "gambling.schoolgate.test" not in page


def test_a_plain_websocket_through_an_absolute_address(box: Box, fresh: Origin) -> None:
    came = Recorder(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
    with server(came) as port, connect(box) as client:
        client.sendall(
            f"GET http://{HOST}:{port}/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        said = b""
        while not said.endswith(b"first"):
            said += client.recv(1000)
        client.sendall(b"\x81\x00 and more")
        while not came.came[0].endswith(b"\x81\x00 and more"):
            assert came.came
