"""The inspect lane: only for devices that have shown that they trust the box, and never past a bad certificate."""

import json
import ssl
import time
from pathlib import Path

import httpx
import pytest

from appliance.notice.texts import texts
from tests.e2e.box import PRIMARY, Box, until
from tests.e2e.client import Answer, everything, fetch_secure, learn_trust, open_tunnel, secure, trusting
from tests.e2e.origin import BLOCK, Certificates, Origin

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-inspect")]

HOST, MARKED = "www.pages.example", "paths.pages.example"
BLOCKED = "adult.schoolgate.test"
BANK = "www.paypal.com"
OURS, THEIRS = "Schoolgate on this school's own box", "trustme"
ME = "127.0.0.1"
"""where httpx comes from"""


@pytest.fixture(scope="module")
def names() -> dict[str, list[str]]:
    return {BANK: ["127.0.0.1"]}


@pytest.fixture(scope="module")
def tls(box: Box) -> ssl.SSLContext:
    """TLS of devices that have the box's certificate. ME has used it, and a list with paths is in force."""
    listed = box.folder / "paths.txt"
    listed.write_text(f"{MARKED}/bad\n{MARKED}/deep/er?id=7\n")
    before = rules_in_force(box)
    box.cli("rules", "import", str(listed), "--category", "adult", "--name", "e2e-paths")
    until(lambda: not before & rules_in_force(box), 5, "both gates have the imported list")
    context = learn_trust(box, ME)
    until(lambda: fetch_secure(box, MARKED, 1, context, ME, "/bad").status == 403, 5, "and so has the worker")
    return context


def rules_in_force(box: Box) -> set[str]:
    return {box.ask(gate)["rules"] for gate in ("gate-0", "gate-1")}


@pytest.fixture
def fresh(origin: Origin) -> Origin:
    origin.forget()
    return origin


def issuer(answer: Answer) -> str:
    return OURS if answer.issuer == OURS else THEIRS if answer.issuer.startswith(THEIRS) else answer.issuer


def test_a_device_without_the_certificate_is_left_alone(box: Box, fresh: Origin, certificates: Certificates) -> None:
    for _ in range(3):
        answer = fetch_secure(box, HOST, fresh.https, trusting(certificates.path), PRIMARY.format(1))
        assert (answer.body, issuer(answer)) == (b"hello from /", THEIRS)


def test_a_device_that_opened_the_trust_page_is_inspected(box: Box, fresh: Origin, certificates: Certificates) -> None:
    device = PRIMARY.format(2)
    context = trusting(certificates.path, str(box.ca))
    assert issuer(fetch_secure(box, HOST, fresh.https, context, device)) == THEIRS
    learn_trust(box, device)
    answer = fetch_secure(box, HOST, fresh.https, context, device, "/seen?by=box")
    assert (answer.body, issuer(answer)) == (b"hello from /seen?by=box", OURS)
    assert issuer(fetch_secure(box, HOST, fresh.https, context, PRIMARY.format(3))) == THEIRS, "another device"


def test_a_device_that_cannot_open_the_trust_page_is_not_inspected(
    box: Box, fresh: Origin, certificates: Certificates
) -> None:
    device, context = PRIMARY.format(4), trusting(certificates.path)
    for _ in range(4):
        with pytest.raises(ssl.SSLCertVerificationError):
            fetch_secure(box, "schoolgate.internal", 443, context, device)
    assert issuer(fetch_secure(box, HOST, fresh.https, context, device)) == THEIRS


