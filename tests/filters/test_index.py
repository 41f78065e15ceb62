"""Reading a compiled set: what is found, in which order, and what is refused. (The laws are in tests/laws.)"""

import mmap
from pathlib import Path

import pytest

from filters.index import DIRECTORY, HEADER, MAGIC, BadRuleSet, ListInfo, RuleSet
from filters.syntax import ParsedRule, Shape
from tests.laws.support import KEY, of_names, one_set, rule_set


def rule(shape: Shape, text: str, line: int = 1, allow: bool = False) -> ParsedRule:
    return ParsedRule(line, shape, allow, text)


def texts(rules: RuleSet, host: str, path: str | None = None) -> list[str]:
    return [hit.text for hit in rules.find(host, path)[0]]


def test_a_set_over_a_mapped_file_is_the_set(tmp_path: Path) -> None:
    rules = of_names(games="example.org play.example", adult="bad.example")
    (tmp_path / "rules.set").write_bytes(rules.buffer)
    with (tmp_path / "rules.set").open("rb") as file:
        mapped = RuleSet(memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)))
    mapped.verify()
    for host in ("www.example.org", "bad.example", "unlisted.example"):
        assert mapped.find(host) == rules.find(host)
    assert mapped.entries == 3
    assert mapped.lists == rules.lists


def test_the_file_is_as_its_module_says() -> None:
    """The layout is a contract between boxes: little-endian, in this order, nothing between."""
    rules = of_names(games="example.org")
    raw = bytes(rules.buffer)
    magic, checksum, key, entries, manifest = HEADER.unpack_from(raw)
    assert (magic, len(checksum), key, entries) == (MAGIC, 16, KEY, 1)
    assert len(raw) == HEADER.size + 4 * DIRECTORY + 10 * entries + manifest
    assert HEADER.size == 64
    assert b"example" not in raw  # the text of a rule is not kept


def test_the_text_of_a_pattern_is_kept_and_of_a_name_is_not() -> None:
    raw = bytes(rule_set([("games", [rule(Shape.GLOB, "play*.example"), rule(Shape.NAME, "secret.example")])]).buffer)
    assert b"play*.example" in raw
    assert b"secret" not in raw


def test_the_most_specific_comes_first_and_each_line_is_its_own() -> None:
    rules = one_set(0, "games", [rule(Shape.NAME, "c", 2), rule(Shape.NAME, "a.b.c", 7), rule(Shape.NAME, "b.c", 4)])
    assert [(hit.text, hit.line) for hit in rules.find("x.a.b.c")[0]] == [("a.b.c", 7), ("b.c", 4), ("c", 2)]


def test_an_exact_rule_is_for_that_name_only() -> None:
    rules = rule_set([("games", [rule(Shape.EXACT, "b.c")])])
    assert texts(rules, "b.c") == ["b.c"]
    assert texts(rules, "a.b.c") == texts(rules, "c") == []


def test_a_whole_top_level_domain() -> None:
    rules = rule_set([("games", [rule(Shape.NAME, "c")])])
    assert texts(rules, "a.b.c") == texts(rules, "c") == ["c"]
    assert texts(rules, "c.b") == []


@pytest.mark.parametrize("address", ["10.0.0.1", "2001:db8::1"])
def test_nothing_lies_above_an_address(address: str) -> None:
    tail = address.rpartition(".")[2]
    rules = rule_set(
        [("games", [rule(Shape.NAME, address)]), ("adult", [rule(Shape.NAME, tail if "." in address else "1")])]
    )
    assert texts(rules, address) == [address]


def test_a_path_rule_marks_its_host_and_those_below() -> None:
    rules = rule_set([("games", [rule(Shape.PATH, "b.c/p/q", 3)])])
    assert rules.find("b.c") == ((), True)
    assert rules.find("a.b.c") == ((), True)
    assert rules.find("x.c") == ((), False)
    assert texts(rules, "a.b.c", "/p/q/r?s") == ["b.c/p/q"]
    assert rules.find("a.b.c", "/p") == ((), True)


def test_a_path_rule_on_a_host_of_one_label() -> None:
    """A school's own "intranet/games": below it lies www.intranet, as below any other name."""
    rules = rule_set([("games", [rule(Shape.PATH, "intranet/games")])])
    assert texts(rules, "intranet", "/games") == ["intranet/games"]
    assert texts(rules, "www.intranet", "/games") == ["intranet/games"]


def test_an_exception_opens_its_own_category_only() -> None:
    rules = rule_set(
        [
            ("games", [rule(Shape.NAME, "b.c"), rule(Shape.NAME, "a.b.c", 2, allow=True)]),
            ("adult", [rule(Shape.NAME, "b.c")]),
        ]
    )
    assert [hit.category for hit in rules.find("a.b.c")[0]] == ["adult"]
    assert [hit.category for hit in rules.find("x.b.c")[0]] == ["games", "adult"]


def test_an_exception_for_a_path() -> None:
    rows = [rule(Shape.NAME, "b.c"), rule(Shape.PATH, "b.c/learn", 2, allow=True)]
    rules = rule_set([("games", rows)])
    assert texts(rules, "b.c", "/learn/maths") == []
    assert texts(rules, "b.c", "/play") == ["b.c"]
    assert rules.find("b.c")[1], "the path decides, so it is wanted"


def test_patterns_beside_names() -> None:
    rows = [rule(Shape.GLOB, "ads*.b.c", 4), rule(Shape.REGEX, "^bad[0-9]", 5), rule(Shape.URL_GLOB, "u.c/x*z", 6)]
    rules = rule_set([("chat", [rule(Shape.NAME, "z.c")]), ("games", rows)])
    assert [(hit.text, hit.line, hit.category) for hit in rules.find("ads7.b.c")[0]] == [("ads*.b.c", 4, "games")]
    assert texts(rules, "bad7.x.c") == ["^bad[0-9]"]
    assert rules.find("u.c") == ((), True)
    assert texts(rules, "u.c", "/xyz") == ["u.c/x*z"]


def test_an_exception_that_is_a_pattern() -> None:
    rules = rule_set([("games", [rule(Shape.NAME, "b.c"), rule(Shape.GLOB, "learn*.b.c", 2, allow=True)])])
    assert texts(rules, "learning.b.c") == []
    assert texts(rules, "play.b.c") == ["b.c"]


def test_a_hit_tells_its_rule() -> None:
    hit = one_set(3, "games", [rule(Shape.NAME, "b.c", 12)]).find("a.b.c")[0][0]
    told = hit.rule
    assert (told.list, told.line, told.text, told.date) == ("list-3", 12, "b.c", "2026-11-23")


def test_an_empty_set() -> None:
    rules = rule_set([])
    rules.verify()
    assert rules.find("a.b.c", "/p") == ((), False)
    assert rules.lists == ()


@pytest.mark.parametrize("length", [0, 1, 63, 64, 1000])
def test_too_short(length: int) -> None:
    with pytest.raises(BadRuleSet):
        RuleSet(bytes(rule_set([]).buffer)[:length])


def test_of_another_version() -> None:
    raw = bytearray(rule_set([]).buffer)
    raw[7] += 1
    with pytest.raises(BadRuleSet, match="version"):
        RuleSet(bytes(raw))


def test_list_info_counts() -> None:
    info = one_set(0, "games", [rule(Shape.NAME, "a.c", 3), rule(Shape.NAME, "b.c", 9)]).lists[0]
    assert info == ListInfo("list-0", "games", "2026-11-23", lines=9, entries=2)
