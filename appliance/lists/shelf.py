"""The folder of compiled lists: one NAME.rules each, whole or not there, and as before when a change fails."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfile

from appliance.errors import RuleSetError, StateError
from appliance.files import write_atomic
from appliance.snapshot import open_rules
from filters.index import RuleSet


class Shelf:
    """The compiled lists of a box. What changes them stands in `with shelf.changing():`, or is not undone when it
    fails."""

    def __init__(self, folder: Path, key: Callable[[], bytes]) -> None:
        """`key` tells the box's secret, with which every list here was compiled."""
        self._folder, self._key = folder, key
        self._before: dict[Path, Path | None] | None = None
        """while changing: each list that was touched, and the copy of what it was"""

    def paths(self) -> list[Path]:
        """The lists, by name."""
        return sorted(self._folder.glob("[!.]*.rules"))

    def open(self, path: Path) -> RuleSet:
        """One list, verified. Raises RuleSetError."""
        hint = f"Remove it, `schoolgate rules remove {path.stem}`, and import the list again."
        try:
            rules = open_rules(path)
        except RuleSetError as error:
            raise RuleSetError(str(error), hint) from error
        if rules.key != self._key():
            raise RuleSetError(f"{path}: was compiled on another box", hint)
        return rules

    def source(self, name: str) -> str:
        """Where the list of that name came from; "" where there is none, or a damaged one."""
        with suppress(RuleSetError):
            return open_rules(self._path(name)).lists[0].source
        return ""

    def put(self, name: str, sections: Sequence[bytes]) -> None:
        """Put a compiled list here, in the place of one of the same name."""
        self._touch(self._path(name))
        write_atomic(self._path(name), sections)

    def remove(self, name: str) -> bool:
        """Forget a list; False where there is none of that name."""
        if self._path(name) not in self.paths():
            return False
        self._touch(self._path(name))
        self._path(name).unlink(missing_ok=True)
        return True

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lists alone, and put them back as they were when the block raises: a list that spoils the rule set
        must not stay, for every later build would fail. Raises StateError where another program is changing them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                hint = "Wait for it to end, then try again."
                raise StateError(f"{self._folder}: another program is changing the lists", hint) from error
            self._before = {}
            try:
                yield
            except BaseException:
                self._put_back(self._before)
                raise
            finally:
                self._before = None
                for left in self._folder.glob(".*.before"):
                    left.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.rules"

    def _touch(self, path: Path) -> None:
        """Keep what a list is, before it changes."""
        if self._before is None or path in self._before:
            return
        kept = path.with_name(f".{path.stem}.before") if path.exists() else None
        if kept:
            second_name(path, kept)
        self._before[path] = kept

    def _put_back(self, before: dict[Path, Path | None]) -> None:
        for path, kept in before.items():
            if kept:
                kept.replace(path)
            else:
                path.unlink(missing_ok=True)


def second_name(path: Path, name: Path) -> None:
    """Let `name` be what `path` is now, also after `path` was replaced; no byte is copied where the file system allows
    it."""
    name.unlink(missing_ok=True)
    try:
        os.link(path, name)
    except OSError:
        copyfile(path, name)