@pytest.mark.parametrize("two", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_a_block_is_a_page_over_https(box: Box, fresh: Origin, tls: ssl.SSLContext, two: bool) -> None:
    with httpx.Client(proxy=box.proxy_url, verify=tls, http2=two) as client:
        answer = client.get(f"https://{BLOCKED}:{fresh.https}/x?y", headers={"Accept-Language": "fr"})
    assert answer.status_code == 403
    assert BLOCKED in answer.text and 'lang="fr"' in answer.text
    assert len(answer.content) + len(str(answer.headers)) <= 20_000
    assert fresh.certificates.asked == [], "nothing was dialled"


@pytest.mark.parametrize("two", [False, True], ids=["HTTP/1.1", "HTTP/2"])
def test_allowed_pages_pass_in_the_version_that_both_ends_speak(
    box: Box, fresh: Origin, tls: ssl.SSLContext, two: bool
) -> None:
    with httpx.Client(proxy=box.proxy_url, verify=tls, http2=two) as client:
        for path in ("/1", "/bytes/3000000", "/2"):
            assert client.get(f"https://{HOST}:{fresh.https}{path}").status_code == 200
        assert client.get(f"https://{HOST}:{fresh.https}/bytes/300000").content == (BLOCK * 2)[:300_000]
    assert {row[0] for row in fresh.seen} == {"h2" if two else "http/1.1"}
    assert len(fresh.seen) == 4


@pytest.mark.parametrize("size", [0, 10, 5_000_000])
def test_uploads_pass(box: Box, fresh: Origin, tls: ssl.SSLContext, size: int) -> None:
    body = (BLOCK * 20)[:size]
    with httpx.Client(proxy=box.proxy_url, verify=tls) as client:
        assert client.post(f"https://{HOST}:{fresh.https}/echo", content=body).content == body


def test_a_rule_with_a_path(box: Box, fresh: Origin, tls: ssl.SSLContext) -> None:
    expected = {"/": 200, "/bad": 403, "/bad/below": 403, "/%62ad": 403, "//x/../bad": 403, "/badly": 200}
    expected |= {"/deep/er?id=7": 403, "/deep/er?id=8": 200}
    with httpx.Client(proxy=box.proxy_url, verify=tls) as client:
        found = {path: client.get(f"https://{MARKED}:{fresh.https}{path}").status_code for path in expected}
    assert found == expected
    assert {row[2] for row in fresh.seen} == {path for path, status in expected.items() if status == 200}


@pytest.mark.parametrize(
    ("tunnel", "head"),
    [
        (MARKED, f"GET /bad HTTP/1.1\r\nHost: {HOST}"),
        (MARKED, f"GET https://{HOST}/bad HTTP/1.1\r\nHost: {HOST}"),
        (MARKED, "GET /bad HTTP/1.0"),
        (HOST, f"GET /bad HTTP/1.1\r\nHost: {MARKED}:8443"),
        (HOST, f"GET /bad HTTP/1.1\r\nHost: {MARKED}."),
        (HOST, f"GET https://{HOST}/bad HTTP/1.1\r\nHost: {MARKED}"),
        (HOST, f"GET /bad HTTP/1.1\r\nHost: {HOST}\r\nHost: {MARKED}"),
    ],
)
def test_another_name_in_the_request_hides_nothing(
    box: Box, fresh: Origin, tls: ssl.SSLContext, tunnel: str, head: str
) -> None:
    with secure(box, tunnel, fresh.https, tls, ME) as connection:
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        assert connection.recv(100).split(b" ", 2)[1] in (b"400", b"403")
    assert fresh.seen == []


def test_the_server_reads_no_other_name_than_the_one_judged(box: Box, fresh: Origin, tls: ssl.SSLContext) -> None:
    with secure(box, HOST, fresh.https, tls, ME) as connection:
        head = f"GET https://{MARKED}/bad HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        assert everything(connection).startswith(b"HTTP/1.1 200 ")
    assert fresh.seen == [("http/1.1", HOST, "/bad")]


def test_a_host_that_refuses_the_certificate_is_left_alone_from_then_on(
    box: Box, fresh: Origin, certificates: Certificates
) -> None:
    device, pins = PRIMARY.format(11), trusting(certificates.path)
    trusts = learn_trust(box, device)
    refuse(box, "pins.pages.example", fresh.https, pins, device)
    assert issuer(fetch_secure(box, "pins.pages.example", fresh.https, pins, device)) == THEIRS
    assert issuer(fetch_secure(box, HOST, fresh.https, trusts, device)) == OURS, "the other hosts are inspected still"


def refuse(box: Box, host: str, port: int, context: ssl.SSLContext, device: str) -> None:
    """A client that does not accept the box's certificate, and sees the connection ended."""
    tunnel = open_tunnel(box, host, port, device)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    shaking = context.wrap_bio(incoming, outgoing, server_hostname=host)
    with tunnel, pytest.raises(ssl.SSLCertVerificationError):
        while True:
            try:
                shaking.do_handshake()
            except ssl.SSLWantReadError:
                tunnel.sendall(outgoing.read())
                incoming.write(tunnel.recv(65_536))
            except ssl.SSLCertVerificationError:
                tunnel.sendall(outgoing.read())
                everything(tunnel)
                raise


def test_three_hosts_refused_end_the_trust(box: Box, fresh: Origin, certificates: Certificates) -> None:
    device, without = PRIMARY.format(12), trusting(certificates.path)
    learn_trust(box, device)
    assert device in json.loads((box.state / "trust.json").read_text())
    for host in ("one.pages.example", "two.pages.example", "three.pages.example"):
        refuse(box, host, fresh.https, without, device)
    until(lambda: device not in json.loads((box.state / "trust.json").read_text()), 5, "the trust ends")
    assert issuer(fetch_secure(box, "four.pages.example", fresh.https, without, device)) == THEIRS
    with pytest.raises(ssl.SSLError, match="ACCESS_DENIED"):
        fetch_secure(box, BLOCKED, fresh.https, without, device)


def test_hosts_refused_between_others_accepted_end_no_trust(
    box: Box, fresh: Origin, certificates: Certificates
) -> None:
    device, pins = PRIMARY.format(13), trusting(certificates.path)
    trusts = learn_trust(box, device)
    for number in range(5):
        refuse(box, f"app{number}.pages.example", fresh.https, pins, device)
        assert issuer(fetch_secure(box, HOST, fresh.https, trusts, device)) == OURS


@pytest.mark.parametrize("kind", ["expired", "wronghost", "untrusted", "selfsigned"])
def test_a_server_with_a_bad_certificate_is_refused(box: Box, fresh: Origin, tls: ssl.SSLContext, kind: str) -> None:
    host = f"{kind}.pages.example"
    for _ in range(2):
        answer = fetch_secure(box, host, fresh.https, tls, ME)
        assert (answer.status, answer.is_ours) == (502, True)
        assert texts("en").say("problem.certificate_invalid.title") in answer.text
    assert fresh.seen == [], "no request may go there"
    assert set(fresh.certificates.asked) == {host}


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("missing.pages.example", "name_not_found"),
        ("nowhere.invalid", "name_not_found"),
        ("down.pages.example", "upstream_down"),
    ],
)
def test_what_cannot_be_reached_is_explained(box: Box, tls: ssl.SSLContext, host: str, told: str) -> None:
    answer = fetch_secure(box, host, 9, tls, ME)
    assert (answer.status, answer.is_ours) == (502, True)
    assert texts("en").say(f"problem.{told}.title") in answer.text


