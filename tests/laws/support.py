"""What the laws draw from: names that meet each other, rules about them, policies, requests; and how to build a set."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from filters.compile import compile_list, merge
from filters.engine import Rulebook
from filters.index import Hit, ListInfo, RuleSet
from filters.model import ClientGroup, Hello, Request, Via
from filters.policy import Category, Hours, Kind, Override, Policy, Schedule, Wants
from filters.safesearch import SafeSearch
from filters.syntax import ParsedRule, Shape
from filters.urls import canonical
from filters.urls import key as path_key

KEY = bytes(range(16))
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)

CATEGORIES = {
    "illegal": Category("illegal", Kind.SEALED, severity=100),
    "protected": Category("protected", Kind.PROTECTED, record=False),
    "essential": Category("essential", Kind.ESSENTIAL, record=False),
    "school": Category("school", Kind.ALLOWED, record=False),
    "confidential": Category("confidential", Kind.CONFIDENTIAL, record=False),
    "adult": Category("adult", Kind.CONTENT, severity=80),
    "dating": Category("dating", Kind.CONTENT, record=False, severity=50),
    "games": Category("games", Kind.CONTENT, severity=20),
    "chat": Category("chat", Kind.CONTENT, severity=20),
}
CONTENT = frozenset(name for name, row in CATEGORIES.items() if row.kind is Kind.CONTENT)

SAFE_SEARCH = SafeSearch(
    targets={"a.b.c": "safe.b.c", "b.c": "safe.b.c"},
    youtube=frozenset({"x.b.c"}),
    youtube_targets={"strict": "strict.b.c", "moderate": "moderate.b.c"},
    not_lockable=(".d.c", ".a.d"),
)

LISTS = st.sampled_from(sorted(CATEGORIES))
labels = st.sampled_from(["a", "b", "x", "d", "xa"])
names = st.lists(labels, min_size=1, max_size=4).map(lambda parts: ".".join([*parts, "c"])) | st.sampled_from(
    ["c", "b"]
)
"""few labels, so that names lie below, above and beside each other"""
addresses = st.sampled_from(["10.0.0.1", "0.0.0.1", "93.184.215.14", "2001:db8::1", "::1"])
hosts = st.one_of(names, names, names, addresses)
segments = st.lists(st.sampled_from(["p", "q", "pq", "%70", ".", "..", ""]), max_size=4).map("/".join)
paths = st.builds(lambda path, query: f"/{path}{query}", segments, st.sampled_from(["", "", "?q=1", "?p/q"]))


@st.composite
def rules(draw: st.DrawFn, lines: int = 40) -> ParsedRule:
    """One rule that a digest can hold."""
    shape = draw(st.sampled_from([Shape.NAME, Shape.NAME, Shape.EXACT, Shape.PATH]))
    host = draw(hosts)
    text = path_key(host, draw(paths)) if shape is Shape.PATH else host
    if shape is Shape.PATH and text == f"{host}/":
        shape, text = Shape.NAME, host
    return ParsedRule(draw(st.integers(1, lines)), shape, draw(st.integers(0, 5)) == 0, text)


globs = st.sampled_from(["*ads*.c", "a*.b.c", "x*a.c"]).map(lambda text: ParsedRule(3, Shape.GLOB, False, text))
Lists = list[tuple[str, list[ParsedRule]]]
lists_of_rules = st.lists(st.tuples(LISTS, st.lists(rules() | globs, max_size=8)), max_size=5)


def one_set(number: int, category: str, parsed: Iterable[ParsedRule], key: bytes = KEY) -> RuleSet:
    """One list, compiled."""
    info = ListInfo(f"list-{number}", category, "2026-11-23")
    return RuleSet(b"".join(compile_list(parsed, info, key).sections))


def rule_set(drawn: Lists) -> RuleSet:
    """Several lists, compiled by themselves and merged, as a box does it."""
    sets = [one_set(number, category, parsed) for number, (category, parsed) in enumerate(drawn)]
    return RuleSet(b"".join(merge(sets, KEY).sections))


def of_names(**categories: str) -> RuleSet:
    """A set with one name (or several, by spaces) in each category."""
    return rule_set(
        [
            (category, [ParsedRule(line, Shape.NAME, False, name) for line, name in enumerate(told.split(), 1)])
            for category, told in categories.items()
        ]
    )


class Model:
    """What a rule set means, by plain comparison of texts: slow, obvious, and the measure of the real one."""

    def __init__(self, drawn: Lists) -> None:
        self.infos = [ListInfo(f"list-{number}", category, "2026-11-23") for number, (category, _) in enumerate(drawn)]
        self.rules = [(number, rule) for number, (_, parsed) in enumerate(drawn) for rule in parsed]

    def find(self, host: str, path: str | None = None) -> tuple[tuple[Hit, ...], bool]:
        """As RuleSet.find."""
        found: dict[tuple[object, ...], tuple[int, ParsedRule]] = {}
        excepted = set()
        for number, rule in self.rules:
            if covers(rule, host, path):
                category = self.infos[number].category
                if rule.allow:
                    excepted.add(category)
                else:
                    same = (category, rule.shape, rule.text)
                    is_pattern = rule.shape >= Shape.GLOB
                    other = found.get(same)
                    if is_pattern:
                        found[*same, number, rule.line, len(found)] = (number, rule)
                    elif other is None or (number, rule.line) < (other[0], other[1].line):
                        found[same] = (number, rule)
        hits = [Hit(self.infos[number], rule.line, rule.text) for number, rule in found.values()]
        hits.sort(key=lambda hit: -len(hit.text.partition("/")[0]))
        marked = any(rule.shape is Shape.PATH and on(rule.text.partition("/")[0], host) for _, rule in self.rules)
        return tuple(hit for hit in hits if hit.category not in excepted), marked


def on(ruled: str, host: str) -> bool:
    """Whether a host is the ruled name or lies below it; nothing lies below an address."""
    last = host.rpartition(".")[2]
    is_address = ":" in host or last.isdigit()
    return host == ruled or (not is_address and host.endswith(f".{ruled}"))


def covers(rule: ParsedRule, host: str, path: str | None) -> bool:
    """Whether one rule covers a request."""
    if rule.shape is Shape.EXACT:
        return host == rule.text
    if rule.shape is Shape.NAME:
        return on(rule.text, host)
    if rule.shape is Shape.GLOB:
        expression = re.escape(rule.text).replace(r"\*", ".*")
        return re.fullmatch(rf"(?:.*\.)?{expression}", host) is not None
    ruled_host, _, ruled = rule.text.partition("/")
    if path is None or not on(ruled_host, host):
        return False
    full = canonical(path)
    bare = full.partition("?")[0]
    return ruled in (full, bare) or bare.startswith(f"{ruled}/")


def asked(hits: Iterable[Hit]) -> Iterator[tuple[str, str, int, str]]:
    """Hits as plain rows, without what the compiler counts into ListInfo."""
    return ((hit.info.name, hit.category, hit.line, hit.text) for hit in hits)


moments = st.builds(
    lambda minutes, seconds: NOON + timedelta(minutes=minutes, seconds=seconds),
    st.integers(-10_000, 10_000),
    st.integers(0, 59),
)
overrides = st.builds(
    Override,
    st.just("id"),
    st.sampled_from(ClientGroup),
    moments.map(lambda at: at.astimezone(timezone(timedelta(hours=3)))),
    st.none() | hosts,
)
slots = st.builds(
    Hours,
    st.frozensets(st.integers(0, 6)),
    st.integers(0, 1439),
    st.integers(0, 1440),
    st.frozensets(st.sampled_from(sorted(CONTENT))),
    st.frozensets(st.sampled_from(sorted(CONTENT))),
)
schedules = st.builds(
    Schedule, st.lists(slots, max_size=2).map(tuple), st.lists(slots, max_size=2).map(tuple)
) | st.just(Schedule())
policies = st.builds(
    Policy,
    st.just("drawn"),
    st.frozensets(st.sampled_from(sorted(CONTENT))),
    schedules,
    st.booleans(),
    st.sampled_from(["strict", "moderate", None]),
    st.frozensets(st.sampled_from(Wants)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
requests = st.builds(
    Request,
    hosts,
    st.sampled_from(ClientGroup),
    st.sampled_from(Via),
    moments,
    st.none() | paths,
    st.sampled_from(Hello),
)
books = st.builds(
    lambda drawn, held: Rulebook(Model(drawn), CATEGORIES, SAFE_SEARCH, tuple(held)),
    lists_of_rules,
    st.lists(overrides, max_size=3),
)
