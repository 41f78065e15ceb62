"""The event store's shape: its tables, the words to write and read them, and how to open it.

One row is one (minute, device, domain, verdict) with a count. The tables are laid out for few bytes written, since
every commit writes whole pages to an SD card: rows lie in the order of time, the words of a verdict stand once, and
pages are small (tests/bench/bench_events.py). Only store.migrations makes or changes the tables.
"""

import sqlite3
from pathlib import Path
from typing import NamedTuple

STORE = "events.db"
VERSION = 1
"""what PRAGMA user_version tells once every migration is applied"""
PAGE_SIZE = 1_024
"""bytes; 512 to 4096 measured: the least written a day"""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Row(NamedTuple):
    """What one row of the store is about; the store adds how often."""

    minute: int
    """minutes since 1970-01-01 00:00 UTC"""
    device: str
    """pseudonym: 8 hex digits"""
    domain: str
    """registrable domain, or the address itself"""
    group: str
    category: str
    action: str
    reason: str
    via: str
    rule_list: str
    rule_line: int


TABLES = (
    """
    CREATE TABLE verdicts (
        id INTEGER PRIMARY KEY,
        "group" TEXT NOT NULL,
        category TEXT NOT NULL,
        action TEXT NOT NULL,
        reason TEXT NOT NULL,
        via TEXT NOT NULL,
        rule_list TEXT NOT NULL,
        UNIQUE ("group", category, action, reason, via, rule_list)
    )
    """,
    """
    CREATE TABLE events (
        minute INTEGER NOT NULL,
        device TEXT NOT NULL,
        domain TEXT NOT NULL,
        verdict INTEGER NOT NULL REFERENCES verdicts (id),
        rule_line INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (minute, device, domain, verdict, rule_line)
    ) WITHOUT ROWID
    """,
    """
    CREATE VIEW flagged AS
    SELECT minute, device, domain, "group", category, action, reason, via, rule_list, rule_line, count
    FROM events JOIN verdicts ON verdicts.id = events.verdict
    """,
)

ADD_VERDICT = """
    INSERT OR IGNORE INTO verdicts ("group", category, action, reason, via, rule_list)
    VALUES (:group, :category, :action, :reason, :via, :rule_list)
"""
ADD_EVENT = """
    INSERT INTO events (minute, device, domain, verdict, rule_line, count)
    SELECT :minute, :device, :domain, id, :rule_line, :count FROM verdicts
    WHERE "group" = :group AND category = :category AND action = :action
      AND reason = :reason AND via = :via AND rule_list = :rule_list
    ON CONFLICT DO UPDATE SET count = count + excluded.count
"""
UNUSED_VERDICTS = "DELETE FROM verdicts WHERE id NOT IN (SELECT verdict FROM events)"


def connect_writer(path: Path) -> sqlite3.Connection:
    """The recorder's connection to an existing store: every commit is on the disk when it returns, what is deleted is
    overwritten, and little memory is held. Raises sqlite3.Error."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=0.5)
    try:
        for setting in ("synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY", "cache_size=-512"):
            connection.execute(f"PRAGMA {setting}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read, also while the recorder writes. Raises sqlite3.Error."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def is_damage(error: BaseException) -> bool:
    """Whether SQLite says that the file, and not the disk or the query, is broken."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
