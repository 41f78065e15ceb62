"""`schoolgate rules`: import lists, build the rule set, see what is in it, update it, and test it."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from appliance import scenarios
from appliance.cli.base import as_json, how_many, near_by, settings, told_plainly, typable, typed, view
from appliance.errors import ListError, RuleSetError
from appliance.lists.builtin import built_in_names
from appliance.lists.fetch import is_url
from appliance.lists.library import Library, Report
from appliance.settings import near
from appliance.snapshot import Paths
from appliance.tables import read_tables, rules_folder
from filters.index import ListInfo, RuleSet
from filters.syntax import Problem

SHOWN = 3
"""refused lines that are printed for each list and reason"""
NAMED = 12
"""lists left out that are named"""


@click.group()
def rules() -> None:
    """Import, see, update and test lists, and build the rule set of them."""


@contextmanager
def bar(what: str, *, size: bool = False) -> Iterator[Callable[[float, float], None]]:
    """A progress bar on a terminal, nothing elsewhere; the function takes what is done and the whole."""
    console = Console(stderr=True)
    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn() if size else TaskProgressColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def advance(done: float, whole: float) -> None:
            progress.update(task, completed=done, total=whole or None)

        yield advance


@rules.command("import", short_help="Import a list or a collection of lists, and build the rule set.")
@click.argument("where", metavar="PATH|URL")
@click.option(
    "--category", metavar="CATEGORY", help="What the list holds.  [default: as well-known publishers name it]"
)
@click.option("--name", metavar="NAME", help="What to call the list here.  [default: the file's name]")
@click.option("--only", metavar="NAME", multiple=True, help="Of a folder or archive, only the list of this name.")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def import_(
    paths: Paths, where: str, category: str | None, name: str | None, only: tuple[str, ...], for_program: bool
) -> None:
    """Import a list or a collection of lists, and build the rule set.

    It may be a file, a folder, an archive (.tar, .zip), each compressed (.xz .gz .bz2) or not, or a URL; the format is
    recognised. Bad lines are reported and left out, and the rest is used.
    """
    _, tables = settings(paths)
    library = Library(paths)
    if not is_url(where) and "://" not in where:
        where = str(Path(where).expanduser().absolute())
    with library.changing():
        with bar(f"Reading {Path(where).name}", size=True) as advance:
            reports, left_out = library.import_(
                where, tables, category=category, name=name, only=only, progress=advance
            )
        built = _build(library, paths)
    if for_program:
        as_json({"lists": [_told(report) for report in reports], "skipped": left_out, "entries": how_many(built)})
        return
    for report in reports:
        _print(report)
    if left_out:
        some = ", ".join(left_out[:NAMED]) + (f" and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else "")
        click.echo(f"Left out, as Schoolgate has no category for them: {some}.")
        click.echo(f"To import one: {typed(f'rules import {near_by(Path(where))} --only NAME --category CATEGORY')}")
    _summary(built)
    failed = [report for report in reports if report.unusable and report.category]
    if failed:
        raise ListError(f"{len(failed)} of the lists could not be imported, see above", "The others were.")


def _told(report: Report) -> dict[str, object]:
    return {
        "name": report.name,
        "category": report.category or None,
        "accepted": report.accepted,
        "rejected": report.refused,
        "duplicates": report.duplicates,
        "ignored": report.ignored,
        "unusable": report.unusable or None,
        "problems": {problem.name.lower(): count for problem, count in report.problems.items()},
        "examples": [
            {"file": file or None, "line": error.line, "column": error.column, "text": error.text, "why": error.why}
            for error, file in zip(report.examples, report.files, strict=True)
        ],
    }


def _print(report: Report) -> None:
    counts = f"{report.accepted:,} accepted, {report.refused:,} rejected, {report.duplicates:,} duplicates"
    if report.unusable:
        click.echo(f"{click.style(report.name, bold=True)}: not imported: {report.unusable}")
        return
    if report.unchanged:
        counts = f"unchanged, {report.accepted:,} rules"
    elif report.ignored:
        counts += f", {report.ignored:,} ignored (they ask for what only a browser can do)"
    click.echo(f"{click.style(report.name, bold=True)} ({report.category}): {counts}")
    for problem, count in report.problems.most_common():
        if problem is not Problem.NOT_FOR_US:
            click.echo(f"    {count:,} × {problem.value}")
            _quote(report, problem)
    if report.instead_of:
        click.echo(f"    in the place of the list of that name from {report.instead_of}")


def _quote(report: Report, problem: Problem) -> None:
    """The first lines that were refused for this reason."""
    same = [
        (file, error) for error, file in zip(report.examples, report.files, strict=True) if error.problem is problem
    ]
    for file, error in same[:SHOWN]:
        place = f"{file}, line" if file else "line"
        click.echo(f"        {place} {error.line:,}, column {error.column}: {error.text}")


@rules.command()
@click.pass_obj
@told_plainly
def build(paths: Paths) -> None:
    """Make the rule set anew from the lists that are here."""
    library = Library(paths)
    with library.changing():
        built = _build(library, paths)
    _summary(built)


def _build(library: Library, paths: Paths) -> RuleSet:
    _, tables = settings(paths)
    with bar("Building the rule set") as advance:
        return library.build(tables, advance)


def _summary(found: RuleSet) -> None:
    click.echo(f"The rule set holds {how_many(found):,} rules from {len(found.lists)} lists.")


@rules.command()
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def status(paths: Paths, for_program: bool) -> None:
    """Show every list: category, rules, date, source."""
    found = view(paths).rules
    if for_program:
        as_json([asdict(info) for info in found.lists])
        return
    wide = max(len(info.name) for info in found.lists)
    click.echo(f"{'list':<{wide}}  {'category':<16} {'rules':>10}  {'date':<10}  source")
    for info in found.lists:
        source = info.source if is_url(info.source) or info.name in built_in_names() else near_by(Path(info.source))
        date = info.date or "undated"
        click.echo(f"{info.name:<{wide}}  {info.category:<16} {info.entries:>10,}  {date:<10}  {source}")
    click.echo(
        f"{how_many(found):,} rules in {len(found.buffer) / 1e6:.1f} MB. "
        "A rule that several lists of one category hold counts for the first of them."
    )


@rules.command()
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def update(paths: Paths, for_program: bool) -> None:
    """Fetch again the lists that came from a URL. What cannot be fetched stays as it is."""
    library = Library(paths)
    sources = defaultdict[str, list[ListInfo]](list)
    for info in library.lists():
        if is_url(info.source):
            sources[info.source.partition("#")[0]].append(info)
    if not sources and not for_program:
        click.echo(f"No list came from a URL. To add one: {typed('rules import URL')}")
        return
    with library.changing():
        reports, troubles = _fetch(library, sources, paths)
        changed = any(not report.unchanged and not report.unusable for report in reports)
        built = _build(library, paths) if changed else None
    if for_program:
        as_json({"lists": [_told(report) | {"unchanged": report.unchanged} for report in reports]})
    else:
        for report in reports:
            _print(report)
        if built:
            _summary(built)
    troubles += [ListError(f"{report.name}: {report.unusable}") for report in reports if report.unusable]
    if troubles:
        for trouble in troubles[:-1]:
            click.echo(typable(f"schoolgate: {trouble}."), err=True)
        raise ListError(str(troubles[-1]), "What was here stays in force.")


def _fetch(library: Library, sources: dict[str, list[ListInfo]], paths: Paths) -> tuple[list[Report], list[ListError]]:
    _, tables = settings(paths)
    reports, troubles = list[Report](), list[ListError]()
    for source, infos in sources.items():
        try:
            with bar(f"Fetching {source}", size=True) as advance:
                reports += library.update(source, infos, tables, advance)
        except ListError as error:
            troubles.append(error)
    return reports, troubles


@rules.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.pass_obj
@told_plainly
def remove(paths: Paths, names: Sequence[str]) -> None:
    """Forget imported lists, and build the rule set without them."""
    library = Library(paths)
    there = library.names()
    for name in names:
        if name in built_in_names():
            hint = "What is blocked is the policy's to say: see docs/configuration.md."
            raise ListError(f"{name} comes with Schoolgate and stays", hint)
        if name not in there:
            hint = near(name, there) or "See them: `schoolgate rules status`."
            raise ListError(f"there is no imported list {name!r}", hint)
    with library.changing():
        for name in names:
            library.remove(name)
        built = _build(library, paths)
    _summary(built)


@rules.command(short_help="Try the rule set and the policies against scenarios.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.pass_obj
@told_plainly
def test(paths: Paths, file: Path | None) -> None:
    """Try the rule set against the scenarios that every rule set must pass; or, with the school's own policies, against
    those in FILE, which are lines like "www.example.org  primary mon 09:00  -> allow not_listed"."""
    snapshot = view(paths)
    lines = list(scenarios.read(file or rules_folder() / "scenarios.txt"))
    policies = snapshot.tables.policies if file else read_tables(None).policies
    wrong = scenarios.run(lines, policies, snapshot.book)
    for mismatch in wrong:
        click.echo(str(mismatch))
    if wrong:
        raise RuleSetError(
            f"{len(wrong)} of {len(lines)} scenarios came out differently", "`schoolgate explain HOST` tells why."
        )
    click.echo(f"All {len(lines)} scenarios come out as they should.")


COMMANDS: list[click.Command] = [rules]
