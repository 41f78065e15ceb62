"""The lists of a box and the rule set made of them.

Every list is compiled by itself, once, when it is imported (lists/NAME.rules), and its text is not kept: a list of
illegal content must not lie on the disk in words. Building merges them with the lists that come with Schoolgate, tries
the result against the scenarios, and only then puts it in the place of the old one, which is kept as the last good.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile, rmtree

from appliance import scenarios
from appliance.errors import ListError, RuleSetError
from appliance.files import write_atomic
from appliance.lists.builtin import built_in, built_in_names
from appliance.lists.publishers import ask_for_category, choice, publishers_names
from appliance.lists.report import Report, accepted, shifted
from appliance.lists.shelf import Shelf, second_name
from appliance.lists.sources import Member, Source, open_source
from appliance.lists.suffixes import public_suffixes
from appliance.settings import near
from appliance.snapshot import Paths, open_rules
from appliance.tables import Tables, read_tables, rules_folder
from filters.compile import SHARES, compile_list, merge
from filters.engine import Rulebook
from filters.index import ListInfo, RuleSet
from filters.policy import Kind
from filters.syntax import IsPublicSuffix

__all__ = ["Library", "Report"]

Progress = Callable[[float, float], None]
"""called with what is done and the whole, 0 where that is not known, in any unit"""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class Library:
    """The lists in a state folder. What changes them stands in `with library.changing():`, or is not undone when it
    fails."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._shelf = Shelf(paths.state / "lists", lambda: self.key)
        self._downloads = paths.state / "downloads"
        self._fetch_again = False
        """something that was fetched could not be used"""

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

    def names(self) -> list[str]:
        """What the imported lists are called; none is opened."""
        return [path.stem for path in self._shelf.paths()]

    def lists(self) -> list[ListInfo]:
        """The imported lists."""
        return [info for path in self._shelf.paths() for info in self._shelf.open(path).lists]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lists alone, and put them back as they were when the block raises. Raises StateError where another
        program is changing them."""
        with self._shelf.changing():
            self._fetch_again = False
            try:
                yield
            except BaseException:
                self._fetch_again = True
                raise
            finally:
                if self._fetch_again:  # a server's "unchanged" would speak of what was not taken
                    rmtree(self._downloads, ignore_errors=True)

    def remove(self, name: str) -> bool:
        """Forget an imported list; False where there is none of that name."""
        return self._shelf.remove(name)

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
        """Compile the lists at a path or address into the library. Returns what became of each, and of each file that
        is no list, and the names of the lists for which we have no category. Raises ListError where nothing can be
        used."""
        if category is not None and category not in tables.categories:
            hint = near(category, tables.categories) or choice(tables.categories)
            raise ListError(f"there is no category {category!r}", hint)
        if name is not None:
            self._may_be_called(name)
        with self._source(where, tables, [category] if category else [], progress) as source:
            members = _chosen(source, only)
            known = publishers_names(tables.categories)
            chosen = [(member, category or known(member)) for member in members]
            used = [(member, its) for member, its in chosen if its]
            if not used:
                raise ListError(f"{where}: it does not say what it holds", ask_for_category(members, tables.categories))
            if name and len(used) > 1:
                raise ListError(f"{where}: holds {len(used)} lists", "Give --name with --only for one of them.")
            orders = [(member, Report(name or self._name(member, source), its)) for member, its in used]
            reports = self._add_all(source, orders, progress)
            strangers = [] if only else source.skipped
            reports += [Report(each.name, "", unusable=_without(each.name, each.why)) for each in strangers]
        return reports, [member.name for member, its in chosen if not its]

    def update(
        self, where: str, infos: Sequence[ListInfo], tables: Tables, progress: Progress | None = None
    ) -> list[Report]:
        """Fetch the lists that came from an address again, each under the name and for the category that it has.
        Raises ListError where nothing can be fetched; what is here stays then."""
        with self._source(where, tables, [info.category for info in infos], progress) as source:
            if not source.changed:
                return [Report(info.name, info.category, info.entries, unchanged=True) for info in infos]
            members = {member.name: member for member in source.members}
            orders, gone = [], []
            for info in infos:
                member = source.members[0] if len(members) == 1 else members.get(info.source.rpartition("#")[2])
                report = Report(info.name, info.category)
                if member is None:
                    report.unusable, self._fetch_again = "the publisher no longer has it", True
                    gone.append(report)
                else:
                    orders.append((member, report))
            return [*self._add_all(source, orders, progress), *gone]

    @contextmanager
    def _source(
        self, where: str, tables: Tables, categories: Collection[str], progress: Progress | None
    ) -> Iterator[Source]:
        """The opened source. What is sealed passes through a temporary folder only, to be fetched whole each time."""
        sealed = any(tables.categories[name].kind is Kind.SEALED for name in categories if name in tables.categories)
        read = (lambda done: progress(done, 0)) if progress else None
        with open_source(where, None if sealed else self._downloads, read) as source:
            yield source

    def _add_all(
        self, source: Source, orders: Sequence[tuple[Member, Report]], progress: Progress | None
    ) -> list[Report]:
        """Compile these lists. One that cannot be used is told of in its report; raises ListError if none can."""
        suffixes, whole, done = public_suffixes(), sum(member.size for member, _ in orders), 0
        on_byte = (lambda read: progress(read, whole)) if progress else None
        troubles = []
        for member, report in orders:
            origin = source.origin + (f"#{member.name}" if len(source.members) > 1 else "")
            try:
                self._add(member, report, origin, suffixes, shifted(on_byte, done))
            except ListError as error:
                report.accepted, report.unusable = 0, _without(report.name, str(error))
                self._fetch_again = True
                troubles.append(error)
            done += member.size
        if orders and len(troubles) == len(orders):
            raise troubles[0]
        return [report for _, report in orders]

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
        compiled = compile_list(accepted(member, report, suffixes, progress), info, self.key)
        if not report.accepted:
            error = report.examples[0] if report.examples else None
            first = f": line {error.line}, column {error.column}: {error.why}" if error else ""
            raise ListError(f"{report.name}: it holds no rule that can be used{first}", "What was here stays.")
        report.duplicates = compiled.duplicates
        report.accepted -= compiled.duplicates
        old = self._shelf.source(report.name)
        report.instead_of = old if old != origin else ""
        self._shelf.put(report.name, compiled.sections)

    def _name(self, member: Member, source: Source) -> str:
        """What to call a list that nobody named."""
        name = member.name if len(source.members) == 1 else f"{_collection_name(source.origin)}-{member.name}"
        return (f"imported-{name}" if name in built_in_names() else name)[:80]

    def _may_be_called(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ListError(f"{name!r} cannot be the name of a list", "Use letters, digits, dots, _ and - only.")
        if name in built_in_names():
            raise ListError(f"{name!r} is a list that comes with Schoolgate", "Choose another --name.")

    def build(self, tables: Tables, progress: Progress | None = None) -> RuleSet:
        """Merge everything into the rule set in force. Raises RuleSetError when the result fails a scenario; the old
        one stays then."""
        parts = [*built_in(self.key), *(self._shelf.open(path) for path in self._shelf.paths())]
        for info in (info for part in parts for info in part.lists):
            if info.category not in tables.categories:
                hint = f"Remove it, `schoolgate rules remove {info.name}`, and import it with --category."
                raise RuleSetError(f"the list {info.name} is for {info.category!r}, which is no category", hint)
        done = 0

        def on_share() -> None:
            nonlocal done
            done += 1
            if progress:
                progress(done, SHARES)

        compiled = merge(parts, self.key, on_share)
        beside = self._paths.state / "rules.new"
        try:
            write_atomic(beside, compiled.sections)
            del compiled
            _try(open_rules(beside), tables)
            self._keep_last_good()
            beside.replace(self._paths.rules)
        finally:
            beside.unlink(missing_ok=True)
        if not self._last_good.exists():
            self._last_good.parent.mkdir(parents=True, exist_ok=True)
            copyfile(self._paths.rules, self._last_good)
        return open_rules(self._paths.rules)

    @property
    def _last_good(self) -> Path:
        return self._paths.last_good / "rules.set"

    def ensure(self, tables: Tables) -> bool:
        """Make the rule set where there is none, or a broken one without a last good copy; True in the latter case."""
        for path in (self._paths.rules, self._last_good):
            try:
                open_rules(path)
            except RuleSetError:
                continue
            return False
        broken = self._paths.rules.exists()
        with self.changing():
            self.build(tables)
        return broken

    def _keep_last_good(self) -> None:
        """A second name for the set in force, so that no byte is copied where the file system allows."""
        try:
            open_rules(self._paths.rules)
        except RuleSetError:
            return
        self._last_good.parent.mkdir(parents=True, exist_ok=True)
        second_name(self._paths.rules, self._last_good)


def _try(rules: RuleSet, tables: Tables) -> None:
    """The scenarios that every rule set must pass, whatever a school imports. They are written for the policies that
    come with Schoolgate: what a school blocks in its own is its own matter."""
    book = Rulebook(rules, tables.categories, tables.safe_search)
    wrong = scenarios.run(scenarios.read(rules_folder() / "scenarios.txt"), read_tables(None).policies, book)
    if wrong:
        more = f" (and {len(wrong) - 1} more scenarios)" if len(wrong) > 1 else ""
        message = f"the new rule set would be wrong: {wrong[0]}{more}"
        raise RuleSetError(message, "Nothing was changed. See which list holds that name, and leave the list out.")


def _chosen(source: Source, only: Collection[str]) -> list[Member]:
    """The members that were asked for. Raises ListError for a name that is not there."""
    names = [member.name for member in source.members]
    for name in only:
        if name not in names:
            some = ", ".join(names[:12]) + (" and more" if len(names) > 12 else "")
            raise ListError(f"{source.origin}: holds no list {name!r}", near(name, names) or f"It holds {some}.")
    return [member for member in source.members if not only or member.name in only]


def _without(name: str, told: str) -> str:
    """A sentence without the name that stands before it."""
    return told.removeprefix(f"{name.rpartition('/')[2]}: ")


def _collection_name(where: str) -> str:
    """What the lists of a collection are named after: the file or folder, without its endings."""
    return where.rstrip("/").rpartition("/")[2].partition(".")[0] or "lists"
