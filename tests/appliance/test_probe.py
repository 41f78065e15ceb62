"""What `schoolgate try` makes of each answer that a box can give. The box here is a socket that says one thing; the
pages, alerts and certificates in it are the box's own. (tests/e2e tries a whole one.)"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from appliance.ca import certificate_path, open_or_make
from appliance.errors import ConfigError, NotRunning
from appliance.notice.page import Problem, block_page, problem_page
from appliance.probe import Kind, Outcome, probe
from appliance.wire.tls import ACCESS_DENIED
from filters.model import Action, Reason, Verdict

BLOCKED = block_page(Verdict(Action.BLOCK, Reason.BLOCKED_BY_CATEGORY, "primary", "adult"), "a.example", "en")
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
Say = Callable[[socket.socket], object]


def page(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


def head(connection: socket.socket) -> bytes:
    """What a client sends up to an empty line."""
    read = b""
    while b"\r\n\r\n" not in read and (more := connection.recv(4096)):
        read += more
    return read


@contextmanager
def box(say: Say) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """A proxy that reads one head, says what it is told to, and closes; and the heads that it read."""
    heads = list[bytes]()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                heads.append(head(connection))
                say(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname(), heads
        thread.join(10)
        assert not thread.is_alive()


def ask(url: str, say: Say) -> tuple[Outcome, list[bytes]]:
    with box(say) as (proxy, heads):
        return probe(url, proxy), heads


def test_what_passes_is_passed() -> None:
    outcome, (sent,) = ask("http://a.example/x y?q=ü#part", lambda it: it.sendall(page(200, b"hello")))
    assert outcome == Outcome(
        "http://a.example/x%20y?q=%C3%BC", Kind.PASSED, 200, "The server answered with status 200."
    )
    assert sent.startswith(b"GET http://a.example/x%20y?q=%C3%BC HTTP/1.1\r\nHost: a.example:80\r\n")


def test_a_servers_own_refusal_is_an_answer() -> None:
    outcome, _ = ask("http://a.example/", lambda it: it.sendall(page(403, b"<title>Members only</title>")))
    assert (outcome.kind, outcome.status) == (Kind.PASSED, 403)


def test_the_block_page() -> None:
    outcome, _ = ask("http://a.example/", lambda it: it.sendall(page(403, BLOCKED)))
    assert (outcome.kind, outcome.status) == (Kind.BLOCKED, 403)
    assert outcome.detail == 'The box answered with its own page: "This page stays closed here".'


@pytest.mark.parametrize("url", ["http://a.example/", "https://a.example/"])
@pytest.mark.parametrize("problem", Problem, ids=lambda problem: problem.value)
def test_every_problem_page_also_in_answer_to_connect(url: str, problem: Problem) -> None:
    body = problem_page(problem, "a.example", "", "en")
    outcome, _ = ask(url, lambda it: it.sendall(page(problem.status, body)))
    assert outcome.kind is (Kind.BLOCKED if problem is Problem.PRIVATE_ADDRESS else Kind.FAILED)
    assert outcome.status == problem.status and outcome.detail.startswith("The box answered with its own page: ")


def test_a_tunnel_that_is_ended_by_an_alert() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.sendall(ESTABLISHED)
        connection.recv(4096)
        connection.sendall(ACCESS_DENIED)

    outcome, (sent,) = ask("https://a.example:8443/", refuse)
    assert sent.startswith(b"CONNECT a.example:8443 HTTP/1.1\r\n")
    assert (outcome.kind, outcome.status) == (Kind.BLOCKED, None)
    assert "TLS alert" in outcome.detail


def secured(context: ssl.SSLContext, then: Say = lambda _: None) -> Say:
    def say(connection: socket.socket) -> None:
        connection.sendall(ESTABLISHED)
        with context.wrap_socket(connection, server_side=True) as inner:
            then(inner)

    return say


def all_that_comes(inner: socket.socket) -> bytes:
    """What a client sends until it closes, in whichever way."""
    with suppress(OSError):
        return inner.recv(4096)
    return b""


def test_a_tunnel_to_the_server_itself_sends_nothing_into_it() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("a.example").configure_cert(context)
    read = list[bytes]()
    outcome, _ = ask("https://a.example/secret", secured(context, lambda inner: read.append(all_that_comes(inner))))
    assert (outcome.kind, outcome.status) == (Kind.PASSED, None)
    assert "untouched, from end to end" in outcome.detail
    assert read == [b""]


@pytest.fixture(scope="module")
def inspecting(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """The box's own authority, speaking for a.example and for itself."""
    state = tmp_path_factory.mktemp("ca")
    leaf = open_or_make(state, [], datetime.now(UTC)).leaf("a.example", datetime.now(UTC))
    pem = state / "leaf.pem"
    key = leaf.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(leaf.certificate.public_bytes(serialization.Encoding.PEM) + key + _text(certificate_path(state)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def _text(path: Path) -> bytes:
    return b"\n" + path.read_bytes()


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [(page(403, BLOCKED), Kind.BLOCKED, 403), (page(200, b"hello"), Kind.PASSED, 200)],
)
def test_where_the_box_inspects_the_page_is_asked_for(
    inspecting: ssl.SSLContext, answer: bytes, kind: Kind, status: int
) -> None:
    read = list[bytes]()

    def serve(inner: socket.socket) -> None:
        read.append(head(inner))
        inner.sendall(answer)

    outcome, _ = ask("https://a.example/page?q=1", secured(inspecting, serve))
    assert (outcome.kind, outcome.status) == (kind, status)
    assert outcome.detail.startswith("Inspected by the box. ")
    assert read[0].startswith(b"GET /page?q=1 HTTP/1.1\r\nHost: a.example:443\r\n")


def test_the_trust_page_is_never_fetched(inspecting: ssl.SSLContext) -> None:
    """It would tell the box that this device trusts it, and every site would be inspected."""
    read = list[bytes]()
    outcome, _ = ask(
        "https://schoolgate.internal/", secured(inspecting, lambda inner: read.append(all_that_comes(inner)))
    )
    assert outcome.detail == "The box itself answered."
    assert read == [b""]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://a.example/", b""),
        ("http://a.example/", b"nonsense\r\n\r\n"),
        ("https://a.example/", b""),
        ("https://a.example/", ESTABLISHED),
        ("https://a.example/", ESTABLISHED + b"this is no TLS at all, and long enough to see that"),
    ],
)
def test_an_end_without_an_answer_is_a_failure_in_words(url: str, said: bytes) -> None:
    outcome, _ = ask(url, lambda it: it.sendall(said))
    assert (outcome.kind, outcome.status) == (Kind.FAILED, None)
    assert outcome.detail.endswith(".")


