"""The lists of a box and the rule set made of them.

Every list is compiled by itself, once, when it is imported (lists/NAME.rules), and its text is not kept: a list of
illegal content must not lie on the disk in words. Building merges them with the lists that come with Schoolgate, tries
the result against the scenarios, and only then puts it in the place of the old one, which is kept as the last good.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile

from appliance import scenarios
from appliance.errors import ListError, RuleSetError
from appliance.files import write_atomic
from appliance.lists.sources import Member, Source, open_source
from appliance.lists.suffixes import public_suffixes
from appliance.settings import read_toml
from appliance.snapshot import Paths, open_rules
from appliance.tables import Tables, rules_folder
from filters.compile import SHARES, compile_list, merge
from filters.engine import Rulebook
from filters.index import ListInfo, RuleSet
from filters.syntax import Format, IsPublicSuffix, ParsedRule, Problem, RuleSyntaxError

EXAMPLES = 20
"""refused lines that a report quotes"""
Progress = Callable[[float, float], None]
"""called with what is done and the whole, in any unit"""
BUILT_IN = ("protected", "connectivity", "confidential")
"""the lists beside rules/lists/ that come with Schoolgate"""


@dataclass(slots=True)
class Report:
    """What became of one list."""

    name: str
    category: str
    accepted: int = 0
    duplicates: int = 0
    problems: Counter[Problem] = field(default_factory=Counter)
    examples: list[RuleSyntaxError] = field(default_factory=list)

    @property
    def ignored(self) -> int:
        """Lines that are in order and not for a box like this, such as rules about a page's looks."""
        return self.problems[Problem.NOT_FOR_US]

    @property
    def refused(self) -> int:
        """Lines that are in error."""
        return self.problems.total() - self.ignored

    def take(self, error: RuleSyntaxError) -> None:
        """Count a refusal, and keep the first few."""
        self.problems[error.problem] += 1
        if error.problem is not Problem.NOT_FOR_US and len(self.examples) < EXAMPLES:
            self.examples.append(error)