@pytest.mark.parametrize("host", ["six.pages.example", "second.pages.example"])
def test_every_address_of_a_name_is_tried(box: Box, fresh: Origin, tls: ssl.SSLContext, host: str) -> None:
    answer = fetch_secure(box, host, fresh.https, tls, ME)
    assert (answer.body, issuer(answer)) == (b"hello from /", OURS)


def test_a_bank_is_never_inspected(box: Box, fresh: Origin, tls: ssl.SSLContext) -> None:
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    with secure(box, BANK, fresh.https, unverified, ME) as connection:
        assert b"Schoolgate" not in (connection.getpeercert(binary_form=True) or b"")
    assert fresh.certificates.asked == [BANK]


def test_no_device_would_accept_the_box_in_the_place_of_a_bank(box: Box, tls: ssl.SSLContext) -> None:
    with open_tunnel(box, "schoolgate.internal", 443, ME) as tunnel:
        with pytest.raises(ssl.SSLCertVerificationError, match="subtree"):
            tls.wrap_socket(tunnel, server_hostname=BANK)


def test_certificates_live_for_days(box: Box, fresh: Origin, tls: ssl.SSLContext) -> None:
    with secure(box, HOST, fresh.https, tls, ME) as connection:
        certificate = connection.getpeercert() or {}
    days = (ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / 86_400
    assert 1 < days < 8
    key = box.state / "ca" / "schoolgate-ca.key"
    assert key.stat().st_mode & 0o077 == 0, "nobody else reads it"
    assert b"PRIVATE" not in Path(box.ca).read_bytes()


def test_a_long_upload_to_a_blocked_page_fills_no_memory(box: Box, tls: ssl.SSLContext) -> None:
    with secure(box, BLOCKED, 443, tls, ME) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: {BLOCKED}\r\nContent-Length: 5000000000\r\n\r\n".encode())
        assert everything(connection) == b""
    with secure(box, BLOCKED, 443, tls, ME) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\nHost: {BLOCKED}\r\nContent-Length: 3\r\n\r\nabc".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")
