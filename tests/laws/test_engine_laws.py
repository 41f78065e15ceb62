"""What holds for decide(), whatever the rules, the policy and the request."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from filters.engine import Rulebook, decide, explain, is_sealed
from filters.model import Action, ClientGroup, Hello, Reason, Request, Via
from filters.policy import Kind, Override, Policy
from filters.syntax import ParsedRule, Shape
from tests.laws.support import (
    CATEGORIES,
    CONTENT,
    NOON,
    SAFE_SEARCH,
    Lists,
    Model,
    books,
    hosts,
    lists_of_rules,
    names,
    overrides,
    policies,
    requests,
)


def book_of(drawn: Lists) -> Rulebook:
    return Rulebook(Model(drawn), CATEGORIES, SAFE_SEARCH)


def with_rule(book: Rulebook, category: str, host: str) -> Rulebook:
    """The same book with one rule more."""
    assert isinstance(book.rules, Model)
    own: Lists = [(category, [ParsedRule(1, Shape.NAME, False, host)])]
    more = Model(own)
    more.rules = [(number + 1, rule) for number, rule in book.rules.rules if not is_exception(book, number, rule)]
    more.rules.insert(0, (0, own[0][1][0]))
    more.infos += book.rules.infos
    return replace(book, rules=more)


def is_exception(book: Rulebook, number: int, rule: ParsedRule) -> bool:
    """An exception takes its own category's rules away; those laws are about rules that hold."""
    assert isinstance(book.rules, Model)
    return rule.allow and book.rules.infos[number].category not in CONTENT


def is_covered(book: Rulebook, request: Request, kind: Kind) -> bool:
    hits, _ = book.rules.find(request.host, request.path)
    return any(CATEGORIES[hit.category].kind is kind for hit in hits)


@given(requests, policies, books)
def test_decide_is_total_and_the_same_each_time(request: Request, policy: Policy, book: Rulebook) -> None:
    verdict = decide(request, policy, book)
    assert verdict == decide(request, policy, book)
    assert verdict.policy == policy.name
    assert (verdict.target is not None) == (verdict.action is Action.REWRITE)
    assert (verdict.category is None) == (verdict.rule is None)


@given(requests, policies, books)
def test_explain_tells_the_verdict_of_decide(request: Request, policy: Policy, book: Rulebook) -> None:
    told = explain(request, policy, book)
    assert told.verdict == decide(request, policy, book)
    assert told.steps[-1] == (told.verdict.reason.value, told.verdict) or told.verdict.reason is Reason.SAFE_SEARCH
    assert all(opinion is None for _, opinion in told.steps[:-1])


@given(requests, policies, books)
def test_what_is_recorded_was_blocked_and_may_be_kept(request: Request, policy: Policy, book: Rulebook) -> None:
    verdict = decide(request, policy, book)
    if verdict.record:
        assert verdict.action is Action.BLOCK
        assert policy.record
        assert verdict.category is not None and CATEGORIES[verdict.category].record


@given(requests, policies, books)
def test_sealed_is_blocked_for_everybody_whatever_else_is_said(
    request: Request, policy: Policy, book: Rulebook
) -> None:
    book = with_rule(book, "illegal", request.host)
    verdict = decide(request, policy, book)
    assert (verdict.action, verdict.reason) == (Action.BLOCK, Reason.SEALED)
    assert is_sealed(request, policy, book)
    for group in ClientGroup:
        opened = replace(
            book,
            overrides=(Override("open", group, request.at + timedelta(hours=1), request.host),),
        )
        assert decide(replace(request, group=group), policy, opened).reason is Reason.SEALED


@given(requests, policies, books)
def test_protected_is_neither_blocked_nor_recorded_unless_sealed(
    request: Request, policy: Policy, book: Rulebook
) -> None:
    book = with_rule(book, "protected", request.host)
    assume(not is_covered(book, request, Kind.SEALED))
    paused = replace(book, overrides=(Override("pause", request.group, request.at + timedelta(hours=1)),))
    for scene in (book, paused):
        verdict = decide(request, policy, scene)
        assert (verdict.action, verdict.reason, verdict.record) == (Action.ALLOW, Reason.PROTECTED, False)


@given(requests, policies, books)
def test_essential_is_never_blocked_nor_recorded_unless_sealed(
    request: Request, policy: Policy, book: Rulebook
) -> None:
    book = with_rule(book, "essential", request.host)
    assume(not is_covered(book, request, Kind.SEALED))
    verdict = decide(request, policy, book)
    assert verdict.action in (Action.ALLOW, Action.REWRITE) and not verdict.record


