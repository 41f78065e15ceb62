"""The command as tests give it: in this process for what prints, in one of its own for what a terminal does."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from appliance.cli.program import program

SCHOOLGATE = str(Path(sys.executable).with_name("schoolgate"))


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """`schoolgate` with its state in one folder."""

    state: Path

    def __call__(self, *arguments: str | Path, color: bool = False, **environment: str) -> Said:
        """Run it here. Whatever it raises beside an exit fails the test."""
        ran = CliRunner(catch_exceptions=False).invoke(
            program, [*map(str, arguments)], env={"SCHOOLGATE_STATE": str(self.state), **environment}, color=color
        )
        return Said(ran.exit_code, ran.stdout, ran.stderr)

    def good(self, *arguments: str | Path) -> Said:
        """Run it here; it must succeed."""
        said = self(*arguments)
        assert said.status == 0, said
        return said

    def refuses(self, *arguments: str | Path, status: int = 1) -> str:
        """Run it here; it must fail with one sentence and perhaps a hint, which are returned."""
        said = self(*arguments)
        assert said.status == status, said
        assert "Traceback" not in said.err
        if status == 1:
            assert said.err.startswith("schoolgate: "), said.err
            assert len(said.err.splitlines()) <= 2, f"a sentence and a hint: {said.err}"
        return said.err


def spawn(*arguments: str | Path, **more: Any) -> subprocess.Popen[str]:
    """Run the program in a process of its own."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | more
    return subprocess.Popen([SCHOOLGATE, *map(str, arguments)], text=True, errors="replace", **streams)


def ran(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> Said:
    """Run the program in a process of its own to its end."""
    process = spawn(*arguments, cwd=cwd, env={**os.environ, **environment})
    out, err = process.communicate(timeout=60)
    return Said(process.returncode, out, err)


def lines(text: str) -> Sequence[str]:
    """Lines without what stands around them."""
    return [line.strip() for line in text.splitlines()]
