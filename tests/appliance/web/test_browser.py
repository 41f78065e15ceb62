"""What a real Chromium makes of the pages: contrast, width, keyboard, no script needed, the quick exit, the PAC file.

WCAG 2.2: 1.4.3 contrast, 1.4.10 reflow at 320 px, 2.4.1 skip link, 2.5.8 target size.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from appliance.notice.help import HelpLine
from appliance.notice.page import Problem, block_page, problem_page
from appliance.web import pac
from appliance.web.views import BoxView, Certificate
from filters.model import Action, Reason, Rule, Verdict
from tests.appliance.web.sample_box import Box, block, running

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

PAGES = ["/", "/about", "/why", "/help", "/trust", "/trusted", "/status", "/proxy", "/nothing"]

CONTRAST = """() => {
  const parse = c => { const v = c.match(/[\\d.]+/g).map(Number); return v.length > 3 ? v : [...v, 1]; };
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => { const f = c.slice(0, 3).map(v => linear(v / 255));
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] > 0) return c; } return [255, 255, 255, 1]; };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || e.tagName === 'SCRIPT') continue;
    const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push([walk.currentNode.data.trim(), ratio]);
  }
  return poor;
}"""

SMALL_TARGETS = """() => [...document.querySelectorAll('a, button')]
  .filter(e => !e.matches('.skip')).map(e => [e.textContent, e.getBoundingClientRect()])
  .filter(([, r]) => r.height < 24 || r.width < 24).map(([t]) => t)"""

TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(certificate: Certificate) -> Iterator[str]:
    view = BoxView(
        blocked=("adult", "random-chat", "alcohol-tobacco"),
        helpline=HelpLine("Child Helpline", "116", "2026-11-20", free=True),
        certificate=certificate,
    )
    box = Box(view)
    box.recent.add("127.0.0.1", block("a-long-name." * 12 + "example", "random-chat"))
    with running(box.local()) as where:
        box.view = replace(view, leave_url=f"http://{where}/about")
        yield f"http://{where}"


@pytest.fixture(scope="module")
def notices(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The longest block page of each language, and a problem page, as files."""
    folder = tmp_path_factory.mktemp("notices")
    rule = Rule("a-list-with-a-rather-long-name", 1234567, "x", "2026-08-17")
    verdict = Verdict(Action.BLOCK, Reason.BLOCKED_BY_CATEGORY, "primary", "random-chat", rule)
    line = HelpLine("National Children's Helpline", "+999 0800 116 116", "2026-11-20", free=True, hours="24/7")
    pages = {
        name: block_page(verdict, "sub." * 20 + "example", name, line) for name in ("en", "fr", "es", "ar", "ru", "zh")
    }
    pages["problem"] = problem_page(Problem.CERTIFICATE_INVALID, "x.example", "detail " * 30, "ru", line)
    for name, page in pages.items():
        (folder / f"{name}.html").write_bytes(page)
    return [f"file://{folder / name}.html" for name in pages]


def check(page: Page, url: str) -> None:
    page.goto(url)
    assert page.evaluate(CONTRAST) == [], url
    assert page.evaluate(SMALL_TARGETS) == [], url
    assert page.evaluate(TOO_WIDE) is False, url


def test_the_checks_see_what_is_wrong(chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 640})
    page.set_content(
        "<body style='color:#888'><p>pale</p><a href=x style='font-size:9px'>x</a><hr style='width:900px'>"
    )
    assert [text for text, _ in page.evaluate(CONTRAST)] == ["pale"]
    assert page.evaluate(SMALL_TARGETS) == ["x"]
    assert page.evaluate(TOO_WIDE) is True
    page.close()


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "en"), ("dark", "ar"), ("light", "ru")])
def test_the_web_can_be_read_at_320_px(chromium: Browser, site: str, scheme: str, language: str) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 640}, color_scheme=scheme)  # type: ignore[arg-type]
    for path in PAGES:
        check(page, f"{site}{path}?lang={language}")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_notices_can_be_read_at_320_px(chromium: Browser, notices: list[str], scheme: str) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 640}, color_scheme=scheme)  # type: ignore[arg-type]
    for url in notices:
        check(page, url)
    page.close()


def test_nothing_is_refused_by_our_own_policy(chromium: Browser, site: str) -> None:
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    for path in PAGES[:-1]:
        page.goto(site + path)
    page.close()
    assert complaints == []


def test_the_keyboard_comes_to_the_text_first(chromium: Browser, site: str) -> None:
    page = chromium.new_page()
    page.goto(f"{site}/why")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null") is True
    page.close()


@pytest.mark.parametrize("script", [True, False])
def test_the_quick_exit(chromium: Browser, site: str, script: bool) -> None:
    context = chromium.new_context(java_script_enabled=script)
    page = context.new_page()
    page.goto(f"{site}/proxy")
    page.goto(f"{site}/help")
    page.click("#leave")
    page.wait_for_url(f"{site}/about")
    page.go_back()
    assert page.url == (f"{site}/proxy" if script else f"{site}/help")
    assert context.cookies() == []
    context.close()


def test_the_list_can_be_emptied_without_script(chromium: Browser, certificate: Certificate) -> None:
    box = Box(BoxView(certificate=certificate))
    box.recent.add("127.0.0.1", block("mine.example"))
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    with running(box.local()) as where:
        page.goto(f"http://{where}/why")
        page.click("form button")
        assert page.url == f"http://{where}/why"
        assert "mine.example" not in page.content()
        context.close()


BOX = "PROXY 10.0.0.1:8080"
ROUTES = {
    "example.com": BOX,
    "EXAMPLE.COM.": BOX,
    "schoolgate.internal": BOX,
    "help.schoolgate.internal": BOX,
    "Help.Schoolgate.Internal": BOX,
    "notschoolgate.internal": BOX,
    "localhost": "DIRECT",
    "dev.localhost": "DIRECT",
    "printer": "DIRECT",
    "127.0.0.1": "DIRECT",
    "127.8.9.1": "DIRECT",
    "10.1.2.3": "DIRECT",
    "10.example.com": BOX,
    "10.1.2.3.example.com": BOX,
    "172.15.0.1": BOX,
    "172.16.0.1": "DIRECT",
    "172.31.255.255": "DIRECT",
    "172.32.0.1": BOX,
    "192.168.1.1": "DIRECT",
    "192.169.1.1": BOX,
    "169.254.1.1": "DIRECT",
    "8.8.8.8": BOX,
    "::1": "DIRECT",
    "[::1]": "DIRECT",
    "fd12:3456::1": "DIRECT",
    "fe80::1": "DIRECT",
    "2606:4700:4700::1111": BOX,
    "::ffff:8.8.8.8": BOX,
    "fc.example": BOX,
}


def test_the_pac_file(chromium: Browser) -> None:
    page = chromium.new_page()
    page.add_script_tag(content=pac.script("10.0.0.1", 8080))
    found = {host: page.evaluate("host => FindProxyForURL('http://' + host + '/', host)", host) for host in ROUTES}
    page.close()
    assert found == ROUTES
