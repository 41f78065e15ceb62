"""Starts the programs that are measured, ends them, and reads from /proc what they cost in memory and time."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
_TICK = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 15.0


class DidNotStart(Exception):
    """A program ended, or did not listen in time; says what it wrote."""


def find(program: str) -> str | None:
    """Where a program lies, also those that only root has on the path."""
    return shutil.which(program, path=SYSTEM_PATH)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Started:
    """A program that runs in a session of its own, so that it can be ended whole."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def pids(self) -> list[int]:
        """The process and all below it."""
        return tree(self.process.pid)

    def wait_for_port(self, port: int, seconds: float = 60.0) -> None:
        """Until it listens on a port of 127.0.0.1. Raises DidNotStart, and then it has been ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        ended = self.process.poll()
        self.stop()
        what = f"does not listen on port {port}" if ended is None else f"ended with {ended}"
        raise DidNotStart(f"{self.name} {what}: {self.last_words()}")

    def last_words(self) -> str:
        """The last lines that it wrote."""
        return " / ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:])

    def stop(self) -> None:
        """End it in order, and by force what is left of it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def start(name: str, command: Iterable[str | Path], folder: Path, settings: Mapping[str, str] | None = None) -> Started:
    """Start a program, with further environment settings; what it prints goes to a file in the folder."""
    log = folder / f"{name.replace(' ', '-')}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env={**os.environ, **(settings or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Started(name, process, log)


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for pid, fields in _all_stats():
        parents.setdefault(int(fields[1]), []).append(pid)
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


def _all_stats() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), _stat(int(entry.name))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on (the second, the name, may hold anything)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def cpu_seconds(pids: Iterable[int]) -> float:
    """The processor time, user and system, that these processes have used so far."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = _stat(pid)
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICK


def pss(pids: Iterable[int]) -> float:
    """The proportional memory of these processes together, in MiB."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            total += int(rollup.partition("\nPss:")[2].split()[0])
    return total / 1024


def mapped_pss(pid: int, file_name: str) -> float:
    """The share of a process in the mapping of a file of this name, in MiB; 0 where it has none."""
    total, inside = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace").splitlines():
        first = line.split(maxsplit=1)[0]
        if "-" in first:  # the head of a mapping: its addresses, and its file at the end
            inside = line.rstrip().endswith(f"/{file_name}")
        elif inside and first == "Pss:":
            total += int(line.split()[1])
    return total / 1024


def command_line(pid: int) -> list[str]:
    """The words a process was started with; [] where it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    return []
