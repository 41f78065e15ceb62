"""`schoolgate explain` and `try`: what would happen, and what happens."""

import re
import shlex
from datetime import datetime, time
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import click

from appliance.cli.base import GROUP_NAMES, GROUPS, as_json, rows, running, settings, told_plainly, typed, view
from appliance.clock import now
from appliance.enforcement import ENFORCE, Step
from appliance.errors import ConfigError
from appliance.network.clients import try_address
from appliance.probe import Kind, probe
from appliance.snapshot import Paths, Snapshot
from filters.engine import Explanation, decide
from filters.engine import explain as explain_request
from filters.model import Action, ClientGroup, Request, Via
from filters.names import host as normalise

_COLOURS = {"allow": "green", "block": "red", "rewrite": "cyan", "inspect": "yellow"}
_OUTCOMES = {Kind.PASSED: "green", Kind.BLOCKED: "red", Kind.FAILED: "yellow"}

_STEPS = {
    Step.FORWARD: "the name is answered as it is",
    Step.SINKHOLE: "the name leads to the box itself",
    Step.ALIAS: "the name leads to the safe address",
    Step.SPLICE: "the bytes pass unread (splice)",
    Step.SPLICE_TO_TARGET: "the bytes pass unread, to the safe address (splice)",
    Step.TERMINATE: "the connection ends with a TLS alert (terminate)",
    Step.INSPECT: "the page is read on its way (inspect)",
    Step.RELAY: "the request is passed on",
    Step.RELAY_TO_TARGET: "the request is passed on, to the safe address",
    Step.BLOCK_PAGE: "the block page is shown",
}


@click.command("explain", short_help="Say what the box does with a host or a URL, and why.")
@click.argument("target", metavar="HOST|URL")
@click.option(
    "--group",
    type=GROUPS,
    metavar="GROUP",
    help=f"Ask as this group: {GROUP_NAMES}.  [default: the group of --client, else of an unknown device]",
)
@click.option("--client", metavar="IP", default="", help="Ask as the device with this address.")
@click.option("--at", metavar="TIME", help="Ask for another time, like 09:00 (today) or 2026-11-23T09:00.")
@click.option(
    "--via",
    type=click.Choice([via.value for via in Via]),
    help="How the box learns of it.  [default: http for http://, and for a path; else tls]",
)
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def explain(
    paths: Paths, target: str, group: str | None, client: str, at: str | None, via: str | None, for_program: bool
) -> None:
    """Say what the box does with a host or a URL, and why. Works without a running box."""
    scheme, host, path = _asked(target)
    snapshot = view(paths)
    way = Via(via) if via else (Via.HTTP if scheme == "http" or (path and not scheme) else Via.TLS)
    who = ClientGroup(group) if group else _group_of(client, snapshot)
    seen = (path or "/") if way is Via.HTTP else None
    request = Request(host, who, way, _moment(at, snapshot), seen)
    found = explain_request(request, snapshot.tables.policies[who], snapshot.book)
    if for_program:
        as_json(_told(request, found))
    else:
        _print(request, found, path)


def _asked(target: str) -> tuple[str, str, str]:
    """Scheme, host and path of what was typed; "" for what was not. Raises ConfigError."""
    wrong = ConfigError(
        f"{target!r} is neither a host nor a URL", "Write it like example.org or https://example.org/page"
    )
    bare = normalise(target)
    if bare:
        return "", bare, ""
    try:
        parts: SplitResult = urlsplit(target if "://" in target else f"//{target}")
        host = normalise(parts.hostname or "")
        _ = parts.port
    except ValueError as error:
        raise wrong from error
    if host is None:
        raise wrong
    if parts.scheme not in ("", "http", "https"):
        raise ConfigError(f"{target!r} is no web address", "The box judges what begins with http:// or https://")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "") if parts.path or parts.query else ""
    return parts.scheme, host, path


def _group_of(client: str, snapshot: Snapshot) -> ClientGroup:
    """The group of the device with this address, as the box sees it. Raises ConfigError for what is no address."""
    try:
        return snapshot.clients.group(str(ip_address(client)) if client else "")
    except ValueError as error:
        raise ConfigError(f"{client!r} is not the address of a device", "Write it like 10.20.0.7.") from error


