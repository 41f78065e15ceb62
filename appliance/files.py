"""Files that are whole or not there at all: written beside, synced, renamed."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def write_atomic(path: Path, content: bytes | Iterable[bytes], mode: int = 0o644) -> None:
    """Replace `path` by `content` so that a reader or a power cut sees the old file or the new one, never a part.
    Bytes that are already there are not written again, which is kind to an SD card."""
    chunks = [content] if isinstance(content, bytes) else content
    if isinstance(content, bytes) and same(path, content):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as out:
            out.writelines(chunks)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def same(path: Path, content: bytes) -> bool:
    """Whether the file holds exactly these bytes."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        return False


def write_json(path: Path, value: Any, mode: int = 0o644) -> None:
    """Replace `path` by `value` as JSON, atomically."""
    write_atomic(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode(), mode)


def read_json(path: Path) -> Any:
    """What `path` holds, or None where it is missing or broken: such files can all be made anew."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


Stamp = tuple[int, int, int] | None


def stamp(path: Path) -> Stamp:
    """What changes whenever the file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
