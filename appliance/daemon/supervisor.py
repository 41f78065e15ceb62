"""`schoolgate run`: starts every process, keeps them alive, and ends them in order. It carries no traffic itself.

A process that dies is started again at once; one that dies again and again is started every two seconds, with a
Warning. When the supervisor itself dies, the processes see their standard input close, and stop.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from appliance import control
from appliance.config import Config
from appliance.daemon.process import DAEMON, REFRESH_SECONDS
from appliance.errors import StateError
from appliance.health import Code, Warning
from appliance.snapshot import Keeper, Origin, Paths, keep_as_last_good

START_SECONDS = 30.0
"""for a process to become ready; a small box with a cold card needs some of it"""
STOP_SECONDS = 5.0
PATIENCE = (0.05, 0.5, 1.0, 1.5)
"""seconds before the 1st, 2nd, … restart in a row; the last holds for all that follow"""
STEADY_SECONDS = 10.0
"""of life after which earlier deaths count no more"""


@dataclass(slots=True)
class Child:
    """One process under supervision."""

    name: str
    module: str
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0
    deaths: int = 0
    """in a row"""

    @property
    def state(self) -> str:
        """As status prints it."""
        if self.process is None or self.process.returncode is not None:
            return "stopped"
        return "running" if self.ready.is_set() else "starting"


class Supervisor:
    """All processes of one box."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.keeper = Keeper(paths)
        self.children = [Child(name, module) for name, module in _wanted(self.keeper)]
        self._stopping, self._death = asyncio.Event(), asyncio.Event()

    async def run(self, on_ready: Callable[["Supervisor"], None]) -> None:
        """Start everything, call `on_ready`, and live until SIGINT or SIGTERM. Raises StateError where a process does
        not become ready."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        ports_are_free(self.keeper.snapshot.config)
        ear = control.bind(self.paths.run / f"{DAEMON}.sock")
        loop.add_reader(ear, self._hear, ear)
        watched = [asyncio.ensure_future(self._keep_alive(child)) for child in self.children]
        try:
            await self._until_ready()
            if not self._stopping.is_set():
                on_ready(self)
            while not self._stopping.is_set():
                self._refresh()
                await _wait(self._stopping, REFRESH_SECONDS)
        finally:
            self._stopping.set()
            await asyncio.gather(*watched)
            loop.remove_reader(ear)
            ear.close()

    async def _until_ready(self) -> None:
        """A process that ends before all are ready ends the start, for a person is there to mend what it says."""
        awaited = (self._stopping.wait(), self._death.wait(), self._everybody_ready())
        stopping, death, everybody = tasks = [asyncio.ensure_future(one) for one in awaited]
        try:
            await asyncio.wait(tasks, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not stopping.done() and (death.done() or not everybody.done()):
                dead = [child.name for child in self.children if child.deaths]
                late = dead or [child.name for child in self.children if not child.ready.is_set()]
                raise StateError(f"{', '.join(late)} did not start", "Its own words stand above.")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _everybody_ready(self) -> None:
        for child in self.children:
            await child.ready.wait()

    async def _keep_alive(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            born = loop.time()
            await self._start(child)
            assert child.process is not None
            ended = asyncio.ensure_future(child.process.wait())
            stopping = asyncio.ensure_future(self._stopping.wait())
            await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if self._stopping.is_set():
                await _end(child.process, ended)
                return
            child.ready.clear()
            child.deaths = 1 if loop.time() - born > STEADY_SECONDS else child.deaths + 1
            child.restarts += 1
            self._death.set()
            await _wait(self._stopping, PATIENCE[min(child.deaths, len(PATIENCE)) - 1])

    async def _start(self, child: Child) -> None:
        command = [sys.executable, "-m", child.module, child.name, str(self.paths.state)]
        command += [str(self.paths.config)] if self.paths.config else []
        child.process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,  # held open; its end tells the process that we are gone
            env=os.environ | {"SCHOOLGATE_SUPERVISED": "1"},
        )

    def _hear(self, ear: socket.socket) -> None:
        while heard := control.receive(ear):
            message, asker = heard
            match message:
                case {"ready": str(name)}:
                    for child in self.children:
                        if child.name == name:
                            child.ready.set()
                case {"ask": "status"}:
                    control.answer(ear, asker, self._status())

    def _status(self) -> control.Message:
        return {
            "processes": [
                {
                    "name": child.name,
                    "state": child.state,
                    "restarts": child.restarts,
                    "pid": child.process.pid if child.process else None,
                }
                for child in self.children
            ],
            "warnings": [warning.told() for warning in self._warnings()],
        }

    def _warnings(self) -> Iterator[Warning]:
        for child in self.children:
            if child.deaths > 2:
                hint = "Its own words are in the journal, or in the terminal that runs the box."
                yield Warning(Code.PROCESS_RESTARTED, f"{child.name} ended {child.deaths} times in a row.", hint)

    def _refresh(self) -> None:
        """A configuration that was just read without error is the next last good one."""
        if self.keeper.refresh() and self.keeper.snapshot.origin is Origin.LIVE:
            keep_as_last_good(self.paths)


def _wanted(keeper: Keeper) -> Iterator[tuple[str, str]]:
    """(name, module) of every process, in the order in which they start: what listens for others comes first."""
    config = keeper.snapshot.config
    yield "recorder", "appliance.daemon.recorder"
    yield "web", "appliance.daemon.web"
    for number in range(config.inspect_workers):
        yield f"inspect-worker-{number}", "appliance.daemon.inspect"
    for number in range(config.processes):
        yield f"gate-{number}", "appliance.daemon.gate"


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


async def _end(process: asyncio.subprocess.Process, ended: "asyncio.Future[int]") -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(ended), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await ended


def ports_are_free(config: Config) -> None:
    """Raise StateError where another program, or another box, has one of the ports. The gates share theirs among
    themselves, so they would share it with another box of the same user too, without a word."""
    for host, port in (*config.proxy, config.web):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                hint = "Stop what has it, or choose another in the configuration: [proxy] listen, [web] listen."
                raise StateError(f"cannot listen on {host} port {port} ({error.strerror})", hint) from error


def socket_paths_fit(paths: Paths) -> None:
    """Raise StateError where the run folder's path is too long for a Unix socket (108 bytes on Linux)."""
    longest = len(os.fsencode(Path(paths.run / "ask-4294967295-00000000.sock").absolute()))
    if longest > 107:
        raise StateError(f"{paths.state}: the path of the state folder is too long", "Use a shorter one: --state DIR.")
