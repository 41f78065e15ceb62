"""The inspect lane beside mitmproxy alone: requests a second for one worker, and memory over many requests.

Both decrypt, verify the origin, and see the same load through CONNECT; the load's clients are devices that trust the
box, which they show by fetching the trust page. The bare mitmproxy runs no addon of ours. Then the box alone: its
inspect worker's memory is read twenty times while connections of 20 requests each are made, and while 1 GB is
downloaded; what it grows by, once warm, is told.
"""

import contextlib
import statistics
import threading
import time
from collections.abc import Sequence

from bench_splice import CLIENTS, Measured, kept_connections, new_connections
from rig import lanes
from rig.box import Box, start_box
from rig.lanes import Lane
from rig.load import WORKERS, Broken, fetch, press
from rig.origin import Origin
from rig.processes import DidNotStart, pss
from rig.report import Findings, Row, Table, number
from rig.setting import Setting

OURS = "Schoolgate inspect"
REQUESTS, QUICK_REQUESTS = 200_000, 5_000
EACH, READINGS = 20, 20
FLAT = 8.0
"""MiB of growth, from a quarter of the way to its end, that still counts as flat"""


def measure(setting: Setting) -> Findings:
    """Rates beside the bare mitmproxy, then memory."""
    findings = Findings()
    with contextlib.ExitStack() as running:
        try:
            origin = setting.origin()
            folder = setting.subfolder("inspect")
            box = start_box(folder, setting.prepared(), origin, workers=1, inspects="unknown")
            running.callback(box.stop)
            ours = box.lane(OURS, box.authority)
            bare = lanes.mitmproxy_inspecting(folder, origin)
            running.callback(bare.stop)
            setting.say("inspect: trusting the box")
            box.trust()
            box.until_inspected(ours.order(origin))
        except (LookupError, DidNotStart, Broken, OSError) as error:
            findings.left_out.append(f"inspect: {error}")
            return findings
        for part in (_rates, _memory_over_requests, _memory_over_download):
            try:
                part(setting, origin, box, bare, findings)
                box.until_inspected(ours.order(origin), 3.0)  # or else it was another lane that was measured
            except (Broken, DidNotStart, OSError) as error:
                findings.failed(f"inspect: {part.__name__.strip('_').replace('_', ' ')}", f"{error}", ours=True)
                break
    return findings


def _rates(setting: Setting, origin: Origin, box: Box, bare: Lane, findings: Findings) -> None:
    ours = box.lane(OURS, box.authority)
    figures = {ours.name: Measured(), bare.name: Measured()}
    for turn in range(setting.rounds):
        for kind, act in {"new connections": new_connections, "kept connections": kept_connections}.items():
            for lane in (bare, ours):
                setting.say(f"round {turn + 1} of {setting.rounds}, {kind}: {lane.name}")
                setting.calm()
                act(lane, origin, setting.seconds, figures[lane.name])
    rows = []
    for name, one in figures.items():
        cells = [one.new, one.p99, one.new_cpu, one.kept, one.kept_cpu]
        rows.append([name, *(number(statistics.median(cell)) for cell in cells), ""])
    columns = ["path", "new TLS/s", "p99 ms", "cpu µs", "keep-alive/s", "cpu µs", ""]
    title = f"Inspect lanes, one worker each, medians of {setting.rounds} interleaved rounds"
    findings.tables.append(Table(title, columns, rows, ["cpu: of all processes of the path."]))
    mine, theirs = figures[ours.name], figures[bare.name]
    for what, own, its in (("new", mine.new, theirs.new), ("keep-alive", mine.kept, theirs.kept)):
        ratio = statistics.median(a / b for a, b in zip(own, its, strict=True))
        findings.rows.append(Row(f"inspect: {what} requests, of bare mitmproxy's", ratio, "×", at_least=0.9))


def _worker(box: Box) -> int:
    return box.parts()["inspect-worker-0"]


def _memory_over_requests(setting: Setting, origin: Origin, box: Box, _: Lane, findings: Findings) -> None:
    lane = box.lane(OURS, box.authority)
    total = QUICK_REQUESTS if setting.quick else REQUESTS
    worker = _worker(box)
    readings = [pss([worker])]
    share = total // READINGS // WORKERS
    for turn in range(READINGS):
        setting.say(f"inspect: memory, {turn * 100 // READINGS} % of {total:,} requests")
        press(lane.order(origin, clients=CLIENTS // WORKERS, each=EACH, most=share, seconds=600.0))
        readings.append(pss([worker]))
    note = f"{readings[0]:.0f} → {readings[READINGS // 4]:.0f} → {readings[-1]:.0f} MiB"
    what = f"inspect: growth of the worker over {total:,} requests"
    budget = None if setting.quick else FLAT  # a worker is warm after some 20,000 requests
    findings.rows.append(Row(what, _growth(readings), "MiB", budget, note=note))


def _growth(readings: Sequence[float]) -> float:
    """The growth from a quarter of the way to the end, by the line that fits the readings best."""
    settled = readings[len(readings) // 4 :]
    slope = statistics.linear_regression(range(len(settled)), settled).slope
    return slope * (len(settled) - 1)


def _memory_over_download(setting: Setting, origin: Origin, box: Box, _: Lane, findings: Findings) -> None:
    lane = box.lane(OURS, box.authority)
    path = "/big" if setting.quick else "/huge"
    setting.say(f"inspect: memory over a download of {path}")
    worker = _worker(box)
    readings, done = [pss([worker])], threading.Event()

    def download() -> None:
        fetch(lane.order(origin, path))
        done.set()

    fetching = threading.Thread(target=download)
    fetching.start()
    began = time.monotonic()
    while not done.wait(0.1) and fetching.is_alive() and time.monotonic() - began < 300:
        readings.append(pss([worker]))
    fetching.join()
    if not done.is_set():
        raise Broken("the download did not end")
    size = "200 MB" if setting.quick else "1 GB"
    row = Row(f"inspect: growth of the worker over a {size} download", max(readings) - readings[0], "MiB", FLAT)
    findings.rows.append(row)
