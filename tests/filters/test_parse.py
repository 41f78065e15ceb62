"""parse() as a whole: every format is read, bad lines lose nothing, the quick path says what the reader says."""

from collections.abc import Iterator

import pytest

from filters.names import normalise
from filters.parse import Format, ParsedRule, Problem, RuleSyntaxError, Shape, detect, not_a_list, parse, safe_regex
from filters.syntax import LONGEST_LINE

ONE_LINE = {
    Format.HOSTS: "0.0.0.0 bad.example",
    Format.PLAIN: "bad.example",
    Format.WILDCARD: "*.bad.example",
    Format.ADBLOCK: "||bad.example^",
    Format.DNSMASQ: "address=/bad.example/",
    Format.UNBOUND: 'local-zone: "bad.example" always_nxdomain',
    Format.RPZ: "*.bad.example CNAME .",
    Format.SQUIDGUARD_DOMAINS: "bad.example",
    Format.SQUIDGUARD_URLS: "bad.example/",
    Format.V2FLY: "domain:bad.example",
    Format.ETH_PHISHING: '{"blacklist": ["bad.example"]}',
}


def suffix(name: str) -> bool:
    return "." not in name


@pytest.mark.parametrize(("form", "line"), ONE_LINE.items())
def test_every_format_says_the_same_of_a_name(form: Format, line: str) -> None:
    assert list(parse([line + "\r\n"], form, suffix)) == [ParsedRule(1, Shape.NAME, False, "bad.example")]


def test_expressions_are_a_format_of_their_own() -> None:
    assert [one.text for one in parse(["bad[0-9]/"], Format.SQUIDGUARD_EXPRESSIONS, suffix)] == ["bad[0-9]/"]


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.ETH_PHISHING])
def test_a_line_too_long_is_one_refusal_and_the_rest_is_read(form: Format) -> None:
    last = ONE_LINE.get(form, "badword")
    first, *others = parse(["x" * (LONGEST_LINE + 1), "", last], form, suffix)
    assert isinstance(first, RuleSyntaxError)
    assert (first.line, first.problem) == (1, Problem.TOO_LONG)
    assert others == [one._replace(line=3) for one in parse([last], form, suffix) if isinstance(one, ParsedRule)]


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    for form in (Format.PLAIN, Format.ADBLOCK):
        assert [one.text for one in parse(["\ufeffbad.example"], form, suffix)] == ["bad.example"]


def test_bad_lines_lose_nothing() -> None:
    lines = ["a.example", "b@d", "# no", "", "c.example", "com"]
    assert [(one.line, type(one)) for one in parse(lines, Format.PLAIN, suffix)] == [
        (1, ParsedRule),
        (2, RuleSyntaxError),
        (5, ParsedRule),
        (6, RuleSyntaxError),
    ]


def test_lines_are_read_as_they_are_asked_for() -> None:
    def endless() -> Iterator[str]:
        while True:
            yield "bad.example\n"

    assert next(parse(endless(), Format.PLAIN, suffix)).text == "bad.example"


@pytest.mark.parametrize(
    "name", ["bad.example", "a_b.bad.example", "xn--bcher-kva.de", "com", "a..b", "1.2.3", f"{'a.' * 126}bc"]
)
def test_the_quick_path_and_the_reader_agree(name: str) -> None:
    quick = list(parse([name], Format.PLAIN, suffix))
    slow = list(parse([name], Format.WILDCARD, suffix))
    hosts = list(parse([f"0.0.0.0 {name}"], Format.HOSTS, suffix))
    assert quick == slow
    if normalise(name):
        assert [(one.line, one.text) for one in hosts] == [(one.line, one.text) for one in slow]


def test_the_public_suffix_is_asked_for_names_of_any_depth() -> None:
    deep = "a.b.c.d.e.f.example"
    (found,) = parse([deep], Format.PLAIN, lambda name: name == deep)
    assert isinstance(found, RuleSyntaxError)
    assert found.problem is Problem.TOO_WIDE


def test_what_consumers_need_is_in_one_place() -> None:
    assert detect("bad.example\n") is Format.PLAIN
    assert not_a_list("bad.example\n") is None
    assert safe_regex("badword") is None
