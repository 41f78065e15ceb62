"""`events`: what was flagged, from a real store."""

import time
from pathlib import Path

import pytest

from appliance.store.schema import Row
from appliance.store.writer import Writer
from tests.appliance.cli.command import Command

NOW = time.time()
MINUTE = int(NOW) // 60
DAY = 24 * 60
KEYS = [
    "at", "group", "category", "action", "reason", "via", "domain", "rule_list", "rule_line", "device", "count",
]  # fmt: skip


def row(minute: int, group: str, category: str, domain: str) -> Row:
    reason = "blocked_by_category" if category else "direct_address"
    return Row(minute, "00c0ffee", domain, group, category, "block", reason, "tls", category, 9 if category else 0)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("events")
    writer = Writer(state, lambda: NOW)
    writer.add(
        {
            row(MINUTE, "primary", "games", "chess.example"): 3,
            row(MINUTE - 1, "guest", "adult", "adult.example"): 1,
            row(MINUTE - 1, "guest", "", "198.51.100.7"): 1,
            row(MINUTE - 2 * DAY, "guest", "adult", "older.example"): 7,
        }
    )
    writer.close()
    return state


@pytest.fixture
def events(store: Path) -> Command:
    return Command(store)


def test_the_newest_first(events: Command) -> None:
    told = events.good("events", "--json").json
    assert [event["domain"] for event in told] == ["chess.example", "198.51.100.7", "adult.example"]
    assert list(told[0]) == KEYS
    assert told[0]["count"] == 3


def test_a_person_reads_a_table(events: Command) -> None:
    head, first, second, *_ = events.good("events").out.splitlines()
    assert head.split() == ["minute", "group", "category", "times", "device", "site,", "and", "why"]
    assert first.split()[3:] == ["primary", "games", "3", "00c0ffee", "chess.example", "(list", "games,", "line", "9)"]
    assert second.endswith("198.51.100.7 (direct address)")
    assert head.index("times") + len("times") == first.index(" 3 ") + 2, "numbers stand below their head"


@pytest.mark.parametrize(
    ("options", "domains"),
    [
        (["--days", "3"], {"chess.example", "adult.example", "198.51.100.7", "older.example"}),
        (["--group", "guest"], {"adult.example", "198.51.100.7"}),
        (["--category", "adult", "--days", "3"], {"adult.example", "older.example"}),
        (["--limit", "1"], {"chess.example"}),
        (["--group", "staff"], set()),
    ],
)
def test_only_some(events: Command, options: list[str], domains: set[str]) -> None:
    assert {event["domain"] for event in events.good("events", "--json", *options).json} == domains


def test_nothing_is_said_to_be_nothing(events: Command) -> None:
    assert events.good("events", "--group", "staff").out == "Nothing was flagged in that time.\n"
    assert events.good("events", "--group", "staff", "--counts").out == "Nothing was flagged in that time.\n"


def test_more_than_is_shown_is_told(events: Command) -> None:
    assert "There are more" in events.good("events", "--limit", "2").out
    assert "There are more" not in events.good("events", "--limit", "3").out


def test_counts(events: Command) -> None:
    told = events.good("events", "--counts", "--days", "3", "--json").json
    assert [list(each) for each in told] == [["day", "group", "category", "count"]] * len(told)
    assert sum(each["count"] for each in told) == 12
    assert {each["count"] for each in told if each["category"] == "adult"} == {1, 7}
    only = events.good("events", "--counts", "--days", "3", "--category", "adult", "--group", "guest", "--json").json
    assert sum(each["count"] for each in only) == 8
    assert "chess" not in events.good("events", "--counts").out, "counts name no site"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--category", "gamse"], "Did you mean 'games'?"),
        (["--category", "xyzzy"], "There are illegal, protected"),
    ],
)
def test_a_category_that_does_not_exist(events: Command, options: list[str], told: str) -> None:
    assert told in events.refuses("events", *options)


@pytest.mark.parametrize("options", [["--days", "0"], ["--days", "99999999"], ["--limit", "0"], ["--group", "pupils"]])
def test_wrong_usage(events: Command, options: list[str]) -> None:
    events.refuses("events", *options, status=2)


def test_a_box_that_never_ran(fresh: Command) -> None:
    assert "There is no event store" in fresh.refuses("events")


def test_a_damaged_store(fresh: Command) -> None:
    fresh.state.mkdir()
    (fresh.state / "events.db").write_bytes(b"this is no database" * 500)
    told = fresh.refuses("events")
    assert "is damaged" in told and "Start the box again" in told
