"""Plain lists and hosts files."""

from collections.abc import Iterable

import pytest

from filters.parse import Format, ParsedRule, Problem, RuleSyntaxError, parse

SUFFIXES = {"com", "example", "co.uk", "uk", "github.io", "io"}


def read(text: str, form: Format = Format.PLAIN) -> list[ParsedRule | RuleSyntaxError]:
    return list(parse(text.split("\n"), form, lambda name: name in SUFFIXES or "." not in name))


def texts(found: Iterable[ParsedRule | RuleSyntaxError]) -> list[str]:
    return [one.text if isinstance(one, ParsedRule) else one.problem.name for one in found]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bad.example", ["bad.example"]),
        ("  Bad.Example.  ", ["bad.example"]),
        ("*.bad.example", ["bad.example"]),
        (".bad.example", ["bad.example"]),
        ("bücher.example # a shop", ["xn--bcher-kva.example"]),
        ("bad.example // why", ["bad.example"]),
        ("bad.example;why", ["NOT_A_NAME"]),
        ("192.0.2.1 # a machine", ["192.0.2.1"]),
        ("2001:DB8::1", ["2001:db8::1"]),
        ("192.0.2.0/24", ["NOT_FOR_US"]),
        ("https://bad.example/", ["bad.example"]),
        ("https://bad.example/A/b", ["bad.example/a/b"]),
        ("ads*.bad.example", ["ads*.bad.example"]),
        ("12345", ["NOT_A_NAME"]),
        ("bad example", ["NOT_THE_FORMAT"]),
        ("0.0.0.0 bad.example", ["bad.example"]),
        ("com", ["TOO_WIDE"]),
        ("*.co.uk", ["TOO_WIDE"]),
        ("github.io", ["TOO_WIDE"]),
        ("someone.github.io", ["someone.github.io"]),
        ("*", ["TOO_WIDE"]),
        ("*.*", ["TOO_WIDE"]),
        ("*e.com", ["TOO_WIDE"]),
        ("# bad.example", []),
        ("! bad.example", []),
        ("", []),
    ],
)
def test_plain_lines(line: str, expected: list[str]) -> None:
    assert texts(read(line)) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0.0.0.0 bad.example", ["bad.example"]),
        ("127.0.0.1\tbad.example\tworse.example # two", ["bad.example", "worse.example"]),
        (":: bad.example", ["bad.example"]),
        ("127.0.0.53 bad.example", ["bad.example"]),
        ("0.0.0.0  BAD.example", ["bad.example"]),
        ("127.0.0.1 localhost", []),
        ("0.0.0.0 0.0.0.0", []),
        ("ff02::1 ip6-allnodes", []),
        ("216.239.38.120 www.search.example", ["NOT_FOR_US"]),
        ("0.0.0.0 com", ["TOO_WIDE"]),
        ("0.0.0.0 bad.example bad!name", ["bad.example", "NOT_A_NAME"]),
        ("bad.example", ["bad.example"]),
        ("# 0.0.0.0 bad.example", []),
    ],
)
def test_hosts_lines(line: str, expected: list[str]) -> None:
    assert texts(read(line, Format.HOSTS)) == expected


def test_a_refusal_tells_line_and_column() -> None:
    assert read("good.example\n  b@d.example")[1] == RuleSyntaxError(2, 3, "b@d.example", Problem.NOT_A_NAME)
