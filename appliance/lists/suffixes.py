"""The public suffix list as one quick question; the list itself comes with the publicsuffixlist package.

The package's own answer takes 1.6 µs, and every line of every list asks.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from publicsuffixlist import PSLFILE

from filters.names import normalise


def public_suffixes() -> Callable[[str], bool]:
    """Whether a canonical name is a public suffix, of a registry or of a hosting service; any single label is one."""
    with Path(PSLFILE).open(encoding="utf-8") as lines:
        return from_rules(lines)


def from_rules(lines: Iterable[str]) -> Callable[[str], bool]:
    """The same for the lines of a public suffix list (format: https://publicsuffix.org/list/)."""
    rules = [words[0] for line in lines if (words := line.split()) and not words[0].startswith("//")]
    exact = frozenset(filter(None, (normalise(rule) for rule in rules if rule[0] not in "*!")))
    below = frozenset(filter(None, (normalise(rule[2:]) for rule in rules if rule[0] == "*")))
    excepted = frozenset(filter(None, (normalise(rule[1:]) for rule in rules if rule[0] == "!")))

    def is_public_suffix(name: str) -> bool:
        if name in exact:
            return True
        _, dot, parent = name.partition(".")
        return not dot or (parent in below and name not in excepted)

    return is_public_suffix
