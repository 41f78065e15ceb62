import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.store.events import read_events
from appliance.store.pace import BATCH, BURST, GAP, REFILL
from appliance.store.recorder import MOST_WAITING, RETRY, SWEEP, Recorder
from appliance.store.schema import STORE, connect_reader
from appliance.wire.event import Event, decode, encode
from tests.appliance.store.support import (
    NOON,
    FakeClock,
    a_recorder,
    an_event,
    bytes_of,
    codes,
    settle,
    status,
    total,
)

# Counting repeats together

steps = st.lists(
    st.builds(
        an_event,
        number=st.integers(0, 2),
        at=st.integers(NOON - 61, NOON + 61),
        client=st.sampled_from(["10.0.0.1", "10.0.0.2", "fd00::1"]),
        host=st.sampled_from(["a.example.org", "b.example.org", "example.org", "192.0.2.1"]),
        group=st.sampled_from(["staff", "guest"]),
        via=st.sampled_from(["dns", "http"]),
    )
    | st.floats(0, 90),
    max_size=60,
)


@settings(max_examples=40)
@given(steps)
def test_every_event_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, empty: Path, steps: list[Event | float]
) -> None:
    state, clock = tmp_path_factory.mktemp("state"), FakeClock()
    shutil.copy(empty, state / STORE)
    recorder = a_recorder(state, clock)
    for step in steps:
        if isinstance(step, Event):
            recorder.take(encode(step))
        else:
            clock.sleep(step)
            recorder.tick()
    recorder.close()
    stored = list(read_events(state))
    events = [step for step in steps if isinstance(step, Event)]
    assert sum(event.count for event in stored) == len(events)
    minutes = Counter((event.at // 60, event.group, event.via, event.rule_line) for event in events)
    told: Counter[tuple[int, str, str, int]] = Counter()
    for row in stored:
        told[int(row.at.timestamp()) // 60, row.group, row.via, row.rule_line] += row.count
    assert told == minutes
    assert len({(row.at, row.device, row.domain, row.group, row.via, row.rule_line) for row in stored}) == len(stored)
    assert {row.domain for row in stored} <= {"example.org", "192.0.2.1"}


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.deep.casino.example", "casino.example"),
        ("casino.example", "casino.example"),
        ("a.b.casino.co.uk", "casino.co.uk"),
        ("pupil.github.io", "pupil.github.io"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("10.20.3.4", "10.20.3.4"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
        ("..", ".."),
        ("a b/c?q=secret", "a b/c?q=secret"),
    ],
)
def test_a_host_is_kept_as_the_name_that_was_registered(state: Path, host: str, domain: str) -> None:
    recorder = a_recorder(state, FakeClock())
    recorder.take(encode(an_event(host=host)))
    recorder.close()
    assert [event.domain for event in read_events(state)] == [domain]


def test_neither_address_nor_whole_host_reaches_any_file(state: Path) -> None:
    clock = FakeClock()
    recorder = a_recorder(state, clock)
    recorder.take(encode(an_event(host="private-part.casino.example", client="10.99.88.77")))
    settle(recorder, clock)
    held = bytes_of(state)
    assert b"casino.example" in held
    assert b"private-part" not in held
    assert b"10.99.88.77" not in held
    recorder.close()


# Commits


def test_five_thousand_events_make_at_most_one_commit_in_two_seconds(state: Path) -> None:
    clock = FakeClock()
    recorder = a_recorder(state, clock)
    recorder.tick()  # opens the store
    seen: list[float] = []
    with closing(connect_reader(state / STORE)) as watcher:
        version = watcher.execute("PRAGMA data_version").fetchone()

        def tick() -> None:
            nonlocal version
            before = recorder.commits
            recorder.tick()
            now = watcher.execute("PRAGMA data_version").fetchone()
            assert (now != version) is (recorder.commits > before)
            if now != version:
                seen.append(clock.ticks)
                version = now

        for number in range(5_000):
            recorder.take(encode(an_event(number, at=int(clock.wall))))
            clock.sleep(0.02)
            tick()
        clock.sleep(REFILL + GAP)
        tick()
    assert total(state) == 5_000
    assert len(seen) > 3
    assert all(later - earlier >= GAP - 1e-6 for earlier, later in pairwise(seen))
    recorder.close()


def test_a_flood_is_written_in_batches_and_all_of_it(state: Path) -> None:
    clock = FakeClock()
    recorder = a_recorder(state, clock)
    clock.sleep(SWEEP)
    recorder.tick()
    for number in range(10 * BATCH):
        recorder.take(encode(an_event(number)))
    began, sizes = clock.ticks, []
    while before := status(recorder)["waiting"]:
        clock.sleep(recorder.wait())
        recorder.tick()
        sizes.append(before - status(recorder)["waiting"])
    assert sizes == [BATCH] * 10
    assert clock.ticks - began == 9 * GAP  # the first goes at once
    assert total(state) == 10 * BATCH
    recorder.close()


def test_a_lone_event_is_on_the_disk_after_two_seconds(state: Path) -> None:
    clock = FakeClock()
    recorder = a_recorder(state, clock)
    recorder.tick()
    clock.sleep(100)
    recorder.take(encode(an_event()))
    assert recorder.wait() == GAP
    clock.sleep(recorder.wait())
    recorder.tick()
    assert total(state) == 1
    assert status(recorder)["last_commit"] == int(clock.wall)
    recorder.close()


def test_a_busy_day_stays_within_the_allowance(state: Path) -> None:
    clock = FakeClock()
    recorder = a_recorder(state, clock)
    for number in range(3_600):
        recorder.take(encode(an_event(number % 50, at=int(clock.wall))))
        clock.sleep(1)
        recorder.tick()
    assert recorder.commits <= BURST + 3_600 / REFILL + 1
    recorder.close()
    assert total(state) == 3_600


# Trouble


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    with closing(a_recorder(tmp_path_factory.mktemp("listening"), FakeClock())) as recorder:
        yield recorder


whole = encode(an_event())
bent = st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)).map(
    lambda at: whole[: at[0]] + bytes([at[1]]) + whole[at[0] + 1 :]
)


@given(st.binary(max_size=300) | bent)
def test_no_datagram_stops_it(listening: Recorder, datagram: bytes) -> None:
    before = status(listening)
    assert listening.take(datagram) is None
    after = status(listening)
    came = (after["waiting"] - before["waiting"], after["malformed"] - before["malformed"])
    assert came == ((0, 1) if decode(datagram) is None else (1, 0))


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"{",
        b"[]",
        b'{"ask":"password"}',
        b'{"ask":["status"]}',
        b"[" * 60_000,
        b'{"ask":"status"' + b" " * 2_000 + b"}",
    ],
)
def test_noise_is_counted_and_not_answered(state: Path, datagram: bytes) -> None:
    with closing(a_recorder(state, FakeClock())) as recorder:
        assert recorder.take(datagram) is None
        assert status(recorder)["malformed"] == 1


