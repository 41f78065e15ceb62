"""The JSON of eth-phishing-detect, in one line or in many."""

import json

from filters.parse import Format, ParsedRule, Problem, RuleSyntaxError, Shape, parse

CONFIG = {
    "version": 2,
    "tolerance": 2,
    "fuzzylist": ["wallet.example"],
    "whitelist": ["good.example"],
    "blacklist": ["bad.example", "b\u00fccher.example", "x", "page.example/claim"],
}


def read(text: str) -> list[ParsedRule | RuleSyntaxError]:
    return list(parse(text.split("\n"), Format.ETH_PHISHING, lambda name: "." not in name))


def test_lists_and_their_lines() -> None:
    found = read(json.dumps(CONFIG, indent=2))
    assert found == [
        RuleSyntaxError(5, 6, "wallet.example", Problem.NOT_FOR_US),
        ParsedRule(8, Shape.NAME, True, "good.example"),
        ParsedRule(11, Shape.NAME, False, "bad.example"),
        ParsedRule(12, Shape.NAME, False, "xn--bcher-kva.example"),
        RuleSyntaxError(13, 6, "x", Problem.TOO_WIDE),
        ParsedRule(14, Shape.PATH, False, "page.example/claim"),
    ]


def test_one_long_line_says_the_same() -> None:
    many = CONFIG | {"blacklist": [f"bad{number}.example" for number in range(1_000)]}
    found = read(json.dumps(many))
    assert [one.text for one in found if isinstance(one, ParsedRule) and not one.allow] == many["blacklist"]


def test_a_broken_end_loses_nothing_before_it() -> None:
    rule, refusal = read('{"blocklist": ["bad.example", "worse.exam')
    assert rule.text == "bad.example"
    assert isinstance(refusal, RuleSyntaxError)
    assert refusal.problem is Problem.NOT_THE_FORMAT
