"""Fetching from a real server on loopback: caching, failures, and what never replaces a good list."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from appliance.errors import ListError
from appliance.lists import fetch as fetching
from appliance.lists.fetch import fetch, is_url

GOOD = b"bad.example\nworse.example\n"


class Handler(BaseHTTPRequestHandler):
    """Serves whatever the test has put into `answers`."""

    answers: dict[str, tuple[int, dict[str, str], bytes]]
    asked: list[dict[str, str]]

    def do_GET(self) -> None:
        self.asked.append(dict(self.headers))
        status, headers, body = self.answers[self.path]
        if headers.get("ETag") and self.headers["If-None-Match"] == headers["ETag"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Tests are quiet."""


class Server:
    """A web server of one test."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[dict[str, str]] = []
        handler = type("Own", (Handler,), {"answers": self.answers, "asked": self.asked})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    made = Server()
    yield made
    made.close()


def test_a_list_is_fetched_once(server: Server, tmp_path: Path) -> None:
    modified = "Wed, 19 Aug 2026 10:00:00 GMT"
    server.answers["/a.txt"] = (200, {"ETag": '"1"', "Last-Modified": modified}, GOOD)
    seen: list[int] = []
    first = fetch(server.url + "/a.txt", tmp_path, seen.append)
    assert first.changed
    assert (first.path.name, first.path.read_bytes()) == ("a.txt", GOOD)
    assert seen[-1] == len(GOOD)
    assert first.path.stat().st_mtime == 1_787_133_600
    again = fetch(server.url + "/a.txt", tmp_path)
    assert (again.path, again.changed) == (first.path, False)
    assert server.asked[1]["If-Modified-Since"] == modified
    server.answers["/a.txt"] = (200, {"ETag": '"2"'}, b"new.example\n")
    assert fetch(server.url + "/a.txt", tmp_path).changed
    assert first.path.read_bytes() == b"new.example\n"


def test_addresses_that_end_alike_are_kept_apart(server: Server, tmp_path: Path) -> None:
    server.answers["/x/list?k=1"] = (200, {}, GOOD)
    server.answers["/y/list?k=2"] = (200, {}, GOOD)
    assert fetch(server.url + "/x/list?k=1", tmp_path).path != fetch(server.url + "/y/list?k=2", tmp_path).path


@pytest.mark.parametrize(
    ("status", "headers", "body", "told"),
    [
        (404, {}, b"", "answers 404"),
        (503, {}, b"", "answers 503"),
        (200, {}, b"<!DOCTYPE html><title>Sign in</title>", "line 1, column 1: this is a web page"),
        (200, {"Content-Length": "999"}, b"short.example\n", r"ended after 14 of 999 bytes|cannot be reached"),
        (200, {"Content-Length": str(1 << 30)}, b"x.example\n", "larger than 256 MiB"),
        (302, {"Location": "ftp://127.0.0.1:1/a"}, b"", "cannot be reached|answers 302"),
        (302, {"Location": "file:///etc/passwd"}, b"", "cannot be reached|answers 302"),
    ],
)
def test_what_is_no_list_never_replaces_one(
    server: Server, tmp_path: Path, status: int, headers: dict[str, str], body: bytes, told: str
) -> None:
    server.answers["/a"] = (200, {}, GOOD)
    good = fetch(server.url + "/a", tmp_path).path
    server.answers["/a"] = (status, headers, body)
    with pytest.raises(ListError, match=told) as caught:
        fetch(server.url + "/a", tmp_path)
    assert caught.value.hint.startswith("The last good list is kept.")
    assert good.read_bytes() == GOOD
    assert sorted(path.name for path in good.parent.iterdir()) == [".about.json", "a"]


def test_a_body_without_a_length_is_limited_too(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MOST_BYTES", 1 << 20)
    server.answers["/a"] = (200, {"Content-Length": ""}, b"bad.example\n" * 200_000)
    with pytest.raises(ListError, match="larger than 1 MiB"):
        fetch(server.url + "/a", tmp_path)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a", "http://[::1", "http://127.0.0.1:1/ü b", "http://"])
def test_an_address_that_cannot_be_reached(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(ListError, match="cannot be reached") as caught:
        fetch(url, tmp_path)
    assert "last good list is kept" in caught.value.hint


def test_what_is_an_address() -> None:
    assert all(map(is_url, ("https://a.example/x", "HTTP://a.example")))
    assert not any(map(is_url, ("lists/a", "file:///a", "http:a", "/http://a")))