def test_a_disk_that_takes_nothing_drops_only_what_memory_cannot_hold(tmp_path: Path) -> None:
    clock = FakeClock()
    (tmp_path / STORE).mkdir()
    recorder = a_recorder(tmp_path, clock)
    for number in range(MOST_WAITING + 7):
        recorder.take(encode(an_event(number)))
    recorder.take(encode(an_event(0)))  # a repeat needs no further row
    clock.sleep(GAP)
    recorder.tick()
    told = status(recorder)
    assert (told["dropped"], told["waiting"], told["events_today"]) == (7, MOST_WAITING + 1, MOST_WAITING + 1)
    assert codes(told) == ["events-dropped"]
    assert told["warnings"][0]["text"].startswith("The event store ")
    assert told["warnings"][0]["hint"]
    assert recorder.wait() == RETRY
    (tmp_path / STORE).rmdir()
    settle(recorder, clock)
    assert total(tmp_path) == MOST_WAITING + 1
    told = status(recorder)
    assert (codes(told), told["dropped"]) == (["events-dropped"], 7)
    assert told["warnings"][0]["text"] == "7 events were dropped: more came than the disk could take."
    clock.sleep(2 * 86_400)
    assert codes(status(recorder)) == []
    recorder.close()


def test_a_damaged_store_raises_a_warning_and_recording_goes_on(tmp_path: Path) -> None:
    (tmp_path / STORE).write_bytes(b"this was never a database. " * 500)
    clock = FakeClock()
    recorder = a_recorder(tmp_path, clock)
    recorder.take(encode(an_event()))
    settle(recorder, clock)
    told = status(recorder)
    assert codes(told) == ["event-store-set-aside"]
    assert "events.db.corrupt-20261118-120000" in told["warnings"][0]["text"]
    assert total(tmp_path) == told["events_today"] == 1
    recorder.close()
    with closing(a_recorder(tmp_path, clock)) as restarted:
        assert codes(status(restarted)) == ["event-store-set-aside"]


