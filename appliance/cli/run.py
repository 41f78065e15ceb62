"""`schoolgate run`, `status` and `check`, and the processes of the box, each by its name."""

import asyncio
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from importlib import import_module

import click

from appliance.cli.base import as_json, running, told_plainly
from appliance.config import TEMPLATE, Config
from appliance.errors import StateError
from appliance.files import write_atomic
from appliance.snapshot import Origin, Paths, Snapshot, keep_as_last_good, load, read_settings


@click.command()
@click.pass_obj
@told_plainly
def run(paths: Paths) -> None:
    """Run the box in the foreground, as an explicit proxy. Ctrl-C stops it."""
    from appliance.daemon.supervisor import Supervisor, socket_paths_fit

    socket_paths_fit(paths)
    with _only_one(paths):
        paths = _first_steps(paths)
        click.echo("Schoolgate is starting …", nl=False)

        def on_ready(supervisor: Supervisor) -> None:
            click.echo("\r" + _what_next(supervisor.keeper.snapshot, paths))
            for warning in supervisor.keeper.snapshot.warnings:
                click.echo(
                    click.style(f"  ! {warning.text}", fg="yellow") + (f" {warning.hint}" if warning.hint else "")
                )
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
    from appliance.lists.library import Library

    if paths.config is None:
        write_atomic(paths.state / "schoolgate.toml", TEMPLATE.encode())
        paths = Paths(paths.state, paths.state / "schoolgate.toml")
    good = paths
    if not (paths.last_good / "schoolgate.toml").exists():
        read_settings(paths)
        keep_as_last_good(paths)
    else:
        good = Paths(paths.state, paths.last_good / "schoolgate.toml")
    _, tables = read_settings(good)
    Library(paths).ensure(tables)
    if load(paths).origin is Origin.LIVE:
        keep_as_last_good(paths)
    return paths


def _what_next(snapshot: Snapshot, paths: Paths) -> str:
    config: Config = snapshot.config
    host, port = config.proxy[0]
    web = "http://{}:{}".format(*config.web)
    state = os.path.relpath(paths.state)
    lines = [
        click.style(
            f"Schoolgate is running: {snapshot.rules.entries:,} rules, devices are {config.default_group.value}.",
            bold=True,
        ),
        f"  Proxy       {host}:{port}   (or the PAC file {web}/proxy.pac)",
        f"  Look        {web}/status",
        "  Try         schoolgate try http://adult.schoolgate.test/",
        f"  Browser     chromium --proxy-server=http://{host}:{port} --user-data-dir=/tmp/schoolgate-browser",
        "  For pupils  http://help.schoolgate.internal/   (through the proxy)",
        f"  Settings    {state}/schoolgate.toml" if state != "." else "  Settings    schoolgate.toml",
        "  Ctrl-C stops it.",
    ]
    return "\n".join(lines)


@click.command()
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def status(paths: Paths, for_program: bool) -> None:
    """Say how the running box is: processes, lanes, verdicts, warnings. Counts only; no host and no device."""
    found = running(paths)
    if for_program:
        as_json(asdict(found))
        return
    for process in found.processes:
        again = f"  (restarted {process['restarts']} times)" if process["restarts"] else ""
        click.echo(f"  {process['name']:<18} {process['state']}{again}")
    lanes = (f"{lane} {found.in_use.get(lane, 0)} now, {count:,} since the start" for lane, count in found.used.items())
    click.echo("Lanes\n  " + "\n  ".join(lanes))
    click.echo("Verdicts\n  " + (_counted(found.judged) or "none yet"))
    click.echo("Blocked\n  " + (_counted(found.blocked) or "nothing yet"))
    for warning in found.warnings:
        click.echo(
            click.style(f"! {warning['text']}", fg="yellow") + (f" {warning['hint']}" if warning["hint"] else "")
        )


def _counted(counts: dict[str, int]) -> str:
    rows = sorted(counts.items(), key=lambda row: -row[1])
    return "\n  ".join(f"{count:>8,}  {name}" for name, count in rows)


@click.command()
@click.pass_obj
@told_plainly
def check(paths: Paths) -> None:
    """Read the configuration, the policies and the rule set, and say what is wrong. Changes nothing."""
    config, tables = read_settings(paths)
    click.echo(f"{paths.config or 'The defaults'}: good. {len(tables.policies)} policies, web on port {config.web[1]}.")
    if paths.rules.exists():
        snapshot = load(paths)
        for warning in snapshot.warnings:
            click.echo(f"! {warning.text} {warning.hint}")
        click.echo(f"{paths.rules}: good. {snapshot.rules.entries:,} rules from {len(snapshot.rules.lists)} lists.")
    else:
        click.echo("There is no rule set yet: `schoolgate run` or `schoolgate rules build` makes it.")


def _process(name: str, about: str) -> click.Command:
    """A hidden command for one process, as the service manager starts it."""

    @click.command(name, hidden=True, help=about)
    @click.option("--number", default=0)
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
