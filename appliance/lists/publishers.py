"""Which category of ours a list is for: by its own word, or by its publisher's name for it (rules/imports.toml).

A list is never sorted by a guess. Where nothing is known, a guess at most becomes a hint.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from appliance.lists.sources import Member
from appliance.settings import read_toml
from appliance.tables import rules_folder
from filters.policy import Categories, Kind
from filters.syntax import Format

_BY_THEIR_OWN_WORD = (Kind.CONTENT, Kind.CONFIDENTIAL)
_SQUIDGUARD = (Format.SQUIDGUARD_DOMAINS, Format.SQUIDGUARD_URLS, Format.SQUIDGUARD_EXPRESSIONS)


def publishers_names(categories: Categories) -> Callable[[Member], str | None]:
    """Tells a member's category; None where no category of ours is its. By its own word a list from outside closes
    names and opens none, and only a person can say that one is sealed."""
    table = read_toml(rules_folder() / "imports.toml")
    ut1 = table.table("ut1").rest()
    tables: Mapping[Format, dict[str, object]] = {
        **dict.fromkeys(_SQUIDGUARD, ut1),
        Format.V2FLY: table.table("v2fly").rest(),
        Format.ETH_PHISHING: table.table("eth-phishing").rest(),
    }

    def category(member: Member) -> str | None:
        named = member.category.lower(), tables.get(member.format, {}).get(member.name)
        known = (name for name in named if isinstance(name, str) and name in categories)
        return next((name for name in known if categories[name].kind in _BY_THEIR_OWN_WORD), None)

    return category


def ask_for_category(members: Sequence[Member], categories: Collection[str]) -> str:
    """The hint for lists of which nobody has said what they hold."""
    found = {_suggested(member, categories) for member in members}
    if len(found) == 1 and (category := found.pop()):
        return f"If it is what its name tells, give --category {category}."
    return f"Give --category. {choice(categories)}"


def choice(categories: Collection[str]) -> str:
    """The sentence that names every category."""
    return f"There are {', '.join(categories)}."


def _suggested(member: Member, categories: Collection[str]) -> str | None:
    """The one category that a list may be for: what it calls itself, else what the words of its name speak of, so that
    "publisher-Gambling" is perhaps gambling."""
    if member.category.lower() in categories:
        return member.category.lower()
    ut1 = read_toml(rules_folder() / "imports.toml").table("ut1").rest()
    words = re.split(r"[^a-z0-9]+", member.name.lower())
    named = [word if word in categories else ut1.get(word) for word in words]
    found = {each for each in named if isinstance(each, str)}
    return found.pop() if len(found) == 1 else None
