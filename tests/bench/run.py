"""Measures the budgets of Schoolgate on this machine, beside peers in the same run: `make bench`.

    python tests/bench/run.py [--quick] [NAME …]      rules, splice, inspect, memory, events; all of them by default
    python tests/bench/run.py --names FILE.xz         a real list instead of made names
    python tests/bench/run.py --json FILE             the figures for a program, too
    python tests/bench/run.py --docs docs/benchmarks.md      the figures into the docs

Takes about a quarter of an hour, with --quick three minutes and a tenth of the names. It keeps to two cores and, where
it may, to a network of its own; nothing leaves the machine. Exit status 1 where a budget is not kept.
"""

import argparse
import contextlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rig import machine, private
from rig.report import Findings, Row, lines, write_docs, write_json
from rig.setting import FULL_NAMES, QUICK_NAMES, Setting

NAMES = ("rules", "splice", "inspect", "memory", "events")
HERE = Path(__file__).parent


def main() -> int:
    """Run what was asked for, print what was found."""
    asked = _arguments()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    machine.confine()
    head: dict[str, object] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine.describe(),
        "quick": asked.quick,
    }
    meter = machine.Meter()
    with _folder() as folder:
        setting = Setting(folder, private.enter(folder), asked.quick, asked.count, asked.names)
        findings = Findings()
        try:
            for name in asked.parts or NAMES:
                findings.add(_measured(name, setting))
        except KeyboardInterrupt:
            findings.left_out.append("the rest: stopped by Ctrl-C")
        finally:
            setting.close()
        setting.say("done\n" if sys.stderr.isatty() else "done")
    print("\n".join(lines(findings)))
    head["others"] = round(meter.others(), 2)
    origin = f"{head['machine']}; {head['date']}; others used {head['others']:.0%} of its processor time meanwhile"
    print(f"\n{origin}")
    if asked.docs:
        write_docs(asked.docs, f"{origin}{'; a quick run' if asked.quick else ''}.", findings)
    if asked.json:
        write_json(asked.json, head, findings)
    return 1 if any(row.kept is False for row in findings.rows) else 0


def _arguments() -> argparse.Namespace:
    reader = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    reader.add_argument("parts", nargs="*", metavar="NAME", help=", ".join(NAMES))
    reader.add_argument("--quick", action="store_true", help="two short rounds, a tenth of the names")
    reader.add_argument("--names", type=Path, metavar="FILE", help="a plain list, perhaps .xz, to take the names from")
    reader.add_argument("--count", type=int, help="how many names")
    reader.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    reader.add_argument("--docs", type=Path, metavar="FILE", help="put the tables into docs/benchmarks.md")
    asked = reader.parse_args()
    unknown = [name for name in asked.parts if name not in NAMES]
    if unknown:
        reader.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    if asked.docs and asked.parts:
        reader.error("--docs wants all benchmarks: it replaces all tables")
    if asked.names:
        asked.names = asked.names.absolute()
    asked.count = asked.count or (QUICK_NAMES if asked.quick else FULL_NAMES)
    return asked


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A working folder with a short name that peers under another user can pass through; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(name: str, setting: Setting) -> Findings:
    if name == "events":
        return _events(setting)
    found = importlib.import_module(f"bench_{name}").measure(setting)
    assert isinstance(found, Findings)
    return found


def _events(setting: Setting) -> Findings:
    """bench_events.py is a program of its own; its lines are read."""
    setting.say("events: a school day of 300 devices")
    ran = subprocess.run([sys.executable, HERE / "bench_events.py"], stdout=subprocess.PIPE, text=True, check=False)
    rows: list[Row] = []
    for line in ran.stdout.splitlines():
        if found := re.search(r"devices x (\d+) .*?: ([\d.]+) MB written in (\d+) commits", line):
            what = f"events: a day of 300 devices, {found[1]} flagged each"
            budget = 10.0 if not rows else None
            rows.append(Row(what, float(found[2]), "MB", budget, note=f"{found[3]} commits"))
    return Findings(rows, left_out=[] if rows else ["events: bench_events.py told no figures"])


if __name__ == "__main__":
    sys.exit(main())
