"""Patterns: "*" against a regular expression that means the same, and what each form is held against."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.patterns import LONGEST_TEXT, Pattern, PatternForm, Patterns
from filters.syntax import Shape


@pytest.mark.parametrize("form", PatternForm)
def test_the_numbers_are_those_of_the_parser(form: PatternForm) -> None:
    assert Shape[form.name].value == form.value


@pytest.mark.parametrize(
    ("form", "text", "host", "path", "covered"),
    [
        (PatternForm.GLOB, "ads*.example.com", "ads1.example.com", None, True),
        (PatternForm.GLOB, "ads*.example.com", "ads.example.com", None, True),
        (PatternForm.GLOB, "ads*.example.com", "www.ads1.example.com", None, True),
        (PatternForm.GLOB, "ads*.example.com", "lads1.example.com", None, False),
        (PatternForm.GLOB, "ads*.example.com", "ads1.example.com.org", None, False),
        (PatternForm.GLOB, "*ads*.example.com", "lads.example.com", None, True),
        (PatternForm.GLOB, "example.*", "example.org", None, True),
        (PatternForm.GLOB, "example.*", "example.co.uk", None, True),
        (PatternForm.GLOB, "example.*", "notexample.org", None, False),
        (PatternForm.GLOB, "a*a.c", "a.c", None, False),  # the two may not share a letter
        (PatternForm.GLOB, "ADS*.example.com", "ads1.example.com", None, True),
        (PatternForm.URL_GLOB, "example.com/a*z", "example.com", None, False),
        (PatternForm.URL_GLOB, "example.com/a*z", "example.com", "/abcz", True),
        (PatternForm.URL_GLOB, "example.com/a*z", "www.example.com", "/abcz/more?x", True),
        (PatternForm.URL_GLOB, "example.com/a*z", "example.com", "/ABCZ", True),
        (PatternForm.URL_GLOB, "example.com/a*z", "example.com", "/b/az", False),
        (PatternForm.URL_GLOB, "example.com/a*z", "notexample.com", "/az", False),
        (PatternForm.REGEX, r"^ads[0-9]+\.", "ads12.example.com", None, True),
        (PatternForm.REGEX, r"^ads[0-9]+\.", "www.ads12.example.com", None, False),
        (PatternForm.REGEX, r"ads[0-9]", "www.ADS1.example.com", None, True),
        (PatternForm.REGEX, r"ads", "www.example.com", "/ads", False),
        (PatternForm.URL_REGEX, r"/ads[0-9]/", "www.example.com", "/x/ads1/", True),
        (PatternForm.URL_REGEX, r"/ads[0-9]/", "www.example.com", None, False),
        (PatternForm.URL_REGEX, r"^www\.example\.com/ads", "www.example.com", "/ads", True),
    ],
)
def test_covers(form: PatternForm, text: str, host: str, path: str | None, covered: bool) -> None:
    assert Pattern(form, text).matches(host, path) is covered


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("archive.example", "/web/https://www.example.com/abcz"),
        ("search.example", "/?q=.example.com/a-z"),
        ("login.example", "/next=x.example.com/az"),
    ],
)
def test_a_name_that_stands_in_a_path_is_not_the_host(host: str, path: str) -> None:
    """A rule covers a site and what is below it, not a page elsewhere that speaks of the site."""
    assert not Pattern(PatternForm.URL_GLOB, "example.com/a*z").matches(host, path)


@pytest.mark.parametrize(
    ("text", "named"),
    [("example.com/a*", "example.com"), ("Example.com/a*", "example.com"), ("ex*ple.com/a", None)],
)
def test_the_path_is_worth_reading_only_where_the_host_is_named(text: str, named: str | None) -> None:
    """A host with a "*" in it would have every page read."""
    assert Pattern(PatternForm.URL_GLOB, text).host == named


@pytest.mark.parametrize("form", [PatternForm.GLOB, PatternForm.REGEX, PatternForm.URL_REGEX])
def test_other_forms_never_ask_for_the_path(form: PatternForm) -> None:
    assert Pattern(form, "example.com").host is None


EXPRESSIONS = (
    r"^a[0-9]+\.mzstatic\.com$",
    r"(porn|sex)tube",
    r"casinos?bonus{1,2}x",
    r"free-?videos",
    r"ab|cdef",
    r"x+yz\-w\d",
)


@given(st.sampled_from(EXPRESSIONS).flatmap(lambda text: st.tuples(st.just(text), st.from_regex(text))))
def test_every_match_of_an_expression_holds_its_literals(case: tuple[str, str]) -> None:
    """What an expression is filed under may never hide a match."""
    text, match = case
    assert all(literal in match.lower() for literal in Pattern(PatternForm.REGEX, text).literals)


@given(st.lists(st.sampled_from(["ads*.example.com", "*tracker*", "porn*tube.net", "x*y.org"]), unique=True), st.data())
def test_filing_finds_what_trying_one_by_one_finds(texts: list[str], data: st.DataObject) -> None:
    rows = [(Pattern(PatternForm.GLOB, text), False, line) for line, text in enumerate(texts, 1)]
    host = data.draw(
        st.sampled_from(["ads1.example.com", "a.ads.example.com", "mytracker.net", "pornxtube.net", "xy.org"])
    )
    found = {line for _, _, line in Patterns(rows).find(host, None)}
    assert found == {line for pattern, _, line in rows if pattern.matches(host, None)}


few = st.text("ab.", min_size=1, max_size=12)


@given(st.lists(st.text("ab.", max_size=3), min_size=2, max_size=5).map("*".join), few)
def test_a_star_stands_for_any_letters(text: str, host: str) -> None:
    expression = re.escape(text).replace(r"\*", ".*")
    expected = re.fullmatch(rf"(?:.*\.)?{expression}", host) is not None
    assert Pattern(PatternForm.GLOB, text).matches(host, None) is expected


@given(st.lists(st.text("ab/", max_size=3), min_size=2, max_size=5).map("*".join), st.text("ab/", max_size=12))
def test_a_star_in_a_path_stands_for_any_letters_and_the_end_is_open(text: str, path: str) -> None:
    expression = re.escape(f"h.c/{text}").replace(r"\*", ".*")
    expected = re.match(expression, f"h.c/{path}", re.DOTALL) is not None
    assert Pattern(PatternForm.URL_GLOB, f"h.c/{text}").matches("h.c", f"/{path}") is expected


def test_an_address_is_looked_at_up_to_a_length() -> None:
    """What a child types must not keep the box busy."""
    pattern = Pattern(PatternForm.URL_REGEX, "needle")
    assert pattern.matches("h.c", "/" + "x" * (LONGEST_TEXT - 20) + "needle")
    assert not pattern.matches("h.c", "/" + "x" * LONGEST_TEXT + "needle")


def test_many_stars_on_a_long_text_are_one_pass() -> None:
    """Fails by the suite's time-out, where stars are tried against each other."""
    text = "*".join("a" * 500)
    assert not Pattern(PatternForm.URL_GLOB, f"h.c/{text}b").matches("h.c", "/" + "a" * 2_000)
