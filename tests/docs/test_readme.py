"""Every command that the README shows is run, in its order, against a real box."""

import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

README = Path("README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", README, re.S)
    for line in block.splitlines()
    if line.startswith("$ ")
]
PROGRAM = ".venv/bin/schoolgate"
OURS = str(Path(sys.executable).with_name("schoolgate"))


def free_ports(number: int) -> list[int]:
    """Ports that nobody has now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """The state folder of a box that runs."""
    with tempfile.TemporaryDirectory(prefix="sg") as name:
        proxy, web = free_ports(2)
        config = f'[proxy]\nlisten = ["127.0.0.1:{proxy}"]\nprocesses = 1\n[web]\nlisten = "127.0.0.1:{web}"\n'
        (Path(name) / "schoolgate.toml").write_text(config, encoding="utf-8")
        box = subprocess.Popen([OURS, "run", "--state", name], stdout=subprocess.PIPE, text=True)
        assert box.stdout
        for line in box.stdout:
            if "Ctrl-C" in line:
                break
        assert box.poll() is None, "the box did not start"
        yield Path(name)
        box.terminate()
        box.stdout.read()
        assert box.wait(20) == 0
        box.stdout.close()


@pytest.mark.e2e
@pytest.mark.xdist_group("readme")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_works(command: str, state: Path) -> None:
    words = shlex.split(command)
    assert words[0] == PROGRAM
    env = os.environ | {"SCHOOLGATE_STATE": str(state), "SCHOOLGATE_CONFIG": str(state / "schoolgate.toml")}
    done = subprocess.run([OURS, *words[1:]], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_there_are_commands_and_the_two_that_matter() -> None:
    assert len(COMMANDS) >= 8
    assert re.search(r"^make run\b", README, re.M)
    assert re.search(r"^make test\b", README, re.M)
