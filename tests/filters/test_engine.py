"""Precedence, told by examples: for each filter the request that it decides, and the one above it that wins."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from filters.engine import ABOUT_RULES, FILTERS, Case, Rulebook, decide, explain, is_address, is_sealed
from filters.index import RuleSet
from filters.model import Action, ClientGroup, Hello, Reason, Request, Rule, Verdict, Via
from filters.policy import Hours, Override, Policy, Schedule, Wants
from filters.safesearch import SafeSearch
from filters.syntax import ParsedRule, Shape
from tests.laws.support import CATEGORIES, NOON, one_set, rule_set

LATER = NOON + timedelta(hours=1)
EVERYTHING = "everything.example"
"""a name about which every rule has something to say"""


def name(text: str, line: int = 1) -> ParsedRule:
    return ParsedRule(line, Shape.NAME, False, text)


def book(**rules: str) -> Rulebook:
    """A rule book with one name in each category that is given."""
    drawn = [(category, [name(text)]) for category, text in rules.items()]
    table = SafeSearch(
        {"search.example": "safe.search.example", EVERYTHING: "safe.example"},
        frozenset({"video.example"}),
        {"strict": "strict.video.example"},
        (".wild.example",),
    )
    return Rulebook(rule_set(drawn), CATEGORIES, table)


STRICT = Policy(
    "strict",
    frozenset({"adult", "games", "dating"}),
    youtube="strict",
    inspect=frozenset(Wants),
    no_server_name=False,
)
LOOSE = Policy("loose", safe_search=False, direct_address=True, encrypted_hello=True)
CLOSED_NOW = replace(STRICT, schedule=Schedule((Hours(frozenset(range(7)), 0, 60),)))


def ask(host: str, **more: object) -> Request:
    return replace(Request(host, ClientGroup.PRIMARY, Via.TLS, NOON), **more)  # type: ignore[arg-type]


def with_override(scene: Rulebook, host: str | None) -> Rulebook:
    return replace(scene, overrides=(*scene.overrides, Override("id", ClientGroup.PRIMARY, LATER, host)))


def test_above_stands_what_is_named_first() -> None:
    """One name that every filter wants; taking the topmost reason away each time tells the whole order."""
    scene = book(illegal=EVERYTHING, protected=EVERYTHING, essential=EVERYTHING, school=EVERYTHING, adult=EVERYTHING)
    request = ask(EVERYTHING, hello=Hello.ENCRYPTED)
    scene = with_override(with_override(scene, None), EVERYTHING)
    wild = replace(scene.safe_search, not_lockable=(f".{EVERYTHING}",))
    steps: list[tuple[Reason, Callable[[Rulebook], Rulebook]]] = [
        (Reason.SEALED, lambda scene: without(scene, "illegal")),
        (Reason.PROTECTED, lambda scene: without(scene, "protected")),
        (Reason.SAFE_SEARCH, lambda scene: replace(scene, safe_search=SafeSearch())),  # an essential name, led away
        (Reason.ESSENTIAL, lambda scene: without(scene, "essential")),
        (Reason.PAUSED, lambda scene: replace(scene, overrides=scene.overrides[1:])),
        (Reason.ALLOWED_BY_OVERRIDE, lambda scene: replace(scene, overrides=())),
        (Reason.OUTSIDE_HOURS, lambda scene: scene),
    ]
    for reason, take_away in steps:
        assert decide(request, CLOSED_NOW, scene).reason is reason
        scene = take_away(scene)
    steps = [
        (Reason.ALLOWED_BY_RULE, lambda scene: without(scene, "school")),
        (Reason.BLOCKED_BY_CATEGORY, lambda scene: replace(without(scene, "adult"), safe_search=wild)),
        (Reason.SEARCH_NOT_LOCKABLE, lambda scene: replace(scene, safe_search=replace(wild, not_lockable=()))),
        (Reason.SAFE_SEARCH, lambda scene: replace(scene, safe_search=SafeSearch())),
        (Reason.ENCRYPTED_HELLO, lambda scene: scene),
    ]
    for reason, take_away in steps:
        assert decide(request, STRICT, scene).reason is reason
        scene = take_away(scene)
    assert decide(replace(request, hello=Hello.NO_NAME), STRICT, scene).reason is Reason.NO_SERVER_NAME
    assert decide(replace(request, hello=Hello.NAMED), STRICT, scene).reason is Reason.PAGE_WANTED
    assert decide(request, LOOSE, scene).reason is Reason.NOT_LISTED


def without(scene: Rulebook, category: str) -> Rulebook:
    """The same rule book without one category."""
    assert isinstance(scene.rules, RuleSet)
    kept = [info.category for info in scene.rules.lists if info.category != category]
    return replace(scene, rules=rule_set([(one, [name(EVERYTHING)]) for one in kept]))


def test_the_filters_that_are_left_out_where_no_rule_applies_have_nothing_to_say_there() -> None:
    case = Case(ask("unlisted.example"), STRICT, book(adult=EVERYTHING))
    assert all(consider(case) is None for consider in ABOUT_RULES)
    assert set(FILTERS) > ABOUT_RULES


def test_a_verdict_names_list_line_category_policy_and_date() -> None:
    scene = Rulebook(one_set(3, "adult", [name("bad.example", 17)]), CATEGORIES)
    assert decide(ask("www.bad.example"), STRICT, scene) == Verdict(
        Action.BLOCK,
        Reason.BLOCKED_BY_CATEGORY,
        "strict",
        "adult",
        Rule("list-3", 17, "bad.example", "2026-11-23"),
        None,
        record=True,
    )


def test_of_several_categories_the_gravest_is_told_and_of_several_rules_the_most_specific() -> None:
    drawn = [("games", [name("www.bad.example")]), ("adult", [name("bad.example", 5), name("www.bad.example", 9)])]
    verdict = decide(ask("www.bad.example"), STRICT, Rulebook(rule_set(drawn), CATEGORIES))
    assert verdict.category == "adult"
    assert verdict.rule and (verdict.rule.line, verdict.rule.text) == (9, "www.bad.example")


@pytest.mark.parametrize(
    ("category", "policy", "kept"),
    [("adult", STRICT, True), ("dating", STRICT, False), ("adult", replace(STRICT, record=False), False)],
)
def test_a_block_is_kept_only_where_category_and_policy_let_it(category: str, policy: Policy, kept: bool) -> None:
    assert decide(ask("bad.example"), policy, book(**{category: "bad.example"})).record is kept


@pytest.mark.parametrize(
    ("policy", "scene"),
    [
        (CLOSED_NOW, book()),
        (STRICT, with_override(book(), None)),
    ],
)
def test_a_pause_and_the_timetable_say_nothing_about_a_child(policy: Policy, scene: Rulebook) -> None:
    verdict = decide(ask("example.org"), policy, scene)
    assert verdict.action is Action.BLOCK and not verdict.record


@pytest.mark.parametrize("category", ["school", "essential"])
def test_what_is_allowed_is_still_led_to_the_safe_address(category: str) -> None:
    verdict = decide(ask("search.example"), STRICT, book(**{category: "search.example"}))
    assert (verdict.action, verdict.target) == (Action.REWRITE, "safe.search.example")


def test_protected_names_are_left_exactly_alone() -> None:
    verdict = decide(ask("search.example", hello=Hello.ENCRYPTED), CLOSED_NOW, book(protected="search.example"))
    assert (verdict.action, verdict.reason, verdict.record) == (Action.ALLOW, Reason.PROTECTED, False)


@pytest.mark.parametrize(
    ("via", "wants", "listed", "marked", "action"),
    [
        (Via.TLS, {Wants.PATHS}, "", True, Action.INSPECT),
        (Via.TLS, {Wants.PATHS}, "", False, Action.ALLOW),
        (Via.TLS, {Wants.UNKNOWN}, "", False, Action.INSPECT),
        (Via.TLS, {Wants.UNKNOWN}, "chat", False, Action.ALLOW),
        (Via.TLS, {Wants.UNKNOWN, Wants.PATHS}, "confidential", True, Action.ALLOW),
        (Via.TLS, set(), "", True, Action.ALLOW),
        (Via.DNS, set(Wants), "", True, Action.ALLOW),
        (Via.HTTP, set(Wants), "", True, Action.ALLOW),
    ],
)
def test_the_page_is_wanted(via: Via, wants: set[Wants], listed: str, marked: bool, action: Action) -> None:
    drawn = [(listed, [name("site.example")])] if listed else []
    drawn += [("games", [ParsedRule(1, Shape.PATH, False, "site.example/play")])] if marked else []
    policy = replace(STRICT, inspect=frozenset(wants))
    assert decide(ask("site.example", via=via), policy, Rulebook(rule_set(drawn), CATEGORIES)).action is action


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("10.0.0.1", True),
        ("::1", True),
        ("2001:db8::a", True),
        ("example.org", False),
        ("1.example", False),
        ("10.0.0.1.example", False),
        ("xn--1", False),
        ("a1", False),
    ],
)
def test_is_address(host: str, expected: bool) -> None:
    assert is_address(host) is expected


def test_only_the_first_filter_is_asked_when_all_else_failed() -> None:
    scene = with_override(book(illegal="bad.example", adult="adult.example"), "bad.example")
    assert is_sealed(ask("www.bad.example"), LOOSE, scene)
    assert not is_sealed(ask("adult.example"), STRICT, scene)


def test_explain_tells_each_step_and_every_rule() -> None:
    scene = book(adult="bad.example", chat="bad.example")
    told = explain(ask("bad.example"), STRICT, scene)
    assert [step for step, _ in told.steps] == [consider.__name__ for consider in FILTERS][: len(told.steps)]
    assert told.steps[-1] == ("blocked_by_category", told.verdict)
    assert {hit.category for hit in told.hits} == {"adult", "chat"}


def test_a_request_that_no_rule_covers_is_explained_to_the_end() -> None:
    told = explain(ask("example.org"), LOOSE, book())
    assert [step for step, _ in told.steps] == [consider.__name__ for consider in FILTERS]
    assert told.verdict == Verdict(Action.ALLOW, Reason.NOT_LISTED, "loose")