# Time


@pytest.mark.parametrize(("hours", "today"), [(0, 3), (12, 1), (-5, 2), (5.75, 4)])
def test_a_day_begins_where_the_school_is(state: Path, hours: float, today: int) -> None:
    """It is noon in Greenwich, and the events lie 0, 7, 12 and 16 hours back."""
    clock = FakeClock()
    zone = timezone(timedelta(hours=hours))
    recorder = Recorder(state, 30, 120, zone, now=clock.now, monotonic=clock.monotonic)
    for back in (0, 7, 12, 16):
        recorder.take(encode(an_event(at=NOON - back * 3_600)))
    assert status(recorder)["events_today"] == today
    settle(recorder, clock)
    assert status(recorder)["events_today"] == today
    recorder.close()


def test_the_clock_may_go_anywhere(state: Path) -> None:
    clock = FakeClock()
    recorder = a_recorder(state, clock)
    for wall in (0, NOON, 5, NOON - 86_400, NOON + 10, 2**31 + 5, NOON):
        clock.wall = wall
        clock.ticks += 60
        recorder.take(encode(an_event(at=int(wall))))
        recorder.tick()
        clock.ticks += SWEEP
        recorder.tick()
        assert codes(status(recorder)) == []
    clock.ticks += SWEEP
    recorder.tick()
    recorder.close()
    # In 2038 all others were too old; back in 2026 the one of 2038 was dated too far ahead.
    assert [int(event.at.timestamp()) for event in read_events(state)] == [NOON]


def test_it_forgets_at_start_and_every_hour(state: Path) -> None:
    clock = FakeClock()
    first = a_recorder(state, clock)
    first.take(encode(an_event(at=NOON)))
    first.take(encode(an_event(at=NOON + 3_600)))
    first.close()
    clock.sleep(30 * 86_400 + 60)
    recorder = a_recorder(state, clock)
    recorder.tick()
    assert total(state) == 1
    clock.sleep(SWEEP)
    recorder.tick()
    assert total(state) == 0
    recorder.close()


def test_forgetting_is_a_commit_that_keeps_the_gap(state: Path) -> None:
    clock = FakeClock()
    recorder = a_recorder(state, clock)
    for number in range(BATCH):
        recorder.take(encode(an_event(number, at=NOON - 31 * 86_400)))
    settle(recorder, clock)
    clock.sleep(SWEEP)
    for number in range(BATCH):
        recorder.take(encode(an_event(number)))
    before = recorder.commits
    recorder.tick()
    assert total(state) == 0
    assert recorder.commits == before + 1
    assert recorder.wait() == GAP
    recorder.close()


def test_a_status_is_json_for_whoever_asks(tmp_path: Path) -> None:
    with closing(a_recorder(tmp_path, FakeClock())) as recorder:
        told = status(recorder)
    assert json.loads(json.dumps(told)) == told
    assert set(told) == {"process", "events_today", "waiting", "dropped", "malformed", "last_commit", "warnings"}
