"""The splice lane beside no filter, Squid's peek and splice, HAProxy's SNI mode, and mitmproxy alone.

One origin, one load, all paths running at once and measured in turn, round after round, so that whatever else the
machine does falls on all of them alike; medians are told. A new connection is a full TLS 1.3 handshake, one page of
1 kB, and close, by 50 clients; then as many requests as go over 50 kept connections; then one download of 200 MB.

Two things to know when reading. HAProxy is no proxy for CONNECT: it is spared a round trip and a request, on every new
connection, that the others pay. And load, path and origin share two cores, so a rate is a share of what all three cost
together; the column "cpu" is the path's own processor time, which does not depend on how fast the load is.
"""

import contextlib
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rig import lanes
from rig.box import start_box
from rig.lanes import Lane
from rig.load import WORKERS, Broken, fetch, press
from rig.origin import BIG, Origin
from rig.processes import DidNotStart, cpu_seconds
from rig.report import Findings, Row, Table, number
from rig.setting import Setting

CLIENTS = 50
OURS, SQUID, HAPROXY, DIRECT = "Schoolgate splice", "Squid peek+splice", "HAProxy SNI", "direct"


@dataclass(slots=True)
class Measured:
    """What all rounds said of one lane."""

    new: list[float] = field(default_factory=list)
    """connections a second"""
    p99: list[float] = field(default_factory=list)
    """milliseconds, of new connections"""
    new_cpu: list[float] = field(default_factory=list)
    """µs of the lane's own processor time a connection"""
    kept: list[float] = field(default_factory=list)
    """requests a second"""
    kept_cpu: list[float] = field(default_factory=list)
    """µs a request"""
    bulk: list[float] = field(default_factory=list)
    """Gbit/s"""
    bulk_cpu: list[float] = field(default_factory=list)
    """ms for 100 MB"""
    memory: float = 0.0
    """MiB after all that"""


def measure(setting: Setting) -> Findings:
    """All lanes that can be started here."""
    findings = Findings()
    with contextlib.ExitStack() as running:
        try:
            origin = setting.origin()
        except (LookupError, DidNotStart) as error:
            return Findings(left_out=[f"splice: {error}"])
        started = list(_start(setting, origin, running, findings))
        figures = _rounds(setting, origin, started, findings)
        for lane in started:
            figures[lane.name].memory = lane.memory()
    findings.tables.append(_table(started, figures, setting))
    findings.rows += _against_peers(figures)
    return findings


def _start(setting: Setting, origin: Origin, running: contextlib.ExitStack, findings: Findings) -> Iterator[Lane]:
    """Every lane that starts and shows the certificate that it should."""
    folder = setting.subfolder("splice")
    starters: Sequence[Callable[[], Lane]] = (
        lambda: lanes.direct(origin),
        lambda: lanes.squid(folder, origin),
        lambda: lanes.haproxy(folder, origin),
        lambda: start_box(folder, setting.prepared(), origin, workers=1).lane(OURS, origin.authority),
        lambda: lanes.mitmproxy_passing(folder, origin),
        lambda: lanes.mitmproxy_inspecting(folder, origin),
    )
    for starter in starters:
        try:
            lane = starter()
            running.callback(lane.stop)
            setting.say(f"{lane.name} runs")
            fetch(lane.order(origin), str(lane.authority))
        except (LookupError, DidNotStart, Broken, OSError) as error:
            findings.left_out.append(f"splice: {error}")
        else:
            yield lane


def _rounds(setting: Setting, origin: Origin, started: Sequence[Lane], findings: Findings) -> dict[str, Measured]:
    figures: dict[str, Measured] = defaultdict(Measured)
    kinds = {"new connections": new_connections, "kept connections": kept_connections, "bulk": bulk}
    broken: set[str] = set()
    for turn in range(setting.rounds):
        for kind, act in kinds.items():
            for lane in started:
                if lane.name in broken:
                    continue
                setting.say(f"round {turn + 1} of {setting.rounds}, {kind}: {lane.name}")
                setting.calm()
                try:
                    act(lane, origin, setting.seconds, figures[lane.name])
                except (Broken, OSError) as error:
                    broken.add(lane.name)
                    findings.failed(f"splice: {lane.name}, {kind}", f"{error}", ours=lane.name == OURS)
    return figures


