"""What all commands share: where the box is, how an error is told, how a program is answered."""

import errno
import functools
import io
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.config import Config
from appliance.errors import ConfigError, NotRunning, SchoolgateError, StateError
from appliance.lists.builtin import in_memory
from appliance.network.clients import Clients
from appliance.snapshot import Origin, Paths, Snapshot, last_good_paths, load, read_settings, with_overrides
from appliance.tables import Tables, read_helpline
from filters.engine import Rulebook
from filters.index import RuleSet
from filters.model import ClientGroup

if TYPE_CHECKING:
    from appliance.daemon.status import Status

GROUPS = click.Choice([group.value for group in ClientGroup])
GROUP_NAMES = ", ".join(group.value for group in ClientGroup)
TYPED = "schoolgate.typed"
"""where the root context keeps the options of place as they were typed"""
_SYSTEM_CONFIG = Path("/etc/schoolgate/schoolgate.toml")
_HINTS = {
    errno.EACCES: "Run it as the user that the box runs as, or as root.",
    errno.EPERM: "Run it as the user that the box runs as, or as root.",
    errno.ENOSPC: "Make room on the disk.",
    errno.EROFS: "The disk is read-only: check it, or choose another folder with --state.",
}


def speak_anywhere() -> None:
    """Let no terminal and no pipe end the program: what its encoding lacks becomes "?"."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def fail(error: SchoolgateError) -> None:
    """One clear sentence on stderr with a hint, and exit status 1."""
    said = click.style("schoolgate: ", bold=True) + f"{typable(str(error)).rstrip('.')}."
    click.echo(said + (f"\n  {typable(error.hint)}" if error.hint else ""), err=True)
    sys.exit(1)


def told_plainly[**P](command: Callable[P, None]) -> Callable[P, None]:
    """Turn our own errors and the disk's into a sentence, so that nobody meets a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SchoolgateError as error:
            fail(error)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            fail(of_disk(error))
        except KeyboardInterrupt:
            fail(StateError("stopped before the end", "What was in force stays in force."))

    return run


def of_disk(error: OSError) -> StateError:
    """What the disk has to say, as one of our errors."""
    place = f"{error.filename}: " if error.filename else ""
    hint = _HINTS.get(error.errno or 0, "Check the path, or choose another folder with --state.")
    return StateError(f"{place}{error.strerror or error}", hint)


def as_json(value: Any) -> None:
    """Print for a program."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def rows(*told: tuple[str, str]) -> None:
    """Print (label, text) as lines of two columns, long texts folded under themselves."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100
    for label, text in told:
        start = f"  {label:<10}"
        click.echo(click.wrap_text(text, max(width, 40), start, " " * len(start)))


def warn(warning: Any) -> None:
    """Print one Warning, or what a process tells of one: its sentence, and what to do on the next line."""
    text, hint = (warning["text"], warning["hint"]) if isinstance(warning, dict) else (warning.text, warning.hint)
    click.echo(click.style("! ", fg="yellow", bold=True) + typable(text) + (f"\n  {typable(hint)}" if hint else ""))


def typed(command: str) -> str:
    """A command of ours as it must be typed here and now: "rules build" may be ".venv/bin/schoolgate rules build
    --state /tmp/box"."""
    context = click.get_current_context(silent=True)
    place = context.find_root().meta.get(TYPED, {}) if context else {}
    return " ".join([_called(), command, *place.values()])


def typable(text: str) -> str:
    """The same text with each `schoolgate ...` in it as it must be typed."""
    return re.sub(r"`schoolgate ([^`]*)`", lambda found: f"`{typed(found[1])}`", text)


def _called() -> str:
    own = Path(sys.argv[0])
    found = shutil.which("schoolgate")
    if own.name != "schoolgate" or (found and Path(found).resolve() == own.resolve()):
        return "schoolgate"
    return shlex.quote(near_by(own))


def near_by(path: Path) -> str:
    """A path as a person would write it: from here where it lies below, else from the root."""
    path = path.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def find_paths(state: Path | None, config: Path | None) -> Paths:
    """Where this box keeps what: as said, else as installed, else in ./var. Raises ConfigError, OSError."""
    state = (state or default_state()).absolute()
    if config is not None:
        if not _is_there(config):
            raise ConfigError(f"{config}: there is no such configuration", "Name another with --config FILE.")
        return Paths(state, config.absolute())
    for candidate in (state / "schoolgate.toml", _SYSTEM_CONFIG):
        if _is_there(candidate):
            return Paths(state, candidate)
    return Paths(state, None)


def default_state() -> Path:
    """The state folder where none is named."""
    return Path("/var/lib/schoolgate") if _SYSTEM_CONFIG.parent.is_dir() else Path("var")


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def view(paths: Paths, note: bool = True) -> Snapshot:
    """What the box judges by. Where no rule set was ever built, the lists that come with Schoolgate, in memory: to look
    changes nothing; `note` says so on stderr. Raises ConfigError, RuleSetError."""
    if _is_there(paths.rules) or _is_there(paths.last_good / "rules.set"):
        return load(paths)
    config, tables = settings(paths)
    if note:
        said = f"There is no rule set in {paths.state} yet: this is what the lists that come with Schoolgate say."
        click.echo(click.style(said, dim=True), err=True)
    rules = in_memory()
    book = Rulebook(rules, tables.categories, tables.safe_search)
    helpline = read_helpline(config.country, config.helpline_checked_on)
    return with_overrides(Snapshot(Origin.LIVE, config, Clients(config), tables, rules, book, helpline), paths)


def how_many(rules: RuleSet) -> int:
    """The rules of a rule set, as its lists count them."""
    return sum(info.entries for info in rules.lists)


def settings(paths: Paths) -> tuple[Config, Tables]:
    """The configuration and policies in force: what stands in the files, else what worked last. Raises ConfigError."""
    try:
        return read_settings(paths)
    except ConfigError:
        good = last_good_paths(paths)
        if good is None:
            raise
        return read_settings(good)


def running(paths: Paths) -> "Status":
    """What the running box says of itself. Raises NotRunning."""
    from appliance.daemon.process import DAEMON
    from appliance.daemon.status import gather

    status = gather(paths) if _is_there(paths.run / f"{DAEMON}.sock") else None
    if status is None:
        raise NotRunning(f"no box is running with the state in {paths.state}", "Start one: `schoolgate run`.")
    return status
