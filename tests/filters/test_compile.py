"""Turning rules into sets and merging them: lines, duplicates, sizes. (The laws are in tests/laws.)"""

import pytest

from filters.compile import SHARES, compile_list, merge
from filters.index import LINE, ListInfo, RuleSet
from filters.syntax import ParsedRule, Shape
from tests.laws.support import KEY, one_set

INFO = ListInfo("list", "games", "2026-11-23")


def name(line: int, text: str, allow: bool = False) -> ParsedRule:
    return ParsedRule(line, Shape.NAME, allow, text)


def merged(*sets: RuleSet) -> RuleSet:
    return RuleSet(b"".join(merge(sets, KEY).sections))


def test_a_line_that_comes_twice_is_kept_once_and_counted() -> None:
    compiled = compile_list([name(1, "a.c"), name(2, "b.c"), name(9, "a.c")], INFO, KEY)
    assert (compiled.entries, compiled.duplicates) == (2, 1)
    (hit,) = RuleSet(b"".join(compiled.sections)).find("a.c")[0]
    assert hit.line == 1


def test_a_rule_and_its_exception_are_no_duplicates() -> None:
    compiled = compile_list([name(1, "a.c"), name(2, "a.c", allow=True)], INFO, KEY)
    assert (compiled.entries, compiled.duplicates) == (2, 0)


def test_the_marker_of_a_host_with_paths_counts_as_no_rule() -> None:
    rows = [ParsedRule(line, Shape.PATH, False, f"a.c/{line}") for line in range(1, 4)]
    compiled = compile_list(rows, INFO, KEY)
    assert compiled.entries == 4  # three rules and one marker
    assert compiled.duplicates == 0
    assert RuleSet(b"".join(compiled.sections)).lists[0].entries == 3


def test_merging_keeps_each_list_and_its_lines() -> None:
    rules = merged(
        one_set(1, "games", [name(4, "a.c"), name(50, "b.c")]),
        one_set(2, "adult", [name(1, "a.c")]),
        one_set(3, "games", [name(7, "a.c"), name(8, "d.c")]),
    )
    told = [(hit.info.name, hit.line) for hit in rules.find("a.c")[0]]
    assert told == [("list-1", 4), ("list-2", 1)]  # the third holds what the first of its category already does
    assert [(hit.info.name, hit.line) for hit in rules.find("d.c")[0]] == [("list-3", 8)]
    assert [(info.name, info.lines, info.entries) for info in rules.lists] == [
        ("list-1", 50, 2),
        ("list-2", 1, 1),
        ("list-3", 8, 1),
    ]


def test_an_empty_list_among_others() -> None:
    rules = merged(one_set(1, "games", []), one_set(2, "adult", [name(1, "a.c")]), one_set(3, "chat", []))
    assert [hit.info.name for hit in rules.find("a.c")[0]] == ["list-2"]


def test_patterns_keep_their_list() -> None:
    rows = [ParsedRule(6, Shape.GLOB, False, "x*.c")]
    rules = merged(one_set(1, "games", [name(5, "a.c")]), one_set(2, "adult", rows), one_set(3, "chat", rows))
    told = [(hit.info.name, hit.category, hit.line) for hit in rules.find("xyz.c")[0]]
    assert told == [("list-2", "adult", 6), ("list-3", "chat", 6)]


def test_the_progress_is_told_in_equal_parts() -> None:
    told: list[int] = []
    merge([one_set(1, "games", [name(1, "a.c")])], KEY, lambda: told.append(1))
    assert len(told) == SHARES


def test_merging_nothing() -> None:
    assert merged().find("a.c") == ((), False)


def test_more_lines_than_a_set_can_number_are_refused() -> None:
    """A line is told by 28 bits; past them it would be told as another list's."""
    sets = [one_set(number, "games", [name(LINE - 1, f"n{number}.c")]) for number in range(2)]
    with pytest.raises(ValueError, match="lines"):
        merge(sets, KEY)


def test_a_set_costs_ten_bytes_a_name_beside_its_directory() -> None:
    rows = [name(line, f"n{line}.example") for line in range(1, 3_001)]
    small, large = compile_list(rows[:1_000], INFO, KEY), compile_list(rows, INFO, KEY)
    grown = sum(map(len, large.sections)) - sum(map(len, small.sections))
    assert 10 * 2_000 <= grown <= 10 * 2_000 + 20


def test_many_names_are_all_found_and_their_neighbours_are_not() -> None:
    rules = one_set(0, "games", [name(line, f"n{line}.example") for line in range(1, 5_001)])
    for line in (*range(1, 5_001, 37), 5_000):
        (hit,) = rules.find(f"www.n{line}.example")[0]
        assert (hit.line, hit.text) == (line, f"n{line}.example")
    assert not any(rules.find(f"m{line}.example")[0] for line in range(2_000))
