"""The texts: six languages with the same keys, every category and every reason told, and no slips of the pen."""

import re
import tomllib
from pathlib import Path

import pytest

from appliance.notice.language import LANGUAGES
from appliance.notice.texts import Texts, texts
from filters.model import ClientGroup

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "appliance" / "notice" / "texts"
NAMED_CATEGORIES = (
    *("illegal", "protected", "essential", "adult", "self-harm", "extremism", "hate", "discrimination", "violence"),
    *("drugs", "gambling", "dating", "random-chat", "piracy", "malware", "phishing", "bypass", "remote-control"),
    *("cheating", "weapons", "alcohol-tobacco", "games", "social", "video", "chat", "forums", "ai-chat", "ads"),
)
SAME_WORD = {
    *(
        "meta.direction",
        "page.pages",
        "block.site",
        "proxy.port",
        "status.date",
        "category.video.title",
        "category.chat.title",
    ),
}
SCRIPT = {"ar": r"[\u0600-\u06ff]", "ru": r"[\u0400-\u04ff]", "zh": r"[\u4e00-\u9fff]"}


def test_every_language_has_its_file_and_no_file_is_without_a_language() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_keys_places_and_steps_are_those_of_english(language: str) -> None:
    english, other = texts("en").sentences, texts(language).sentences
    assert set(other) == set(english)
    for key, lines in english.items():
        assert len(other[key]) == len(lines), key
        assert places(other[key]) == places(lines), key


def places(lines: tuple[str, ...]) -> list[str]:
    return sorted(re.findall(r"\{\w+\}", " ".join(lines)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_written_and_trimmed(language: str) -> None:
    for key, lines in texts(language).sentences.items():
        for line in lines:
            assert line == line.strip(), key
            assert line and "  " not in line and "\n" not in line, key


@pytest.mark.parametrize("language", sorted(SCRIPT))
def test_every_sentence_is_in_the_script_of_its_language(language: str) -> None:
    for key, lines in texts(language).sentences.items():
        for line in lines:
            assert key == "meta.direction" or re.search(SCRIPT[language], line), key


@pytest.mark.parametrize("language", ("fr", "es"))
def test_nothing_stayed_english(language: str) -> None:
    english = texts("en").sentences
    same = {key for key, lines in texts(language).sentences.items() if lines == english[key]}
    assert same <= SAME_WORD


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_category_of_the_rules_is_told(language: str) -> None:
    rows = tomllib.loads((ROOT / "rules" / "categories.toml").read_text(encoding="utf-8"))["category"]
    for name in [*NAMED_CATEGORIES, *(row["name"] for row in rows)]:
        words = texts(language).category(name)
        assert words.title != name and words.text != texts(language).say("category.other.text"), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_group_is_told(language: str) -> None:
    for group in ClientGroup:
        assert texts(language).policy(group.value) != group.value


def test_only_arabic_is_written_from_the_right() -> None:
    assert {language for language in LANGUAGES if texts(language).direction == "rtl"} == {"ar"}
    assert all(texts(language).direction in ("ltr", "rtl") for language in LANGUAGES)


def test_what_a_school_made_itself_is_called_by_its_name() -> None:
    english = texts("en")
    assert english.category("our-own").title == "our-own"
    assert english.category(None).title == english.say("category.other.title")
    assert english.policy("exam-week") == "exam-week"


def test_places_are_filled() -> None:
    made = Texts("en", {"a.b": ("{n} of {m}",), "a.c": ("{literal}",)})
    assert made.say("a.b", n=1, m="two") == "1 of two"
    assert made.say("a.c") == "{literal}"
    with pytest.raises(KeyError):
        made.say("a.d")