class Library:
    """The lists in a state folder."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._folder = paths.state / "lists"

    @property
    def key(self) -> bytes:
        """The box's secret, with which digests are salted; made at the first use."""
        path = self._paths.state / "box.key"
        if not path.exists():
            write_atomic(path, os.urandom(16), 0o600)
        key = path.read_bytes()
        if len(key) != 16:
            raise RuleSetError(f"{path}: is damaged", "Remove it and the folder lists, and import the lists again.")
        return key

    def lists(self) -> list[ListInfo]:
        """The imported lists."""
        return [info for path in self._imported() for info in self._open(path).lists]

    def _imported(self) -> list[Path]:
        return sorted(self._folder.glob("*.rules"))

    def _open(self, path: Path) -> RuleSet:
        rules = open_rules(path)
        if rules.key != self.key:
            raise RuleSetError(f"{path}: was compiled on another box", "Import the list again.")
        return rules

    def import_(
        self,
        where: str,
        tables: Tables,
        *,
        category: str | None = None,
        name: str | None = None,
        only: Collection[str] = (),
        progress: Progress | None = None,
    ) -> tuple[list[Report], list[str]]:
        """Compile the lists at a path or address into the library. Returns what became of each, and the names of those
        left out because no category of ours is theirs. Raises ListError where nothing can be used."""
        if category is not None and category not in tables.categories:
            raise ListError(f"there is no category {category!r}", f"There are {', '.join(tables.categories)}.")
        suffixes = public_suffixes()
        with open_source(where, self._paths.state / "downloads") as source:
            members = [member for member in source.members if not only or member.name in only]
            if not members:
                raise ListError(f"{where}: holds no list named {', '.join(only)}", f"It holds {_some_names(source)}.")
            known = publishers_names()
            chosen = {member.name: category or known(member) for member in members}
            skipped = [member.name for member in members if chosen[member.name] is None]
            members = [member for member in members if chosen[member.name] is not None]
            if not members:
                hint = f"Name one with --category: {', '.join(tables.categories)}."
                raise ListError(f"{where}: it does not say what it holds", hint)
            whole = sum(member.size for member in members)
            done, reports = 0, []
            for member in members:
                own = member.name if len(source.members) == 1 else f"{_collection_name(where)}-{member.name}"
                report = Report(name or own if len(members) == 1 else own, str(chosen[member.name]))
                self._add(member, report, source.origin, suffixes, _shifted(progress, done, whole))
                reports.append(report)
                done += member.size
        return reports, skipped

    def _add(
        self,
        member: Member,
        report: Report,
        origin: str,
        suffixes: IsPublicSuffix,
        progress: Callable[[int], None] | None,
    ) -> None:
        """Compile one list, in the place of one of the same name; a list without a single rule changes nothing."""
        info = ListInfo(report.name, report.category, member.date, member.title, origin)
        compiled = compile_list(_accepted(member, report, suffixes, progress), info, self.key)
        if not report.accepted and report.problems:
            error = report.examples[0] if report.examples else None
            first = f": line {error.line}, column {error.column}: {error.problem.value}" if error else ""
            raise ListError(f"{report.name}: no rule in it can be used{first}", "What was in force stays in force.")
        report.duplicates = compiled.duplicates
        report.accepted -= compiled.duplicates
        write_atomic(self._folder / f"{report.name}.rules", compiled.sections)

    def remove(self, name: str) -> bool:
        """Forget an imported list; False where there is none of that name."""
        path = self._folder / f"{name}.rules"
        found = path.exists()
        path.unlink(missing_ok=True)
        return found

    def build(self, tables: Tables, progress: Progress | None = None) -> RuleSet:
        """Merge everything into the rule set in force. Raises RuleSetError when the result fails a scenario; the old
        one stays then."""
        parts = [*self.built_in(), *(self._open(path) for path in self._imported())]
        done = 0

        def on_share() -> None:
            nonlocal done
            done += 1
            if progress:
                progress(done, SHARES)

        compiled = merge(parts, self.key, on_share)
        beside = self._paths.state / "rules.new"
        write_atomic(beside, compiled.sections)
        del compiled
        self._try(open_rules(beside), tables)
        self._keep_last_good()
        beside.replace(self._paths.rules)
        return open_rules(self._paths.rules)

    def ensure(self, tables: Tables) -> None:
        """Make the rule set where there is none or a broken one without a last good copy."""
        for path in (self._paths.rules, self._paths.last_good / "rules.set"):
            try:
                open_rules(path)
            except RuleSetError:
                continue
            return
        self.build(tables)

    def built_in(self) -> Iterator[RuleSet]:
        """The lists that come with Schoolgate, compiled anew: they are small."""
        folder, suffixes = rules_folder(), public_suffixes()
        for path in (*(folder / f"{name}.txt" for name in BUILT_IN), *sorted((folder / "lists").glob("*.txt"))):
            with open_source(str(path)) as source:
                (member,) = source.members
                info = ListInfo(path.stem, member.category, member.date, member.title, "Schoolgate")
                # "gov" and "gov.uk" are the point of the confidential list, and too wide for any other
                asked = _nothing_is_a_suffix if path.stem == "confidential" else suffixes
                compiled = compile_list(_accepted(member, Report(path.stem, member.category), asked), info, self.key)
                yield RuleSet(b"".join(compiled.sections))

    def _try(self, rules: RuleSet, tables: Tables) -> None:
        """The scenarios that every rule set must pass, whatever a school imports."""
        book = Rulebook(rules, tables.categories, tables.safe_search)
        wrong = scenarios.run(scenarios.read(rules_folder() / "scenarios.txt"), tables.policies, book)
        if wrong:
            hint = (
                "The rule set in force stays. Remove the list that was imported last: `schoolgate rules remove NAME`."
            )
            raise RuleSetError(f"the new rule set fails {len(wrong)} scenarios, first {wrong[0]}", hint)

    def _keep_last_good(self) -> None:
        """A second name for the set in force, so that no byte is copied where the file system allows."""
        try:
            open_rules(self._paths.rules)
        except RuleSetError:
            return
        kept = self._paths.last_good / "rules.set"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.unlink(missing_ok=True)
        try:
            os.link(self._paths.rules, kept)
        except OSError:
            copyfile(self._paths.rules, kept)


def _accepted(
    member: Member, report: Report, suffixes: IsPublicSuffix, progress: Callable[[int], None] | None = None
) -> Iterator[ParsedRule]:
    """The rules of a list; what is refused goes into the report."""
    accepted = 0
    for parsed in member.parsed(suffixes, progress=progress):
        if isinstance(parsed, RuleSyntaxError):
            report.take(parsed)
        else:
            accepted += 1
            yield parsed
    report.accepted = accepted


def publishers_names() -> Callable[[Member], str | None]:
    """Which category of ours a member is for: by its own word, or by its publisher's (rules/imports.toml)."""
    table = read_toml(rules_folder() / "imports.toml")
    tables: Mapping[Format, dict[str, object]] = {
        Format.SQUIDGUARD_DOMAINS: table.table("ut1").rest(),
        Format.V2FLY: table.table("v2fly").rest(),
        Format.ETH_PHISHING: table.table("eth-phishing").rest(),
    }

    def category(member: Member) -> str | None:
        named = tables.get(Format.SQUIDGUARD_DOMAINS if member.format in _SQUIDGUARD else member.format, {})
        found = named.get(member.name)
        return member.category or (found if isinstance(found, str) else None)

    return category


_SQUIDGUARD = (Format.SQUIDGUARD_DOMAINS, Format.SQUIDGUARD_URLS, Format.SQUIDGUARD_EXPRESSIONS)


def _nothing_is_a_suffix(_: str) -> bool:
    return False


def _collection_name(where: str) -> str:
    """What the lists of a collection are named after: the file or folder, without its endings."""
    return where.rstrip("/").rpartition("/")[2].partition(".")[0] or "lists"


def _some_names(source: Source) -> str:
    names = [member.name for member in source.members]
    return ", ".join(names[:12]) + (" and more" if len(names) > 12 else "")


def _shifted(progress: Progress | None, done: int, whole: int) -> Callable[[int], None] | None:
    return (lambda read: progress(done + read, whole)) if progress else None
