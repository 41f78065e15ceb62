"""The block page and the problem page: whole, small, without a trap, in every language and for everything there is."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.notice.help import HelpLine, Links
from appliance.notice.language import LANGUAGES
from appliance.notice.page import HEADERS, Problem, block_page, problem_page, trusted_page
from appliance.notice.texts import texts
from filters.model import Action, Reason, Rule, Verdict

LIMIT = 20_000
LINE = HelpLine("National Children's Helpline", "+999 0800 116 116", "2026-11-20", free=True, hours="24/7")
RULE = Rule("ut1-adult", 10234, "x", "2026-08-17")
LONG = "a." * 126 + "a"
CATEGORIES = sorted(
    key.split(".")[1] for key in texts("en").sentences if key.startswith("category.") and key.endswith(".title")
)
OURS = {"schoolgate.internal", "help.schoolgate.internal", "takeitdown.ncmec.org"}


def blocked(category: str | None = "gambling", reason: Reason = Reason.BLOCKED_BY_CATEGORY) -> Verdict:
    return Verdict(Action.BLOCK, reason, "primary", category, RULE)


def skeleton(page: bytes) -> list[tuple[str, tuple[str, ...]]]:
    """The tags and the names of their attributes, in order."""
    found: list[tuple[str, tuple[str, ...]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
            found.append((name, tuple(key for key, _ in attributes)))

        def handle_endtag(self, name: str) -> None:
            found.append((f"/{name}", ()))

    reader = Reader()
    reader.feed(page.decode())
    reader.close()
    return found


def said(page: bytes) -> str:
    """The words of a page."""
    words: list[str] = []
    reader = HTMLParser()
    reader.handle_data = words.append  # type: ignore[method-assign]
    reader.feed(re.sub(r"<style>.*?</style>", "", page.decode(), flags=re.DOTALL))
    reader.close()
    return "".join(words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_category_has_a_small_page(language: str) -> None:
    for category in [*CATEGORIES, "made-by-a-school"]:
        page = block_page(blocked(category), LONG, language, LINE)
        assert len(page) <= LIMIT
        assert texts(language).category(category).title in said(page)
        assert texts(language).category(category).text in said(page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_small_page(language: str, reason: Reason) -> None:
    page = block_page(Verdict(Action.BLOCK, reason, "guest"), LONG, language, LINE)
    assert len(page) <= LIMIT
    assert texts(language).policy("guest") in said(page)


def test_each_reason_to_block_has_its_own_words() -> None:
    own = [reason for reason in Reason if f"reason.{reason.value}.title" in texts("en").sentences]
    titles = {said(block_page(Verdict(Action.BLOCK, reason, "guest"), "x.example", "en")) for reason in own}
    assert len(titles) == len(own) == 9


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("problem", Problem)
def test_every_problem_has_a_small_page(language: str, problem: Problem) -> None:
    page = problem_page(problem, LONG, "certificate has expired", language, LINE)
    assert len(page) <= LIMIT
    assert texts(language).say(f"problem.{problem.value}.text") in said(page)
    assert "certificate has expired" in said(page)
    assert 400 <= problem.status < 600


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_what_it_must(language: str) -> None:
    words = texts(language)
    page = said(block_page(blocked(), "bets.example", language, LINE))
    for told in ("bets.example", "ut1-adult", "10234", "2026-08-17", words.policy("primary"), LINE.number):
        assert told in page
    for key in ("block.calm", "block.wrong", "gethelp.title", "gethelp.button", "reason.blocked_by_category.todo"):
        assert words.say(key) in page


def test_where_it_leads() -> None:
    page = block_page(blocked(), "x.example", "fr", None, Links("http://a/", "http://b/why", "http://c/")).decode()
    assert re.findall('href="([^"]+)"', page) == ["http://b/why?lang=fr", "http://c/?lang=fr", "http://a/?lang=fr"]


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_blackmail_card_comes_where_blackmail_begins(category: str) -> None:
    shown = texts("en").say("card.title") in said(block_page(blocked(category), "x.example", "en"))
    assert shown is (category in {"adult", "random-chat"})


def test_a_rule_made_by_hand_says_so_and_has_no_line() -> None:
    page = said(block_page(replace(blocked(), rule=Rule("school", 0, "x", "")), "x.example", "en"))
    assert texts("en").say("block.by_hand") in page
    assert texts("en").say("block.undated") in page
    assert texts("en").say("block.line") not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_readable_aloud(language: str) -> None:
    page = block_page(blocked("adult"), "x.example", language, LINE).decode()
    assert f'<html lang="{language}" dir="{texts(language).direction}">' in page
    assert page.count("<h1>") == page.count("<main ") == page.count("<header ") == page.count("<footer ") == 1
    labels = re.findall(r'aria-labelledby="(\w+)"', page)
    assert len(labels) >= 4 and all(page.count(f'id="{label}"') == 1 for label in labels)
    assert 'name="viewport"' in page and "user-scalable" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_loaded_and_nothing_runs(language: str) -> None:
    pages = [block_page(blocked("adult"), "x.example", language, LINE), trusted_page(language)]
    pages += [problem_page(problem, "x.example", "y", language, LINE) for problem in Problem]
    for page in pages:
        names = {name for name, _ in skeleton(page)}
        assert not names & {"script", "img", "link", "iframe", "object", "form", "base"}
        assert not re.search(r"\son\w+=|\ssrc=|javascript:|@import", page.decode())
        assert set(re.findall(r'href="https?://([^/"]+)', page.decode())) <= OURS


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></main><h1>",
    "' onmouseover='x",
    "&lt;b&gt;",
    "{host}{0}%s",
    "]]><!-- ",
    "\u202ecom.elgoog",
    "\x00\x1b[31m\r\nSet-Cookie: a=b",
    "\ud800",
    "x" * 100_000,
]


@given(st.sampled_from(HOSTILE) | st.text(min_size=1))
def test_nothing_breaks_out_of_the_block_page(hostile: str) -> None:
    tame = replace(blocked("made-up"), policy="made-up", rule=Rule("made-up", 7, "x", "2026"))
    wild = replace(tame, category=hostile, policy=hostile, rule=Rule(hostile, 7, hostile, hostile))
    line = HelpLine(hostile, hostile, hostile, hours=hostile)
    page = block_page(wild, hostile, "ar", line)
    assert skeleton(page) == skeleton(block_page(tame, "x", "ar", HelpLine("x", "1", "x", hours="x")))
    assert len(page) <= LIMIT
    assert b"\x00" not in page and "\u202e" not in page.decode()


@given(st.sampled_from(HOSTILE) | st.text(min_size=1))
def test_nothing_breaks_out_of_the_problem_page(hostile: str) -> None:
    page = problem_page(Problem.CERTIFICATE_INVALID, hostile, hostile, "zh")
    assert skeleton(page) == skeleton(problem_page(Problem.CERTIFICATE_INVALID, "x", "x", "zh"))
    assert len(page) <= LIMIT


def test_the_headers_let_the_page_have_its_style_and_nothing_else() -> None:
    policy = dict(HEADERS)["Content-Security-Policy"]
    (style,) = re.findall(b"<style>(.*?)</style>", block_page(blocked(), "x.example", "en"), re.DOTALL)
    assert f"'sha256-{b64encode(sha256(style).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert dict(HEADERS)["Cache-Control"] == "no-store"
    assert all(re.fullmatch(r"[\x20-\x7e]+", value) for _, value in HEADERS)
