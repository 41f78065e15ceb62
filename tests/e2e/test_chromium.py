"""A real Chromium behind the box: what a pupil sees. First without the box's certificate, then with it.

Both browsers are one device to the box (127.0.0.1, primary), and trust is learned once: so the tests without it come
first.
"""

import html
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Playwright, sync_playwright

from appliance.notice.texts import texts
from tests.e2e.box import Box, until
from tests.e2e.client import learn_trust
from tests.e2e.origin import Certificates, Origin

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.xdist_group("e2e-chromium"),
    pytest.mark.needs("chromium", "certutil"),
]

HOST, BLOCKED = "www.pages.example", "adult.schoolgate.test"
QUIET = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
TITLE = texts("en").say("reason.blocked_by_category.title")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@contextmanager
def browser(driver: Playwright, home: Path, trusted: list[Path], proxy: str) -> Iterator[BrowserContext]:
    """A Chromium with a home of its own, in which these authorities are installed as a person would install them."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    database = ["certutil", "-d", f"sql:{store}"]
    subprocess.run([*database, "-N", "--empty-password"], check=True, timeout=30)
    for number, path in enumerate(trusted):
        subprocess.run(
            [*database, "-A", "-t", "C,,", "-n", f"authority {number}", "-i", str(path)], check=True, timeout=30
        )
    context = driver.chromium.launch_persistent_context(
        home / "profile",
        executable_path=shutil.which("chromium"),
        args=[*QUIET, proxy],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        locale="en-GB",
        timeout=60_000,
    )
    try:
        context.set_default_timeout(20_000)
        yield context
    finally:
        context.close()


@pytest.fixture(scope="module")
def stranger(
    playwright: Playwright, box: Box, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser that does not know the box's certificate."""
    home = tmp_path_factory.mktemp("stranger")
    with browser(playwright, home, [Path(certificates.path)], f"--proxy-server={box.proxy_url}") as context:
        yield context


