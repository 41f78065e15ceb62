"""`schoolgate events`: what was flagged. Group, category and minute; a device is a pseudonym that changes each term."""

from dataclasses import asdict
from datetime import timedelta

import click

from appliance.cli.base import GROUPS, as_json, told_plainly
from appliance.clock import now
from appliance.snapshot import Paths, read_settings
from appliance.store.events import count_events, read_events


@click.command()
@click.option("--days", default=1, show_default=True, help="How far back to look.")
@click.option("--group", type=GROUPS, help="Only this group.")
@click.option("--category", help="Only this category.")
@click.option("--counts", is_flag=True, help="Only counts a day, group and category.")
@click.option("--limit", default=50, show_default=True, help="At most so many, newest first.")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def events(
    paths: Paths, days: int, group: str | None, category: str | None, counts: bool, limit: int, for_program: bool
) -> None:
    """Show what was flagged. Ordinary browsing and help-seeking are not here: they are kept nowhere."""
    config, _ = read_settings(paths)
    since = now(config.zone) - timedelta(days=days)
    if counts:
        days_counted = count_events(paths.state, since=since, zone=config.zone)
        if for_program:
            as_json([asdict(row) | {"day": row.day.isoformat()} for row in days_counted])
            return
        for row in days_counted:
            click.echo(f"  {row.day}  {row.count:>6,}  {row.group:<16} {row.category}")
        return
    found = list(read_events(paths.state, since=since, group=group, category=category, limit=limit))
    if for_program:
        as_json([asdict(row) | {"at": row.at.isoformat()} for row in found])
        return
    for event in found:
        times = f" × {event.count}" if event.count > 1 else ""
        local = event.at.astimezone(config.zone)
        click.echo(
            f"  {local:%a %H:%M}  {event.group:<16} {event.category or event.reason:<16} {event.domain}{times}"
            f"  (device {event.device}; {event.rule_list} line {event.rule_line})"
        )
    if not found:
        click.echo("Nothing was flagged in that time.")


COMMANDS: list[click.Command] = [events]
