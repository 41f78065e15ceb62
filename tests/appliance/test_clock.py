"""Time zones by name, and a clock that is always aware of its zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from appliance.clock import now, zone


@pytest.mark.parametrize("name", ["Africa/Kampala", "Europe/London", "UTC", "Asia/Kolkata"])
def test_a_zone_by_name(name: str) -> None:
    assert zone(name) == ZoneInfo(name)


@pytest.mark.parametrize(
    "name", ["Nowhere/Land", "Europe", "Africa", "../etc/passwd", "/etc/localtime", "Africa/", "\0", "x" * 300, "."]
)
def test_what_is_no_zone_is_a_value_error_that_names_it(name: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        zone(name)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Africa/Nairobi", ZoneInfo("Africa/Nairobi")),
        (":Africa/Nairobi", ZoneInfo("Africa/Nairobi")),
        ("EST5EDT,M3.2.0,M11.1.0", UTC),
        ("Europe", UTC),
    ],
)
def test_the_machines_own_zone(monkeypatch: pytest.MonkeyPatch, told: str, expected: object) -> None:
    monkeypatch.setenv("TZ", told)
    assert zone("") == expected


def test_without_being_told_there_is_always_some_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert datetime.now(zone("")).utcoffset() is not None


def test_now_is_aware_and_the_same_moment_everywhere() -> None:
    kampala = now(ZoneInfo("Africa/Kampala"))
    assert kampala.utcoffset() == timedelta(hours=3)
    assert abs(now() - kampala) < timedelta(minutes=1)
