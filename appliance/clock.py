"""The only place that asks for the time: wall-clock for timetables and events, monotonic for time-outs."""

import os
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone(name: str) -> tzinfo:
    """The time zone of that name (IANA), or the machine's own for "", or UTC where the machine has none.
    Raises ValueError for a name that does not exist."""
    if name:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {name!r}") from error
    own = os.environ.get("TZ", "").lstrip(":") or _localtime()
    try:
        return ZoneInfo(own) if own else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _localtime() -> str:
    try:
        target = str(Path("/etc/localtime").resolve())
    except OSError:
        return ""
    return target.partition("/zoneinfo/")[2]


def now(zone: tzinfo = UTC) -> datetime:
    """The wall-clock time there, aware."""
    return datetime.now(zone)
