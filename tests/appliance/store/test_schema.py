import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from appliance.store.migrations import migrate
from appliance.store.schema import STORE, Row, connect_reader, connect_writer, is_damage


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "a folder?#%" / STORE
    path.parent.mkdir()
    migrate(path)
    return path


def test_the_writer_overwrites_what_it_deletes_and_syncs_each_commit(store: Path) -> None:
    with closing(connect_writer(store)) as connection:
        told = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("secure_delete", "synchronous")}
    assert told == {"secure_delete": 1, "synchronous": 2}


def test_the_reader_cannot_write(store: Path) -> None:
    with closing(connect_reader(store)) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM events")


@pytest.mark.parametrize("connect", [connect_writer, connect_reader])
def test_nobody_makes_a_store_by_opening_it(tmp_path: Path, connect: object) -> None:
    assert callable(connect)
    with pytest.raises(sqlite3.OperationalError):
        connect(tmp_path / STORE)
    assert list(tmp_path.iterdir()) == []


def test_a_row_has_the_columns_of_the_view(store: Path) -> None:
    with closing(connect_reader(store)) as connection:
        columns = [row[0] for row in connection.execute("SELECT * FROM flagged").description]
    assert set(columns) == {*Row._fields, "count"}


def test_nothing_in_the_store_could_hold_an_address_a_whole_host_or_a_path(store: Path) -> None:
    with closing(connect_reader(store)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        ours = [name for name in tables if not name.startswith(("sqlite_", "_sqlite_"))]
        columns = {row[1] for name in ours for row in connection.execute(f"PRAGMA table_info({name})")}
    assert columns == {*Row._fields, "count", "verdict", "id"}


@pytest.mark.parametrize(("content", "damaged"), [(b"no database, but long enough to be taken for one" * 99, True)])
def test_damage_is_told_from_other_trouble(tmp_path: Path, content: bytes, damaged: bool) -> None:
    path = tmp_path / STORE
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.DatabaseError) as raised:
        connection.execute("SELECT * FROM sqlite_master")
    assert is_damage(raised.value) is damaged
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(sqlite3.OperationalError) as missing:
        connection.execute("SELECT * FROM nowhere")
    assert not is_damage(missing.value)
    assert not is_damage(OSError("disk"))
