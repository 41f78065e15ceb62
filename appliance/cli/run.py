"""`schoolgate run`, `status` and `check`, and the processes of the box, each by its name."""

import asyncio
import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from importlib import import_module

import click

from appliance.cli.base import as_json, how_many, near_by, running, told_plainly, typable, typed, view, warn
from appliance.config import TEMPLATE, Address
from appliance.errors import RuleSetError, StateError
from appliance.files import write_atomic
from appliance.lists.library import Library
from appliance.snapshot import Origin, Paths, Snapshot, keep_as_last_good, last_good_paths, load, read_settings
from filters.model import ClientGroup


@click.command()
@click.pass_obj
@told_plainly
def run(paths: Paths) -> None:
    """Run the box in the foreground, as an explicit proxy. Ctrl-C stops it."""
    from appliance.daemon.supervisor import Supervisor, socket_paths_fit

    socket_paths_fit(paths)
    with _only_one(paths):
        paths = _first_steps(paths)
        click.echo("Schoolgate is starting ...")

        def on_ready(supervisor: Supervisor) -> None:
            if not all(child.ready.is_set() for child in supervisor.children):
                return  # it was stopped before it was ready
            click.echo(_what_next(supervisor.keeper.snapshot, paths))
            for warning in supervisor.keeper.snapshot.warnings:
                warn(warning)
            sys.stdout.flush()

        asyncio.run(Supervisor(paths).run(on_ready))
        click.echo("\nSchoolgate has stopped. Its state is kept; start it again the same way.")


