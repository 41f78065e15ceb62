"""Timetables and overrides against the plainest model there is: every minute of the week, written down."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.model import ClientGroup
from filters.policy import Hours, Override, Policy, Schedule
from tests.laws.support import CONTENT, slots

CHANGES = {
    # zone: moments (UTC) near which the clocks change in 2026
    "Europe/London": ("2026-03-29 01:00", "2026-10-25 01:00"),
    "America/New_York": ("2026-03-08 07:00", "2026-11-01 06:00"),
    "Africa/Cairo": ("2026-04-23 22:00", "2026-10-29 21:00"),
    "Australia/Lord_Howe": ("2026-04-04 15:00", "2026-10-03 15:30"),
}
ZONES = [ZoneInfo(name) for name in CHANGES]
WEEK = 7 * 24 * 60
zones = st.sampled_from(ZONES)
instants = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


def minutes_of(hours: Hours) -> set[tuple[int, int]]:
    """Every (weekday, minute of the day) of the slot, counted one by one from its start."""
    length = hours.end - hours.start if hours.start < hours.end else hours.end + 1440 - hours.start
    return {divmod((day * 1440 + hours.start + minute) % WEEK, 1440) for day in hours.days for minute in range(length)}


def local_minutes(start: datetime, count: int, zone: ZoneInfo) -> list[datetime]:
    """So many minutes, one after the other as they really pass, in wall-clock time."""
    return [(start + timedelta(minutes=minute)).astimezone(zone) for minute in range(count)]


def assert_agree(hours: Hours, moments: list[datetime]) -> None:
    covered = minutes_of(hours)
    for at in moments:
        assert hours.covers(at) == ((at.weekday(), at.hour * 60 + at.minute) in covered), at


@pytest.mark.parametrize("zone", CHANGES)
def test_the_clocks_do_change_there(zone: str) -> None:
    """Else the tests below would prove nothing about it."""
    for change in CHANGES[zone]:
        at = datetime.fromisoformat(change).replace(tzinfo=UTC)
        before, after = (at - timedelta(minutes=1)).astimezone(ZoneInfo(zone)), at.astimezone(ZoneInfo(zone))
        assert before.utcoffset() != after.utcoffset()


@pytest.mark.parametrize(
    "hours",
    [
        Hours(frozenset(range(5)), 8 * 60, 15 * 60 + 30),
        Hours(frozenset({5, 6}), 22 * 60, 6 * 60),  # past midnight, and past the end of the week
        Hours(frozenset({6}), 90, 150),  # within the hour that is missing or comes twice
        Hours(frozenset({4}), 23 * 60 + 45, 15),
        Hours(frozenset({3}), 0, 1440),
        Hours(frozenset({3}), 600, 600),  # a whole day from 10:00 on
    ],
    ids=str,
)
@pytest.mark.parametrize("zone", CHANGES)
def test_every_minute_of_the_weeks_in_which_clocks_change(zone: str, hours: Hours) -> None:
    for change in CHANGES[zone]:
        start = datetime.fromisoformat(change).replace(tzinfo=UTC) - timedelta(days=4)
        assert_agree(hours, local_minutes(start, WEEK, ZoneInfo(zone)))


@given(slots, zones, instants)
def test_any_slot_at_any_time(hours: Hours, zone: ZoneInfo, start: datetime) -> None:
    assert_agree(hours, local_minutes(start, 1500, zone))


@given(st.lists(slots, max_size=4), zones, instants)
def test_the_internet_is_open_in_each_slot_and_only_there(opened: list[Hours], zone: ZoneInfo, start: datetime) -> None:
    schedule = Schedule(tuple(opened))
    covered = set[tuple[int, int]]().union(*map(minutes_of, opened))
    for at in local_minutes(start, 300, zone):
        inside = (at.weekday(), at.hour * 60 + at.minute) in covered
        assert schedule.is_open(at) == (inside or not opened)


@given(st.lists(slots, max_size=4), st.frozensets(st.sampled_from(sorted(CONTENT))), zones, instants)
def test_lessons_change_what_is_blocked_while_they_last(
    lessons: list[Hours], block: frozenset[str], zone: ZoneInfo, start: datetime
) -> None:
    policy = Policy("drawn", block, Schedule((), tuple(lessons)))
    covered = [minutes_of(lesson) for lesson in lessons]
    for at in local_minutes(start, 60, zone):
        expected = set(block)
        for lesson, minutes in zip(lessons, covered, strict=True):
            if (at.weekday(), at.hour * 60 + at.minute) in minutes:
                expected |= lesson.block
                expected -= lesson.allow
        assert policy.blocked_at(at) == expected


near = st.builds(
    lambda zone, change, minutes: (
        datetime.fromisoformat(CHANGES[zone.key][change]).replace(tzinfo=UTC) + timedelta(minutes=minutes)
    ).astimezone(zone),
    zones,
    st.integers(0, 1),
    st.integers(-180, 180),
)
"""wall-clock times in the hours around a change of the clocks"""
any_time = near | st.builds(lambda at, zone: at.astimezone(zone), instants, zones)


@given(any_time, any_time, st.sampled_from(ClientGroup), st.sampled_from(ClientGroup))
def test_an_override_holds_before_its_end_and_not_at_it(
    at: datetime, until: datetime, group: ClientGroup, asking: ClientGroup
) -> None:
    holds = Override("id", group, until).holds(asking, at)
    assert holds == (asking is group and at.timestamp() < until.timestamp())


@given(near, st.integers(-90, 90))
def test_an_override_ends_on_the_second(until: datetime, seconds: int) -> None:
    """Also in the hour that comes twice, and told in the same time zone."""
    at = (until.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(until.tzinfo)
    assert Override("id", ClientGroup.PRIMARY, until).holds(ClientGroup.PRIMARY, at) == (seconds < 0)
