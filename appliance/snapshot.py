"""Everything a decision needs, frozen, with its origin. Built and verified beside the one in use, then swapped.

Each process keeps its own over the same files: the rule set is mapped, so all share one copy of it in memory.
"""

import mmap
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from appliance.config import Config, read_config
from appliance.errors import ConfigError, RuleSetError
from appliance.files import Stamp, stamp
from appliance.health import Code, Warning
from appliance.network.clients import Clients
from appliance.notice.help import HelpLine
from appliance.overrides import read_overrides
from appliance.tables import Tables, read_helpline, read_tables
from filters.engine import Rulebook
from filters.index import BadRuleSet, RuleSet


class Origin(Enum):
    """Where a snapshot came from."""

    LIVE = "live"
    LAST_GOOD = "last good"
    """what stands in the files now is broken; this is what worked before"""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a box keeps what. Only names; nothing is opened here."""

    state: Path
    config: Path | None
    """None where there is no configuration file, so that the defaults hold"""
    folder: Path | None = None
    """where relative paths in the configuration begin, when that is not its own folder"""

    @property
    def policies(self) -> Path | None:
        """The school's own policies, beside the configuration."""
        return self.config.parent / "policies" if self.config else None

    @property
    def rules(self) -> Path:
        """The compiled rule set."""
        return self.state / "rules.set"

    @property
    def overrides(self) -> Path:
        """The overrides in force."""
        return self.state / "overrides.json"

    @property
    def last_good(self) -> Path:
        """What worked last: configuration, policies, rule set."""
        return self.state / "last-good"

    @property
    def run(self) -> Path:
        """Sockets."""
        return self.state / "run"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The world as decisions see it."""

    origin: Origin
    config: Config
    clients: Clients
    tables: Tables
    rules: RuleSet
    book: Rulebook
    helpline: HelpLine | None = None
    """the country's, where somebody at the school has dialled it"""
    warnings: tuple[Warning, ...] = ()


def open_rules(path: Path, categories: Collection[str] = ()) -> RuleSet:
    """Map a compiled rule set and verify it; its lists must be of these categories, where any are given. Raises
    RuleSetError."""
    try:
        with path.open("rb") as file:
            rules = RuleSet(memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)))
        rules.verify()
    except FileNotFoundError as error:
        raise RuleSetError(f"{path}: there is no such rule set", "Run `schoolgate rules build`.") from error
    except (OSError, ValueError) as error:  # BadRuleSet is a ValueError, and so is an empty file to mmap
        why = str(error) if isinstance(error, BadRuleSet) else "it cannot be mapped"
        raise RuleSetError(f"{path}: {why}", "Run `schoolgate rules build` to make it anew.") from error
    strange = sorted({info.category for info in rules.lists}.difference(categories)) if categories else []
    if strange:
        hint = "Remove the list, or import it again: `schoolgate rules status` names it."
        raise RuleSetError(f"{path}: holds a category {strange[0]!r} that does not exist", hint)
    return rules


def load(paths: Paths) -> Snapshot:
    """Build a snapshot from the files, each part from the last good copy where the file is broken. Raises ConfigError
    or RuleSetError where there is no last good copy either."""
    origin, warnings = Origin.LIVE, list[Warning]()
    try:
        config, tables = read_settings(paths)
    except ConfigError as error:
        good = last_good_paths(paths)
        if good is None:
            raise
        try:
            config, tables = read_settings(good)
        except ConfigError:
            raise error from None
        origin = Origin.LAST_GOOD
        warnings.append(Warning(Code.CONFIG_BROKEN, f"{error}. The last good configuration is in force.", error.hint))
    try:
        rules = open_rules(paths.rules, tables.categories)
    except RuleSetError as error:
        try:
            rules = open_rules(paths.last_good / "rules.set", tables.categories)
        except RuleSetError:
            raise error from None
        origin = Origin.LAST_GOOD
        warnings.append(Warning(Code.RULES_BROKEN, f"{error}. The last good rule set is in force.", error.hint))
    snapshot = Snapshot(
        origin,
        config,
        Clients(config),
        tables,
        rules,
        Rulebook(rules, tables.categories, tables.safe_search),
        read_helpline(config.country, config.helpline_checked_on),
        (*warnings, *_standing_warnings(config, rules)),
    )
    return with_overrides(snapshot, paths)


