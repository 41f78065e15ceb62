"""What of an http message passes and what does not (RFC 9110 section 7.6); targets, and who may name them."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.listeners.messages import forwarded_request, forwarded_response, header, split_target
from appliance.wire import WireError

Rows = list[tuple[bytes | str, bytes | str]]


def request(target: str, *rows: tuple[str, str], method: str = "GET") -> h11.Request:
    return h11.Request(method=method, target=target, headers=[("Host", "asked.example"), *rows])


def sent(message: h11.Request | h11.Response | h11.InformationalResponse) -> dict[str, str]:
    """The headers as they go out, with the names as written."""
    return {bytes(name).decode(): bytes(value).decode() for name, value in message.headers.raw_items()}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("http://example.org/", ("example.org", 80, "/")),
        ("http://example.org", ("example.org", 80, "/")),
        ("HTTP://Example.ORG/A?b=c", ("Example.ORG", 80, "/A?b=c")),
        ("http://example.org:8080/a/b", ("example.org", 8080, "/a/b")),
        ("http://example.org?x=1", ("example.org", 80, "/?x=1")),
        ("http://example.org/a#part", ("example.org", 80, "/a")),
        ("http://user:word@example.org/a", ("example.org", 80, "/a")),
        ("http://a@b@example.org:81/", ("example.org", 81, "/")),
        ("http://[::1]/", ("::1", 80, "/")),
        ("http://[2001:db8::1]:8080/x", ("2001:db8::1", 8080, "/x")),
        ("http://example.org//a/../b", ("example.org", 80, "//a/../b")),
        ("http://example.org/http://other.example/", ("example.org", 80, "/http://other.example/")),
        ("http://example.org:/", ("example.org", 80, "/")),  # an empty port is the default (RFC 3986 section 3.2.3)
    ],
)
def test_a_whole_address(target: str, expected: tuple[str, int, str]) -> None:
    assert split_target(request(target), None) == expected


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "*",
        "example.org/",
        "ftp://example.org/",
        "https://example.org/",
        "http:///a",
        "http://:80/",
        "http://example.org:0/",
        "http://example.org:x/",
        "http://example.org:99999/",
        "http://[::1/",
        "http://[x]/",
        "http://::1/",
        "http://[::1]x/",
        "http://exa[mple.org/",
        "http:example.org",
    ],
)
def test_no_address_that_a_proxy_can_fetch(target: str) -> None:
    with pytest.raises(WireError):
        split_target(request(target), None)


def test_inside_a_tunnel_the_tunnel_says_where_to() -> None:
    tunnel = ("tunnel.example", 8443)
    assert split_target(request("/a?b"), tunnel) == ("tunnel.example", 8443, "/a?b")
    assert split_target(request("http://other.example/a"), tunnel) == ("other.example", 80, "/a")
    with pytest.raises(WireError):
        split_target(request("*", method="OPTIONS"), tunnel)


@given(st.from_regex(rb"\A[\x21-\x7e]{1,60}\Z") | st.from_regex(rb"\Ahttp://[\x21-\x7e]{0,40}\Z"))
def test_any_target_is_split_or_refused(target: bytes) -> None:
    asked = h11.Request(method="GET", target=target, headers=[("Host", "a.example")])
    try:
        host, port, path = split_target(asked, None)
    except WireError:
        return
    assert host and 0 < port < 65_536 and path.startswith("/")


def test_what_was_judged_is_what_is_written() -> None:
    """A Host header that says otherwise would lead the server, or a cache, astray."""
    out = forwarded_request(request("http://judged.example/p"), "judged.example", 80, "/p", None)
    assert bytes(out.target) == b"/p"
    assert sent(out)["Host"] == "judged.example"
    assert [key for key, _ in out.headers].count(b"host") == 1


@pytest.mark.parametrize(
    ("host", "port", "written"),
    [
        ("a.example", 80, "a.example"),
        ("a.example", 8080, "a.example:8080"),
        ("::1", 80, "[::1]"),
        ("::1", 81, "[::1]:81"),
    ],
)
def test_the_host_header(host: str, port: int, written: str) -> None:
    assert sent(forwarded_request(request("/"), host, port, "/", None))["Host"] == written


def test_what_is_between_neighbours_stays_there() -> None:
    asked = request(
        "http://a.example/",
        ("Accept", "text/html"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "one"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "X-Other"),
        ("X-Other", "two"),
        ("Proxy-Authorization", "Basic abc"),
        ("TE", "trailers"),
        ("Upgrade", "h2c"),
        ("Cookie", "kept=yes"),
        ("X-Schoolgate-Client", "10.0.0.66"),
    )
    out = sent(forwarded_request(asked, "a.example", 80, "/", None))
    assert out == {"Host": "a.example", "Accept": "text/html", "Cookie": "kept=yes"}


def test_a_client_cannot_say_that_it_is_another() -> None:
    asked = request("http://box/", ("x-schoolGATE-client", "10.0.0.66"))
    out = sent(forwarded_request(asked, "box", 80, "/", "10.0.0.7"))
    assert {name: value for name, value in out.items() if name.lower().startswith("x-schoolgate")} == {
        "X-Schoolgate-Client": "10.0.0.7"
    }


def test_a_websocket_is_let_through() -> None:
    asked = request(
        "http://a.example/socket",
        ("Connection", "Upgrade"),
        ("Upgrade", "WebSocket"),
        ("Sec-WebSocket-Key", "x"),
        ("Sec-WebSocket-Version", "13"),
    )
    out = sent(forwarded_request(asked, "a.example", 80, "/socket", None))
    assert (out["Connection"], out["Upgrade"]) == ("Upgrade", "WebSocket")
    assert out["Sec-WebSocket-Key"] == "x"
    answer = h11.InformationalResponse(
        status_code=101, headers=[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Accept", "y")]
    )
    back = sent(forwarded_response(answer))
    assert (back["Connection"], back["Upgrade"], back["Sec-WebSocket-Accept"]) == ("Upgrade", "websocket", "y")


@pytest.mark.parametrize(
    "rows", [[("Content-Length", "3")], [("Transfer-Encoding", "chunked")]], ids=["length", "chunked"]
)
def test_how_a_body_is_framed_goes_with_it(rows: list[tuple[str, str]]) -> None:
    out = forwarded_request(request("http://a.example/", *rows, method="POST"), "a.example", 80, "/", None)
    name, value = rows[0]
    assert header(out, name.lower().encode()) == value.encode()
    answer = h11.Response(status_code=200, headers=[("Content-Type", "text/html"), *rows], reason="Fine")
    back = forwarded_response(answer)
    assert header(back, name.lower().encode()) == value.encode()
    assert (back.status_code, back.reason) == (200, b"Fine")


def test_an_answer_loses_what_was_for_the_box() -> None:
    answer = h11.Response(
        status_code=200,
        headers=[("Connection", "close, X-Hop"), ("X-Hop", "1"), ("Set-Cookie", "a"), ("Set-Cookie", "b")],
    )
    assert list(forwarded_response(answer).headers) == [(b"set-cookie", b"a"), (b"set-cookie", b"b")]


def test_header_gives_the_first_or_nothing() -> None:
    asked = request("/", ("X-A", "1"), ("X-A", "2"))
    assert header(asked, b"x-a") == b"1"
    assert header(asked, b"x-b") == b""
