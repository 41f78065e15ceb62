"""Which expressions are let in, and that those are never slow by the count of steps their limits promise."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.expressions import LONGEST_EXPRESSION, PROBES, safe_regex
from filters.syntax import Problem


@pytest.mark.parametrize(
    "text",
    [
        r"(^|\.)shop[0-9]{2}\.example$",
        r"(^|\.)x0([0-1][0-9]?)?\.example$",
        r"(^|\.)(bad|worse|worst)site\.(com|net)$",
        r"^([0-9]{1,3}\.){3}7$",
        r"(?i)badword",
        r"^cdn.+\.bad\.example$",
        r"[]x]bad-\[word",
        r"bad(?:ly)?\.example",
    ],
)
def test_simple_expressions_are_let_in(text: str) -> None:
    assert safe_regex(text) is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (r"^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/find\?q=[0-9]+$", True),
        ("(/banner/|/sponsor/|adverts/)", True),
        ("badword.*worse", True),
        ("bad.*worse.*worst", False),
    ],
)
def test_the_limit_goes_by_what_an_expression_is_held_against(text: str, url: bool) -> None:
    assert safe_regex(text, url) is None


@pytest.mark.parametrize(
    "text",
    [
        *("(a+)+b", "(a*)*b", "(.*)*bad", "(a|a)*b", "(a|ab)+c", "(a{1,9}){1,9}b", "(.+\\.)*bad\\.example"),
        *("(bad)\\1", "bad(?=word)", "(?<!x)bad", "(?P<n>bad)", "\\x62ad", "a.*b.*c.*d", "(a|a)" * 30 + "b"),
        *("x" * (LONGEST_EXPRESSION + 1), "bad[0-9]{5000}", "(" * 12 + "bad" + ")" * 12),
    ],
)
def test_slow_or_opaque_expressions_are_not(text: str) -> None:
    assert safe_regex(text) is Problem.UNSAFE_EXPRESSION


def test_a_web_address_is_long_and_so_may_less() -> None:
    assert safe_regex("bad.*worse.*worst", url=True) is Problem.UNSAFE_EXPRESSION


@pytest.mark.parametrize(
    "text", ["(", ")", "[a", "a**", "*a", "a{3", "\\", "(?i", "[[:alpha:]]bad", "[a-z&&b]bad", "\\q"]
)
def test_broken_expressions(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert safe_regex(text) in (Problem.BROKEN_EXPRESSION, Problem.UNSAFE_EXPRESSION)


@pytest.mark.parametrize("text", ["", ".*", "a?", "bad|", r"\.com$", "^[a-z]", "z", r"\.(com|net|org)$", r"\."])
def test_expressions_that_cover_nearly_everything(text: str) -> None:
    assert safe_regex(text) is Problem.TOO_WIDE


def test_the_probes_are_of_different_suffixes() -> None:
    assert len({probe.partition(".")[2] for probe in PROBES}) == len(PROBES)


@given(st.text(alphabet="ab.*+?{}1,2()[]|^$\\-dw/", max_size=40), st.booleans())
def test_any_text_gets_an_answer_without_a_warning(text: str, url: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert safe_regex(text, url) in (None, *Problem)
