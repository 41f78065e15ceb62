"""Rule sets at real size: what building one costs, how fast it opens, how fast it is asked, and how fast decide() is.

The names are made (rig.names), or a real list is given with --names. Everything runs in processes of its own, so that
the memory told is theirs. Lookups are timed in processor time, in random order over 20,000 hosts; the median of the
rounds is told. The rule set holds what comes with Schoolgate, and the names as one list of the category adult.
"""

import json
import mmap
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rig.box import build_built_in
from rig.names import synthetic
from rig.report import Findings, Row
from rig.setting import FULL_NAMES, Setting

from appliance.snapshot import open_rules
from appliance.tables import read_tables
from filters.compile import compile_list, merge
from filters.engine import Rulebook, decide
from filters.index import ListInfo, RuleSet
from filters.model import ClientGroup, Request, Via
from filters.policy import Policy
from filters.syntax import ParsedRule, Shape

KEY = bytes(range(16))
ROOT = Path(__file__).parents[2]
ASKED, ROUNDS = 20_000, 7


def measure(setting: Setting) -> Findings:
    """All figures of this file."""
    names = setting.names_file()
    folder = setting.subfolder("rules")
    (folder / "box.key").write_bytes(KEY)
    build_built_in(folder)
    setting.say(f"rules: compiling and merging {setting.count:,} names")
    built = _child("build", names, folder)
    setting.say("rules: opening, looking up, deciding")
    asked = _child("ask", names, folder)
    full = setting.count == FULL_NAMES
    seconds, memory = (60.0, 256.0) if full else (None, None)
    opened = f"{built['entries']:,.0f} entries, {built['size'] / 2**20:.1f} MiB"
    rows = [
        Row("rules: compile and merge", built["seconds"], "s", seconds, note=f"{built['compile']:.1f} s compile"),
        Row("rules: compile and merge, peak", built["peak"], "MiB", memory),
        Row("rules: on disk", built["size"] / built["entries"], "bytes a name", 12.0 if full else None, note=opened),
        Row("rules: open", asked["open"], "ms", 50.0),
        Row("rules: verify the checksum", asked["verify"], "ms"),
    ]
    for what, name in (
        ("rules: three-label host, not listed", "miss"),
        ("rules: three-label host, listed", "hit"),
        ("decide(): mixed traffic", "decide"),
    ):
        rows.append(Row(what, asked[name], "µs", 5.0, note=f"best round {asked[f'{name} best']:.2f}"))
    rows[-1] = replace(rows[-1], note=f"{rows[-1].note}, {asked['blocked']:.0%} of it blocked")
    return Findings(rows)


def _child(part: str, names: Path, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, part, str(names), str(folder)]
    paths = os.pathsep.join([str(Path(__file__).parent), str(ROOT)])
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | {"PYTHONPATH": paths})
    return {name: float(value) for name, value in json.loads(ran.stdout).items()}


def build(names: Path, folder: Path) -> dict[str, float]:
    """Compile the names as one list, merge it with the built-in rule set, write the result."""
    began = time.perf_counter()
    compiled = compile_list(_rules(names), ListInfo("bench", "adult", "2026-01-01"), KEY)
    (folder / "bench.rules").write_bytes(b"".join(compiled.sections))
    compile_seconds = time.perf_counter() - began
    del compiled
    merged = merge([open_rules(folder / "rules.set"), open_rules(folder / "bench.rules")], KEY)
    with (folder / "merged.set").open("wb") as file:
        file.writelines(merged.sections)
    return {
        "seconds": time.perf_counter() - began,
        "compile": compile_seconds,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "entries": merged.entries,
        "size": (folder / "merged.set").stat().st_size,
    }


def _rules(names: Path) -> Iterator[ParsedRule]:
    with names.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            yield ParsedRule(number, Shape.NAME, False, line.rstrip())


def ask(names: Path, folder: Path) -> dict[str, float]:
    """Times of everything that is done with a rule set once it is there."""
    path = folder / "merged.set"
    opened = statistics.median(_rounds(lambda: _open(path), ROUNDS))
    rules = _open(path)
    verified = statistics.median(_rounds(rules.verify, 3))
    listed = [f"www.{name}" for name in _sample(names) if name.count(".") == 1]
    unlisted = [f"www.{name}" for name in synthetic(ASKED * 2, seed=77) if name.count(".") == 1][:ASKED]
    requests = _traffic(listed, unlisted)
    tables = read_tables(None)
    book = Rulebook(rules, tables.categories, tables.safe_search)
    asked = [(request, tables.policies[request.group]) for request in requests]
    verdicts = [decide(request, policy, book) for request, policy in asked]
    return {
        "open": opened * 1e3,
        "verify": verified * 1e3,
        **_each("miss", lambda: _find_all(rules, unlisted), len(unlisted)),
        **_each("hit", lambda: _find_all(rules, listed), len(listed)),
        **_each("decide", lambda: _decide_all(asked, book), len(asked)),
        "blocked": sum(verdict.action.value == "block" for verdict in verdicts) / len(verdicts),
    }


def _open(path: Path) -> RuleSet:
    with path.open("rb") as file:
        return RuleSet(memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)))


def _sample(names: Path) -> list[str]:
    """ASKED × 3 of the names, spread over the whole list, in random order."""
    with names.open(encoding="utf-8") as lines:
        found = [line.strip() for line in lines]
    random.Random(5).shuffle(found)
    return found[: ASKED * 3]


def _traffic(listed: list[str], unlisted: list[str]) -> list[Request]:
    """Of 20 requests, 14 for names on no list, 2 listed, 2 safe search, 1 protected, 1 that needs no filter at all."""
    known = ["www.google.com", "www.youtube.com", "duckduckgo.com", "www.bing.com"]
    at, groups = datetime(2026, 11, 23, 10, 20, tzinfo=ZoneInfo("UTC")), list(ClientGroup)
    chance = random.Random(6)
    found = []
    for number in range(ASKED):
        turn = number % 20
        if turn < 14:
            host = chance.choice(unlisted)
        elif turn < 16:
            host = chance.choice(listed)
        elif turn < 18:
            host = chance.choice(known)
        else:
            host = "www.childline.org.uk" if turn == 18 else "connectivitycheck.gstatic.com"
        found.append(Request(host, groups[number % len(groups)], Via.TLS, at))
    return found


def _find_all(rules: RuleSet, hosts: list[str]) -> None:
    find = rules.find
    for host in hosts:
        find(host)


def _decide_all(asked: list[tuple[Request, Policy]], book: Rulebook) -> None:
    for request, policy in asked:
        decide(request, policy, book)


def _each(name: str, act: Callable[[], None], calls: int) -> dict[str, float]:
    """Microseconds of processor time for one of the calls that `act` makes: the median and the best of ROUNDS."""
    took = _rounds(act, ROUNDS, time.process_time)
    return {name: statistics.median(took) / calls * 1e6, f"{name} best": min(took) / calls * 1e6}


def _rounds(act: Callable[[], object], rounds: int, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    took = []
    for _ in range(rounds):
        began = clock()
        act()
        took.append(clock() - began)
    return took


if __name__ == "__main__":
    part, *paths = sys.argv[1:]
    print(json.dumps({"build": build, "ask": ask}[part](*map(Path, paths))))
