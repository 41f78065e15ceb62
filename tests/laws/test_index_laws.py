"""What holds for compiled rule sets: they mean what a plain comparison of texts means, and no damage goes unnoticed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters.compile import compile_list, merge
from filters.index import BadRuleSet, ListInfo, RuleSet
from filters.syntax import ParsedRule, Shape
from tests.laws.support import (
    KEY,
    Lists,
    Model,
    asked,
    hosts,
    lists_of_rules,
    one_set,
    paths,
    rule_set,
    rules,
)

ROOT = Path(__file__).parents[2]
few = settings(max_examples=settings.default.max_examples // 5, suppress_health_check=[HealthCheck.too_slow])
"""a set has a directory of 65,537 slots, so that building one takes milliseconds"""
questions = st.lists(st.tuples(hosts, st.none() | paths), min_size=5, max_size=25)


@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=[HealthCheck.too_slow])
@given(lists_of_rules, questions)
def test_a_compiled_set_means_what_its_rules_mean(drawn: Lists, questions: list[tuple[str, str | None]]) -> None:
    compiled, model = rule_set(drawn), Model(drawn)
    for host, path in questions:
        hits, marked = compiled.find(host, path)
        expected, expected_marked = model.find(host, path)
        assert sorted(asked(hits)) == sorted(asked(expected)), (host, path)
        assert marked == expected_marked, (host, path)


@few
@given(lists_of_rules, questions)
def test_the_most_specific_rule_comes_first(drawn: Lists, questions: list[tuple[str, str | None]]) -> None:
    compiled = rule_set([(category, [rule for rule in rows if rule.shape < Shape.GLOB]) for category, rows in drawn])
    for host, path in questions:
        depths = [hit.text.partition("/")[0].count(".") for hit in compiled.find(host, path)[0]]
        assert depths == sorted(depths, reverse=True)


@few
@given(lists_of_rules, questions)
def test_merging_step_by_step_is_merging_at_once(drawn: Lists, questions: list[tuple[str, str | None]]) -> None:
    sets = [one_set(number, category, parsed) for number, (category, parsed) in enumerate(drawn)]
    at_once = merge(sets, KEY)
    step_by_step = RuleSet(b"".join(merge([], KEY).sections))
    for one in sets:
        step_by_step = RuleSet(b"".join(merge([step_by_step, one], KEY).sections))
    whole = RuleSet(b"".join(at_once.sections))
    for host, path in questions:
        assert step_by_step.find(host, path) == whole.find(host, path)
    assert bytes(step_by_step.buffer) == bytes(whole.buffer)


@few
@given(st.lists(rules(), max_size=10), st.lists(rules(), max_size=10), questions)
def test_two_halves_of_a_list_are_the_list(
    first: list[ParsedRule], second: list[ParsedRule], questions: list[tuple[str, str | None]]
) -> None:
    """The same category twice: what both hold is told by the first, and nothing is found twice."""
    whole = one_set(0, "games", first + [rule._replace(line=rule.line + 100) for rule in second])
    halves = RuleSet(b"".join(merge([one_set(1, "games", first), one_set(2, "games", second)], KEY).sections))
    last = max((rule.line for rule in first), default=0)
    for host, path in questions:
        told = [(hit.line if hit.line <= 100 else hit.line - 100 + last, hit.text) for hit in whole.find(host, path)[0]]
        both = [
            (hit.line if hit.info.name == "list-1" else hit.line + last, hit.text) for hit in halves.find(host, path)[0]
        ]
        assert sorted(told) == sorted(both)
    assert halves.entries == whole.entries


def small_set() -> bytes:
    """A set with a bit of everything."""
    return bytes(
        rule_set(
            [
                ("games", [ParsedRule(1, Shape.NAME, False, "a.c"), ParsedRule(2, Shape.PATH, False, "b.c/p")]),
                ("adult", [ParsedRule(3, Shape.GLOB, False, "*ads*.c"), ParsedRule(4, Shape.REGEX, False, "bad[0-9]")]),
            ]
        ).buffer
    )


SMALL = small_set()
BODY = len(SMALL) - 4 * 65_537
POSITIONS = st.one_of(
    st.integers(0, 63),
    st.integers(0, len(SMALL) - 1),
    st.integers(4 * 65_537 + 64, len(SMALL) - 1),  # entries and manifest, which the directory would hide
)


@settings(max_examples=2 * settings.default.max_examples)
@given(POSITIONS, st.integers(1, 255))
def test_one_flipped_byte_is_refused(at: int, flip: int) -> None:
    damaged = bytearray(SMALL)
    damaged[at] ^= flip
    with pytest.raises(BadRuleSet):
        RuleSet(bytes(damaged)).verify()


@given(st.integers(0, len(SMALL) - 1) | st.integers(0, 200))
def test_a_set_cut_short_is_refused(length: int) -> None:
    with pytest.raises(BadRuleSet):
        RuleSet(SMALL[:length]).verify()


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: SMALL + tail + b"x"))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(BadRuleSet):
        RuleSet(noise).verify()


@few
@given(lists_of_rules)
def test_the_same_rules_give_the_same_bytes(drawn: Lists) -> None:
    assert bytes(rule_set(drawn).buffer) == bytes(rule_set(drawn).buffer)


DETERMINISTIC = """
from hashlib import blake2b
from filters.compile import compile_list, merge
from filters.index import ListInfo, RuleSet
from filters.syntax import ParsedRule, Shape
key = bytes(range(16))
parsed = [ParsedRule(n, Shape.NAME, False, f"n{n}.example") for n in range(1, 500)]
parsed += [ParsedRule(n, Shape.PATH, False, f"n{n % 7}.example/{n}") for n in range(500, 600)]
sets = [RuleSet(b"".join(compile_list(parsed, ListInfo(c, c), key).sections)) for c in ("games", "adult")]
print(blake2b(b"".join(merge(sets, key).sections)).hexdigest())
"""


def test_the_bytes_are_the_same_in_every_process() -> None:
    """The hash seed of Python differs in each process; a set's bytes must not, or nobody could compare two boxes."""
    told = {
        subprocess.run(
            [sys.executable, "-c", DETERMINISTIC],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(told) == 1


@few
@given(lists_of_rules, st.binary(min_size=16, max_size=16), st.lists(hosts, min_size=1, max_size=10))
def test_the_key_of_the_box_changes_the_bytes_and_no_meaning(drawn: Lists, key: bytes, asked_for: list[str]) -> None:
    parsed = [rule for _, rows in drawn for rule in rows]
    mine, other = one_set(0, "games", parsed), one_set(0, "games", parsed, key)
    for host in asked_for:
        assert mine.find(host, "/p") == other.find(host, "/p")
    if key != KEY:
        assert bytes(mine.buffer) != bytes(other.buffer)


@few
@given(st.lists(rules(), max_size=12))
def test_what_is_kept_and_what_is_left_out_add_up(parsed: list[ParsedRule]) -> None:
    compiled = compile_list(parsed, ListInfo("list", "games"), KEY)
    kept = RuleSet(b"".join(compiled.sections)).lists[0]
    assert kept.entries + compiled.duplicates == len(parsed)
    assert kept.lines == max((rule.line for rule in parsed), default=0)