@given(requests, policies, books, hosts)
def test_an_override_that_allows_never_blocks_more(request: Request, policy: Policy, book: Rulebook, host: str) -> None:
    before = decide(request, policy, book)
    allow = Override("more", request.group, request.at + timedelta(minutes=1), host)
    after = decide(request, policy, replace(book, overrides=(*book.overrides, allow)))
    assert before.action is Action.BLOCK or after.action is not Action.BLOCK


@given(requests, policies, lists_of_rules, hosts)
def test_an_allowlist_rule_never_blocks_more(request: Request, policy: Policy, drawn: Lists, host: str) -> None:
    before = decide(request, policy, book_of(drawn))
    for category in ("school", "protected", "essential"):
        more: Lists = [*drawn, (category, [ParsedRule(1, Shape.NAME, False, host)])]
        after = decide(request, policy, book_of(more))
        assert before.action is Action.BLOCK or after.action is not Action.BLOCK


@given(requests, policies, lists_of_rules, hosts, st.sampled_from(sorted(CONTENT)))
def test_an_exception_in_a_blocklist_never_blocks_more(
    request: Request, policy: Policy, drawn: Lists, host: str, category: str
) -> None:
    before = decide(request, policy, book_of(drawn))
    after = decide(request, policy, book_of([*drawn, (category, [ParsedRule(1, Shape.NAME, True, host)])]))
    assert before.action is Action.BLOCK or after.action is not Action.BLOCK


@given(requests, policies, lists_of_rules, hosts, st.sampled_from([*sorted(CONTENT), "illegal"]))
def test_a_block_rule_never_allows_more(
    request: Request, policy: Policy, drawn: Lists, host: str, category: str
) -> None:
    before = decide(request, policy, book_of(drawn))
    after = decide(request, policy, book_of([*drawn, (category, [ParsedRule(1, Shape.NAME, False, host)])]))
    assert before.action is not Action.BLOCK or after.action is Action.BLOCK


@given(requests, policies, books)
def test_a_pause_closes_all_but_what_is_protected_and_essential(
    request: Request, policy: Policy, book: Rulebook
) -> None:
    pause = Override("pause", request.group, request.at + timedelta(seconds=1))
    verdict = decide(request, policy, replace(book, overrides=(pause, *book.overrides)))
    assert verdict.action is Action.BLOCK or verdict.reason in (
        Reason.PROTECTED,
        Reason.ESSENTIAL,
        Reason.SAFE_SEARCH,  # an essential name that is led to its safe address
    )
    if verdict.reason is Reason.SAFE_SEARCH:
        assert is_covered(book, request, Kind.ESSENTIAL)


@given(requests, policies, books, overrides)
def test_an_override_changes_nothing_for_other_groups_nor_after_its_end(
    request: Request, policy: Policy, book: Rulebook, override: Override
) -> None:
    assume(override.group is not request.group or request.at >= override.until)
    after = decide(request, policy, replace(book, overrides=(*book.overrides, override)))
    assert after == decide(request, policy, book)


@given(names, names, policies)
def test_a_rule_covers_every_name_below_it_and_nothing_beside_it(host: str, ruled: str, policy: Policy) -> None:
    book = book_of([("illegal", [ParsedRule(1, Shape.NAME, False, ruled)])])
    verdict = decide(Request(host, ClientGroup.STAFF, Via.TLS, NOON), policy, book)
    below = host == ruled or host.endswith(f".{ruled}")
    assert (verdict.reason is Reason.SEALED) == below


@given(names, policies)
def test_a_name_that_ends_alike_is_beside_a_rule(host: str, policy: Policy) -> None:
    book = book_of([("illegal", [ParsedRule(1, Shape.NAME, False, host)])])
    for beside in (f"not{host}", f"{host}.example", f"x-{host}"):
        request = Request(beside, ClientGroup.STAFF, Via.TLS, NOON)
        assert decide(request, policy, book).reason is not Reason.SEALED


@given(requests, policies, books)
def test_only_what_the_policy_wants_is_inspected(request: Request, policy: Policy, book: Rulebook) -> None:
    if decide(request, policy, book).action is Action.INSPECT:
        assert (policy.inspect and request.via is Via.TLS and request.hello is not Hello.ENCRYPTED) or (
            policy.encrypted_hello
        )
        assert not is_covered(book, request, Kind.CONFIDENTIAL)
