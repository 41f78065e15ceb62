"""The guard: the box's own names only, the right device, and the same headers on every answer."""

import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.testclient import TestClient

from appliance.web.guard import client_of, host_name

OWN = ["127.0.0.1:8081", "127.0.0.1", "localhost:8081", "LOCALHOST", "[::1]:8081", "[::1]", "10.0.0.1:8081"]
OWN += ["schoolgate.internal", "help.schoolgate.internal:80", "schoolgate.internal."]
FOREIGN = ["evil.example", "127.0.0.1.evil.example", "evil.example:8081", "10.0.0.2", "[::2]", "", "localhost@evil"]
FOREIGN += ["schoolgate.internal.evil.example", "127.0.0.1:8081:1", "127.0.0.1,evil.example", "::1", "a b", "[::1"]


@pytest.mark.parametrize("host", OWN)
def test_own_names_are_answered(local: TestClient, host: str) -> None:
    assert local.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/", "/status.json", "/proxy.pac", "/why", "/nothing"])
def test_foreign_names_are_not(local: TestClient, host: str, path: str) -> None:
    answer = local.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert answer.text.startswith("This box does not answer")
    assert host == "" or host == "a b" or host not in answer.text


def test_public_answers_to_its_two_names_only(public: TestClient) -> None:
    assert public.get("/", headers={"Host": "help.schoolgate.internal"}).status_code == 200
    assert public.get("/", headers={"Host": "127.0.0.1:8081"}).status_code == 421


def test_two_host_headers_are_none() -> None:
    assert host_name(Headers(raw=[(b"host", b"localhost"), (b"host", b"localhost")])) is None
    assert host_name(Headers(raw=[])) is None


@pytest.mark.parametrize("path", ["/", "/about", "/why", "/help", "/leave", "/trust", "/trusted", "/nothing"])
def test_nothing_is_kept_and_nothing_is_loaded(public: TestClient, path: str) -> None:
    check_headers(public.get(path).headers)


@pytest.mark.parametrize("path", ["/", "/status", "/status.json", "/proxy", "/proxy.pac", "/health", "/style.css"])
def test_nor_on_the_local_pages(local: TestClient, path: str) -> None:
    check_headers(local.get(path).headers)
    check_headers(local.get(path, headers={"Host": "evil.example"}).headers)


def check_headers(headers: object) -> None:
    assert isinstance(headers, dict) or hasattr(headers, "get_list")
    assert headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers and "etag" not in headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy


def request(headers: list[tuple[bytes, bytes]], peer: tuple[str, int] | None) -> Request:
    return Request({"type": "http", "headers": headers, "client": peer})


CLAIM = (b"x-schoolgate-client", b"10.0.0.9")


@pytest.mark.parametrize(
    ("headers", "peer", "through_gate", "expected"),
    [
        ([CLAIM], None, True, "10.0.0.9"),
        ([(b"x-schoolgate-client", b"::ffff:10.0.0.9")], None, True, "10.0.0.9"),
        ([(b"x-schoolgate-client", b"fe80::1%eth0")], None, True, "fe80::1%eth0"),
        ([CLAIM, CLAIM], None, True, None),
        ([(b"x-schoolgate-client", b"10.0.0.9, 10.0.0.8")], None, True, None),
        ([], None, True, None),
        ([], ("10.0.0.7", 1), True, None),
        ([CLAIM], ("127.0.0.1", 1), False, "127.0.0.1"),
        ([(b"x-forwarded-for", b"10.0.0.9")], ("127.0.0.1", 1), False, "127.0.0.1"),
        ([CLAIM], None, False, None),
    ],
)
def test_who_asks(
    headers: list[tuple[bytes, bytes]], peer: tuple[str, int] | None, through_gate: bool, expected: str | None
) -> None:
    assert client_of(request(headers, peer), through_gate) == expected
