import shutil
import stat
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.store.schema import STORE, Row, connect_reader
from appliance.store.writer import Writer
from tests.appliance.store.support import NOON, FakeClock, a_row, bytes_of, domains

DAY = 86_400
PLANTED = "zebra-planted-7c1f.example"


def test_counts_of_one_row_add_up_over_commits(state: Path) -> None:
    writer = Writer(state, FakeClock().now)
    for count in (1, 2, 40):
        writer.add({a_row("a.example"): count, a_row("b.example"): 1})
    assert domains(state) == {"a.example": 43, "b.example": 3}
    assert (writer.commits, writer.counted(NOON // 60), writer.counted(NOON // 60 + 1)) == (3, 46, 0)
    writer.close()


rows = st.builds(
    Row,
    minute=st.integers(NOON // 60 - 1, NOON // 60 + 1),
    device=st.sampled_from(["0a1b2c3d", "ffffffff"]),
    domain=st.sampled_from(["a.example", "b.example", "10.0.0.1"]),
    group=st.sampled_from(["staff", "guest"]),
    category=st.sampled_from(["", "gambling"]),
    action=st.just("block"),
    reason=st.sampled_from(["sealed", "not_listed"]),
    via=st.sampled_from(["dns", "tls"]),
    rule_list=st.sampled_from(["", "ut1"]),
    rule_line=st.integers(0, 2),
)


@settings(max_examples=25)
@given(st.lists(st.dictionaries(rows, st.integers(1, 9), max_size=12), max_size=6))
def test_the_store_holds_the_sum_of_what_was_added(
    tmp_path_factory: pytest.TempPathFactory, empty: Path, batches: list[dict[Row, int]]
) -> None:
    state = tmp_path_factory.mktemp("state")
    shutil.copy(empty, state / STORE)
    writer = Writer(state, FakeClock().now)
    expected: dict[Row, int] = {}
    for batch in batches:
        writer.add(batch)
        for row, count in batch.items():
            expected[row] = expected.get(row, 0) + count
    with closing(connect_reader(state / STORE)) as store:
        fields = ", ".join(f'"{name}"' for name in Row._fields)
        stored = store.execute(f"SELECT {fields}, count FROM flagged").fetchall()
    assert sorted(stored) == sorted((*row, count) for row, count in expected.items())
    writer.close()


def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    writer = Writer(tmp_path, FakeClock().now)
    writer.add({a_row("a.example"): 1})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys((STORE, f"{STORE}-wal", f"{STORE}-shm"), 0o600)
    writer.close()


# Forgetting


def test_what_is_forgotten_leaves_every_file(state: Path) -> None:
    clock = FakeClock()
    writer = Writer(state, clock.now)
    for day in range(8):
        many = {
            a_row(f"{day}-{number}-{PLANTED}", clock.wall + number, f"list-of-day-{day}"): 1 for number in range(300)
        }
        writer.add(many)
        clock.sleep(DAY)
    for day in range(8):
        assert f"{day}-99-{PLANTED}".encode() in bytes_of(state)
    writer.forget(5)
    size = (state / STORE).stat().st_size
    held = bytes_of(state)
    for day in range(8):
        kept = day >= 3
        assert [number for number in range(300) if (f"{day}-{number}-{PLANTED}".encode() in held) is not kept] == []
        assert (f"list-of-day-{day}".encode() in held) is kept
    clock.sleep(30 * DAY)
    writer.forget(5)
    assert PLANTED.encode() not in bytes_of(state)
    assert (state / STORE).stat().st_size < size / 4
    assert (state / f"{STORE}-wal").stat().st_size == 0
    writer.close()


def test_rows_that_came_in_any_order_leave_no_trace_either(state: Path) -> None:
    clock = FakeClock()
    writer = Writer(state, clock.now)
    marks = {}
    for batch in range(60):
        many = {}
        for number in range(40):
            at = NOON + (number * 7_919 + batch * 104_729) % (4 * DAY)
            domain = f"{hash((batch, number)) & (2**60 - 1):x}.example"
            marks[domain], many[a_row(domain, at)] = at, 1
        writer.add(many)
    for day in range(1, 5):
        clock.wall = NOON + (day + 2) * DAY
        writer.forget(2)
        held = bytes_of(state)
        first = int(clock.wall) // 60 - 2 * 1_440
        wrong = [mark for mark, at in marks.items() if (mark.encode() in held) is not (at // 60 >= first)]
        assert wrong == []
    writer.close()


def test_a_trace_that_a_reader_held_goes_with_the_next_look(state: Path) -> None:
    clock = FakeClock()
    writer = Writer(state, clock.now)
    writer.add({a_row(PLANTED): 1})
    with closing(connect_reader(state / STORE)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM events").fetchone() == (1,)
        clock.sleep(31 * DAY)
        writer.forget(30)
    assert domains(state) == {}
    writer.forget(30)
    assert PLANTED.encode() not in bytes_of(state)
    writer.close()


@pytest.mark.parametrize(
    ("wall", "kept"),
    [
        (NOON + 30 * DAY, True),
        (NOON + 30 * DAY + 60, False),
        (NOON - 30 * DAY, True),
        (NOON - 30 * DAY - 60, False),  # dated so far ahead, it was written under a wrong clock
        (0, True),  # a clock that was never set deletes nothing
        (1_000_000_000, True),
    ],
)
def test_retention_under_any_clock(state: Path, wall: float, kept: bool) -> None:
    writer = Writer(state, FakeClock().now)
    writer.add({a_row(PLANTED): 1})
    writer.close()
    writer = Writer(state, FakeClock(wall).now)
    writer.forget(30)
    writer.close()
    assert (PLANTED in domains(state)) is kept
