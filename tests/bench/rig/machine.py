"""The machine that measures: what it is, how busy others keep it, and the two cores that a run confines itself to."""

import os
import platform
import sys
import time
from pathlib import Path

CORES = 2
"""as on the reference rig, so that figures from larger machines can be compared"""
CALM = 0.15
"""of all cores, in use by anybody, while nothing is measured"""
_TICK = os.sysconf("SC_CLK_TCK")


def confine() -> int:
    """Keep this process and all that it starts on CORES cores (fewer where there are fewer); how many they are."""
    allowed = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, allowed)
    return len(allowed)


def describe() -> str:
    """One line: processor, cores, memory, kernel, Python."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    version = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{_model()}, {cores} of {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()} {platform.machine()}, Python {version}"
    )


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.processor() or "unknown processor"


class Meter:
    """What others use of the machine's processor time while a run lasts: whatever is busy and is not of this run."""

    def __init__(self) -> None:
        self._busy, self._total = _cpu_times()
        self._own = _own_times()

    def others(self) -> float:
        """Their part of all cores' time, 0 to 1, since the start. What this run started must have ended by now: only
        then is it known as its own."""
        busy, total = _cpu_times()
        theirs = (busy - self._busy) - (_own_times() - self._own)
        return max(0.0, theirs / (total - self._total)) if total > self._total else 0.0


def wait_for_calm(most: float) -> float:
    """Wait until less than CALM of the cores is in use for a moment, so that bursts of others' work are let pass.
    Gives up after `most` seconds; how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < most:
        before = _cpu_times()
        time.sleep(0.2)
        busy, total = (new - old for new, old in zip(_cpu_times(), before, strict=True))
        if busy < CALM * total:
            break
    return time.monotonic() - began


def _own_times() -> float:
    return sum(os.times()[:4])


def _cpu_times() -> tuple[float, float]:
    """(in use by processes, all) in seconds since the start of the machine. What interrupts take is left out of the
    first, because the kernel does much of a run's own work in them."""
    first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    user, nice, system, *others = (int(ticks) / _TICK for ticks in first.split()[1:9])
    return user + nice + system, user + nice + system + sum(others)
