"""Which category a list is for, and who may say so."""

from pathlib import Path

import pytest

from appliance.lists.publishers import ask_for_category, choice, publishers_names
from appliance.lists.sources import Member, Part
from appliance.tables import read_categories, rules_folder
from filters.syntax import Format

CATEGORIES = read_categories(rules_folder() / "categories.toml")
known = publishers_names(CATEGORIES)


def member(name: str, form: Format = Format.PLAIN, category: str = "") -> Member:
    return Member(name, (Part(Path(name), form, 1),), "2026-01-05", category=category)


@pytest.mark.parametrize(
    ("name", "form", "category"),
    [
        ("porn", Format.SQUIDGUARD_DOMAINS, "adult"),
        ("porn", Format.SQUIDGUARD_URLS, "adult"),
        ("porn", Format.PLAIN, None),
        ("astrology", Format.SQUIDGUARD_DOMAINS, None),
        ("skip", Format.SQUIDGUARD_DOMAINS, None),
        ("category-porn", Format.V2FLY, "adult"),
        ("google", Format.V2FLY, None),
    ],
)
def test_by_the_publishers_name(name: str, form: Format, category: str | None) -> None:
    assert known(member(name, form)) == category


@pytest.mark.parametrize("word", CATEGORIES)
def test_by_its_own_word_a_list_closes_and_never_opens_or_seals(word: str) -> None:
    """A list from outside that called itself protected would open whatever it names."""
    told = known(member("list", category=word.upper()))
    assert told == (word if CATEGORIES[word].kind.value in ("content", "confidential") else None)


def test_every_category_that_publishers_are_mapped_to_exists() -> None:
    for form, names in ((Format.SQUIDGUARD_DOMAINS, ["porn", "bank"]), (Format.V2FLY, ["category-games"])):
        assert all(known(member(name, form)) in CATEGORIES for name in names)


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (["publisher-Gambling"], "--category gambling."),
        (["porn_sites"], "--category adult."),
        (["Gambling", "other-gambling"], "--category gambling."),
        (["Gambling", "dating"], "There are illegal, "),
        (["gambling-and-dating"], "There are illegal, "),
        (["whatever"], "There are illegal, "),
    ],
)
def test_a_guess_is_no_more_than_a_hint(names: list[str], hint: str) -> None:
    members = [member(name) for name in names]
    assert all(known(each) is None for each in members)
    assert hint in ask_for_category(members, CATEGORIES)


def test_what_a_list_calls_itself_is_a_hint_too() -> None:
    assert "--category illegal." in ask_for_category([member("list", category="Illegal")], CATEGORIES)


def test_the_choice_names_all() -> None:
    assert all(name in choice(CATEGORIES) for name in CATEGORIES)