def _moment(at: str | None, snapshot: Snapshot) -> datetime:
    """The time that was asked for, in the school's zone. Raises ConfigError for what is none."""
    zone = snapshot.config.zone
    today = now(zone)
    if at is None:
        return today
    try:
        if re.fullmatch(r"\d\d?:\d\d", at):
            return datetime.combine(today.date(), time.fromisoformat(at.zfill(5)), zone)
        asked = datetime.fromisoformat(at)
    except ValueError as error:
        raise ConfigError(f"{at!r} is not a time", "Write it like 09:00 or 2026-11-23T09:00.") from error
    return asked.astimezone(zone) if asked.tzinfo else asked.replace(tzinfo=zone)


def _told(request: Request, found: Explanation) -> dict[str, object]:
    """The object of the contract: its keys and values are what other programs build on."""
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


def _print(request: Request, found: Explanation, path: str) -> None:
    verdict = found.verdict
    action = click.style(verdict.action.value.upper(), fg=_COLOURS[verdict.action.value], bold=True)
    shown = request.host + (request.path or "")
    click.echo(f"{action}  {shown}  for {request.group.value}, by {request.via.value}, {request.at:%a %H:%M}")
    told = [("reason", _words(verdict.reason.value))]
    if verdict.category:
        told.append(("category", verdict.category))
    if verdict.rule:
        dated = f" of {verdict.rule.date}" if verdict.rule.date else ""
        told.append(("rule", f"{verdict.rule.text} (list {verdict.rule.list}{dated}, line {verdict.rule.line})"))
    if verdict.target:
        told.append(("goes to", verdict.target))
    told.append(("policy", verdict.policy))
    told.append(("happens", _happens(request.via, verdict.action)))
    told.append(("kept", "minute, group, category and site, as a flagged event" if verdict.record else "nowhere"))
    none = [_words(name) for name, opinion in found.steps if opinion is None]
    told.append(("before it", f"{', '.join(none)}: none of these applies" if none else "nothing stands above this"))
    told += [
        ("also", f"{hit.text} ({hit.category}; list {hit.info.name}, line {hit.line})")
        for hit in found.hits
        if hit.rule != verdict.rule
    ]
    if path not in ("", "/") and request.path is None:
        told.append(("path", f"{path} is only seen on a device that trusts the box: ask for that with --via http"))
    rows(*told)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _happens(via: Via, action: Action) -> str:
    """What a device notices."""
    any_device, trusting = ENFORCE[via, action]
    if trusting is any_device:
        return _STEPS[any_device]
    inspected = "sees the block page" if action is Action.BLOCK else "is inspected"
    return f"{_STEPS[any_device]}; a device that trusts the box {inspected}"


@click.command("try", short_help="Send one request through the running box and tell what happened.")
@click.argument("url")
@click.option(
    "--group",
    type=GROUPS,
    metavar="GROUP",
    help=f"Ask as this group: {GROUP_NAMES}.  [default: the group of the box's own address]",
)
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def try_(paths: Paths, url: str, group: str | None, for_program: bool) -> None:
    """Send one request through the running box and tell what happened: it passed, was blocked, or failed."""
    running(paths)
    source = try_address(ClientGroup(group)) if group else ""
    outcome = probe(url if "://" in url else f"https://{url}", settings(paths)[0].proxy[0], source)
    if for_program:
        told = {"url": outcome.url, "group": group, "outcome": outcome.kind.value}
        as_json(told | {"status": outcome.status, "detail": outcome.detail})
        return
    click.echo(f"{click.style(outcome.kind.value.upper(), fg=_OUTCOMES[outcome.kind], bold=True)}  {outcome.url}")
    click.echo(f"  {outcome.detail}")
    if outcome.kind is Kind.BLOCKED and (who := _blocked_as(paths, outcome.url, group)):
        click.echo(f"  Why: {typed(f'explain {shlex.quote(outcome.url)} --group {who}')}")


def _blocked_as(paths: Paths, url: str, group: str | None) -> str:
    """The group for which the rules block the URL; "" where it was not the rules that did."""
    snapshot = view(paths)
    scheme, host, path = _asked(url)
    who = ClientGroup(group) if group else _group_of("127.0.0.1", snapshot)
    way, seen = (Via.HTTP, path or "/") if scheme == "http" else (Via.TLS, None)
    verdict = decide(
        Request(host, who, way, _moment(None, snapshot), seen), snapshot.tables.policies[who], snapshot.book
    )
    return who.value if verdict.action is Action.BLOCK else ""


COMMANDS: list[click.Command] = [explain, try_]