def test_silence_ends() -> None:
    waiting = threading.Event()
    with box(lambda _: waiting.wait(10)) as (proxy, _):
        outcome = probe("http://a.example/", proxy, seconds=0.2)
        waiting.set()
    assert (outcome.kind, outcome.detail) == (Kind.FAILED, "Nothing came back within 0.2 seconds.")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "ftp://a.example/",
        "http://",
        "http://[::1",
        "https://x y/",
        "http://a.example:99999/",
        "http://a:0/",
    ],
)
def test_what_is_no_web_address_is_not_sent(url: str) -> None:
    with pytest.raises(ConfigError, match="is not a web address"):
        probe(url, ("127.0.0.1", 1))


def test_where_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(NotRunning, match="nothing answers on") as raised:
            probe("http://a.example/", free.getsockname())
    assert "`schoolgate run`" in raised.value.hint


def test_a_group_is_an_address_of_ones_own() -> None:
    asked = list[str]()
    with box(lambda it: (asked.append(it.getpeername()[0]), it.sendall(page(200, b"")))) as (proxy, _):
        probe("http://a.example/", proxy, "127.77.0.3")
    assert asked == ["127.77.0.3"]


def test_addresses_of_the_sixth_version_stand_in_brackets() -> None:
    outcome, (sent,) = ask("https://[2001:DB8::1]:8443/", lambda it: it.sendall(page(403, BLOCKED)))
    assert sent.startswith(b"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n")
    assert outcome.url == "https://[2001:db8::1]:8443/"
