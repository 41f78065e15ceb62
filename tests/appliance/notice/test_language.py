"""choose: the header's wishes in order of weight, shortened until one is met (RFC 9110 12.5.4, RFC 4647 3.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.notice.language import LANGUAGES, choose


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("fr", "fr"),
        ("FR-ca", "fr"),
        ("zh-TW", "zh"),
        ("zh-Hant-TW,en;q=0.8", "zh"),
        ("ar-x-private", "ar"),
        ("es-419,es;q=0.9,en;q=0.8", "es"),
        ("sw,fr;q=0.5,en;q=0.4", "fr"),
        ("en;q=0.3, ru;q=0.9", "ru"),
        ("en;q=0.9,fr;q=0.901", "fr"),
        ("en , fr", "en"),
        ("sw, hi;q=0.9", "en"),
        ("", "en"),
        ("*", "en"),
        ("en;q=0, *", "fr"),
        ("en;q=0", "en"),
        ("fr;q=0, fr-CA, ru;q=0.1", "ru"),
        ("fr;q=1.5, ru", "ru"),
        ("fr;q=abc, ru;q=0.1", "ru"),
        ("fr;q=0.1234, ru;q=0.1", "ru"),
        ("fr;level=1, ru;q=0.1", "ru"),
        ("fr; q=0.5 ,ru;q=0.4", "fr"),
        ("français, es", "es"),
        ("---,;;=,q=1,es", "es"),
        ("fr_FR, es", "es"),
    ],
)
def test_choose(header: str, expected: str) -> None:
    assert choose(header) == expected


def test_default_is_the_schools() -> None:
    assert choose("sw", default="ar") == "ar"
    assert choose("*", default="ar") == "ar"


def test_only_available_languages_are_chosen() -> None:
    assert choose("fr, es", available=("en", "es")) == "es"


def test_a_header_without_end_is_cut() -> None:
    assert choose("xx," * 100_000 + "fr") == "en"


@given(st.text(alphabet=st.sampled_from("frenzhq=0.15;,*- x\t\x00é")) | st.text())
def test_any_header_yields_a_language_we_have(header: str) -> None:
    assert choose(header) in LANGUAGES


@given(st.lists(st.tuples(st.sampled_from(LANGUAGES), st.integers(1, 1000)), min_size=1, max_size=6))
def test_the_heaviest_wish_wins_and_the_first_of_equals(wishes: list[tuple[str, int]]) -> None:
    header = ",".join(f"{language};q={weight / 1000:.3f}" for language, weight in wishes)
    heaviest = max(weight for _, weight in wishes)
    assert choose(header) == next(language for language, weight in wishes if weight == heaviest)


@given(st.sampled_from(LANGUAGES), st.lists(st.from_regex(r"[a-z0-9]{2,8}", fullmatch=True), max_size=4))
def test_a_longer_tag_falls_to_its_language(language: str, subtags: list[str]) -> None:
    assert choose("-".join([language, *subtags])) == language
