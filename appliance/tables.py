"""Reads the data folder rules/ into the values that filters work with: categories, policies, safe search, bypass names.

A policy file beside the configuration (policies/NAME.toml) stands in for the built-in one of the same name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from appliance.errors import ConfigError
from appliance.notice.help import HelpLine
from appliance.settings import Table, near, read_toml
from filters.model import ClientGroup
from filters.policy import Category, Failure, Hours, Kind, Policy, Schedule, Wants
from filters.safesearch import SafeSearch

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def rules_folder() -> Path:
    """Where the data that comes with Schoolgate lies."""
    return Path(str(resources.files("rules")))


@dataclass(frozen=True, slots=True)
class Tables:
    """The data folder as values."""

    categories: Mapping[str, Category]
    policies: Mapping[ClientGroup, Policy]
    safe_search: SafeSearch
    ech_outer_names: frozenset[str]
    sources: tuple[Path, ...]
    """every file that was read, so that a change can be noticed"""


def read_tables(own_policies: Path | None, rules: Path | None = None) -> Tables:
    """Read everything; raises ConfigError at the first thing that is wrong."""
    rules = rules or rules_folder()
    categories = read_categories(rules / "categories.toml")
    policies, paths = {}, []
    _only_known(own_policies)
    for group in ClientGroup:
        path = rules / "policies" / f"{group.value}.toml"
        if own_policies and (own := own_policies / path.name).exists():
            path = own
        paths.append(path)
        policies[group] = read_policy(path, categories)
    bypass = read_toml(rules / "bypass.toml")
    outer = frozenset(bypass.strings("ech_outer_names", None))
    return Tables(categories, policies, read_safe_search(rules / "safesearch.toml"), outer, tuple(paths))


def _only_known(own_policies: Path | None) -> None:
    """Raise for a policy file that no group will ever use: its name is misspelt, and the built-in one would hold."""
    known = [f"{group.value}.toml" for group in ClientGroup]
    for path in sorted(own_policies.glob("*.toml")) if own_policies else ():
        if path.name not in known:
            hint = near(path.name, known) or f"There are {', '.join(known)}."
            raise ConfigError(f"{path}: is named for no group", hint)


def read_categories(path: Path) -> dict[str, Category]:
    """rules/categories.toml."""
    found = {}
    for row in read_toml(path).tables("category"):
        category = Category(
            row.string("name"), row.choice("kind", Kind), row.boolean("record", True), row.integer("severity", 0)
        )
        found[category.name] = category
    return found


def read_policy(path: Path, categories: Mapping[str, Category]) -> Policy:
    """One policy file."""
    table = read_toml(path)
    policy = Policy(
        name=table.string("name"),
        block=_categories(table, "block", categories),
        schedule=Schedule(
            tuple(_hours(row, categories) for row in table.tables("open")),
            tuple(_hours(row, categories) for row in table.tables("lesson")),
        ),
        safe_search=table.boolean("safe_search", True),
        youtube=table.string("youtube", "") or None,
        inspect=frozenset(_wants(table)),
        direct_address=_allowed(table, "direct_address", "block"),
        encrypted_hello=_allowed(table, "encrypted_hello", "block"),
        no_server_name=_allowed(table, "no_server_name", "allow"),
        record=table.boolean("record", True),
        on_failure=table.choice("on_failure", Failure, Failure.CLOSED),
    )
    if policy.youtube not in (None, "strict", "moderate"):
        raise table.wrong("youtube", f'must be "strict", "moderate" or "", not {policy.youtube!r}')
    table.for_people("title", "about", "ages")
    table.done()
    return policy


def _allowed(table: Table, key: str, default: str) -> bool:
    value = table.string(key, default)
    if value not in ("allow", "block"):
        raise table.wrong(key, f'must be "allow" or "block", not {value!r}')
    return value == "allow"


def _wants(table: Table) -> list[Wants]:
    wanted = []
    for text in table.strings("inspect"):
        if text not in [member.value for member in Wants]:
            raise table.wrong("inspect", f'holds {text!r}; it may hold "paths" and "unknown"')
        wanted.append(Wants(text))
    return wanted


def _categories(table: Table, key: str, categories: Mapping[str, Category]) -> frozenset[str]:
    names = table.strings(key)
    for name in names:
        if name not in categories:
            names_there = [each.name for each in categories.values() if each.kind is Kind.CONTENT]
            hint = near(name, names_there) or f"There are {', '.join(names_there)}."
            raise table.wrong(key, f"names a category {name!r} that does not exist", hint)
        if categories[name].kind is not Kind.CONTENT:
            raise table.wrong(key, f"holds {name!r}, which is {categories[name].kind.value} for everybody")
    return frozenset(names)


def _hours(table: Table, categories: Mapping[str, Category]) -> Hours:
    hours = Hours(
        days=table.parsed("days", _days, "mon-sun"),
        start=table.parsed("from", _start, "00:00"),
        end=table.parsed("to", _minute, "24:00"),
        block=_categories(table, "block", categories),
        allow=_categories(table, "allow", categories),
    )
    table.string("name", "")
    table.done()
    return hours


def _minute(text: str) -> int:
    found = re.fullmatch(r"(\d\d?):(\d\d)", text)
    minute = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else -1
    if not 0 <= minute <= 24 * 60:
        raise ValueError(f'must be a time like "08:30", not {text!r}')
    return minute


def _start(text: str) -> int:
    minute = _minute(text)
    if minute == 24 * 60:
        raise ValueError('must be a time like "08:30"; a slot cannot begin at 24:00, only end there')
    return minute


def _days(text: str) -> frozenset[int]:
    """ "mon-fri", "sat,sun" and the like; a range may run over the week's end."""
    found: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = part.strip().partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            raise ValueError(f'must be days like "mon-fri" or "sat,sun", not {text!r}')
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        found.update(day % 7 for day in range(start, end + 1 if end >= start else end + 8))
    return frozenset(found)


