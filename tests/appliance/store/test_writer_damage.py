import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from appliance.errors import StateError
from appliance.store.schema import STORE
from appliance.store.writer import Writer
from tests.appliance.store.support import NOON, FakeClock, a_row, bytes_of, domains

DAY = 86_400
PLANTED = "zebra-planted-7c1f.example"


def garbage(path: Path) -> None:
    path.write_bytes(b"this was never a database. " * 500)


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def torn(path: Path) -> None:
    with path.open("r+b") as file:
        for page in range(3, path.stat().st_size // 1_024, 2):
            file.seek(page * 1_024)
            file.write(b"\xa5" * 1_024)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA user_version = 99")


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as store:
        store.execute("CREATE TABLE events (a, b)")


def tables_gone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as store:
        store.execute("DROP VIEW flagged")


@pytest.mark.parametrize("damage", [garbage, cut, torn, newer, foreign, tables_gone])
def test_a_store_that_is_not_sound_is_set_aside_and_a_new_one_begun(
    state: Path, damage: Callable[[Path], None]
) -> None:
    clock = FakeClock()
    writer = Writer(state, clock.now)
    writer.add({a_row(f"{number}.example"): 1 for number in range(200)})
    writer.close()
    damage(state / STORE)
    damaged = (state / STORE).read_bytes()
    writer = Writer(state, clock.now)
    writer.add({a_row("after.example"): 1})
    assert domains(state) == {"after.example": 1}
    assert writer.aside() == ("events.db.corrupt-20261118-120000",)
    assert (state / writer.aside()[0]).read_bytes() == damaged
    writer.close()


@pytest.mark.parametrize("size", [0, 100])
def test_an_empty_or_stunted_file_stops_nothing(tmp_path: Path, size: int) -> None:
    (tmp_path / STORE).write_bytes(bytes(size))
    writer = Writer(tmp_path, FakeClock().now)
    writer.add({a_row("after.example"): 1})
    assert domains(tmp_path) == {"after.example": 1}
    writer.close()


def test_damage_while_running_costs_one_call(state: Path) -> None:
    writer = Writer(state, FakeClock().now)
    for batch in range(20):
        writer.add({a_row(f"{batch}-{number}.example", NOON + 60 * batch): 1 for number in range(200)})
    with closing(sqlite3.connect(state / STORE)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    torn(state / STORE)
    lost = 0
    for batch in range(5):
        try:
            writer.add({a_row(f"after-{batch}.example", NOON + 61 * batch): 1})
        except StateError:
            lost += 1
    assert lost == 1
    assert len(writer.aside()) == 1
    assert all(domain.startswith("after-") for domain in domains(state))
    writer.close()


def spoil_index(path: Path) -> None:
    """Let an index tell other words than its table, which PRAGMA quick_check does not look at."""
    index = "sqlite_autoindex_verdicts_1"
    with closing(sqlite3.connect(path, isolation_level=None)) as store:
        (table,) = store.execute("SELECT sql FROM sqlite_master WHERE name = 'verdicts'").fetchone()
        (row,) = store.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE name = ?", (index,))
        store.execute("PRAGMA writable_schema = ON")
        store.execute("DELETE FROM sqlite_master WHERE name = ?", (index,))
        bare = table[: table.index("UNIQUE")].rstrip(" ,\n") + ")"
        store.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'verdicts'", (bare,))
    with closing(sqlite3.connect(path, isolation_level=None)) as store:
        store.execute("UPDATE verdicts SET category = 'other'")
        store.execute("PRAGMA writable_schema = ON")
        store.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'verdicts'", (table,))
        store.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)


def test_damage_that_the_look_at_start_does_not_see_is_set_aside_when_met(state: Path) -> None:
    clock = FakeClock()
    writer = Writer(state, clock.now)
    writer.add({a_row("before.example"): 1})
    writer.close()
    spoil_index(state / STORE)
    clock.sleep(31 * DAY)
    with pytest.raises(StateError):
        writer.forget(30)
    writer.forget(30)
    assert len(writer.aside()) == 1
    writer.add({a_row("after.example", clock.wall): 1})
    assert domains(state) == {"after.example": 1}
    writer.close()


def test_a_store_set_aside_is_forgotten_like_its_events(state: Path) -> None:
    (state / f"{STORE}.corrupt-20261118-120000").write_text(PLANTED)
    (state / f"{STORE}.corrupt-20261118-120000-wal").write_text(PLANTED)
    now = (state / f"{STORE}.corrupt-20261118-120000").stat().st_mtime
    clock = FakeClock(now + 29 * DAY)
    writer = Writer(state, clock.now)
    writer.forget(30)
    assert writer.aside() == (f"{STORE}.corrupt-20261118-120000",)
    clock.sleep(2 * DAY)
    writer.forget(30)
    assert writer.aside() == ()
    assert PLANTED.encode() not in bytes_of(state)
    writer.close()


def test_a_store_that_somebody_removed_is_begun_anew(state: Path) -> None:
    writer = Writer(state, FakeClock().now)
    writer.add({a_row("before.example"): 1})
    for path in state.iterdir():
        path.unlink()
    writer.add({a_row("after.example"): 1})
    assert domains(state) == {"after.example": 1}
    writer.close()


def test_a_disk_that_takes_nothing_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / STORE).mkdir()
    writer = Writer(tmp_path, FakeClock().now)
    for call in (lambda: writer.add({a_row("a.example"): 1}), lambda: writer.forget(30), lambda: writer.counted(0)):
        with pytest.raises(StateError, match="cannot be written: unable to open database file") as raised:
            call()
        assert raised.value.hint
    (tmp_path / STORE).rmdir()
    writer.add({a_row("a.example"): 1})
    assert domains(tmp_path) == {"a.example": 1}
    writer.close()
