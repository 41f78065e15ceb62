"""Reading the event store, beside the recorder that writes it: what was flagged, and how often.

Nothing here can change the store. A reader sees the store as it was when it began to read, and should not be kept
open: what was forgotten meanwhile leaves the files only after it.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

from appliance.errors import StateError
from appliance.store.schema import STORE, Row, connect_reader, is_damage

QUARTER = 15
"""minutes; every time zone's midnight falls on a quarter of an hour"""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row: everything alike that one device did within a minute."""

    at: datetime
    """UTC, the minute's start"""
    group: str
    category: str
    action: str
    reason: str
    via: str
    domain: str
    rule_list: str
    rule_line: int
    device: str
    """pseudonym"""
    count: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many events of a group and category a day had."""

    day: date
    group: str
    category: str
    count: int


def read_events(
    state: Path,
    *,
    since: datetime | None = None,
    group: str | None = None,
    category: str | None = None,
    limit: int | None = None,
) -> Iterator[StoredEvent]:
    """The events in or after the minute of `since` (aware), newest first. Raises StateError, also while reading."""
    query, values = _filtered(since, group, category)
    fields = ", ".join(f'"{name}"' for name in Row._fields)
    with _reading(state) as store:
        rows = store.execute(
            f"SELECT {fields}, count FROM flagged {query} ORDER BY minute DESC, device, domain LIMIT :limit",
            {**values, "limit": -1 if limit is None else limit},
        )
        for *told, count in rows:
            named = Row(*told)._asdict()
            at = datetime.fromtimestamp(named.pop("minute") * 60, UTC)
            yield StoredEvent(at=at, **named, count=count)


def count_events(state: Path, *, since: datetime | None = None, zone: tzinfo = UTC) -> tuple[DayCount, ...]:
    """Counts a day (as `zone` has it), group and category, oldest first. Raises StateError."""
    query, values = _filtered(since, None, None)
    counts: Counter[tuple[date, str, str]] = Counter()
    with _reading(state) as store:
        rows = store.execute(
            f'SELECT minute / {QUARTER}, "group", category, sum(count) FROM flagged {query} GROUP BY 1, 2, 3', values
        )
        for quarter, group, category, count in rows:
            day = datetime.fromtimestamp(quarter * QUARTER * 60, zone).date()
            counts[day, group, category] += count
    return tuple(DayCount(*key, count) for key, count in sorted(counts.items()))


def _filtered(since: datetime | None, group: str | None, category: str | None) -> tuple[str, dict[str, int | str]]:
    wanted: dict[str, int | str | None] = {
        "minute >= :since": int(since.timestamp()) // 60 if since else None,
        '"group" = :group': group,
        "category = :category": category,
    }
    kept = {term: value for term, value in wanted.items() if value is not None}
    where = f"WHERE {' AND '.join(kept)}" if kept else ""
    return where, {term.rpartition(":")[2]: value for term, value in kept.items()}


@contextmanager
def _reading(state: Path) -> Iterator[sqlite3.Connection]:
    path = state / STORE
    if not path.exists():
        raise StateError(
            f"There is no event store in {state}.",
            "Start the box with `schoolgate run`, or name its folder with --state.",
        )
    try:
        with closing(connect_reader(path)) as store:
            yield store
    except sqlite3.Error as error:
        if is_damage(error):
            hint = "Start the box again: the recorder sets a damaged store aside and begins a new one."
            raise StateError(f"The event store {path} is damaged.", hint) from error
        hint = "Only the user that the box runs as may read it, and the box must have run once."
        raise StateError(f"The event store {path} cannot be read: {error}.", hint) from error
