"""The way to help: the number as it was checked, the steps in their order."""

import pytest

from appliance.notice.help import TAKE_IT_DOWN, HelpLine, blackmail_card, call, conditions, entry, in_language
from appliance.notice.language import LANGUAGES
from appliance.notice.texts import texts

LINE = HelpLine("Child <Line>", "0800 1111", "2026-11-20", free=True, hours="08:00–20:00")
HELP = "http://help.schoolgate.internal/"


@pytest.mark.parametrize(
    ("number", "dialled"),
    [("116", "tel:116"), ("0800 1111", "tel:08001111"), ("+264 61-226", "tel:+26461226"), ("*88#", "tel:*88%23")],
)
def test_a_number_can_be_tapped(number: str, dialled: str) -> None:
    html = call(HelpLine("x", number, "2026-11-20"))
    assert f'href="{dialled}"' in html
    assert f">{number}<" in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_entry_leads_to_help_and_tells_when_the_number_was_checked(language: str) -> None:
    html = entry(texts(language), HELP, LINE)
    assert f'href="{HELP}?lang={language}"' in html
    assert "Child &lt;Line&gt;" in html and "2026-11-20" in html and "08:00–20:00" in html
    assert texts(language).say("gethelp.free") in html


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_checked_number_none_is_shown(language: str) -> None:
    assert "tel:" not in entry(texts(language), HELP, None)
    assert "tel:" not in blackmail_card(texts(language), HELP, None)


def test_only_what_is_known_of_the_line_is_said() -> None:
    english = texts("en")
    said = "".join(conditions(english, HelpLine("x", "116", "2026-11-20")))
    assert english.say("gethelp.free") not in said and "Open" not in said
    assert "2026-11-20" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_card_keeps_the_order_of_the_guidance(language: str) -> None:
    words = texts(language)
    html = blackmail_card(words, HELP, LINE)
    steps = [words.say(f"card.{step}") for step in ("pay", "keep", "stop", "tell")]
    places = [html.index(text) for text in [words.say("card.fault"), *steps, TAKE_IT_DOWN, "tel:08001111"]]
    assert places == sorted(places)


def test_on_the_help_page_the_card_does_not_lead_to_itself() -> None:
    assert "#card" in blackmail_card(texts("en"), HELP, None)
    assert "#card" not in blackmail_card(texts("en"), None, None)


def test_links_carry_the_language() -> None:
    assert in_language("http://x/why", texts("ru")) == "http://x/why?lang=ru"
