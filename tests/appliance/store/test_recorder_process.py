import resource
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from appliance.store.events import read_events
from appliance.store.schema import STORE
from appliance.wire.event import encode
from tests.appliance.store.support import (
    an_event,
    asked,
    codes,
    kill,
    running,
    send,
    total,
    wait_for,
)


def test_the_process_records_answers_and_stops_cleanly(tmp_path: Path) -> None:
    with running(tmp_path, hurry=20) as process:
        assert send(tmp_path, [encode(an_event(number % 3)) for number in range(100)]) == 100
        wait_for(lambda: (asked(tmp_path) or {}).get("last_commit"), "a commit")
        wait_for(lambda: total(tmp_path) == 100, "all events in the store")
        told = asked(tmp_path)
        assert told is not None
        assert told["process"] == "recorder"
        assert (told["dropped"], told["malformed"], told["warnings"]) == (0, 0, [])
        assert process.poll() is None
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if not path.is_dir()}
    names = ("recorder.sock", "pseudonym.json", STORE, f"{STORE}-wal", f"{STORE}-shm")
    assert modes == dict.fromkeys(names, 0o600)


def test_stopping_writes_what_waits(tmp_path: Path) -> None:
    body = """
import signal, sys, threading
from pathlib import Path
from appliance import control, health
from appliance.store.recorder import SOCKET, Recorder
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
state = Path(sys.argv[1])
Recorder(state, 30, 120).run(control.bind(state / SOCKET), stop)
"""
    process = subprocess.Popen([sys.executable, "-c", body, str(tmp_path)])
    try:
        wait_for(lambda: asked(tmp_path), "the recorder answers")
        send(tmp_path, [encode(an_event(number)) for number in range(200)])
        process.terminate()
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
    assert total(tmp_path) == 200


def test_killed_at_any_moment_it_loses_nothing_that_was_committed(state: Path) -> None:
    number, committed = 0, {}
    for turn in range(20):
        with running(state, hurry=400) as process:
            for _ in range(5):
                number += send(state, [encode(an_event(number + more)) for more in range(40)])
                committed = {event.rule_line: event.count for event in read_events(state)}
            number += send(state, [encode(an_event(number + more)) for more in range(40)])
            time.sleep(turn / 2_000)  # each time a little further into the next commits
            kill(process)
        with closing(sqlite3.connect(state / STORE)) as store:
            assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        after = {event.rule_line: event.count for event in read_events(state)}
        assert committed.items() <= after.items()
        assert set(after.values()) <= {1}
        assert list(state.glob("*corrupt*")) == []
    assert 20 < len(after) <= number


READER = """
import sys
from pathlib import Path
from appliance.store.events import count_events, read_events
state, goal, before, reads = Path(sys.argv[1]), int(sys.argv[2]), 0, 0
while before < goal:
    found = sum(event.count for event in read_events(state))
    assert before <= found <= sum(day.count for day in count_events(state))
    before, reads = found, reads + 1
print(reads)
"""


def test_two_processes_read_while_it_writes(state: Path) -> None:
    with running(state, hurry=200):
        command = [sys.executable, "-c", READER, str(state), "3000"]
        readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        assert send(state, [encode(an_event(number)) for number in range(3_000)]) == 3_000
        for reader in readers:
            told, _ = reader.communicate(timeout=60)
            assert reader.returncode == 0
            assert int(told) > 1


def test_a_full_disk_and_then_room_again(tmp_path: Path) -> None:
    """A limit on the size of its files stands for the full disk: the kernel refuses the write in the same place."""
    with running(tmp_path, hurry=50) as process:
        wait_for((tmp_path / STORE).exists, "the store is there")
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        send(tmp_path, [encode(an_event(number)) for number in range(2_000)])
        wait_for(lambda: codes(asked(tmp_path) or {"warnings": []}) == ["events-dropped"], "the warning")
        assert process.poll() is None
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        wait_for(lambda: total(tmp_path) == 2_000, "all events in the store")
        wait_for(lambda: codes(asked(tmp_path) or {"warnings": [{"code": ""}]}) == [], "the warning gone")


def test_memory_holds_no_more_than_the_box_can_give(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        send(tmp_path, [encode(an_event(number)) for number in range(3_000)])
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    pss = int(rollup.partition("\nPss:")[2].split()[0])
    assert pss < 45 * 1_024


def test_sqlite_utils_stays_out_of_the_process() -> None:
    check = "import sys, appliance.store.recorder; sys.exit('sqlite_utils' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
