"""`schoolgate allow`, `pause` and `override`: what a teacher changes for a lesson."""

import re
from datetime import datetime

import click

from appliance import overrides
from appliance.cli.base import GROUP_NAMES, GROUPS, as_json, settings, told_plainly, typed, view
from appliance.clock import now
from appliance.errors import ConfigError
from appliance.lists.suffixes import public_suffixes
from appliance.snapshot import Paths
from filters.engine import decide
from filters.model import Action, ClientGroup, Reason, Request, Via
from filters.names import host as normalise
from filters.policy import Override

_UNITS = {"m": 1, "min": 1, "h": 60}
_DURATION = "For how long, like 45m or 2h (12h at most); it ends by itself."


def minutes(text: str) -> int:
    """ "45m" or "2h" in minutes. Raises ConfigError."""
    found = re.fullmatch(r"([1-9]\d{0,3})(m|min|h)", text.strip().lower())
    longest = int(overrides.LONGEST.total_seconds() // 60)
    if not found:
        raise ConfigError(f"{text!r} is not a time like 45m or 2h", "Write a number and m for minutes or h for hours.")
    if int(found[1]) * _UNITS[found[2]] > longest:
        raise ConfigError(f"{text} is too long", f"The longest is {longest // 60}h; what is for good is a policy.")
    return int(found[1]) * _UNITS[found[2]]


def site(text: str) -> str:
    """A host as a teacher may name it for `allow`. Raises ConfigError for what is none, or covers too much."""
    name = normalise(text)
    if name is None:
        meant = re.match(r"(?:[a-z]+://)?(?:[^/@]*@)?([^/:?#]+)", text.strip(), re.IGNORECASE)
        found = normalise(meant[1]) if meant else None
        hint = f"Name the whole site instead: {found}" if found else "Write it like example.org."
        raise ConfigError(f"{text!r} is not a host name", hint)
    if public_suffixes()(name) and not re.search(r"[0-9:]$", name):
        raise ConfigError(f"{name} stands above many sites", f"Name one of them, like example.{name}.")
    return name


@click.command(short_help="Open one name, and every name below it, for a group and a while.")
@click.argument("host")
@click.option("--group", type=GROUPS, metavar="GROUP", required=True, help=f"For whom: {GROUP_NAMES}.")
@click.option("--for", "lasting", required=True, metavar="TIME", help=_DURATION)
@click.option("--reason", default="", metavar="TEXT", help="Why: it is shown beside the override.")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def allow(paths: Paths, host: str, group: str, lasting: str, reason: str, for_program: bool) -> None:
    """Open one name, and every name below it, for a group and a while. Illegal content cannot be opened."""
    name, lasts, who, snapshot = site(host), minutes(lasting), ClientGroup(group), view(paths, note=False)
    moment = now(snapshot.config.zone)
    before = decide(Request(name, who, Via.TLS, moment), snapshot.tables.policies[who], snapshot.book)
    if before.reason is Reason.SEALED:
        raise ConfigError(f"{name} is sealed", "Illegal content cannot be opened by anyone.")
    made = overrides.add(paths.overrides, who, name, lasts, moment, reason)
    if for_program:
        as_json(_as_told(made))
        return
    click.echo(f"{name} is open for {group} until {_until(made.until, moment)}.")
    if before.reason is Reason.PAUSED:
        click.echo(f"But the Internet of {group} is paused, and stays so until the pause ends.")
    elif before.action is not Action.BLOCK:
        click.echo("It was not blocked before either.")
    click.echo(f"To end it sooner: {typed(f'override end {made.id}')}")


@click.command(short_help="Pause a group's Internet, so that the class looks up.")
@click.option("--group", type=GROUPS, metavar="GROUP", required=True, help=f"Whose Internet: {GROUP_NAMES}.")
@click.option("--for", "lasting", required=True, metavar="TIME", help=_DURATION)
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def pause(paths: Paths, group: str, lasting: str, for_program: bool) -> None:
    """Pause a group's Internet, so that the class looks up. Help and health pages stay open."""
    lasts = minutes(lasting)
    moment = now(settings(paths)[0].zone)
    made = overrides.add(paths.overrides, ClientGroup(group), None, lasts, moment)
    if for_program:
        as_json(_as_told(made))
        return
    click.echo(f"The Internet of {group} is paused until {_until(made.until, moment)}; help pages stay open.")
    click.echo(f"To end it sooner: {typed(f'override end {made.id}')}")


def _until(end: datetime, moment: datetime) -> str:
    local = end.astimezone(moment.tzinfo)
    return local.strftime("%H:%M" if local.date() == moment.date() else "%a %H:%M")


@click.group()
def override() -> None:
    """See or end the overrides that are in force."""


@override.command("list")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def list_(paths: Paths, for_program: bool) -> None:
    """Show what is in force."""
    moment, held = _in_force(paths)
    if for_program:
        as_json([_as_told(row) for row in held])
        return
    for row in held:
        click.echo(f"{row.id}  {_told(row, moment)}")
    if not held:
        click.echo("No override is in force.")


def _in_force(paths: Paths) -> tuple[datetime, list[Override]]:
    moment = now(settings(paths)[0].zone)
    try:
        held = overrides.read_overrides(paths.overrides)
    except ValueError as error:
        raise ConfigError(f"{paths.overrides}: {error}", "Remove the file: every override in it ends.") from error
    return moment, [row for row in held if moment < row.until]


def _as_told(row: Override) -> dict[str, str | None]:
    return {
        "id": row.id,
        "group": row.group.value,
        "host": row.host,
        "until": row.until.isoformat(timespec="seconds"),
        "reason": row.reason,
    }


def _told(row: Override, moment: datetime) -> str:
    what = f"{row.host} is open" if row.host else "the Internet is paused"
    why = f"  ({row.reason})" if row.reason else ""
    return f"{what} for {row.group.value} until {_until(row.until, moment)}{why}"


@override.command("end")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.pass_obj
@told_plainly
def end(paths: Paths, ids: tuple[str, ...]) -> None:
    """End overrides now; ID is the first column of `override list`."""
    moment, held = _in_force(paths)
    unknown = [each for each in ids if each not in [row.id for row in held]]
    for row in overrides.end(paths.overrides, set(ids), moment) if len(unknown) < len(ids) else []:
        click.echo(f"Ended: {_told(row, moment)}")
    if unknown:
        raise ConfigError(f"no override {', '.join(unknown)} is in force", "See them: `schoolgate override list`.")


COMMANDS: list[click.Command] = [allow, pause, override]
