"""Rules that no digest can hold: names and addresses with a "*" inside, and regular expressions.

A pattern is tried only where four characters that it cannot match without stand in the text, so that hundreds of them
cost a lookup about a microsecond. None may be made slow by what a page or a child types: "*" is matched in one pass,
and the parser lets only simple expressions in.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

LONGEST_TEXT = 2_048
"""characters of an address that a pattern looks at"""
GRAM = 4


class PatternForm(IntEnum):
    """What the text of a pattern is and what it is held against; the numbers are those of syntax.Shape."""

    GLOB = 3
    URL_GLOB = 4
    REGEX = 5
    URL_REGEX = 6


class Pattern:
    """One pattern. It covers the names below a name that it matches, as every rule does."""

    __slots__ = ("_below", "_expression", "_pieces", "form", "literals", "needs_path", "text")

    def __init__(self, form: int, text: str) -> None:
        self.form, self.text = PatternForm(form), text
        self.needs_path = self.form in (PatternForm.URL_GLOB, PatternForm.URL_REGEX)
        self._expression: re.Pattern[str] | None = None
        self._pieces: tuple[str, ...] = ()
        self._below: tuple[str, ...] = ()
        if self.form in (PatternForm.REGEX, PatternForm.URL_REGEX):
            self._expression = re.compile(text, re.IGNORECASE)
            self.literals = tuple(_literals(text))
        else:
            name, slash, place = text.lower().partition("/")
            self._pieces = tuple(f"*.{name}".split("*"))
            self._below = tuple(f"{slash}{place}*".split("*"))
            self.literals = (*self._pieces, *self._below)
        """texts that stand, in lower case, in everything that the pattern matches (a dot stands before the host)"""

    def matches(self, host: str, path: str | None) -> bool:
        """Whether the pattern covers the request; without a path, one that needs it never does."""
        if not self.needs_path:
            if self._expression is not None:
                return self._expression.search(host) is not None
            return _glob(self._pieces, "." + host)
        if path is None:
            return False
        if self._expression is not None:
            return self._expression.search((host + path)[:LONGEST_TEXT]) is not None
        return _glob(self._pieces, "." + host) and _glob(self._below, path[:LONGEST_TEXT].lower())

    @property
    def host(self) -> str | None:
        """The host that an address with a "*" in its path names in full: that host's paths are worth reading."""
        name = self.text.partition("/")[0].lower()
        return name if self.form is PatternForm.URL_GLOB and "*" not in name else None


Row = tuple[Pattern, bool, int]
"""a pattern, whether it allows, and its line through all lists"""


class Patterns:
    """The patterns of a rule set, filed under four characters that each needs."""

    def __init__(self, rows: Iterable[Row]) -> None:
        rows = list(rows)
        self._of_hosts = _Filed([row for row in rows if not row[0].needs_path])
        self._of_paths = _Filed([row for row in rows if row[0].needs_path])

    def find(self, host: str, path: str | None) -> Iterator[Row]:
        """The patterns that cover the request."""
        for filed, text in ((self._of_hosts, host), (self._of_paths, None if path is None else host + path)):
            if filed and text is not None:
                for row in filed.candidates("." + text[:LONGEST_TEXT].lower()):
                    if row[0].matches(host, path):
                        yield row


class _Filed:
    """Patterns by the rarest of their grams."""

    def __init__(self, rows: Sequence[Row]) -> None:
        grams = [_grams(row[0].literals) for row in rows]
        common = Counter(gram for found in grams for gram in found)
        self._by_gram: dict[str, list[Row]] = {}
        self._always: list[Row] = []
        for row, found in zip(rows, grams, strict=True):
            if found:
                rarest = min(found, key=lambda gram: (common[gram], gram))
                self._by_gram.setdefault(rarest, []).append(row)
            else:
                self._always.append(row)

    def __bool__(self) -> bool:
        return bool(self._by_gram or self._always)

    def candidates(self, text: str) -> Iterator[Row]:
        """The patterns that may match the text, each once."""
        yield from self._always
        if self._by_gram:
            present = {text[at : at + GRAM] for at in range(len(text) - GRAM + 1)}
            for gram in present & self._by_gram.keys():
                yield from self._by_gram[gram]


def _grams(literals: Iterable[str]) -> set[str]:
    return {text[at : at + GRAM] for text in literals for at in range(len(text) - GRAM + 1)}


def _literals(expression: str) -> Iterator[str]:
    """Runs of plain characters that every match of a regular expression holds. What is not understood ends a run, so
    that too little may be found and never too much; an expression with alternatives on its top level has none."""
    runs, run, depth, at = list[str](), "", 0, 0
    while at < len(expression):
        char, at = expression[at], at + 1
        plain = ""
        if char == "\\" and at < len(expression):
            plain, at = expression[at] if not expression[at].isalnum() else "", at + 1
        elif char == "[":
            end = expression.find("]", at + 1)
            at = end + 1 if end >= 0 else len(expression)
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and not depth:
            return
        elif char == "{":
            end = expression.find("}", at)
            at = end + 1 if end >= 0 else len(expression)
        elif char not in "^$.*+?|}":
            plain = char
        if plain and not depth and expression[at : at + 1] not in ("*", "?", "{"):
            run += plain.lower()
        else:
            runs.append(run)
            run = ""
    yield from (*runs, run)


def _glob(pieces: tuple[str, ...], text: str) -> bool:
    """Whether text is the pieces in order with anything between them; one pass, leftmost match of each piece."""
    first, *middle, last = pieces
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
