import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from appliance.store.migrations import event_store, migrate
from appliance.store.schema import PAGE_SIZE, STORE, VERSION, connect_reader


def pragma(path: Path, name: str) -> object:
    with closing(connect_reader(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_store_is_of_this_version_and_laid_out_for_few_bytes(tmp_path: Path) -> None:
    path = tmp_path / STORE
    migrate(path)
    told = {name: pragma(path, name) for name in ("user_version", "page_size", "auto_vacuum", "journal_mode")}
    assert told == {"user_version": VERSION, "page_size": PAGE_SIZE, "auto_vacuum": 2, "journal_mode": "wal"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_again_changes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / STORE
    migrate(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO verdicts VALUES (1, 'staff', '', 'block', 'sealed', 'dns', 'iwf')")
        connection.execute("INSERT INTO events VALUES (1, 'd', 'bad.example', 1, 7, 3)")
    migrate(path)
    with closing(connect_reader(path)) as connection:
        assert connection.execute("SELECT sum(count) FROM flagged").fetchone() == (3,)
        applied = connection.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()
    assert applied == (len(event_store._migrations),)


@pytest.mark.parametrize("size", [0, 1_000_000])
def test_an_empty_file_becomes_a_store_and_another_is_refused_in_one_line(tmp_path: Path, size: int) -> None:
    path = tmp_path / STORE
    path.write_bytes(b"x" * size)
    command = [sys.executable, "-m", "appliance.store.migrations", str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if size:
        assert ran.returncode == 1
        assert ran.stderr == "file is not a database\n"
    else:
        assert ran.returncode == 0
        assert ran.stderr == ""
        assert pragma(path, "page_size") == PAGE_SIZE
