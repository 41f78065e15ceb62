"""What all commands share: where the box is, how an error is told, how a program is answered."""

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from appliance.errors import ConfigError, NotRunning, SchoolgateError
from appliance.snapshot import Paths
from filters.model import ClientGroup

GROUPS = click.Choice([group.value for group in ClientGroup])
_SYSTEM_CONFIG = Path("/etc/schoolgate/schoolgate.toml")


def fail(error: SchoolgateError) -> None:
    """One clear sentence on stderr with a hint, and exit status 1."""
    click.echo(
        click.style("schoolgate: ", bold=True)
        + f"{str(error).rstrip('.')}."
        + (f"\n  {error.hint}" if error.hint else ""),
        err=True,
    )
    sys.exit(1)


def told_plainly[**P](command: Callable[P, None]) -> Callable[P, None]:
    """Turn our own errors into a sentence, so that nobody meets a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SchoolgateError as error:
            fail(error)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return run


def as_json(value: Any) -> None:
    """Print for a program."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def find_paths(state: Path | None, config: Path | None) -> Paths:
    """Where this box keeps what: as said, else as installed, else in ./var."""
    if state is None:
        installed = _SYSTEM_CONFIG.parent.is_dir()
        state = Path("/var/lib/schoolgate") if installed else Path("var")
    state = state.absolute()
    if config is not None:
        if not config.exists():
            fail(ConfigError(f"{config}: there is no such configuration", "Name another with --config."))
        return Paths(state, config.absolute())
    for candidate in (state / "schoolgate.toml", _SYSTEM_CONFIG):
        if candidate.exists():
            return Paths(state, candidate)
    return Paths(state, None)


def running(paths: Paths) -> "Any":
    """What the running box says of itself. Raises NotRunning."""
    from appliance.daemon.status import gather

    status = gather(paths)
    if status is None:
        raise NotRunning(f"no box is running with the state in {paths.state}", "Start one: `schoolgate run`.")
    return status