def new_connections(lane: Lane, origin: Origin, seconds: float, into: Measured) -> None:
    """Full handshakes, one page each."""
    order = lane.order(origin, clients=CLIENTS // WORKERS, seconds=seconds, most=20_000)
    count, cpu = _costing(lane, lambda: press(order))
    into.new.append(count.rate)
    into.p99.append(count.p99)
    into.new_cpu.append(cpu / count.answers * 1e6)


def kept_connections(lane: Lane, origin: Origin, seconds: float, into: Measured) -> None:
    """Requests one after the other on connections that stay."""
    order = lane.order(origin, clients=CLIENTS // WORKERS, each=10**9, seconds=seconds, most=500_000)
    count, cpu = _costing(lane, lambda: press(order))
    into.kept.append(count.rate)
    into.kept_cpu.append(cpu / count.answers * 1e6)


def bulk(lane: Lane, origin: Origin, seconds: float, into: Measured) -> None:
    """One download."""
    (size, took), cpu = _costing(lane, lambda: fetch(lane.order(origin, "/big")))
    into.bulk.append(size * 8 / took / 1e9)
    into.bulk_cpu.append(cpu / size * 1e11)


def _costing[T](lane: Lane, act: Callable[[], T]) -> tuple[T, float]:
    """What the load says, and the processor seconds that the lane itself used meanwhile."""
    pids = lane.pids()
    before = cpu_seconds(pids)
    return act(), cpu_seconds(pids) - before


def _table(started: Sequence[Lane], figures: dict[str, Measured], setting: Setting) -> Table:
    base = figures[DIRECT]
    columns = ["path", "new TLS/s", "of direct", "p99 ms", "cpu µs", "keep-alive/s", "of direct", "cpu µs"]
    columns += ["bulk Gbit/s", "cpu ms/100 MB", "MiB", "new TLS/s, least and most"]
    rows = []
    for lane in started:
        one = figures[lane.name]
        if not one.bulk:
            continue
        cells = [one.new, _ratios(one.new, base.new), one.p99, one.new_cpu, one.kept, _ratios(one.kept, base.kept)]
        cells += [one.kept_cpu, one.bulk, one.bulk_cpu, [one.memory]]
        told = [number(statistics.median(cell)) for cell in cells]
        rows.append([lane.name, *told, f"{number(min(one.new))} – {number(max(one.new))}"])
    title = f"Paths beside each other, medians of {setting.rounds} interleaved rounds of {setting.seconds:g} s"
    notes = [
        "cpu: the path's own processor time for one connection, one request, 100 MB; MiB: PSS of all its processes.",
        "HAProxy speaks no CONNECT: a round trip less on each new connection than the other proxies.",
        f"A download is {BIG // 10**6} MB. Schoolgate: all processes, {setting.count:,} names; peers: 20,000 names.",
    ]
    return Table(title, columns, rows, notes)


def _ratios(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """Round by round, because what disturbs a round disturbs both."""
    return [mine / theirs for mine, theirs in zip(one, other, strict=False)] or [float("nan")]


def _against_peers(figures: dict[str, Measured]) -> list[Row]:
    """The budgets: at least as fast as Squid and HAProxy in the same run."""
    ours = figures.get(OURS)
    if ours is None or not ours.bulk:
        return []
    rows = []
    for peer in (SQUID, HAPROXY):
        theirs = figures.get(peer)
        if theirs is None or not theirs.bulk:
            continue
        note = "(it is spared the CONNECT)" if peer == HAPROXY else ""
        for what, mine, their in (
            ("new TLS connections", ours.new, theirs.new),
            ("keep-alive requests", ours.kept, theirs.kept),
            ("bulk", ours.bulk, theirs.bulk),
        ):
            ratio = statistics.median(_ratios(mine, their))
            rows.append(Row(f"splice: {what}, of {peer.split()[0]}'s", ratio, "×", at_least=1.0, note=note))
    return rows