def read_safe_search(path: Path) -> SafeSearch:
    """rules/safesearch.toml."""
    table = read_toml(path)
    suffixes = {
        "www.google.": table.strings("google_suffixes", None),
        "www.google.com.": table.strings("google_com_suffixes", None),
        "www.google.co.": table.strings("google_co_suffixes", None),
        "yandex.": table.strings("yandex_suffixes", None),
        "www.yandex.": table.strings("yandex_suffixes", None),
    }
    targets: dict[str, str] = {}
    for row in table.tables("engine"):
        engine = row.string("name").lower()
        own = [prefix + end for prefix, ends in suffixes.items() if engine in prefix for end in ends]
        for host in (*row.strings("hosts", None), *own):
            targets[host] = row.string("target")
    youtube = table.table("youtube")
    levels = {level: youtube.string(level) for level in ("strict", "moderate")}
    not_lockable = tuple(f".{host}" for host in table.strings("unlockable", None))
    return SafeSearch(targets, frozenset(youtube.strings("hosts", None)), levels, not_lockable)


def read_helpline(country: str, checked_on: str, rules: Path | None = None) -> HelpLine | None:
    """The country's helpline, for a school that has dialled it on that day; only numbers that their operator, a
    government or the United Nations states (grade A) are offered."""
    if not country or not checked_on:
        return None
    for row in read_toml((rules or rules_folder()) / "helplines.toml").tables("helpline"):
        if row.string("country") == country and row.string("grade") == "A":
            return HelpLine(
                row.string("name"),
                row.string("number"),
                checked_on,
                row.boolean("free", False),
                row.string("hours", ""),
            )
    return None


def read_confidential(rules: Path | None = None) -> list[str]:
    """The names of rules/confidential.txt: no certificate of the box is good for them."""
    text = ((rules or rules_folder()) / "confidential.txt").read_text(encoding="utf-8")
    return [name for line in text.splitlines() if (name := line.partition("#")[0].strip())]
