"""What every benchmark is given: how long to take, where to work, and parts that several of them share."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rig import box, names
from rig.machine import wait_for_calm
from rig.origin import Origin, start_origin

FULL_NAMES, QUICK_NAMES = 3_000_000, 300_000


@dataclass(slots=True)
class Setting:
    """One run of the suite."""

    folder: Path
    """empty at first, gone at the end; its path is short, because sockets lie in it"""
    host: str
    """the name of the origin"""
    quick: bool = False
    count: int = FULL_NAMES
    """names of the rule set"""
    listed: Path | None = None
    """a real list to take the names from, instead of made ones"""
    began: float = field(default_factory=time.monotonic)
    _origin: Origin | None = None
    _prepared: Path | None = None
    patience: float = 90.0
    """seconds that a run spends in all waiting for others' bursts of work to pass"""
    imported: tuple[float, float] = (0.0, 0.0)
    """seconds and peak MiB of importing the names by the command, once `prepared` was called"""

    @property
    def rounds(self) -> int:
        """How often everything is measured; the median is told."""
        return 2 if self.quick else 5

    @property
    def seconds(self) -> float:
        """How long one measurement takes."""
        return 1.5 if self.quick else 4.0

    def say(self, what: str) -> None:
        """A line of progress."""
        end, before = ("", "\r\x1b[K") if sys.stderr.isatty() else ("\n", "")
        print(f"{before}[{time.monotonic() - self.began:5.0f} s] {what}"[:160], end=end, file=sys.stderr, flush=True)

    def calm(self) -> None:
        """Wait a little where others keep the machine busy, as long as there is patience left."""
        self.patience -= wait_for_calm(min(4.0, self.patience))

    def subfolder(self, name: str) -> Path:
        """A new folder."""
        made = self.folder / name
        made.mkdir()
        return made

    def names_file(self) -> Path:
        """The names as a plain list."""
        path = self.folder / "bench-names.txt"
        if not path.exists():
            self.say(f"writing {self.count:,} names")
            found = names.from_file(self.listed, self.count) if self.listed else names.synthetic(self.count)
            with path.open("w", encoding="utf-8") as file:
                file.writelines(f"{name}\n" for name in found)
        return path

    def origin(self) -> Origin:
        """The origin server. Raises LookupError, DidNotStart."""
        if self._origin is None:
            self._origin = start_origin(self.subfolder("origin"), self.host)
        return self._origin

    def prepared(self) -> Path:
        """A state folder that holds the names, imported by the command. Raises DidNotStart."""
        if self._prepared is None:
            state = self.subfolder("prepared")
            listed = self.names_file()
            self.say(f"schoolgate rules import, {self.count:,} names")
            self.imported = box.import_names(state, listed)
            self._prepared = state
        return self._prepared

    def close(self) -> None:
        """End what several benchmarks shared."""
        if self._origin:
            self._origin.stop()


Benchmark = Callable[[Setting], "object"]
