"""`schoolgate allow`, `pause` and `override`: what a teacher changes for a lesson."""

import re

import click

from appliance import overrides
from appliance.cli.base import GROUPS, as_json, told_plainly
from appliance.clock import now
from appliance.errors import ConfigError
from appliance.snapshot import Paths, load
from filters.engine import Rulebook
from filters.model import ClientGroup
from filters.names import host as normalise
from filters.policy import Kind, Override

_UNITS = {"m": 1, "min": 1, "h": 60}


def minutes(text: str) -> int:
    """ "45m" or "2h" in minutes. Raises ConfigError."""
    found = re.fullmatch(r"([1-9]\d{0,3})(m|min|h)", text.strip().lower())
    longest = int(overrides.LONGEST.total_seconds() // 60)
    if not found or int(found[1]) * _UNITS[found[2]] > longest:
        raise ConfigError(
            f"{text!r} is not a time like 45m or 2h", f"The longest is {longest // 60}h; a policy is for good."
        )
    return int(found[1]) * _UNITS[found[2]]


@click.command()
@click.argument("host")
@click.option("--group", type=GROUPS, required=True, help="For whom.")
@click.option("--for", "lasting", required=True, metavar="TIME", help="For how long, like 45m; it ends by itself.")
@click.option("--reason", default="", help="Why, for the record of overrides.")
@click.pass_obj
@told_plainly
def allow(paths: Paths, host: str, group: str, lasting: str, reason: str) -> None:
    """Open one name, and every name below it, for a group and a while."""
    name = normalise(host)
    if name is None:
        raise ConfigError(f"{host!r} is not a host name", "Write it like example.org, without https:// and path.")
    snapshot = load(paths)
    hits, _ = snapshot.book.rules.find(name)
    if any(snapshot.tables.categories[hit.category].kind is Kind.SEALED for hit in hits):
        raise ConfigError(f"{name} is sealed", "Illegal content cannot be opened by anyone.")
    made = overrides.add(paths.overrides, ClientGroup(group), name, minutes(lasting), now(snapshot.config.zone), reason)
    click.echo(f"{name} is open for {group} until {made.until:%H:%M}. End it sooner: schoolgate override end {made.id}")


@click.command()
@click.option("--group", type=GROUPS, required=True, help="Whose Internet.")
@click.option("--for", "lasting", required=True, metavar="TIME", help="For how long, like 10m; it ends by itself.")
@click.pass_obj
@told_plainly
def pause(paths: Paths, group: str, lasting: str) -> None:
    """Pause a group's Internet, so that the class looks up. Help and health pages stay open."""
    made = overrides.add(paths.overrides, ClientGroup(group), None, minutes(lasting), now(load(paths).config.zone))
    click.echo(f"The Internet of {group} is paused until {made.until:%H:%M}. End it: schoolgate override end {made.id}")


@click.group()
def override() -> None:
    """The overrides in force."""


@override.command("list")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def list_(paths: Paths, for_program: bool) -> None:
    """Show what is in force."""
    snapshot = load(paths)
    moment = now(snapshot.config.zone)
    book: Rulebook = snapshot.book
    rows = [row for row in book.overrides if moment < row.until]
    if for_program:
        as_json(
            [
                {
                    "id": row.id,
                    "group": row.group.value,
                    "host": row.host,
                    "until": row.until.isoformat(),
                    "reason": row.reason,
                }
                for row in rows
            ]
        )
        return
    for row in rows:
        click.echo(f"  {row.id}  {_told(row)}")
    if not rows:
        click.echo("No override is in force.")


def _told(row: Override) -> str:
    what = f"{row.host} is open" if row.host else "the Internet is paused"
    why = f"  ({row.reason})" if row.reason else ""
    return f"{what} for {row.group.value} until {row.until:%a %H:%M}{why}"


@override.command("end")
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@click.pass_obj
@told_plainly
def end(paths: Paths, ids: tuple[str, ...]) -> None:
    """End overrides now; ID is the first column of `override list`."""
    ended = overrides.end(paths.overrides, set(ids), now(load(paths).config.zone))
    for row in ended:
        click.echo(f"Ended: {_told(row)}")
    if len(ended) < len(set(ids)):
        raise ConfigError("no such override is in force", "See them with `schoolgate override list`.")


COMMANDS: list[click.Command] = [allow, pause, override]
