import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from appliance.errors import StateError
from appliance.store.events import DayCount, StoredEvent, count_events, read_events
from appliance.store.migrations import migrate
from appliance.store.schema import STORE, Row
from appliance.store.writer import Writer
from tests.appliance.store.support import NOON, FakeClock

AT_NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
ROWS = {  # hours after noon, group, category, count
    (-30, "guest", "gambling"): 1,
    (-13, "guest", "adult"): 2,
    (-1, "staff", "gambling"): 3,
    (0, "primary", "gambling"): 4,
    (0, "primary", ""): 5,
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("filled")
    migrate(state / STORE)
    writer = Writer(state, FakeClock().now)
    rows = {}
    for (hours, group, category), count in ROWS.items():
        minute = NOON // 60 + hours * 60
        rows[Row(minute, "0a1b2c3d", "a.example", group, category, "block", "sealed", "tls", "iwf", 7)] = count
    writer.add(rows)
    writer.close()
    return state


@pytest.fixture
def state(filled: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copy(filled / STORE, tmp_path / STORE)
    yield tmp_path


def test_an_event_is_read_as_it_was_written(state: Path) -> None:
    (event,) = read_events(state, group="staff")
    assert event == StoredEvent(
        at=AT_NOON - timedelta(hours=1),
        group="staff",
        category="gambling",
        action="block",
        reason="sealed",
        via="tls",
        domain="a.example",
        rule_list="iwf",
        rule_line=7,
        device="0a1b2c3d",
        count=3,
    )


@pytest.mark.parametrize(
    ("filters", "counts"),
    [
        ({}, {1, 2, 3, 4, 5}),
        ({"since": AT_NOON}, {4, 5}),
        ({"since": AT_NOON + timedelta(seconds=59)}, {4, 5}),
        ({"since": AT_NOON + timedelta(seconds=60)}, set()),
        ({"since": datetime(2026, 11, 18, 13, tzinfo=timezone(timedelta(hours=2)))}, {3, 4, 5}),
        ({"group": "guest"}, {1, 2}),
        ({"category": "gambling"}, {1, 3, 4}),
        ({"category": ""}, {5}),
        ({"group": "guest", "category": "gambling", "since": AT_NOON - timedelta(days=9)}, {1}),
        ({"group": "' OR 1 --"}, set()),
        ({"limit": 0}, set()),
    ],
)
def test_filters(state: Path, filters: dict[str, object], counts: set[int]) -> None:
    assert {event.count for event in read_events(state, **filters)} == counts


def test_newest_first_and_no_more_than_the_limit(state: Path) -> None:
    times = [event.at for event in read_events(state)]
    assert times == sorted(times, reverse=True)
    assert [event.at for event in read_events(state, limit=3)] == times[:3]


@pytest.mark.parametrize(
    ("hours", "days"),
    [
        (0, {17: 1 + 2, 18: 3 + 4 + 5}),
        (3, {17: 1, 18: 2 + 3 + 4 + 5}),
        (5.75, {17: 1, 18: 2 + 3 + 4 + 5}),
        (-12, {16: 1, 17: 2 + 3, 18: 4 + 5}),
    ],
)
def test_days_are_those_of_the_school(state: Path, hours: float, days: dict[int, int]) -> None:
    counted = count_events(state, zone=timezone(timedelta(hours=hours)))
    assert {
        day: sum(row.count for row in counted if row.day.day == day) for day in {row.day.day for row in counted}
    } == days
    assert list(counted) == sorted(counted, key=lambda row: (row.day, row.group, row.category))


def test_counts_by_day_group_and_category(state: Path) -> None:
    assert count_events(state, since=AT_NOON - timedelta(hours=20)) == (
        DayCount(date(2026, 11, 17), "guest", "adult", 2),
        DayCount(date(2026, 11, 18), "primary", "", 5),
        DayCount(date(2026, 11, 18), "primary", "gambling", 4),
        DayCount(date(2026, 11, 18), "staff", "gambling", 3),
    )


def test_a_reader_left_half_way_lets_the_store_go(state: Path) -> None:
    events = read_events(state)
    next(events)
    events.close()
    with closing(sqlite3.connect(state / STORE)) as store:
        busy, _, _ = store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0


def test_what_a_reader_leaves_behind_nobody_else_can_read(state: Path) -> None:
    (state / STORE).chmod(0o600)
    list(read_events(state))
    assert {stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no event store in "),
        (b"", "cannot be read: no such table: flagged."),
        (b"never a database " * 500, "is damaged."),
    ],
)
def test_no_store_is_one_sentence_and_a_hint(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / STORE).write_bytes(content)
    for read in (lambda: list(read_events(tmp_path)), lambda: count_events(tmp_path)):
        with pytest.raises(StateError) as raised:
            read()
        assert sentence in str(raised.value)
        assert raised.value.hint
    assert len(list(tmp_path.iterdir())) == (content is not None)
