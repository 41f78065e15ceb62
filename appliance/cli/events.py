"""`schoolgate events`: what was flagged. Group, category and minute; a device is a pseudonym that changes each term."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

import click

from appliance.cli.base import GROUP_NAMES, GROUPS, as_json, settings, told_plainly
from appliance.clock import now
from appliance.errors import ConfigError
from appliance.settings import near
from appliance.snapshot import Paths
from appliance.store.events import DayCount, StoredEvent, count_events, read_events

_LONGEST = 3660


@click.command(short_help="Show what was flagged: never ordinary browsing, never a search for help.")
@click.option("--days", type=click.IntRange(1, _LONGEST), default=1, show_default=True, help="How far back to look.")
@click.option("--group", type=GROUPS, metavar="GROUP", help=f"Only this group: {GROUP_NAMES}.")
@click.option("--category", metavar="CATEGORY", help="Only this category.")
@click.option("--counts", is_flag=True, help="Only how many a day, group and category had.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, newest first.")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def events(
    paths: Paths, days: int, group: str | None, category: str | None, counts: bool, limit: int, for_program: bool
) -> None:
    """Show what was flagged. Ordinary browsing and help-seeking are not here: they are kept nowhere."""
    config, tables = settings(paths)
    if category is not None and category not in tables.categories:
        hint = near(category, tables.categories) or f"There are {', '.join(tables.categories)}."
        raise ConfigError(f"there is no category {category!r}", hint)
    since = now(config.zone) - timedelta(days=days)
    if counts:
        told = [
            row
            for row in count_events(paths.state, since=since, zone=config.zone)
            if group in (None, row.group) and category in (None, row.category)
        ]
        _print_counts(told, for_program)
        return
    found = list(read_events(paths.state, since=since, group=group, category=category, limit=limit + 1))
    if for_program:
        as_json([asdict(row) | {"at": row.at.isoformat()} for row in found[:limit]])
        return
    local = [(row.at.astimezone(config.zone).strftime("%a %d %H:%M"), row) for row in found[:limit]]
    _print(local)
    if len(found) > limit:
        click.echo(f"There are more: these are the newest {limit} (--limit N shows others).")


def _print(found: Sequence[tuple[str, StoredEvent]]) -> None:
    if not found:
        click.echo("Nothing was flagged in that time.")
        return
    click.echo(f"{'minute':<13} {'group':<16} {'category':<16} {'times':>5}  {'device':<8}  site, and why")
    for minute, event in found:
        rule = f"list {event.rule_list}, line {event.rule_line}" if event.rule_list else event.reason.replace("_", " ")
        click.echo(
            f"{minute:<13} {event.group:<16} {event.category or '-':<16} {event.count:>5,}  {event.device:<8}  "
            f"{event.domain} ({rule})"
        )


def _print_counts(told: Sequence[DayCount], for_program: bool) -> None:
    if for_program:
        as_json([asdict(row) | {"day": row.day.isoformat()} for row in told])
    elif not told:
        click.echo("Nothing was flagged in that time.")
    else:
        click.echo(f"{'day':<10}  {'group':<16} {'category':<16} {'events':>7}")
        for row in told:
            click.echo(f"{row.day}  {row.group:<16} {row.category or '-':<16} {row.count:>7,}")


COMMANDS: list[click.Command] = [events]
