"""A Schoolgate box to be measured: a state folder of its own, started by the command that people use."""

import os
import shutil
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rig.lanes import Lane
from rig.load import Broken, Order, fetch
from rig.origin import Origin
from rig.processes import DidNotStart, Started, command_line, free_port, start

COMMAND = Path(sys.executable).parent / "schoolgate"
ROOT = Path(__file__).parents[3]

_CONFIG = """\
[proxy]
listen = ["127.0.0.1:{port}"]
reachable = ["127.0.0.0/8"]
[web]
listen = "127.0.0.1:{web_port}"
[inspect]
workers = {workers}
upstream_ca = "{authority}"
"""


@dataclass(frozen=True, slots=True)
class Box:
    """A running box."""

    state: Path
    port: int
    started: Started

    @property
    def authority(self) -> Path:
        """The certificate that devices install."""
        return self.state / "ca" / "schoolgate-ca.crt"

    def lane(self, name: str, authority: Path) -> Lane:
        """The box as a path to the origin; `authority` is whose certificate a client is to see."""
        return Lane(name, self.port, True, self.started, authority)

    def parts(self) -> dict[str, int]:
        """The process of each name, like "gate-0"; the supervisor is "supervisor"."""
        found = {}
        for pid in self.started.pids():
            words = command_line(pid)
            if pid == self.started.process.pid:
                found["supervisor"] = pid
            elif "-m" in words:
                found[words[words.index("-m") + 2]] = pid
        return found

    def trust(self) -> None:
        """Be a device that has installed the certificate, and shows it by fetching the trust page."""
        page = Order(self.port, "schoolgate.internal", 443, "/trusted")
        _patiently(lambda: fetch(page, str(self.authority)), f"the box's trust page: {self.started.last_words()}")

    def until_inspected(self, order: Order, seconds: float = 30.0) -> None:
        """Until the gates have heard of the trust, so that the order's host is shown with the box's certificate.
        Raises DidNotStart where it is not."""
        for _ in range(8):  # connections are spread over the gates: each must have heard
            _patiently(lambda: fetch(order, str(self.authority)), "the host is not inspected", seconds)

    def stop(self) -> None:
        """End it."""
        self.started.stop()


def _patiently(act: object, what: str, seconds: float = 30.0) -> None:
    assert callable(act)
    deadline = time.monotonic() + seconds
    while True:
        try:
            act()
        except (OSError, ssl.SSLError, Broken) as error:
            if time.monotonic() > deadline:
                raise DidNotStart(f"{what} ({error})") from error
            time.sleep(0.2)
        else:
            return


def import_names(state: Path, names: Path) -> tuple[float, float]:
    """Give a state folder a list, by the command: (seconds, peak MiB). Raises DidNotStart."""
    return _told_rules(state, "import", str(names), "--category", "adult")


def build_built_in(state: Path) -> None:
    """Make the rule set of a state folder that holds no list of its own. Raises DidNotStart."""
    _told_rules(state, "build")


def _told_rules(state: Path, *words: str) -> tuple[float, float]:
    began = time.perf_counter()
    process = subprocess.Popen(
        [COMMAND, "rules", *words],
        env=os.environ | _settings(state, None),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    with process.stdout:
        told = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise DidNotStart(f"`schoolgate rules {words[0]}`: {told.strip()}")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def start_box(folder: Path, prepared: Path, origin: Origin, workers: int, inspects: str = "paths") -> Box:
    """Start a box from a copy of a prepared state folder. `inspects` is what the guest policy wants inspected.
    Raises DidNotStart."""
    state = folder / "state"
    shutil.copytree(prepared, state)
    port, web_port = free_port(), free_port()
    config = state / "schoolgate.toml"
    config.write_text(
        _CONFIG.format(port=port, web_port=web_port, workers=workers, authority=origin.authority), encoding="utf-8"
    )
    policy = (ROOT / "rules" / "policies" / "guest.toml").read_text(encoding="utf-8")
    changed = policy.replace('inspect = ["paths"]', f'inspect = ["{inspects}"]')
    (state / "policies").mkdir()
    (state / "policies" / "guest.toml").write_text(changed, encoding="utf-8")
    started = start("schoolgate", [COMMAND, "run"], folder, _settings(state, config))
    started.wait_for_port(port)
    started.wait_for_port(web_port)
    return Box(state, port, started)


def _settings(state: Path, config: Path | None) -> dict[str, str]:
    found = {"SCHOOLGATE_STATE": str(state)}
    return found | {"SCHOOLGATE_CONFIG": str(config)} if config else found
