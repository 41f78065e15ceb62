"""What all readers share: splitting of addresses, and what is never let through."""

import pytest

from filters.readers.base import Context, listed_host, split_url
from filters.readers.names import Names
from filters.syntax import LONGEST_QUOTE, ParsedRule, Problem, RuleSyntaxError, Shape

READER = Names(Context(lambda name: "." not in name))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("bad.example", ("bad.example", "")),
        ("HTTP://me:secret@bad.example:8080/a?b#c", ("bad.example", "/a?b")),
        ("bad.example?q", ("bad.example", "?q")),
        ("[2001:db8::1]:80/a", ("[2001:db8::1]", "/a")),
        ("2001:db8::1/a", ("2001:db8::1", "/a")),
        ("bad.example/#top", ("bad.example", "/")),
    ],
)
def test_addresses_are_split(text: str, parts: tuple[str, str]) -> None:
    assert split_url(text) == parts


def test_a_number_in_a_list_is_no_address() -> None:
    assert [listed_host(text) for text in ("2130706433", "127.1", "127.0.0.1", "::1")] == [
        None,
        None,
        "127.0.0.1",
        "::1",
    ]


@pytest.mark.parametrize(
    ("text", "shape", "filed"),
    [
        ("bad.example/", Shape.NAME, "bad.example"),
        ("bad.example//", Shape.NAME, "bad.example"),
        ("bad.example/x/..", Shape.NAME, "bad.example"),
        ("bad.example/A//b/", Shape.PATH, "bad.example/a/b"),
        ("bad.example/?q=1", Shape.PATH, "bad.example/?q=1"),
        ("bad.example/a*b", Shape.URL_GLOB, "bad.example/a*b"),
    ],
)
def test_sites(text: str, shape: Shape, filed: str) -> None:
    assert READER.site(7, text, text) == ParsedRule(7, shape, False, filed)


def test_a_path_too_deep_to_be_found_is_refused() -> None:
    deep = "bad.example" + "/x" * 16
    assert isinstance(READER.site(1, deep, deep), ParsedRule)
    assert READER.site(1, deep + "/x", deep + "/x") == RuleSyntaxError(1, 1, deep + "/x", Problem.TOO_DEEP)


def test_an_exception_may_be_wide_but_not_cover_everything() -> None:
    assert READER.name(1, "com", "com", allow=True) == ParsedRule(1, Shape.NAME, True, "com")
    assert isinstance(READER.name(1, "*", "*", allow=True), RuleSyntaxError)


def test_quotes_are_short_and_harmless() -> None:
    hostile = "\x1b[2J" + "x" * 500
    quote = READER.refuse(1, hostile, hostile, Problem.NOT_A_NAME).text
    assert len(quote) == LONGEST_QUOTE
    assert quote.isprintable()
