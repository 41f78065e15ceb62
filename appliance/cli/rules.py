"""`schoolgate rules`: import lists, build the rule set, see what is in it, update it, and test it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from appliance import scenarios
from appliance.cli.base import as_json, told_plainly
from appliance.errors import ListError, RuleSetError
from appliance.lists.library import Library, Report
from appliance.snapshot import Paths, load, read_settings
from appliance.tables import rules_folder

SHOWN = 5
"""refused lines that are printed for each list"""


@click.group()
def rules() -> None:
    """The lists, and the rule set made of them."""


@contextmanager
def bar(what: str, *, size: bool = False) -> Iterator[Callable[[float, float], None]]:
    """A progress bar on a terminal, nothing elsewhere; the function takes what is done and the whole."""
    console = Console(stderr=True)
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if size else TaskProgressColumn(),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)

        def advance(done: float, whole: float) -> None:
            progress.update(task, completed=done, total=whole or None)

        yield advance


@rules.command("import")
@click.argument("where", metavar="PATH|URL")
@click.option(
    "--category", help="What the list holds. Without it, the names that well-known publishers use are understood."
)
@click.option("--name", help="What to call the list here.  [default: the file's name]")
@click.option("--only", metavar="NAME", multiple=True, help="Of a folder or archive, only the list of this name.")
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def import_(
    paths: Paths, where: str, category: str | None, name: str | None, only: tuple[str, ...], for_program: bool
) -> None:
    """Import a list or a collection of lists, and build the rule set.

    It may be a file, a folder, an archive (.xz .gz .tar) or a URL; the format is recognised. Bad lines are reported and
    left out, and the rest is used.
    """
    _, tables = read_settings(paths)
    library = Library(paths)
    with bar(f"Reading {Path(where).name}", size=True) as advance:
        reports, skipped = library.import_(where, tables, category=category, name=name, only=only, progress=advance)
    _build(library, paths)
    if for_program:
        as_json({"lists": [_told(report) for report in reports], "skipped": skipped})
        return
    for report in reports:
        _print(report)
    if skipped:
        click.echo(
            f"Left out, as no category of ours is theirs: {', '.join(skipped)}. Name one with --only and --category."
        )


def _told(report: Report) -> dict[str, object]:
    return {
        "name": report.name,
        "category": report.category,
        "accepted": report.accepted,
        "duplicates": report.duplicates,
        "refused": {problem.name.lower(): count for problem, count in report.problems.items()},
        "examples": [
            {"line": error.line, "column": error.column, "text": error.text, "why": error.problem.value}
            for error in report.examples
        ],
    }


def _print(report: Report) -> None:
    click.echo(
        click.style(report.name, bold=True)
        + f"  {report.category}: {report.accepted:,} accepted, {report.refused:,} rejected, "
        + f"{report.duplicates:,} duplicates"
        + (f", {report.ignored:,} not for a box like this" if report.ignored else "")
    )
    for error in report.examples[:SHOWN]:
        click.echo(f"    line {error.line}, column {error.column}: {error.text}  ({error.problem.value})")
    if report.refused > SHOWN:
        click.echo("    …")


@rules.command()
@click.pass_obj
@told_plainly
def build(paths: Paths) -> None:
    """Make the rule set anew from the lists that are here."""
    _build(Library(paths), paths)
    _summary(paths)


def _build(library: Library, paths: Paths) -> None:
    _, tables = read_settings(paths)
    with bar("Building the rule set") as advance:
        library.build(tables, advance)


def _summary(paths: Paths) -> None:
    found = load(paths).rules
    click.echo(f"The rule set holds {found.entries:,} entries from {len(found.lists)} lists.")


@rules.command()
@click.option("--json", "for_program", is_flag=True, help="Print for a program.")
@click.pass_obj
@told_plainly
def status(paths: Paths, for_program: bool) -> None:
    """Show every list: category, rules, date, source."""
    found = load(paths).rules
    if for_program:
        as_json([asdict(info) for info in found.lists])
        return
    click.echo(f"{'list':<28} {'category':<18} {'rules':>10}  {'date':<10}  source")
    for info in found.lists:
        click.echo(
            f"{info.name:<28} {info.category:<18} {info.entries:>10,}  {info.date or 'undated':<10}  {info.source}"
        )
    click.echo(f"{found.entries:,} entries, {len(found.buffer) / 1e6:.1f} MB, the same file for every process.")


@rules.command()
@click.pass_obj
@told_plainly
def update(paths: Paths) -> None:
    """Fetch again the lists that came from a URL. What cannot be fetched stays as it is."""
    _, tables = read_settings(paths)
    library = Library(paths)
    failed = []
    sources = {info.source: info for info in library.lists() if info.source.startswith(("http://", "https://"))}
    if not sources:
        click.echo("No list came from a URL: `schoolgate rules import URL` adds one.")
        return
    for source, info in sources.items():
        try:
            with bar(f"Fetching {info.name}", size=True) as advance:
                reports, _ = library.import_(source, tables, category=info.category, name=info.name, progress=advance)
            for report in reports:
                _print(report)
        except ListError as error:
            failed.append(str(error))
    _build(library, paths)
    _summary(paths)
    if failed:
        raise ListError(
            f"{len(failed)} of {len(sources)} lists could not be fetched: {failed[0]}",
            "Their last good copies stay in force.",
        )


@rules.command()
@click.argument("name")
@click.pass_obj
@told_plainly
def remove(paths: Paths, name: str) -> None:
    """Forget an imported list, and build the rule set without it."""
    library = Library(paths)
    if not library.remove(name):
        raise ListError(f"there is no imported list {name!r}", "See them with `schoolgate rules status`.")
    _build(library, paths)
    _summary(paths)


@rules.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.pass_obj
@told_plainly
def test(paths: Paths, file: Path | None) -> None:
    """Try the rule set and the policies against scenarios: those every box must pass, or those in FILE."""
    snapshot = load(paths)
    path = file or rules_folder() / "scenarios.txt"
    lines = list(scenarios.read(path))
    wrong = scenarios.run(lines, snapshot.tables.policies, snapshot.book)
    for mismatch in wrong:
        click.echo(str(mismatch))
    if wrong:
        raise RuleSetError(
            f"{len(wrong)} of {len(lines)} scenarios came out differently", "`schoolgate explain` tells why."
        )
    click.echo(f"All {len(lines)} scenarios come out as they should.")


COMMANDS: list[click.Command] = [rules]
