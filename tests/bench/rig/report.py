"""What a benchmark hands back, and how it is printed: rows with a budget, and tables of peers beside each other."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

BEGIN, END = "<!-- figures: written by run.py --docs -->", "<!-- end of figures -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, with its budget where there is one."""

    what: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        if self.at_most is not None:
            return self.value <= self.at_most
        if self.at_least is not None:
            return self.value >= self.at_least
        return None

    def cells(self) -> list[str]:
        """What, measured, budget, kept, note."""
        budget = ""
        if self.at_most is not None:
            budget = f"≤ {number(self.at_most)} {self.unit}"
        if self.at_least is not None:
            budget = f"≥ {number(self.at_least)} {self.unit}"
        kept = {True: "yes", False: "NO", None: ""}[self.kept]
        return [self.what, f"{number(self.value)} {self.unit}".strip(), budget.strip(), kept, self.note]


@dataclass(frozen=True, slots=True)
class Table:
    """Figures of several paths beside each other."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


@dataclass(slots=True)
class Findings:
    """Everything one benchmark measured."""

    rows: list[Row] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """what could not be measured here, and why"""

    def failed(self, what: str, why: str, ours: bool) -> None:
        """Something broke down under load: for us a budget that is not kept, for a peer a remark."""
        if ours:
            self.rows.append(Row(f"{what}: served", 0.0, at_least=1.0, note=why))
        else:
            self.left_out.append(f"{what}: {why}")

    def add(self, other: "Findings") -> None:
        """Take in what another benchmark measured."""
        self.rows += other.rows
        self.tables += other.tables
        self.left_out += other.left_out


def number(value: float) -> str:
    """A figure with three or so digits that say something: 2,309 or 12.3 or 0.052."""
    if value != value:
        return "–"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def lines(findings: Findings) -> Iterable[str]:
    """The whole report as text."""
    for table in findings.tables:
        yield ""
        yield table.title
        yield from aligned(table.columns, table.rows)
        yield from (f"  {note}" for note in table.notes)
    yield ""
    yield from aligned(("what", "measured", "budget", "kept", ""), [row.cells() for row in findings.rows])
    for reason in findings.left_out:
        yield f"  left out: {reason}"


def aligned(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Columns set under each other: the first and the last to the left, what is between to the right."""
    grid = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(row[at]) for row in grid) for at in range(len(columns))]
    last = len(columns) - 1
    for place, row in enumerate(grid):
        cells = [cell.ljust(widths[at]) if at in (0, last) else cell.rjust(widths[at]) for at, cell in enumerate(row)]
        yield "  " + "  ".join(cells).rstrip()
        if place == 0:
            yield "  " + "  ".join("─" * width for width in widths)


def markdown(findings: Findings) -> Iterable[str]:
    """The whole report as Markdown."""
    for table in findings.tables:
        yield f"**{table.title}**\n"
        yield from _piped(table.columns, table.rows)
        yield ""
        yield from (f"- {note}" for note in table.notes)
        yield ""
    yield "**Budgets**\n"
    yield from _piped(("what", "measured", "budget", "kept", ""), [row.cells() for row in findings.rows])
    yield ""
    yield from (f"- left out: {reason}" for reason in findings.left_out)


def _piped(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    last = len(columns) - 1
    yield f"| {' | '.join(columns)} |"
    yield f"|{'|'.join('---' if at in (0, last) else '---:' for at in range(len(columns)))}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def write_docs(path: Path, origin: str, findings: Findings) -> None:
    """Put the figures, with the machine they are from, between the two markers of a Markdown file. Raises ValueError
    where it lacks them."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} lacks the lines {BEGIN} and {END}")
    figures = "\n".join([origin, "", *markdown(findings)]).strip()
    path.write_text(f"{before}{begin}\n{figures}\n{end}{after}", encoding="utf-8")


def write_json(path: Path, head: dict[str, object], findings: Findings) -> None:
    """The same for a program."""
    rows = [asdict(row) | {"kept": row.kept} for row in findings.rows]
    tables = [asdict(table) for table in findings.tables]
    told = {**head, "rows": rows, "tables": tables, "left_out": findings.left_out}
    path.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
