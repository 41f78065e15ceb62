"""The machine that measures: what it is, how busy others keep it, and the two cores that a run confines itself to."""

import os
import platform
import sys
import time
from pathlib import Path

CORES = 2
"""as on the reference rig, so that figures from larger machines can be compared"""


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


def busy(seconds: float = 1.0) -> float:
    """The part of all cores' time, 0 to 1, that was in use while this waited: what others are doing to the figures."""
    before = _cpu_times()
    time.sleep(seconds)
    total, idle = (new - old for new, old in zip(_cpu_times(), before, strict=True))
    return 1.0 - idle / total if total else 0.0


def _cpu_times() -> tuple[int, int]:
    """(all, idle) in clock ticks since the start of the machine."""
    first = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    user, nice, system, idle, waiting, *others = map(int, first.split()[1:9])
    return user + nice + system + idle + waiting + sum(others), idle + waiting
