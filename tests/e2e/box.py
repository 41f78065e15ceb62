"""A whole box for a test: `schoolgate run` with its own state, ports and names, as real processes.

Devices are loopback addresses: a client that binds 127.10.0.7 is another device than 127.10.0.8. GROUPS says which
network is which group; what is not named there is a guest.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance import control
from appliance.daemon.status import Status, gather
from appliance.snapshot import Paths
from appliance.tables import rules_folder

HERE = Path(__file__).parent
SCHOOLGATE = str(Path(sys.executable).with_name("schoolgate"))
START_SECONDS = 60.0
STOP_SECONDS = 20.0

GUEST, PRIMARY, STAFF = "127.1.0.{}", "127.10.0.{}", "127.20.0.{}"
"""source addresses of devices; primary is inspected wherever a name stands on no list"""

NAMES: Mapping[str, list[str]] = {
    "example": ["127.0.0.1"],
    "schoolgate.test": ["127.0.0.1"],
    "six.pages.example": ["::1"],
    "second.pages.example": ["127.0.0.99", "127.0.0.1"],
    "missing.pages.example": [],
    "cloudflare-ech.com": ["127.0.0.1"],
}

CONFIG = """\
[groups]
"127.0.0.1/32" = "primary"
"127.10.0.0/16" = "primary"
"127.20.0.0/16" = "staff"

[proxy]
listen = ["127.0.0.1:{proxy}", "[::1]:{proxy}"]
processes = 2
reachable = ["127.0.0.0/9", "::1/128"]
connect_seconds = 3

[web]
listen = "127.0.0.1:{web}"

[inspect]
workers = 1
upstream_ca = "{upstream_ca}"
"""


def until[T](ask: Callable[[], T], seconds: float, what: str) -> T:
    """The first true answer to `ask`, which is put again and again; fails the test when none comes in time."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := ask():
            return answer
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def free_port() -> int:
    """A port that nobody listens on, below those that the kernel gives to clients."""
    while True:
        port = random.randint(12_000, 32_000)
        with socket.socket() as four, socket.socket(socket.AF_INET6) as six:
            try:
                four.bind(("127.0.0.1", port))
                six.bind(("::1", port))
            except OSError:
                continue
            return port


def policy(group: str, **changes: str) -> str:
    """The built-in policy of a group with some of its lines changed; a value stands as in TOML."""
    lines = (rules_folder() / "policies" / f"{group}.toml").read_text(encoding="utf-8").splitlines()
    for key, value in changes.items():
        (place,) = (number for number, line in enumerate(lines) if line.startswith(f"{key} ="))
        lines[place] = f"{key} = {value}"
    return "\n".join(lines) + "\n"


class Box:
    """One box. The folder is short, because paths of Unix sockets have to be, and goes away with close()."""

    def __init__(
        self,
        upstream_ca: str = "",
        config: str = CONFIG,
        policies: Mapping[str, str] | None = None,
        names: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sge-", dir="/tmp"))
        self.state, self.output = self.folder / "s", self.folder / "output"
        self.config = self.folder / "schoolgate.toml"
        self.proxy, self.web = ("127.0.0.1", free_port()), ("127.0.0.1", free_port())
        self.config.write_text(config.format(proxy=self.proxy[1], web=self.web[1], upstream_ca=upstream_ca))
        self.paths = Paths(self.state, self.config)
        if policies is None:
            policies = {"primary": policy("primary", inspect='["paths", "unknown"]')}
        (self.folder / "policies").mkdir()
        for group, text in policies.items():
            (self.folder / "policies" / f"{group}.toml").write_text(text)
        self._environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(HERE / "names"), os.environ.get("PYTHONPATH", "")]),
            "SCHOOLGATE_TEST_NAMES": json.dumps({**NAMES, **(names or {})}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def proxy_url(self) -> str:
        """As clients are told it."""
        return "http://{}:{}".format(*self.proxy)

    @property
    def ca(self) -> Path:
        """The box's own certificate."""
        return self.state / "ca" / "schoolgate-ca.crt"

    def start(self) -> "Box":
        """Start it and wait until it says that it runs."""
        self.launch()
        until(self._says_ready, START_SECONDS, f"the box runs; it said: {self.said()}")
        return self

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it in a session of its own, as a terminal does, without waiting."""
        command = [SCHOOLGATE, "--state", str(self.state), "--config", str(self.config), "run"]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        return self.process

    def _says_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the box ended with {self.process.returncode}: {self.said()}"
        return "Ctrl-C stops it." in self.said()

    def said(self) -> str:
        """Everything it printed since the last start."""
        return self.output.read_text() if self.output.exists() else ""

    def cli(self, *arguments: str, good: bool = True) -> str:
        """What a command prints; fails the test where its exit status is another than `good` says."""
        command = [SCHOOLGATE, "--state", str(self.state), "--config", str(self.config), *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode == 0) is good, f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def status(self) -> Status:
        """What the running box says of itself."""
        found = gather(self.paths)
        assert found is not None, f"the box does not answer; it said: {self.said()}"
        return found

    def ask(self, name: str) -> control.Message:
        """What one process says of itself."""
        found = control.ask(self.paths.run / f"{name}.sock", "status")
        assert found is not None, f"{name} does not answer"
        return found

    def pids(self, *states: str) -> dict[str, int]:
        """Process name → process id, of those in one of these states; of those that run, where none is named."""
        daemon = control.ask(self.paths.run / "daemon.sock", "status") or {"processes": []}
        return {row["name"]: row["pid"] for row in daemon["processes"] if row["state"] in (states or ("running",))}

    def warnings(self) -> set[str]:
        """The codes of the warnings that stand now."""
        return {warning["code"] for warning in self.status().warnings}

    def stop(self) -> int:
        """Ctrl-C, and the exit status."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def close(self) -> None:
        """Whatever its state, leave no process and no file behind."""
        if self.process is not None:
            try:
                if self.process.poll() is None:
                    self.stop()
            finally:
                self._kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _kill(self) -> None:
        """The whole session, where something of it is left."""
        assert self.process is not None
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()
