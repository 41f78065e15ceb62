"""What every process of the box does alike: its arguments, its life from ready to stop, its ear for the others."""

import asyncio
import gc
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance import control
from appliance.errors import SchoolgateError
from appliance.snapshot import Paths

DAEMON = "daemon"
"""the supervisor's name among the sockets of the run folder"""
REFRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the supervisor tells a process on its command line: MODULE NAME STATE [CONFIG]."""

    name: str
    """like "gate-0": the process's socket in the run folder is called so"""
    paths: Paths

    @property
    def number(self) -> int:
        """The last part of the name."""
        return int(self.name.rpartition("-")[2])


@dataclass(slots=True)
class Life:
    """A process from start to stop. It stops on SIGTERM, and when the supervisor is gone."""

    arguments: Arguments
    on_message: Callable[[control.Message], control.Message | None]
    every_second: Callable[[], object]
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Say that the process is ready, then live until it is to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop.set)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the supervisor, which ends us in order
        if not sys.stdin.closed and os.environ.get("SCHOOLGATE_SUPERVISED"):
            loop.add_reader(sys.stdin.fileno(), self.stop.set)
        ear = control.bind(self.arguments.paths.run / f"{self.arguments.name}.sock")
        loop.add_reader(ear, self._hear, ear)
        tell_ready(self.arguments)
        gc.collect()
        gc.freeze()  # what is alive now lives as long as the process
        gc.set_threshold(10_000)  # and what a connection leaves behind is mostly gone without being searched for
        while not self.stop.is_set():
            self.every_second()
            try:
                await asyncio.wait_for(self.stop.wait(), REFRESH_SECONDS)
            except TimeoutError:
                continue
        loop.remove_reader(ear)
        ear.close()

    def _hear(self, ear: socket.socket) -> None:
        while heard := control.receive(ear):
            message, asker = heard
            reply = self.on_message(message)
            if reply is not None:
                control.answer(ear, asker, reply)


def read_arguments() -> Arguments:
    """The arguments on the command line."""
    name, state, *config = sys.argv[1:]
    return Arguments(name, Paths(Path(state), Path(config[0]) if config else None))


def tell_ready(arguments: Arguments) -> None:
    """Tell the supervisor, where there is one, that the process serves."""
    with control.sender() as mouth:
        told = json.dumps({"ready": arguments.name}).encode()
        control.send(mouth, arguments.paths.run / f"{DAEMON}.sock", told)


def main(serve: Callable[[Arguments], Awaitable[None]]) -> None:
    """Run a process's coroutine with the arguments on the command line."""
    arguments = read_arguments()
    try:
        asyncio.run(_serve(serve, arguments))
    except SchoolgateError as error:
        sys.stderr.write(f"schoolgate {arguments.name}: {error}. {error.hint}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)


async def _serve(serve: Callable[[Arguments], Awaitable[None]], arguments: Arguments) -> None:
    await serve(arguments)


def allow_many_files() -> None:
    """Raise the limit of open files as far as this user may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
