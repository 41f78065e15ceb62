"""decide(): one request, one policy, one rulebook, one verdict. explain(): the same, step by step.

Precedence is the tuple FILTERS and nothing else: the first filter with an opinion decides. Each takes a Case and
returns a Verdict or None. The last one always has an opinion, so decide() is total.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from filters.index import Hit
from filters.model import Action, Hello, Reason, Request, Verdict, Via
from filters.policy import Categories, Kind, Override, Policy, Wants
from filters.safesearch import SafeSearch


class Index(Protocol):
    """What the engine asks of a rule set; filters.index.RuleSet is one."""

    def find(self, host: str, path: str | None = None) -> tuple[tuple[Hit, ...], bool]:
        """The rules that cover the request, most specific first, and whether some rule needs its path."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything a decision looks at beside the request and the policy."""

    rules: Index
    categories: Categories
    safe_search: SafeSearch = field(default_factory=SafeSearch)
    overrides: tuple[Override, ...] = ()


class Case:
    """One request with what the rules say of it, looked up once."""

    __slots__ = ("book", "hits", "marked", "policy", "request")

    def __init__(self, request: Request, policy: Policy, book: Rulebook) -> None:
        self.request, self.policy, self.book = request, policy, book
        self.hits, self.marked = book.rules.find(request.host, request.path)

    def hit(self, kind: Kind) -> Hit | None:
        """The most specific rule whose category is of this kind."""
        for hit in self.hits:
            if self.book.categories[hit.category].kind is kind:
                return hit
        return None

    def verdict(self, action: Action, reason: Reason, hit: Hit | None = None, record: bool = False) -> Verdict:
        """A verdict of this case's policy, naming the rule that decided."""
        name, category, rule = self.policy.name, None, None
        if hit is not None:
            category, rule = hit.category, hit.rule
        return Verdict(action, reason, name, category, rule, None, record and self.policy.record)

    def rewrite(self) -> Verdict | None:
        """The verdict that leads to the safe address, where the policy wants one and there is one."""
        policy = self.policy
        target = self.book.safe_search.target(self.request.host, policy.safe_search, policy.youtube)
        if target is None:
            return None
        return Verdict(Action.REWRITE, Reason.SAFE_SEARCH, policy.name, target=target)


def sealed(case: Case) -> Verdict | None:
    """Illegal content: above everything, in every group."""
    if not (hit := case.hit(Kind.SEALED)):
        return None
    return case.verdict(Action.BLOCK, Reason.SEALED, hit, record=True)


def protected(case: Case) -> Verdict | None:
    """Help, health and rights: nothing below this line can block or record them."""
    if not (hit := case.hit(Kind.PROTECTED)):
        return None
    return case.verdict(Action.ALLOW, Reason.PROTECTED, hit)


def essential(case: Case) -> Verdict | None:
    """What devices ask to learn that they are online: never blocked, though it may be led to a safe address."""
    if not (hit := case.hit(Kind.ESSENTIAL)):
        return None
    return case.rewrite() or case.verdict(Action.ALLOW, Reason.ESSENTIAL, hit)


def paused(case: Case) -> Verdict | None:
    """A teacher has paused the group's Internet."""
    request = case.request
    for override in case.book.overrides:
        if override.host is None and override.holds(request.group, request.at):
            return case.verdict(Action.BLOCK, Reason.PAUSED)
    return None


def allowed_by_override(case: Case) -> Verdict | None:
    """A teacher has opened this name for a while. Safe search stays locked."""
    request = case.request
    for override in case.book.overrides:
        if (
            override.host is not None
            and override.holds(request.group, request.at)
            and f".{request.host}".endswith(f".{override.host}")
        ):
            return case.rewrite() or case.verdict(Action.ALLOW, Reason.ALLOWED_BY_OVERRIDE)
    return None


def outside_hours(case: Case) -> Verdict | None:
    """The school's timetable has no Internet for the group now."""
    if case.policy.schedule.is_open(case.request.at):
        return None
    return case.verdict(Action.BLOCK, Reason.OUTSIDE_HOURS)


def allowed_by_rule(case: Case) -> Verdict | None:
    """The school's own allowlist."""
    if not (hit := case.hit(Kind.ALLOWED)):
        return None
    return case.rewrite() or case.verdict(Action.ALLOW, Reason.ALLOWED_BY_RULE, hit)


def blocked_by_category(case: Case) -> Verdict | None:
    """A list says what this is, and the policy blocks that now; of several categories the gravest is told."""
    blocked = case.policy.blocked_at(case.request.at)
    categories = case.book.categories
    told = max(
        (hit for hit in case.hits if hit.category in blocked),
        key=lambda hit: categories[hit.category].severity,
        default=None,
    )
    if told is None:
        return None
    return case.verdict(Action.BLOCK, Reason.BLOCKED_BY_CATEGORY, told, record=categories[told.category].record)


