"""The one writer of the event store: opens it or sets it aside, adds to it, and makes it forget.

A damaged store never stops the box: it is renamed with the date, a new one is begun, and the renamed one is forgotten
like any event. After any error the file is closed and opened again with the next call.
"""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import StateError
from appliance.store import CLOCK_FLOOR
from appliance.store.schema import (
    ADD_EVENT,
    ADD_VERDICT,
    STORE,
    UNUSED_VERDICTS,
    VERSION,
    Row,
    connect_writer,
    is_damage,
)

CHECK_SECONDS = 5.0
"""how long a look for damage may take at start; what it has not seen by then counts as sound. SQLite before 3.41 heeds
it only after the first third of the work, which 12 MB make 0.02 s long."""
MIGRATION_SECONDS = 120
NOT_OURS = VERSION + 1
BESIDE = ("", "-wal", "-shm")
"""the files of one store"""


class Writer:
    """The event store in a state folder. Every method but close raises StateError when the disk does not let it."""

    def __init__(self, state: Path, now: Callable[[], float]) -> None:
        """`now` tells unix seconds. Opens nothing yet."""
        self._path, self._now = state / STORE, now
        self._open: sqlite3.Connection | None = None
        self._traces = True
        self.commits = 0

    def add(self, rows: Mapping[Row, int]) -> None:
        """Add these counts, in one commit: all of them are on the disk afterwards, or none."""
        with self._transaction() as store:
            for row, count in rows.items():
                named = row._asdict()
                store.execute(ADD_VERDICT, named)
                store.execute(ADD_EVENT, {**named, "count": count})

    def forget(self, retention_days: int) -> None:
        """Delete what is older, leaving no trace of it in the files. Also what is dated further ahead than that: it
        was written under a wrong clock, and would stay for years. A clock that was never set deletes nothing."""
        now = self._now()
        if now < CLOCK_FLOOR:
            return
        minute, keep = int(now) // 60, retention_days * 1_440
        with self._transaction() as store:
            gone = store.execute("DELETE FROM events WHERE minute < ?", (minute - keep,)).rowcount
            gone += store.execute("DELETE FROM events WHERE minute > ?", (minute + keep,)).rowcount
            if gone:
                self._traces = True
                store.execute(UNUSED_VERDICTS)
                store.execute("PRAGMA incremental_vacuum").fetchall()
        with self._store() as store:
            self._forget_aside(now, retention_days * 86_400)
            if self._traces:
                (busy, *_) = store.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                self._traces = bool(busy)  # somebody reads an older state: again next time

    def counted(self, since: int) -> int:
        """How many events are stored that happened in or after this minute."""
        with self._store() as store:
            (total,) = store.execute(
                "SELECT coalesce(sum(count), 0) FROM events WHERE minute >= ?", (since,)
            ).fetchone()
        return int(total)

    def aside(self) -> tuple[str, ...]:
        """The names of the stores that were set aside and not yet forgotten."""
        return tuple(sorted(path.name for path in self._aside() if not path.name.endswith(("-wal", "-shm"))))

    def close(self) -> None:
        """Close the store; the last one to close it empties the write-ahead log."""
        if self._open:
            self._open.close()
            self._open = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._store() as store:
            changes = store.total_changes
            store.execute("BEGIN IMMEDIATE")
            yield store
            store.execute("COMMIT")
            self.commits += store.total_changes != changes

    @contextmanager
    def _store(self) -> Iterator[sqlite3.Connection]:
        """The open store; what SQLite or the disk has to say comes out as StateError."""
        try:
            if self._open and not self._path.exists():
                self.close()  # somebody removed it: what is written now would go with it
            if self._open is None:
                self._prepare()
                self._open = connect_writer(self._path)
            yield self._open
        except (sqlite3.Error, OSError) as error:
            self.close()
            if is_damage(error):
                with suppress(OSError):  # the look at start tries again, but does not see everything
                    self._set_aside()
            said = getattr(error, "strerror", None) or error
            raise StateError(
                f"The event store {self._path} cannot be written: {said}.",
                "See that the disk is not full or read-only.",
            ) from error

    def _prepare(self) -> None:
        """See that the store is there, sound, and of this version; otherwise begin a new one."""
        version = 0
        if self._path.exists():
            try:
                version = _sound_version(self._path)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                version = NOT_OURS
        if version > VERSION:
            self._set_aside()
        if version != VERSION:
            _migrate(self._path)

    def _set_aside(self) -> None:
        stamp = datetime.fromtimestamp(self._now(), UTC).strftime("%Y%m%d-%H%M%S")
        for end in BESIDE:
            part = self._path.with_name(STORE + end)
            if part.exists():
                part.rename(self._path.with_name(f"{STORE}.corrupt-{stamp}{end}"))

    def _aside(self) -> list[Path]:
        return list(self._path.parent.glob(f"{STORE}.corrupt-*"))

    def _forget_aside(self, now: float, seconds: float) -> None:
        for path in self._aside():
            if abs(now - path.stat().st_mtime) > seconds:
                path.unlink(missing_ok=True)


def _sound_version(path: Path) -> int:
    """The store's version, or NOT_OURS where it is damaged or somebody else's. Raises sqlite3.Error."""
    store = connect_writer(path)
    deadline = time.monotonic() + CHECK_SECONDS
    store.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    version, whole = 0, True
    try:
        version = int(store.execute("PRAGMA user_version").fetchone()[0])
        tables = store.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('events', 'verdicts', 'flagged')")
        whole = tables.fetchone()[0] == (3 if version else 0)
        whole = store.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok" and whole
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
    finally:
        store.close()
    return version if whole else NOT_OURS


def _migrate(path: Path) -> None:
    """Raises OSError with what the other process had to say."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "appliance.store.migrations", str(path)]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=MIGRATION_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise OSError(f"its tables could not be made in {MIGRATION_SECONDS} s") from error
    if ran.returncode:
        raise OSError((ran.stderr.strip().splitlines() or ["its tables could not be made"])[-1])
