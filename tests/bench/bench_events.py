"""What recording costs: bytes written, commits and memory of a recorder over a school day of 300 devices.

Assumed: a day of 7 hours; each device meets a blocked name 40 times, as a browser or an app does it: in bursts of 1
to 6 requests within 40 s, three of five of them to one name, the rest to others; 3,000 names in all. The store already
holds 30 such days, so that each hour the oldest hour is forgotten. A second run takes 200 flagged requests a device,
and 6 days. Time is compressed: the recorder's clocks go with the events. Bytes are those that the kernel had to write
for the process (/proc/self/io), without what the file system's own journal adds.

    python tests/bench/bench_events.py
"""

import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from appliance.store.recorder import Recorder  # noqa: E402
from appliance.store.schema import Row  # noqa: E402
from appliance.store.writer import Writer  # noqa: E402
from appliance.wire.event import Event, decode, encode  # noqa: E402

BUDGET = 10_000_000
"""bytes"""
MORNING = 1_795_075_200
"""2026-11-19 08:00 UTC"""
DAY, HOURS, DEVICES, NAMES = 86_400, 7, 300, 3_000


def school_day(begin: int, flagged: int, seed: int) -> list[tuple[float, Event]]:
    """The day's events in order, with the time at which each reaches the recorder."""
    chance = random.Random(seed)
    names = [f"www.{chance.getrandbits(48):x}.{chance.choice(['com', 'net', 'co.uk', 'org'])}" for _ in range(NAMES)]
    events = []
    for device in range(DEVICES):
        left = flagged
        while left:
            burst = min(left, chance.randint(1, 6))
            left -= burst
            start, name = begin + chance.uniform(0, HOURS * 3_600), chance.randrange(NAMES)
            for _ in range(burst):
                at, asked = start + chance.uniform(0, 40), name if chance.random() < 0.6 else chance.randrange(NAMES)
                events.append((at, _event(at, device, names[asked], asked)))
    return sorted(events, key=lambda row: row[0])


def _event(at: float, device: int, host: str, number: int) -> Event:
    category = ("gambling", "adult", "social-networks", "malware")[number % 4]
    group = ("early-primary", "primary", "lower-secondary", "upper-secondary")[device % 4]
    via = ("tls", "http", "dns")[number % 3]
    client = f"10.20.{device // 250}.{device % 250 + 1}"
    return Event(
        int(at), group, category, "block", "blocked_by_category", via, host, f"{category}-list", number, client
    )


def fill(state: Path, flagged: int, days: int) -> None:
    """As many earlier days, in large commits: what they cost is not measured."""
    writer = Writer(state, lambda: MORNING)
    for back in range(days, 0, -1):
        rows: Counter[Row] = Counter()
        for _, event in school_day(MORNING - back * DAY, flagged, back):
            domain = event.host.removeprefix("www.")
            words = (event.group, event.category, event.action, event.reason, event.via, event.rule_list)
            rows[Row(event.at // 60, f"{hash(event.client) & 0xFFFFFFFF:08x}", domain, *words, event.rule_line)] += 1
        writer.add(rows)
    writer.close()


def record(state: Path, retention_days: int) -> None:
    """The process that is measured: a recorder, fed from standard input, and nothing else."""
    time = [float(MORNING)]
    recorder = Recorder(state, retention_days, 120, now=lambda: time[0], monotonic=lambda: time[0])
    recorder.tick()
    before, began, longest, oldest = _written(), recorder.commits, 0.0, 0.0
    for line in sys.stdin.buffer:
        at, _, datagram = line.rstrip(b"\n").partition(b" ")
        for moment in _moments(recorder, time, float(at)):
            time[0], commits = moment, recorder.commits
            recorder.tick()
            if recorder.commits > commits and oldest:
                longest, oldest = max(longest, moment - oldest), 0.0
        time[0] = float(at)
        oldest = oldest or time[0]
        assert decode(datagram)
        recorder.take(datagram)
    recorder.close()
    rollup = Path("/proc/self/smaps_rollup").read_text()
    pss = int(rollup.partition("\nPss:")[2].split()[0])
    print(_written() - before, recorder.commits - began, round(longest), pss)


def _moments(recorder: Recorder, time: list[float], until: float) -> Iterator[float]:
    """When the recorder has something to do before `until`."""
    while (due := time[0] + recorder.wait()) <= until:
        yield due


def _written() -> int:
    return int(Path("/proc/self/io").read_text().partition("\nwrite_bytes:")[2].split()[0])


def measure(flagged: int, days: int) -> str:
    """One line of figures for a day of so many flagged requests a device."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        state = Path(folder)
        fill(state, flagged, days)
        events = school_day(MORNING, flagged, 0)
        told = b"".join(b"%.3f %s\n" % (at, encode(event)) for at, event in events)
        command = [sys.executable, __file__, "record", folder, str(days)]
        ran = subprocess.run(command, input=told, stdout=subprocess.PIPE, check=True)
        size = (state / "events.db").stat().st_size
    written, commits, longest, pss = map(int, ran.stdout.split())
    return (
        f"events: {DEVICES} devices x {flagged} = {len(events):,} flagged requests: {written / 1e6:.1f} MB written in "
        f"{commits} commits (budget {BUDGET / 1e6:.0f} MB), an event waits {longest} s at most, "
        f"store of {days + 1} days {size / 1e6:.1f} MB, recorder {pss / 1024:.1f} MiB PSS"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["record"]:
        record(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        for flagged, days in ((40, 30), (200, 6)):
            print(measure(flagged, days), flush=True)