def safe_search(case: Case) -> Verdict | None:
    """Search engines and video sites are reached at the address that enforces their own safe mode."""
    return case.rewrite()


def search_not_lockable(case: Case) -> Verdict | None:
    """Where safe search is wanted, an engine that cannot be locked is not reached at all."""
    if not case.policy.safe_search or case.book.safe_search.is_lockable(case.request.host):
        return None
    return case.verdict(Action.BLOCK, Reason.SEARCH_NOT_LOCKABLE)


def direct_address(case: Case) -> Verdict | None:
    """A bare address: no name to judge, and the usual way around a filter by name."""
    if case.policy.direct_address or not is_address(case.request.host):
        return None
    return case.verdict(Action.BLOCK, Reason.DIRECT_ADDRESS)


def encrypted_hello(case: Case) -> Verdict | None:
    """A real Encrypted Client Hello: the name that was read is not where the connection goes."""
    if case.request.hello is not Hello.ENCRYPTED or case.policy.encrypted_hello:
        return None
    return case.verdict(Action.BLOCK, Reason.ENCRYPTED_HELLO)


def no_server_name(case: Case) -> Verdict | None:
    """A ClientHello that names no server."""
    if case.request.hello is not Hello.NO_NAME or case.policy.no_server_name:
        return None
    return case.verdict(Action.BLOCK, Reason.NO_SERVER_NAME)


def page_wanted(case: Case) -> Verdict | None:
    """Allowed by name, but the policy wants the page judged too. Banks, health and government are never inspected."""
    wants = case.policy.inspect
    if not wants or case.request.via is not Via.TLS:
        return None
    if (case.marked and Wants.PATHS in wants) or (not case.hits and Wants.UNKNOWN in wants):
        return None if case.hit(Kind.CONFIDENTIAL) else case.verdict(Action.INSPECT, Reason.PAGE_WANTED)
    return None


def not_listed(case: Case) -> Verdict:
    """No filter above has an opinion: the name is allowed, and nobody keeps that it was asked."""
    return _not_listed(case.policy.name)


@lru_cache(maxsize=64)
def _not_listed(policy: str) -> Verdict:
    return Verdict(Action.ALLOW, Reason.NOT_LISTED, policy)


FILTERS: tuple[Callable[[Case], Verdict | None], ...] = (
    sealed,
    protected,
    essential,
    paused,
    allowed_by_override,
    outside_hours,
    allowed_by_rule,
    blocked_by_category,
    search_not_lockable,
    safe_search,
    direct_address,
    encrypted_hello,
    no_server_name,
    page_wanted,
    not_listed,
)
"""order is precedence; the first filter with an opinion decides"""

ABOUT_RULES = frozenset({sealed, protected, essential, allowed_by_rule, blocked_by_category})
"""filters that have no opinion on a request that no rule covers, as most are"""

_WITHOUT_RULES = tuple(consider for consider in FILTERS if consider not in ABOUT_RULES)


def is_address(host: str) -> bool:
    """Whether a normalised host is an IP address and no name."""
    return ":" in host or (host[-1] <= "9" and host.rpartition(".")[2].isdigit())


def decide(request: Request, policy: Policy, book: Rulebook) -> Verdict:
    """The verdict on a request. Total: whatever the values, exactly one verdict, the same for the same values."""
    case = Case(request, policy, book)
    for consider in FILTERS if case.hits else _WITHOUT_RULES:
        verdict = consider(case)
        if verdict is not None:
            return verdict
    raise AssertionError("the last filter always has an opinion")


def is_sealed(request: Request, policy: Policy, book: Rulebook) -> bool:
    """Only the first filter: what the gate asks when everything else has failed."""
    return sealed(Case(request, policy, book)) is not None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict with the opinion of every filter that was asked, in order."""

    verdict: Verdict
    steps: tuple[tuple[str, Verdict | None], ...]
    hits: tuple[Hit, ...]
    """every rule that covers the request, whether it decided or not"""


def explain(request: Request, policy: Policy, book: Rulebook) -> Explanation:
    """decide(), told step by step; its verdict is always decide()'s."""
    case = Case(request, policy, book)
    steps: list[tuple[str, Verdict | None]] = []
    for consider in FILTERS:
        verdict = consider(case)
        steps.append((consider.__name__, verdict))
        if verdict is not None:
            return Explanation(verdict, tuple(steps), case.hits)
    raise AssertionError("the last filter always has an opinion")
