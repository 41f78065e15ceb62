"""The file of temporary changes, overrides.json: written by the command line and the web, read by every gate.

Each write replaces the whole file, under a lock, and drops what has ended.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.errors import StateError
from appliance.files import write_json
from filters.model import ClientGroup
from filters.names import host as normalise
from filters.policy import Override

LONGEST = timedelta(hours=12)
"""an override is for a lesson or a day, not for good: that is what a policy is for"""


def read_overrides(path: Path) -> tuple[Override, ...]:
    """The overrides in the file, the ended ones included; none where there is no file. Raises ValueError where it is
    damaged."""
    if not path.exists():
        return ()
    try:
        rows = json.loads(path.read_bytes())
        if not isinstance(rows, list):
            raise ValueError
        return tuple(_override(row) for row in rows)
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror})") from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("it is damaged") from error


def _override(row: dict[str, Any]) -> Override:
    """One row of the file. Raises KeyError, TypeError or ValueError where it is none: the engine must be able to rely
    on every field."""
    until, host, reason = datetime.fromisoformat(row["until"]), row["host"], row.get("reason", "")
    if until.tzinfo is None or not isinstance(reason, str):
        raise ValueError
    if host is not None and normalise(host) != host:
        raise ValueError
    return Override(str(row["id"]), ClientGroup(row["group"]), until, host, reason)


def add(path: Path, group: ClientGroup, host: str | None, minutes: int, now: datetime, reason: str = "") -> Override:
    """Begin an override that ends by itself after `minutes`; a new pause or allow replaces its like."""
    until = (now.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(now.tzinfo)  # the clocks may change meanwhile
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
            raise StateError(f"{path}: {error}", "Remove the file: every override in it ends.") from error
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
