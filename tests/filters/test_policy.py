"""Slots, lessons and overrides, by examples that a teacher would give. (The laws are in tests/laws.)"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from filters.model import ClientGroup
from filters.policy import Failure, Hours, Kind, Override, Policy, Schedule

WEEKDAYS = frozenset(range(5))
MON, FRI, SAT, SUN = 0, 4, 5, 6
SCHOOL = Hours(WEEKDAYS, 7 * 60 + 30, 16 * 60 + 30)
NIGHT = Hours(frozenset({FRI, SAT}), 21 * 60, 2 * 60)


def at(day: int, clock: str) -> datetime:
    """That weekday (0 is Monday) of the week of 5 January 2026, at that time."""
    hour, minute = clock.split(":")
    return datetime(2026, 1, 5 + day, int(hour), int(minute), tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "day", "clock", "covered"),
    [
        (SCHOOL, MON, "07:29", False),
        (SCHOOL, MON, "07:30", True),
        (SCHOOL, MON, "16:29", True),
        (SCHOOL, MON, "16:30", False),
        (SCHOOL, SAT, "12:00", False),
        (NIGHT, FRI, "20:59", False),
        (NIGHT, FRI, "21:00", True),
        (NIGHT, SAT, "01:59", True),
        (NIGHT, SAT, "02:00", False),
        (NIGHT, SUN, "01:59", True),  # Saturday's slot
        (NIGHT, SUN, "21:00", False),
        (NIGHT, MON, "01:00", False),
        (NIGHT, FRI, "01:00", False),  # Thursday has none
        (Hours(frozenset({SUN}), 1380, 60), MON, "00:30", True),  # the week begins anew
        (Hours(frozenset({MON}), 0, 1440), MON, "23:59", True),
        (Hours(frozenset({MON}), 0, 1440), 1, "00:00", False),
        (Hours(frozenset(), 0, 1440), MON, "12:00", False),
        (Hours(frozenset({MON}), 600, 600), 1, "09:59", True),  # as long as a day
        (Hours(frozenset({MON}), 600, 600), MON, "09:59", False),
    ],
)
def test_a_slot_covers(hours: Hours, day: int, clock: str, covered: bool) -> None:
    assert hours.covers(at(day, clock)) is covered


def test_the_seconds_belong_to_their_minute() -> None:
    assert SCHOOL.covers(at(MON, "16:29").replace(second=59, microsecond=999_999))


def test_without_a_timetable_it_is_always_open() -> None:
    assert Schedule().is_open(at(SUN, "03:00"))


def test_several_slots_a_day() -> None:
    schedule = Schedule((Hours(WEEKDAYS, 480, 720), Hours(WEEKDAYS, 780, 960), NIGHT))
    told = [schedule.is_open(at(day, clock)) for day, clock in ((MON, "11:59"), (MON, "12:30"), (MON, "13:00"))]
    assert told == [True, False, True]
    assert schedule.is_open(at(SAT, "00:30"))


def test_later_lessons_win() -> None:
    lesson = Hours(WEEKDAYS, 600, 660, allow=frozenset({"video"}))
    examination = Hours(frozenset({MON}), 600, 660, block=frozenset({"video", "chat"}))
    policy = Policy("p", frozenset({"video", "games"}), Schedule((), (lesson, examination)))
    assert policy.blocked_at(at(1, "10:30")) == {"games"}
    assert policy.blocked_at(at(MON, "10:30")) == {"games", "video", "chat"}
    assert policy.blocked_at(at(MON, "11:00")) == {"video", "games"}


def test_a_lesson_can_open_what_it_did_not_close() -> None:
    lesson = Hours(WEEKDAYS, 600, 660, block=frozenset({"chat"}), allow=frozenset({"chat"}))
    assert Policy("p", frozenset(), Schedule((), (lesson,))).blocked_at(at(MON, "10:30")) == frozenset()


def test_an_override_is_for_one_group_and_ends_by_itself() -> None:
    until = datetime(2026, 1, 5, 10, tzinfo=UTC)
    override = Override("id", ClientGroup.PRIMARY, until, "example.org")
    assert override.holds(ClientGroup.PRIMARY, until - timedelta(microseconds=1))
    assert not override.holds(ClientGroup.PRIMARY, until)
    assert not override.holds(ClientGroup.STAFF, until - timedelta(hours=1))


def test_an_override_is_compared_as_moments_whatever_the_zones() -> None:
    until = datetime(2026, 1, 5, 10, tzinfo=UTC)
    kampala = until.astimezone(ZoneInfo("Africa/Kampala"))
    assert not Override("id", ClientGroup.PRIMARY, until).holds(ClientGroup.PRIMARY, kampala)
    assert Override("id", ClientGroup.PRIMARY, kampala).holds(ClientGroup.PRIMARY, until - timedelta(seconds=1))


def test_what_is_not_said_is_the_careful_choice() -> None:
    policy = Policy("p")
    assert policy.safe_search and policy.on_failure is Failure.CLOSED
    assert not policy.direct_address and not policy.encrypted_hello
    assert policy.record and not policy.inspect


def test_kinds_stand_strongest_first() -> None:
    assert [kind.value for kind in Kind] == [
        "sealed",
        "protected",
        "essential",
        "allowed",
        "confidential",
        "content",
    ]
