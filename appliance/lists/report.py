"""What became of one list at its import: how many rules were taken, and which lines were refused and why."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from appliance.lists.sources import Member
from filters.syntax import IsPublicSuffix, ParsedRule, Problem, RuleSyntaxError

EXAMPLES = 20
"""refused lines that a report quotes"""


@dataclass(slots=True)
class Report:
    """What became of one list."""

    name: str
    category: str
    accepted: int = 0
    """rules taken, duplicates left out"""
    duplicates: int = 0
    problems: Counter[Problem] = field(default_factory=Counter)
    examples: list[RuleSyntaxError] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    """for each example the file of the list that it stands in, "" where the list is one file"""
    instead_of: str = ""
    """where a list of the same name came from that this one has replaced, when that was elsewhere"""
    unusable: str = ""
    """why the list was not taken; whatever stood under its name stays"""
    unchanged: bool = False
    """a server said that the list is the one that is here"""

    @property
    def ignored(self) -> int:
        """Lines that are in order and not for a box like this, such as rules about a page's looks."""
        return self.problems[Problem.NOT_FOR_US]

    @property
    def refused(self) -> int:
        """Lines that are in error."""
        return self.problems.total() - self.ignored

    def take(self, error: RuleSyntaxError, file: str = "") -> None:
        """Count a refusal, and keep the first few."""
        self.problems[error.problem] += 1
        if error.problem is not Problem.NOT_FOR_US and len(self.examples) < EXAMPLES:
            self.examples.append(error)
            self.files.append(file)


def accepted(
    member: Member, report: Report, suffixes: IsPublicSuffix, progress: Callable[[int], None] | None = None
) -> Iterator[ParsedRule]:
    """The rules of a list; what is refused goes into the report. Raises ListError where a file is damaged."""
    count = done = 0
    for part in member.parts:
        file = part.path.name if len(member.parts) > 1 else ""
        for parsed in replace(member, parts=(part,)).parsed(suffixes, progress=shifted(progress, done)):
            if isinstance(parsed, RuleSyntaxError):
                report.take(parsed, file)
            else:
                count += 1
                yield parsed
        done += part.size
    report.accepted = count


def shifted(progress: Callable[[int], None] | None, done: int) -> Callable[[int], None] | None:
    """The same progress for what begins after `done` bytes."""
    return (lambda read: progress(done + read)) if progress else None
