"""Scenarios: one request a line and the verdict it must get, in text that a teacher can read and add to.

    # host or address/path     who and how                       what must happen
    www.example.org            primary                        -> allow not_listed
    adult.schoolgate.test      staff mon 09:00                -> allow not_listed
    www.google.com             guest                          -> rewrite safe_search forcesafesearch.google.com
    example.org/secret         lower-secondary http           -> block blocked_by_category games

Between host and arrow stand, in any order, a group, a way (dns, tls, http; tls when none is said), a day, a time, and
hello:encrypted or hello:no_name. A host with a path is http. Behind the arrow: action, reason, then category or target.
Lines that begin with "!" set the scene for the lines below them, until "! end":

    ! rule games chess.example    a rule in that category      ! allow example.org primary    an override
    ! pause primary               a pause                      ! end                          back to nothing
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.errors import ConfigError
from filters.compile import compile_list
from filters.engine import Index, Rulebook, decide
from filters.index import Hit, ListInfo, RuleSet
from filters.model import ClientGroup, Hello, Request, Verdict, Via
from filters.names import host as normalise
from filters.policy import Override, Policy
from filters.syntax import ParsedRule, Shape
from filters.urls import key

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
"""the week in which scenarios play; no daylight saving begins or ends in it anywhere"""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_GROUPS = frozenset(group.value for group in ClientGroup)
_WAYS = frozenset(via.value for via in Via)
_KEY = bytes(16)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line: a request in its scene, and the words that must come out."""

    path: Path
    line: int
    request: Request
    expected: tuple[str, ...]
    rules: tuple[tuple[str, str], ...] = ()
    """(category, name or host/path) added for this scene"""
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A scenario whose verdict was another."""

    scenario: Scenario
    verdict: Verdict

    def __str__(self) -> str:
        asked, wanted = self.scenario.request, " ".join(self.scenario.expected)
        place = f"{self.scenario.path.name}:{self.scenario.line}"
        return f"{place}: {asked.host} for {asked.group.value} must be {wanted!r}, is {told(self.verdict)!r}"


def told(verdict: Verdict) -> str:
    """A verdict in the words of a scenario."""
    words = (verdict.action.value, verdict.reason.value, verdict.category or verdict.target or "")
    return " ".join(words).strip()


def read(path: Path) -> Iterator[Scenario]:
    """The scenarios of a file. Raises ConfigError naming file and line."""
    rules: list[tuple[str, str]] = []
    overrides: list[Override] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{path}: cannot be read ({why})", "Name a file of scenarios, one on each line.") from error
    for number, raw in enumerate(lines, 1):
        text = raw.partition("#")[0].strip()
        try:
            if text.startswith("!"):
                _scene(text[1:].split(), rules, overrides)
            elif text:
                request, expected = _line(text)
                yield Scenario(path, number, request, expected, tuple(rules), tuple(overrides))
        except ValueError as error:
            hint = 'Write it like "www.example.org  primary mon 09:00  -> allow not_listed".'
            raise ConfigError(f"{path}:{number}: {error}", hint) from error


def _scene(words: list[str], rules: list[tuple[str, str]], overrides: list[Override]) -> None:
    until = MONDAY + timedelta(days=8)
    match words:
        case ["end"]:
            rules.clear()
            overrides.clear()
        case ["rule", category, rule]:
            name, slash, path = rule.partition("/")
            rules.append((category, _host(name) + slash + path))
        case ["pause", group]:
            overrides.append(Override("scene", _group(group), until))
        case ["allow", host, group]:
            overrides.append(Override("scene", _group(group), until, _host(host)))
        case _:
            raise ValueError(f"{' '.join(words)!r} sets no scene")


def _line(text: str) -> tuple[Request, tuple[str, ...]]:
    asked, arrow, expected = text.partition("->")
    if not arrow or not expected.split() or not asked.split():
        raise ValueError('a scenario is "HOST GROUP -> ACTION REASON"')
    target, *words = asked.split()
    name, slash, path = target.partition("/") if "://" not in target else ("", "", "")
    host = _host(name)
    said = _Words()
    for word in words:
        said.take(word)
    if said.group is None:
        raise ValueError("no group is named")
    via = said.via or (Via.HTTP if slash else Via.TLS)
    at = MONDAY + timedelta(days=said.day, minutes=said.minute)
    request = Request(host, said.group, via, at, slash + path if slash else None, said.hello)
    return request, tuple(expected.split())


def _host(text: str) -> str:
    host = normalise(text)
    if host is None:
        raise ValueError(f"{text!r} is not a host")
    return host


def _group(text: str) -> ClientGroup:
    if text not in _GROUPS:
        raise ValueError(f"{text!r} is no group")
    return ClientGroup(text)


@dataclass(slots=True)
class _Words:
    """What stands between host and arrow, in any order."""

    group: ClientGroup | None = None
    via: Via | None = None
    day: int = 0
    minute: int = 12 * 60
    hello: Hello = Hello.NAMED

    def take(self, word: str) -> None:
        hours, _, minutes = word.partition(":")
        if word in _GROUPS:
            self.group = ClientGroup(word)
        elif word in _WAYS:
            self.via = Via(word)
        elif word.lower() in _DAYS:
            self.day = _DAYS.index(word.lower())
        elif hours == "hello" and minutes in [hello.value for hello in Hello]:
            self.hello = Hello(minutes)
        elif re.fullmatch("([01]?[0-9]|2[0-3]):[0-5][0-9]", word):
            self.minute = int(hours) * 60 + int(minutes)
        else:
            raise ValueError(f"{word!r} is no group, way, day or time")


def run(scenarios: Iterable[Scenario], policies: Mapping[ClientGroup, Policy], book: Rulebook) -> list[Mismatch]:
    """Every scenario whose verdict is not the expected one. Raises ConfigError for a rule in a category that does not
    exist."""
    wrong = []
    for scenario in scenarios:
        for category, _ in scenario.rules:
            if category not in book.categories:
                raise ConfigError(f"{scenario.path}:{scenario.line}: a rule above is for {category!r}, no category")
        scene = replace(book, overrides=scenario.overrides)
        if scenario.rules:
            scene = replace(scene, rules=_Both(book.rules, _compiled(scenario.rules)))
        verdict = decide(scenario.request, policies[scenario.request.group], scene)
        if tuple(told(verdict).split()) != scenario.expected:
            wrong.append(Mismatch(scenario, verdict))
    return wrong


class _Both:
    """Two rule sets asked as one."""

    def __init__(self, *parts: Index) -> None:
        self._parts = parts

    def find(self, host: str, path: str | None = None) -> tuple[tuple[Hit, ...], bool]:
        found = [part.find(host, path) for part in self._parts]
        return tuple(hit for hits, _ in found for hit in hits), any(marked for _, marked in found)


def _compiled(rules: tuple[tuple[str, str], ...]) -> Index:
    sets = []
    for category in dict.fromkeys(category for category, _ in rules):
        parsed = [
            ParsedRule(
                number,
                Shape.PATH if "/" in text else Shape.NAME,
                False,
                key(*text.split("/", 1)) if "/" in text else text,
            )
            for number, (own, text) in enumerate(rules, 1)
            if own == category
        ]
        compiled = compile_list(parsed, ListInfo("scene", category), _KEY)
        sets.append(RuleSet(b"".join(compiled.sections)))
    return _Both(*sets)
