"""`schoolgate explain` and `try`: what would happen, and what happens."""

from datetime import datetime
from urllib.parse import urlsplit

import click

from appliance.cli.base import GROUPS, as_json, running, told_plainly
from appliance.clock import now
from appliance.errors import ConfigError
from appliance.network.clients import try_address
from appliance.probe import probe
from appliance.snapshot import Paths, load
from filters.engine import Explanation
from filters.engine import explain as explain_request
from filters.model import ClientGroup, Request, Via
from filters.names import host as normalise


@click.command("explain")
@click.argument("target", metavar="HOST|URL")
@click.option(
    "--group", type=GROUPS, help="Ask as this group.  [default: the group of --client, or of an unknown device]"
)
@click.option("--client", metavar="IP", default="", help="Ask as the device with this address.")
@click.option("--at", metavar="TIME", help="Ask for another time, like 2026-11-23T09:00.")
@click.option(
    "--via",
    type=click.Choice([via.value for via in Via]),
    help="How the box learns of it.  [default: http for a URL with a path it can read, else tls]",
)
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def explain(
    paths: Paths, target: str, group: str | None, client: str, at: str | None, via: str | None, for_program: bool
) -> None:
    """Say what the box does with a host or a URL, and why. Works without a running box."""
    snapshot = load(paths)
    asked = urlsplit(target if "//" in target else f"//{target}")
    host = normalise(asked.hostname or "")
    if host is None:
        raise ConfigError(
            f"{target!r} is neither a host nor a URL", "Write it like example.org or https://example.org/page"
        )
    path = (asked.path or "/") + (f"?{asked.query}" if asked.query else "") if asked.scheme or asked.path else None
    way = Via(via) if via else (Via.HTTP if asked.scheme == "http" or (path and not asked.scheme) else Via.TLS)
    try:
        moment = datetime.fromisoformat(at).replace(tzinfo=snapshot.config.zone) if at else now(snapshot.config.zone)
    except ValueError as error:
        raise ConfigError(f"{at!r} is not a time", "Write it like 2026-11-23T09:00.") from error
    who = ClientGroup(group) if group else snapshot.clients.group(client)
    request = Request(host, who, way, moment, path if way is Via.HTTP else None)
    found = explain_request(request, snapshot.tables.policies[who], snapshot.book)
    if for_program:
        as_json(_told(request, found))
    else:
        _print(request, found)


def _told(request: Request, found: Explanation) -> dict[str, object]:
    """The object of the contract (architecture, section 7)."""
    verdict, rule = found.verdict, found.verdict.rule
    return {
        "host": request.host,
        "group": request.group.value,
        "via": request.via.value,
        "at": request.at.isoformat(timespec="seconds"),
        "action": verdict.action.value,
        "reason": verdict.reason.value,
        "category": verdict.category,
        "policy": verdict.policy,
        "target": verdict.target,
        "record": verdict.record,
        "rule": {"list": rule.list, "line": rule.line, "text": rule.text, "date": rule.date} if rule else None,
    }


_COLOURS = {"allow": "green", "block": "red", "rewrite": "cyan", "inspect": "yellow"}


def _print(request: Request, found: Explanation) -> None:
    verdict = found.verdict
    action = click.style(verdict.action.value.upper(), fg=_COLOURS[verdict.action.value], bold=True)
    click.echo(f"{action}  {request.host}  for {request.group.value}, by {request.via.value}, {request.at:%a %H:%M}")
    click.echo(f"  reason    {verdict.reason.value.replace('_', ' ')}")
    if verdict.category:
        click.echo(f"  category  {verdict.category}")
    if verdict.rule:
        dated = f" of {verdict.rule.date}" if verdict.rule.date else ""
        click.echo(f"  rule      {verdict.rule.text}  (list {verdict.rule.list}{dated}, line {verdict.rule.line})")
    if verdict.target:
        click.echo(f"  goes to   {verdict.target}")
    click.echo(f"  policy    {verdict.policy}")
    click.echo(f"  kept      {'as a flagged event, without the page' if verdict.record else 'nowhere'}")
    asked = [name.replace("_", " ") for name, opinion in found.steps if opinion is None]
    click.echo(f"  asked     {', '.join(asked)} had no opinion" if asked else "  asked     nothing stands above")
    others = [hit for hit in found.hits if hit.rule != verdict.rule]
    for hit in others:
        click.echo(f"  also      {hit.text}  ({hit.category}; list {hit.info.name}, line {hit.line})")


@click.command("try")
@click.argument("url")
@click.option("--group", type=GROUPS, help="Ask as this group.  [default: the group of the box's own address]")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def try_(paths: Paths, url: str, group: str | None, for_program: bool) -> None:
    """Send one request through the running box and tell what happened."""
    running(paths)
    snapshot = load(paths)
    source = try_address(ClientGroup(group)) if group else ""
    outcome = probe(url if "//" in url else f"https://{url}", snapshot.config.proxy[0], source)
    if for_program:
        as_json(
            {
                "url": outcome.url,
                "group": group,
                "outcome": outcome.kind.value,
                "status": outcome.status,
                "detail": outcome.detail,
            }
        )
        return
    click.echo(f"{click.style(outcome.kind.value.upper(), bold=True)}  {outcome.url}")
    click.echo(f"  {outcome.detail}")


COMMANDS: list[click.Command] = [explain, try_]
