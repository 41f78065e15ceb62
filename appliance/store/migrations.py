"""The event store's tables, step by step: the only importer of sqlite-utils.

Run as a short-lived process of its own (`python -m appliance.store.migrations FILE`), so that the recorder, which runs
for months, does not carry the library's memory for a few milliseconds' work.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database, Migrations

from appliance.store.schema import PAGE_SIZE, TABLES

event_store = Migrations("events")


@event_store()
def first_tables(db: Database) -> None:
    """Version 1."""
    for table in TABLES:
        db.execute(table)
    db.execute("PRAGMA user_version = 1")


def migrate(path: Path) -> None:
    """Bring the store at `path` to schema.VERSION, making it where there is none, readable by its owner only.
    Interrupted at any moment, it can be run again. Raises sqlite3.Error or OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    with closing(sqlite3.connect(path)) as connection:
        for setting in (f"page_size={PAGE_SIZE}", "auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {setting}")
        event_store.apply(Database(connection, execute_plugins=False))


if __name__ == "__main__":
    try:
        migrate(Path(sys.argv[1]))
    except (sqlite3.Error, OSError) as error:
        sys.exit(str(error))