def _standing_warnings(config: Config, rules: RuleSet) -> list[Warning]:
    """What a school should know though nothing is broken."""
    found = []
    sealed = sum(info.entries for info in rules.lists if info.category == "illegal")
    if sealed <= 1:  # the canary stands there always
        text = "No list of illegal content is loaded: the sealed category holds a test name only."
        hint = "Ask the IWF, the CTIRU or your national body for its list, and import it with --category illegal."
        found.append(Warning(Code.SEALED_LIST_EMPTY, text, hint))
    if not config.helpline_checked_on:
        text = "No helpline number is shown, because nobody has said that it was dialled."
        hint = "Set [school] country and, once you have called the number, helpline_checked_on."
        found.append(Warning(Code.HELPLINE_UNCHECKED, text, hint))
    return found


def read_settings(paths: Paths) -> tuple[Config, Tables]:
    """The configuration and the data folder, with the school's own policies. Raises ConfigError."""
    return read_config(paths.config, paths.folder), read_tables(paths.policies)


def with_overrides(snapshot: Snapshot, paths: Paths) -> Snapshot:
    """The same snapshot with the overrides that stand in the file now."""
    warnings = tuple(warning for warning in snapshot.warnings if warning.code is not Code.OVERRIDES_BROKEN)
    try:
        overrides = read_overrides(paths.overrides)
    except ValueError as error:
        overrides = ()
        hint = "Remove the file: every override in it ends."
        warnings += (Warning(Code.OVERRIDES_BROKEN, f"{paths.overrides}: {error}. No override is in force.", hint),)
    return replace(snapshot, book=replace(snapshot.book, overrides=overrides), warnings=warnings)


def last_good_paths(paths: Paths) -> Paths | None:
    """The same paths with the last good configuration, where one was kept."""
    kept = paths.last_good / "schoolgate.toml"
    return Paths(paths.state, kept, paths.config.parent if paths.config else None) if kept.exists() else None


def keep_as_last_good(paths: Paths) -> None:
    """Keep the configuration and policies, which have just been read without error."""
    paths.last_good.mkdir(parents=True, exist_ok=True)
    kept = paths.last_good / "schoolgate.toml"
    if paths.config is None:
        kept.write_text("", encoding="utf-8")
    elif paths.config != kept:
        shutil.copyfile(paths.config, kept)
    shutil.rmtree(paths.last_good / "policies", ignore_errors=True)
    if paths.policies and paths.policies.is_dir():
        shutil.copytree(paths.policies, paths.last_good / "policies")


class Keeper:
    """Holds the snapshot in use and swaps it, by one assignment, when the files have changed."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._stamps = self._look()  # before reading, so that a change meanwhile is seen at the next look
        self.snapshot = load(paths)

    def refresh(self) -> bool:
        """Take up what changed since the last look; True where something did. Whatever fails keeps the old snapshot,
        with a Warning. Costs a few stat calls."""
        stamps = self._look()
        if stamps == self._stamps:
            return False
        only_overrides = stamps[1:] == self._stamps[1:]
        self._stamps = stamps
        if only_overrides:
            self.snapshot = with_overrides(self.snapshot, self.paths)
            return True
        try:
            self.snapshot = load(self.paths)
        except (ConfigError, RuleSetError) as error:
            code = Code.CONFIG_BROKEN if isinstance(error, ConfigError) else Code.RULES_BROKEN
            warning = Warning(code, f"{error}. What was in force stays in force.", error.hint)
            kept = tuple(old for old in self.snapshot.warnings if old.code is not code)
            self.snapshot = replace(self.snapshot, warnings=(*kept, warning))
        return True

    def _look(self) -> list[Stamp]:
        return [stamp(path) for path in self._watched()]

    def _watched(self) -> Iterable[Path]:
        yield self.paths.overrides
        yield self.paths.rules
        if self.paths.config:
            yield self.paths.config
            own = self.paths.config.parent / "policies"
            yield own
            yield from sorted(own.glob("*.toml"))