@contextmanager
def _only_one(paths: Paths) -> Iterator[None]:
    """Hold the state folder; raises StateError where another box holds it."""
    try:
        paths.run.mkdir(parents=True, exist_ok=True)
        paths.state.chmod(0o711)
        paths.run.chmod(0o700)
    except OSError as error:
        raise StateError(
            f"{paths.state}: cannot be written ({error.strerror})", "Choose another with --state."
        ) from error
    with (paths.run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            hint = "Stop it first, or use another folder with --state."
            raise StateError(f"a box is already running with the state in {paths.state}", hint) from error
        yield


def _first_steps(paths: Paths) -> Paths:
    """A configuration to edit, a rule set, the last good of both; raises ConfigError where a first run is broken."""
    if paths.config is None:
        write_atomic(paths.state / "schoolgate.toml", TEMPLATE.encode())
        paths = Paths(paths.state, paths.state / "schoolgate.toml")
    good = last_good_paths(paths)
    if good is None:
        read_settings(paths)
        keep_as_last_good(paths)
    _, tables = read_settings(good or paths)
    if Library(paths).ensure(tables):
        click.echo(f"{paths.rules} was damaged and was made anew from the lists that are here.")
    if load(paths).origin is Origin.LIVE:
        keep_as_last_good(paths)
    return paths


def _what_next(snapshot: Snapshot, paths: Paths) -> str:
    config = snapshot.config
    proxy, web = _address(config.proxy[0]), f"http://{_address(config.web)}"
    rules = f"{how_many(snapshot.rules):,} rules from {len(snapshot.rules.lists)} lists"
    head = f"Schoolgate is running with {rules}. Devices that no network names are {config.default_group.value}."
    lines = {
        "Proxy": f"{proxy}, or the PAC file {web}/proxy.pac",
        "Look": f"{web}/status",
        "Try": typed("try http://adult.schoolgate.test/"),
        "Browser": f"chromium --proxy-server=http://{proxy} --user-data-dir=/tmp/schoolgate-browser",
        "For pupils": "http://help.schoolgate.internal/ (through the proxy)",
        "Settings": near_by(paths.config) if paths.config else "",
    }
    told = [f"  {label:<10}  {text}" for label, text in lines.items()]
    return "\n".join([click.style(head, bold=True), *told, "  Ctrl-C stops it."])


def _address(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@click.command(short_help="Say how the running box is: processes, lanes, verdicts, warnings.")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def status(paths: Paths, for_program: bool) -> None:
    """Say how the running box is: processes, lanes, verdicts, warnings. Counts only; no host and no device."""
    found = running(paths)
    if for_program:
        as_json({each.name: _plain(getattr(found, each.name)) for each in fields(found)})
        return
    click.echo(f"{'process':<18} {'state':<10} {'restarts':>8}")
    for process in found.processes:
        click.echo(f"{process['name']:<18} {process['state']:<10} {process['restarts']:>8}")
    click.echo(f"\n{'lane':<18} {'now':>8} {'since the start':>17}")
    for lane in dict.fromkeys([*found.used, *found.in_use]):
        click.echo(f"{lane:<18} {found.in_use.get(lane, 0):>8,} {found.used.get(lane, 0):>17,}")
    for title, counts in (("verdicts", found.judged), ("blocked", found.blocked)):
        click.echo(f"\n{title:<18} {'since the start':>26}")
        for name, count in sorted(counts.items(), key=lambda row: -row[1]) or [("none yet", 0)]:
            click.echo(f"{name.replace('_', ' '):<18} {count or '':>26}")
    if "events_today" in found.events:
        click.echo(f"\nFlagged today: {found.events['events_today']}, dropped: {found.events.get('dropped', 0)}")
    if found.warnings:
        click.echo()
    for warning in found.warnings:
        warn(warning)


def _plain(value: object) -> object:
    """A count as a dictionary, rows as a list: what JSON knows."""
    if isinstance(value, Mapping):
        return dict(value)
    return [dict(row) for row in value] if isinstance(value, tuple) else value


@click.command(short_help="Read the configuration, the policies and the rule set, and say what is wrong.")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def check(paths: Paths, for_program: bool) -> None:
    """Read the configuration, the policies and the rule set, and say what is wrong. Changes nothing."""
    config, _ = read_settings(paths)
    snapshot = view(paths)
    built = paths.rules if paths.rules.exists() else None
    if for_program:
        as_json(
            {
                "config": str(paths.config) if paths.config else None,
                "rules": {"file": str(built) if built else None, "entries": how_many(snapshot.rules)},
                "origin": snapshot.origin.value,
                "warnings": [warning.told() for warning in snapshot.warnings],
            }
        )
    else:
        click.echo(f"Configuration  {near_by(paths.config) if paths.config else 'none, so the defaults hold'}: good")
        folder = paths.policies
        own = [group.value for group in ClientGroup if folder and (folder / f"{group.value}.toml").exists()]
        click.echo(f"Policies       {len(own)} of the school's own ({', '.join(own)})" if own else _NO_POLICIES)
        good = "good" if snapshot.origin is Origin.LIVE else "broken, the last good one is in force"
        holds = f"{near_by(built)}: {good}, {how_many(snapshot.rules):,} rules" if built else typable(_NO_RULES)
        click.echo(f"Rule set       {holds}")
        for warning in snapshot.warnings:
            warn(warning)
        if config.helpline_checked_on and config.country and snapshot.helpline is None:
            click.echo(f"  No helpline of {config.country} is known to us for certain, so none is shown.")
    if snapshot.origin is not Origin.LIVE:
        raise RuleSetError(f"{paths.rules}: is broken", "Make it anew: `schoolgate rules build`.")


_NO_POLICIES = "Policies       those that come with Schoolgate"
_NO_RULES = "none yet; the first `schoolgate run` makes it"


def _process(name: str, about: str) -> click.Command:
    """A hidden command for one process, as the service manager starts it."""

    @click.command(name, hidden=True, help=about)
    @click.option("--number", default=0, help="Which of several, from 0 on.")
    @click.pass_obj
    @told_plainly
    def start(paths: Paths, number: int) -> None:
        module = import_module(f"appliance.daemon.{name}")
        own = {"gate": f"gate-{number}", "inspect": f"inspect-worker-{number}"}.get(name, name)
        command = [sys.executable, "-m", module.__name__, own, str(paths.state)]
        command += [str(paths.config)] if paths.config else []
        with ExitStack():
            os.execv(sys.executable, command)

    return start


COMMANDS: list[click.Command] = [
    run,
    status,
    check,
    _process("gate", "One gate."),
    _process("inspect", "One inspect worker."),
    _process("recorder", "The recorder."),
    _process("web", "The web."),
]
