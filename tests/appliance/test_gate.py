"""The seam: who asks, what is reported and what is not, and what happens when the engine fails."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance import control
from appliance.files import write_atomic
from appliance.gate import Gate, stricter
from appliance.network.clients import try_address
from appliance.overrides import add
from appliance.sink import MOST_WAITING, DatagramSink
from appliance.snapshot import Paths, Snapshot, load
from appliance.wire.event import Event, decode
from filters.index import Hit
from filters.model import Action, ClientGroup, Hello, Reason, Request, Verdict, Via
from filters.policy import Hours, Schedule
from tests.laws.support import NOON, of_names

RULES = of_names(
    illegal="sealed.example",
    protected="help.example",
    adult="bad.example",
    dating="date.example",
    malware="trap.example",
)
GUEST, STAFF = try_address(ClientGroup.GUEST), try_address(ClientGroup.STAFF)


class Collected:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.kept: list[Event] = []
        self.shown: list[Event] = []

    def put(self, event: Event) -> None:
        self.kept.append(event)

    def show(self, event: Event) -> None:
        self.shown.append(event)


class Failing:
    """Rules that cannot be read: wholly, or only after the first question."""

    def __init__(self, times: int) -> None:
        self.times = times

    def find(self, host: str, path: str | None = None) -> tuple[tuple[Hit, ...], bool]:
        self.times -= 1
        if self.times >= 0:
            raise OSError("the disk is gone")
        return RULES.find(host, path)


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    paths = Paths(tmp_path, None)
    write_atomic(paths.rules, bytes(RULES.buffer))
    return load(paths)


@pytest.fixture
def sink() -> Collected:
    return Collected()


def gate(snapshot: Snapshot, sink: Collected) -> Gate:
    return Gate(lambda: snapshot, sink, lambda zone: NOON.astimezone(zone))


def test_a_block_is_reported_with_all_that_the_recorder_needs(snapshot: Snapshot, sink: Collected) -> None:
    verdict = gate(snapshot, sink).judge("www.bad.example", GUEST, Via.TLS)
    assert (verdict.action, verdict.category) == (Action.BLOCK, "adult")
    expected = Event(
        int(NOON.timestamp()),
        "guest",
        "adult",
        "block",
        "blocked_by_category",
        "tls",
        "www.bad.example",
        "list-2",
        1,
        GUEST,
    )
    assert sink.kept == sink.shown == [expected]


@pytest.mark.parametrize("host", ["example.org", "help.example", "www.help.example"])
def test_what_is_allowed_is_told_to_nobody(snapshot: Snapshot, sink: Collected, host: str) -> None:
    assert gate(snapshot, sink).judge(host, GUEST, Via.TLS).action is not Action.BLOCK
    assert sink.kept == sink.shown == []


def test_help_is_in_no_counter(snapshot: Snapshot, sink: Collected) -> None:
    one = gate(snapshot, sink)
    one.judge("help.example", GUEST, Via.TLS)
    assert not one.judged and not one.blocked
    one.judge("example.org", GUEST, Via.TLS)
    one.judge("bad.example", GUEST, Via.TLS)
    assert one.judged == {Action.ALLOW: 1, Action.BLOCK: 1}
    assert one.blocked == {"adult": 1}


def test_what_nobody_should_keep_is_shown_to_the_child_and_not_kept(snapshot: Snapshot, sink: Collected) -> None:
    gate(snapshot, sink).judge("date.example", GUEST, Via.TLS)
    assert sink.kept == [] and [event.category for event in sink.shown] == ["dating"]


def test_a_policy_that_keeps_nothing(snapshot: Snapshot, sink: Collected) -> None:
    tables = snapshot.tables
    quiet = replace(tables.policies[ClientGroup.GUEST], record=False)
    silent = replace(snapshot, tables=replace(tables, policies={**tables.policies, ClientGroup.GUEST: quiet}))
    assert gate(silent, sink).judge("bad.example", GUEST, Via.TLS).action is Action.BLOCK
    assert sink.kept == []


def test_the_group_decides(snapshot: Snapshot, sink: Collected) -> None:
    one = gate(snapshot, sink)
    assert one.judge("bad.example", STAFF, Via.TLS).action is Action.ALLOW
    assert one.judge("bad.example", "10.0.0.1", Via.TLS).action is Action.BLOCK, "nobody placed it: a guest"
    assert one.judge("sealed.example", STAFF, Via.TLS).reason is Reason.SEALED


def test_path_and_hello_are_passed_on(snapshot: Snapshot, sink: Collected) -> None:
    one = gate(snapshot, sink)
    assert one.judge("example.org", GUEST, Via.TLS, hello=Hello.ENCRYPTED).reason is Reason.ENCRYPTED_HELLO
    assert one.judge("example.org", GUEST, Via.HTTP, path="/a").action is Action.ALLOW


def test_the_time_is_asked_in_the_schools_own_zone(snapshot: Snapshot, sink: Collected) -> None:
    zones: list[tzinfo] = []

    def clock(zone: tzinfo) -> datetime:
        zones.append(zone)
        return datetime(2026, 1, 5, tzinfo=UTC).astimezone(zone)

    kampala = ZoneInfo("Africa/Kampala")
    one = Gate(lambda: replace(snapshot, config=replace(snapshot.config, zone=kampala)), sink, clock)
    one.judge("example.org", GUEST, Via.TLS)
    assert zones == [kampala]


def test_each_request_meets_the_snapshot_of_its_moment(snapshot: Snapshot, sink: Collected, tmp_path: Path) -> None:
    held = [snapshot]
    one = Gate(lambda: held[0], sink, lambda zone: NOON)
    assert one.judge("bad.example", GUEST, Via.TLS).action is Action.BLOCK
    made = add(tmp_path / "overrides.json", ClientGroup.GUEST, "bad.example", 5, NOON)
    held[0] = replace(snapshot, book=replace(snapshot.book, overrides=(made,)))
    assert one.judge("bad.example", GUEST, Via.TLS).reason is Reason.ALLOWED_BY_OVERRIDE


def failing(snapshot: Snapshot, times: int) -> Snapshot:
    return replace(snapshot, book=replace(snapshot.book, rules=Failing(times)))


@pytest.mark.parametrize(
    ("client", "host", "times", "action"),
    [
        (GUEST, "example.org", 1, Action.BLOCK),
        (GUEST, "help.example", 1, Action.BLOCK),
        (STAFF, "example.org", 1, Action.ALLOW),
        (STAFF, "bad.example", 1, Action.ALLOW),
        (STAFF, "sealed.example", 1, Action.BLOCK),
        (STAFF, "example.org", 2, Action.BLOCK),  # not even the sealed rules can be read
    ],
)
def test_when_the_engine_fails_the_policy_answers(
    snapshot: Snapshot, sink: Collected, client: str, host: str, times: int, action: Action
) -> None:
    one = gate(failing(snapshot, times), sink)
    verdict = one.judge(host, client, Via.TLS)
    assert (verdict.action, verdict.reason) == (action, Reason.ENGINE_ERROR)
    assert one.failures == 1
    assert sink.kept == []
    assert not verdict.record


@pytest.mark.parametrize("client", ["", "?", "127.77.0.x", "10.0.0.1%", "::ffff:10.0.0.1", "x" * 1000])
def test_judging_never_raises_whoever_asks(snapshot: Snapshot, sink: Collected, client: str) -> None:
    verdict = gate(snapshot, sink).judge("bad.example", client, Via.TLS)
    assert verdict.action is Action.BLOCK, "not known is a guest"


def test_a_timetable_blocks_without_a_trace(snapshot: Snapshot, sink: Collected) -> None:
    tables = snapshot.tables
    never = Schedule((Hours(frozenset(), 0, 0),))
    closed = replace(tables.policies[ClientGroup.GUEST], schedule=never)
    shut = replace(snapshot, tables=replace(tables, policies={**tables.policies, ClientGroup.GUEST: closed}))
    one = gate(shut, sink)
    assert one.judge("example.org", GUEST, Via.TLS).reason is Reason.OUTSIDE_HOURS
    assert sink.kept == [] and one.blocked == {"outside_hours": 1}


ORDER = (Action.ALLOW, Action.INSPECT, Action.REWRITE, Action.BLOCK)


@pytest.mark.parametrize("one", ORDER)
@pytest.mark.parametrize("other", ORDER)
def test_of_two_names_the_stricter_verdict_counts(one: Action, other: Action) -> None:
    first, second = (Verdict(action, Reason.NOT_LISTED, name) for action, name in ((one, "first"), (other, "second")))
    found = stricter(first, second)
    assert ORDER.index(found.action) == max(ORDER.index(one), ORDER.index(other))
    if one is other:
        assert found is first


@pytest.fixture
def run_folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "run"


def test_the_sink_sends_datagrams_that_the_recorder_reads(snapshot: Snapshot, run_folder: Path) -> None:
    sink = DatagramSink(run_folder)
    try:
        with (
            control.bind(run_folder / "recorder.sock") as recorder,
            control.bind(run_folder / "recent.sock") as recent,
        ):
            one = Gate(lambda: snapshot, sink, lambda zone: NOON)
            for host in ("bad.example", "date.example", "help.example", "example.org"):
                one.judge(host, GUEST, Via.TLS)
            assert [event.host for event in received(recorder)] == ["bad.example"]
            assert [event.host for event in received(recent)] == ["bad.example", "date.example"]
            assert sink.dropped == 0
    finally:
        sink.close()


def received(bound: object) -> list[Event]:
    found = []
    while True:
        try:
            event = decode(bound.recv(2_000))  # type: ignore[attr-defined]
        except BlockingIOError:
            return found
        assert event
        found.append(event)


def test_events_wait_for_a_busy_recorder_up_to_a_limit_and_no_packet_does(snapshot: Snapshot, run_folder: Path) -> None:
    sink = DatagramSink(run_folder)
    try:
        one = Gate(lambda: snapshot, sink, lambda zone: NOON)
        for _ in range(MOST_WAITING + 5):
            assert one.judge("bad.example", GUEST, Via.TLS).action is Action.BLOCK
        assert sink.dropped == 5, "there is no recorder"
        found = 0
        with control.bind(run_folder / "recorder.sock") as recorder:
            while True:
                sink.flush()
                if not (more := received(recorder)):
                    break
                found += len(more)
        assert found == MOST_WAITING
    finally:
        sink.close()


def test_a_request_is_what_the_gate_makes_of_a_connection(snapshot: Snapshot, sink: Collected) -> None:
    """Nothing but this reaches the engine, so nothing else can decide."""
    assert set(Request.__slots__) == {"host", "group", "via", "at", "path", "hello"}