@pytest.fixture(scope="module")
def friend(playwright: Playwright, box: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser that trusts the box and nobody else, and has opened the page that shows it. It uses the PAC file."""
    home = tmp_path_factory.mktemp("friend")
    pac = "--proxy-pac-url=http://{}:{}/proxy.pac".format(*box.web)
    with browser(playwright, home, [box.ca], pac) as context:
        answer = open_page(context, "https://schoolgate.internal/trusted")
        assert answer.status == 200 and texts("en").say("trusted.yes_title") in answer.text
        yield context


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as the browser got it."""

    status: int
    text: str
    size: int
    issuer: str
    """who vouched for the certificate, "" without one"""
    protocol: str
    """http/1.1 or h2"""


def open_page(context: BrowserContext, url: str) -> Seen:
    """Raises Error where the browser shows a page of its own."""
    page = context.new_page()
    try:
        answer = page.goto(url)
        assert answer is not None
        protocol = page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")
        secured = answer.security_details()
        issuer = str(secured["issuer"]) if secured else ""
        return Seen(answer.status, html.unescape(answer.text()), len(answer.body()), issuer, str(protocol))
    finally:
        page.close()


def test_an_allowed_page(stranger: BrowserContext, origin: Origin) -> None:
    assert open_page(stranger, f"http://{HOST}:{origin.http}/a").text == "hello from /a"


def test_an_allowed_page_over_https_is_untouched(stranger: BrowserContext, origin: Origin) -> None:
    """Chromium sends a post-quantum hello of two segments, with GREASE in the place of ECH."""
    answer = open_page(stranger, f"https://{HOST}:{origin.https}/b")
    assert (answer.status, answer.text, answer.protocol) == (200, "hello from /b", "h2")
    assert "Schoolgate" not in answer.issuer


def test_a_blocked_page(stranger: BrowserContext, origin: Origin) -> None:
    answer = open_page(stranger, f"http://{BLOCKED}:{origin.http}/")
    assert answer.status == 403
    assert TITLE in answer.text and answer.size < 20_000


def test_a_blocked_page_over_https_without_trust_and_where_it_says_why(
    stranger: BrowserContext, origin: Origin
) -> None:
    origin.forget()
    with pytest.raises(Error, match=r"net::ERR_(SSL|CONNECTION|ACCESS)"):
        open_page(stranger, f"https://{BLOCKED}:{origin.https}/")
    assert origin.certificates.asked == []
    assert BLOCKED in open_page(stranger, "http://schoolgate.internal/why").text


def test_the_trust_page_warns_a_stranger(stranger: BrowserContext, box: Box) -> None:
    with pytest.raises(Error, match="net::ERR_CERT_AUTHORITY_INVALID"):
        open_page(stranger, "https://schoolgate.internal/trusted")
    assert not (box.state / "trust.json").exists()


ECHO = """url => new Promise((done, fail) => {
  const socket = new WebSocket(url);
  socket.onerror = fail;
  socket.onopen = () => socket.send('grüß dich');
  socket.onmessage = event => done(event.data);
})"""


def echoed(context: BrowserContext, origin: Origin, url: str) -> str:
    """What a page hears over a WebSocket to a server that repeats what it is told."""
    page = context.new_page()
    try:
        page.goto(f"http://{HOST}:{origin.http}/")
        return str(page.evaluate(ECHO, url))
    finally:
        page.close()


def test_websockets(stranger: BrowserContext, origin: Origin) -> None:
    assert echoed(stranger, origin, f"ws://{HOST}:{origin.ws}/") == "grüß dich"
    assert echoed(stranger, origin, f"wss://{HOST}:{origin.wss}/") == "grüß dich"


def test_websockets_of_a_friend_are_inspected(friend: BrowserContext, box: Box, origin: Origin) -> None:
    before = box.status().used["inspect"]
    assert echoed(friend, origin, f"wss://{HOST}:{origin.wss}/") == "grüß dich"
    assert box.status().used["inspect"] > before


def test_a_friend_sees_the_block_page_over_https(friend: BrowserContext, origin: Origin) -> None:
    origin.forget()
    answer = open_page(friend, f"https://{BLOCKED}:{origin.https}/")
    assert answer.status == 403
    assert TITLE in answer.text and "Schoolgate" in answer.issuer
    assert origin.certificates.asked == []


def test_a_friend_is_inspected(friend: BrowserContext, origin: Origin) -> None:
    answer = open_page(friend, f"https://{HOST}:{origin.https}/c")
    assert (answer.status, answer.text, answer.protocol) == (200, "hello from /c", "h2")
    assert "Schoolgate" in answer.issuer


def test_a_friend_is_told_of_a_server_without_a_good_certificate(friend: BrowserContext, origin: Origin) -> None:
    origin.forget()
    answer = open_page(friend, f"https://selfsigned.pages.example:{origin.https}/")
    assert answer.status == 502
    assert origin.seen == []


def test_help_is_one_click_away_from_a_block(friend: BrowserContext, origin: Origin) -> None:
    page = friend.new_page()
    page.goto(f"https://{BLOCKED}:{origin.https}/")
    page.get_by_role("link", name=texts("en").say("gethelp.button")).first.click()
    page.wait_for_url("http://help.schoolgate.internal/**")
    assert page.title()
    page.close()


def test_a_browser_whose_trust_was_taken_back_goes_on(stranger: BrowserContext, box: Box, origin: Origin) -> None:
    """The device is inspected, the browser does not want that: each host is refused once, and passes from then on."""
    learn_trust(box, "127.0.0.1")

    def opens() -> bool:
        try:
            answer = open_page(stranger, f"https://refusing.pages.example:{origin.https}/d")
        except Error as error:
            assert "ERR_CERT_AUTHORITY_INVALID" in str(error)
            return False
        return answer.text == "hello from /d" and "Schoolgate" not in answer.issuer

    assert not opens()
    until(opens, 10, "the page opens")
