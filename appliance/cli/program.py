"""The program: all commands under one name, and the two options of place that each of them takes."""

import os
import shlex
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from appliance.cli import events, explain, overrides, rules, run
from appliance.cli.base import TYPED, default_state, fail, find_paths, of_disk, speak_anywhere
from appliance.errors import SchoolgateError


class _Program(click.Group):
    """The group that is the program."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        speak_anywhere()
        return super().main(*args, **kwargs)


def _place(context: click.Context, option: click.Parameter, value: Path | None) -> None:
    """Take --state or --config, wherever on the line it stands."""
    name, said = str(option.name), context.find_root().meta
    if value is not None or name not in said:
        said[name] = value
    if value is not None and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
        typed = said.setdefault(TYPED, {})
        typed.pop(name, None)
        if name != "state" or value.absolute() != default_state().absolute():
            typed[name] = f"--{name} {shlex.quote(str(value))}"
    try:
        context.obj = find_paths(said.get("state"), said.get("config"))
    except SchoolgateError as error:
        fail(error)
    except OSError as error:
        fail(of_disk(error))


def _options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--state"],
            type=click.Path(path_type=Path, file_okay=False, readable=False),
            metavar="DIR",
            envvar="SCHOOLGATE_STATE",
            expose_value=False,
            callback=_place,
            help="The folder where the box keeps everything.  [default: ./var, or /var/lib/schoolgate where installed]",
        ),
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path, dir_okay=False, readable=False),
            metavar="FILE",
            envvar="SCHOOLGATE_CONFIG",
            expose_value=False,
            callback=_place,
            help="The configuration.  [default: schoolgate.toml in the state folder]",
        ),
    ]


@click.group(
    cls=_Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=_options(),
)
@click.version_option(package_name="schoolgate", prog_name="schoolgate", message="%(prog)s %(version)s")
@click.pass_context
def program(context: click.Context) -> None:
    """A small box that makes a school's Internet fit for children: it filters, explains, helps, and forgets."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def _hang(group: click.Group, command: click.Command) -> None:
    """Hang a command on a group; every command takes the same two options, so that they may stand before or behind."""
    group.add_command(command)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _hang(command, below)
    else:
        command.params.extend(_options())


for _family in (run, explain, events, overrides, rules):
    for _command in _family.COMMANDS:
        _hang(program, _command)
