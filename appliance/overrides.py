"""The file of temporary changes, overrides.json: written by the command line and the web, read by every gate.

Each write replaces the whole file, under a lock, and drops what has ended.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from appliance.errors import StateError
from appliance.files import read_json, write_json
from filters.model import ClientGroup
from filters.policy import Override

LONGEST = timedelta(hours=12)
"""an override is for a lesson or a day, not for good: that is what a policy is for"""


def read_overrides(path: Path) -> tuple[Override, ...]:
    """The overrides in the file, the ended ones included; none where there is no file. Raises ValueError where it is
    damaged."""
    if not path.exists():
        return ()
    rows = read_json(path)
    if not isinstance(rows, list):
        raise ValueError("it is damaged")
    try:
        return tuple(
            Override(
                str(row["id"]),
                ClientGroup(row["group"]),
                datetime.fromisoformat(row["until"]),
                row["host"],
                str(row["reason"]),
            )
            for row in rows
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("it is damaged") from error


def add(path: Path, group: ClientGroup, host: str | None, minutes: int, now: datetime, reason: str = "") -> Override:
    """Begin an override that ends by itself after `minutes`; a new pause or allow replaces its like."""
    until = now + timedelta(minutes=minutes)
    override = Override(os.urandom(3).hex(), group, until, host, reason)
    with _changing(path, now) as rows:
        rows[:] = [row for row in rows if (row.group, row.host) != (group, host)]
        rows.append(override)
    return override


def end(path: Path, ids: set[str], now: datetime) -> list[Override]:
    """End these overrides now; returns those that were still in force."""
    with _changing(path, now) as rows:
        ended = [row for row in rows if row.id in ids]
        rows[:] = [row for row in rows if row.id not in ids]
    return ended


@contextmanager
def _changing(path: Path, now: datetime) -> Iterator[list[Override]]:
    """The overrides that hold at `now`, to be changed in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            rows = [row for row in read_overrides(path) if now < row.until]
        except ValueError as error:
            raise StateError(
                f"{path} cannot be read: {error}", "Remove the file: every override in it ends."
            ) from error
        yield rows
        write_json(
            path,
            [
                {
                    "id": row.id,
                    "group": row.group.value,
                    "until": row.until.isoformat(),
                    "host": row.host,
                    "reason": row.reason,
                }
                for row in rows
            ],
        )
