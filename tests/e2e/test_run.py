"""From start to stop: what `run` prints, that Ctrl-C ends all of it, and what it does with a damaged state."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import create_server

import pytest

from tests.e2e.box import CONFIG, GUEST, SCHOOLGATE, STOP_SECONDS, Box, until
from tests.e2e.client import fetch, fetch_secure, learn_trust, trusting
from tests.e2e.origin import Certificates, Origin
from tests.e2e.processes import children

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-run")]

BLOCKED = "adult.schoolgate.test"


@pytest.fixture
def stopped(certificates: Certificates) -> Iterator[Box]:
    """A box that has not been started yet, for one test."""
    box = Box(certificates.path)
    try:
        yield box
    finally:
        box.close()


def test_it_starts_says_what_to_do_next_and_stops_cleanly_twice(stopped: Box, origin: Origin) -> None:
    box, device = stopped, "127.10.0.1"
    for attempt in range(2):
        box.start()
        said = box.said()
        assert "Schoolgate is running" in said and f"{box.proxy[0]}:{box.proxy[1]}" in said
        assert f"http://{box.web[0]}:{box.web[1]}/status" in said
        assert len(said.splitlines()) <= 16, "a few lines"
        assert box.process is not None
        own = children(box.process.pid)
        assert len(own) == 5
        if attempt == 0:
            learn_trust(box, device)
            kept = box.ca.read_bytes()
        assert fetch_secure(box, "www.pages.example", origin.https, trusting(str(box.ca)), device).status == 200
        assert fetch(box, f"http://{BLOCKED}/").status == 403
        assert box.stop() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in own)
        assert "Traceback" not in box.said() and "has stopped" in box.said()
        assert box.ca.read_bytes() == kept


def test_a_terminating_signal_stops_it_as_well(stopped: Box) -> None:
    box = stopped.start()
    assert box.process is not None
    own = children(box.process.pid)
    box.process.send_signal(signal.SIGTERM)
    assert box.process.wait(STOP_SECONDS) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in own)


def test_ctrl_c_with_traffic_on_every_lane(stopped: Box, origin: Origin, certificates: Certificates) -> None:
    box = stopped.start()
    downloads = [
        subprocess.Popen(
            [
                "curl",
                "-s",
                "-x",
                box.proxy_url,
                "--cacert",
                certificates.path,
                "--limit-rate",
                "1M",
                "-o",
                os.devnull,
                url,
            ]
        )
        for url in (
            f"http://www.pages.example:{origin.http}/bytes/1000000000",
            f"https://www.pages.example:{origin.https}/bytes/1000000000",
        )
    ]
    try:
        until(lambda: box.status().in_use["splice"] >= 1, 5, "a download runs")
        assert box.stop() == 0
        assert "Traceback" not in box.said()
    finally:
        for download in downloads:
            download.kill()
            download.wait()


def test_a_second_box_with_the_same_state_is_refused(stopped: Box) -> None:
    box = stopped.start()
    told = box.cli("run", good=False)
    assert "already running" in told and "Traceback" not in told
    assert fetch(box, f"http://{BLOCKED}/").status == 403


@pytest.mark.parametrize("which", ["proxy", "web"])
def test_a_port_that_is_taken_is_named(stopped: Box, which: str) -> None:
    taken = stopped.proxy if which == "proxy" else stopped.web
    with create_server(taken):
        told = stopped.cli("run", good=False)
    assert str(taken[1]) in told and "Traceback" not in told
    assert stopped.pids() == {}


def test_a_state_folder_with_too_long_a_path_is_refused(stopped: Box) -> None:
    command = [SCHOOLGATE, "--state", str(stopped.folder / ("x" * 100)), "--config", str(stopped.config), "run"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "too long" in done.stderr and "--state" in done.stderr


def test_what_waits_to_be_recorded_is_written_at_the_end(stopped: Box) -> None:
    stopped.start()
    for _ in range(3):
        fetch(stopped, f"http://{BLOCKED}/", GUEST.format(1))
    assert stopped.stop() == 0
    assert events_in(stopped.state / "events.db") == 3


def events_in(store: Path) -> int:
    with closing(sqlite3.connect(store)) as opened:
        return int(opened.execute("SELECT coalesce(sum(count), 0) FROM events").fetchone()[0])


def test_a_damaged_authority_is_never_replaced_in_silence(stopped: Box) -> None:
    """Devices have installed its certificate: somebody must decide."""
    stopped.start()
    assert stopped.stop() == 0
    (stopped.state / "ca" / "schoolgate-ca.key").write_bytes(b"damaged")
    said = stopped.cli("run", good=False)
    assert "certificate authority" in said and "Traceback" not in said


def test_without_an_inspect_worker_everything_else_works(certificates: Certificates, origin: Origin) -> None:
    box = Box(certificates.path, config=CONFIG.replace("workers = 1", "workers = 0"))
    try:
        box.start()
        assert "inspect-worker-0" not in box.pids()
        assert fetch_secure(box, "www.pages.example", origin.https, trusting(certificates.path)).status == 200
        assert fetch(box, f"http://{BLOCKED}/").status == 403
        assert fetch(box, "http://schoolgate.internal/trust").status == 200
    finally:
        box.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_upstream_authority_that_is_none_is_named(content: str | None) -> None:
    box = Box("/tmp/sge-nowhere.pem")
    try:
        if content is not None:
            named = box.folder / "authority.pem"
            named.write_text(content)
            box.config.write_text(box.config.read_text().replace("/tmp/sge-nowhere.pem", str(named)))
        said = box.cli("run", good=False)
    finally:
        box.close()
    assert "upstream_ca" in said and ".pem" in said and "Traceback" not in said
    assert len(said.strip().splitlines()) <= 6
