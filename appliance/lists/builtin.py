"""The lists that come with Schoolgate, compiled anew wherever they are needed: they are small."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from appliance.lists.report import Report, accepted
from appliance.lists.sources import open_source
from appliance.lists.suffixes import public_suffixes
from appliance.tables import rules_folder
from filters.compile import compile_list, merge
from filters.index import ListInfo, RuleSet

SPECIAL = ("protected", "connectivity", "confidential")
"""the lists beside rules/lists/, which come first"""
ORIGIN = "Schoolgate"
"""what stands as the source of each"""


def built_in_paths() -> list[Path]:
    """Their files, in the order in which they stand in a rule set."""
    folder = rules_folder()
    return [*(folder / f"{name}.txt" for name in SPECIAL), *sorted((folder / "lists").glob("*.txt"))]


@cache
def built_in_names() -> frozenset[str]:
    """Names that no imported list may have: `explain` and the pages tell a list by its name."""
    return frozenset(path.stem for path in built_in_paths())


def built_in(key: bytes) -> Iterator[RuleSet]:
    """Each of them, compiled with the box's key."""
    suffixes = public_suffixes()
    for path in built_in_paths():
        with open_source(str(path)) as source:
            (member,) = source.members
            info = ListInfo(path.stem, member.category, member.date, member.title, ORIGIN)
            # "gov" and "gov.uk" are the point of the confidential list, and too wide for any other
            asked = _nothing_is_a_suffix if path.stem == "confidential" else suffixes
            compiled = compile_list(accepted(member, Report(path.stem, member.category), asked), info, key)
            yield RuleSet(b"".join(compiled.sections))


def in_memory() -> RuleSet:
    """All of them as one rule set that lies nowhere: what a box without a rule set would begin with."""
    key = bytes(16)
    return RuleSet(b"".join(merge(list(built_in(key)), key).sections))


def _nothing_is_a_suffix(_: str) -> bool:
    return False
