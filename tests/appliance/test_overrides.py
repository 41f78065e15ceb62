"""The file of temporary changes: added, replaced, ended, and refused when a hand has damaged it."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.errors import StateError
from appliance.overrides import add, end, read_overrides
from filters.model import ClientGroup
from filters.policy import Override

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
PRIMARY, GUEST = ClientGroup.PRIMARY, ClientGroup.GUEST


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "overrides.json"


def test_no_file_is_no_override(path: Path) -> None:
    assert read_overrides(path) == ()


def test_what_is_added_is_read_by_others(path: Path) -> None:
    made = add(path, PRIMARY, "example.org", 45, NOW, "the lesson on volcanoes – élèves")
    assert made == Override(made.id, PRIMARY, NOW + timedelta(minutes=45), "example.org", made.reason)
    pause = add(path, GUEST, None, 10, NOW)
    assert read_overrides(path) == (made, pause)
    assert made.id != pause.id


def test_the_same_again_replaces_the_old_one(path: Path) -> None:
    add(path, PRIMARY, "example.org", 45, NOW)
    longer = add(path, PRIMARY, "example.org", 90, NOW)
    other = add(path, GUEST, "example.org", 10, NOW)
    assert read_overrides(path) == (longer, other)


def test_what_has_ended_is_dropped_at_the_next_write(path: Path) -> None:
    add(path, PRIMARY, "short.example", 5, NOW)
    later = NOW + timedelta(minutes=5)
    kept = add(path, PRIMARY, "long.example", 60, later)
    assert read_overrides(path) == (kept,)


def test_ending_by_id_gives_back_what_was_in_force(path: Path) -> None:
    one, two = add(path, PRIMARY, None, 45, NOW), add(path, GUEST, None, 5, NOW)
    assert end(path, {one.id, "unknown"}, NOW) == [one]
    assert read_overrides(path) == (two,)
    assert end(path, {two.id}, NOW + timedelta(hours=1)) == [], "it had ended by itself"


@pytest.mark.parametrize(
    ("zone", "begun"),
    [
        ("Europe/London", "2026-03-29 00:50"),  # at 01:00 the clocks go forward
        ("Europe/London", "2026-10-25 00:50"),  # at 01:00 UTC they go back
        ("Africa/Cairo", "2026-04-23 21:50"),
        ("Australia/Lord_Howe", "2026-04-04 14:50"),
    ],
)
def test_minutes_are_minutes_also_when_the_clocks_change(path: Path, zone: str, begun: str) -> None:
    now = datetime.fromisoformat(begun).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    made = add(path, PRIMARY, None, 45, now)
    assert made.until.timestamp() - now.timestamp() == 45 * 60
    (read,) = read_overrides(path)
    assert read.until.timestamp() - now.timestamp() == 45 * 60
    assert not read.holds(PRIMARY, (now.astimezone(UTC) + timedelta(minutes=45)).astimezone(ZoneInfo(zone)))


GOOD = {"id": "a", "group": "primary", "until": "2026-01-05T10:00:00+00:00", "host": None, "reason": ""}


def test_a_row_as_a_hand_may_write_it(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps([GOOD | {"host": "example.org", "until": "2026-01-05T13:00:00+03:00"}]))
    (read,) = read_overrides(path)
    assert (read.host, read.until) == ("example.org", datetime(2026, 1, 5, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "{}",
        "null",
        "[1]",
        "[{}]",
        json.dumps([GOOD | {"group": "pupils"}]),
        json.dumps([GOOD | {"until": "soon"}]),
        json.dumps([GOOD | {"until": 17}]),
        json.dumps([GOOD | {"until": "2026-01-05T10:00:00"}]),  # in no zone: no moment
        json.dumps([GOOD | {"host": 5}]),
        json.dumps([GOOD | {"host": "Example.ORG"}]),  # it would never match
        json.dumps([GOOD | {"host": ""}]),  # it would match everything
        json.dumps([{key: value for key, value in GOOD.items() if key != "host"}]),
        "[" * 100_000,
    ],
    ids=lambda content: content[:60],
)
def test_a_damaged_file_is_said_to_be_and_never_half_read(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(ValueError, match=r"damaged|read"):
        read_overrides(path)
    for change in (lambda: add(path, PRIMARY, None, 5, NOW), lambda: end(path, {"a"}, NOW)):
        with pytest.raises(StateError) as caught:
            change()
        assert str(path) in str(caught.value) and caught.value.hint
    assert path.read_text() == content, "a person may want to see it"


def test_two_teachers_at_once_lose_nothing(path: Path) -> None:
    teachers = [
        threading.Thread(target=lambda number=number: add(path, PRIMARY, f"n{number}.example", 30, NOW))
        for number in range(16)
    ]
    for teacher in teachers:
        teacher.start()
    for teacher in teachers:
        teacher.join()
    assert {row.host for row in read_overrides(path)} == {f"n{number}.example" for number in range(16)}
