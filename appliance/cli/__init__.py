"""The command `schoolgate`. Thin: each command reads its words, calls the part that does the work, and prints."""

from pathlib import Path

import click

from appliance.cli import events, explain, overrides, rules, run
from appliance.cli.base import find_paths


def _place(context: click.Context, option: click.Parameter, value: Path | None) -> None:
    """Take --state or --config, wherever on the line it stands."""
    said = context.find_root().meta
    if value is not None or option.name not in said:
        said[str(option.name)] = value
    context.obj = find_paths(said.get("state"), said.get("config"))


def _options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--state"],
            type=click.Path(path_type=Path, file_okay=False),
            envvar="SCHOOLGATE_STATE",
            expose_value=False,
            callback=_place,
            help="The folder where the box keeps everything.  [default: ./var, or /var/lib/schoolgate where installed]",
        ),
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path, dir_okay=False),
            envvar="SCHOOLGATE_CONFIG",
            expose_value=False,
            callback=_place,
            help="The configuration file.  [default: schoolgate.toml in the state folder]",
        ),
    ]


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, params=_options())
@click.version_option(package_name="schoolgate", prog_name="schoolgate")
def main() -> None:
    """A small box that makes a school's Internet fit for children: it filters, explains, helps, and forgets."""


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
        _hang(main, _command)
