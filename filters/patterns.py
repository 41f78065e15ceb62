"""Rules that no digest can hold: names and addresses with a "*" inside, and regular expressions.

A rule set has few of them and they are tried one after the other, so each must be cheap and none may be made slow by
what a page or a child types: "*" is matched in one pass, and the parser lets only simple expressions in.
"""

import re
from enum import IntEnum

LONGEST_TEXT = 2_048
"""characters of an address that an expression looks at"""


class PatternForm(IntEnum):
    """What the text of a pattern is and what it is held against; the numbers are those of parse.Shape."""

    GLOB = 3
    URL_GLOB = 4
    REGEX = 5
    URL_REGEX = 6


class Pattern:
    """One pattern. It covers the names below a name that it matches, as every rule does."""

    __slots__ = ("_expression", "_pieces", "form", "needs_path", "text")

    def __init__(self, form: int, text: str) -> None:
        self.form, self.text = PatternForm(form), text
        self.needs_path = self.form in (PatternForm.URL_GLOB, PatternForm.URL_REGEX)
        self._expression: re.Pattern[str] | None = None
        self._pieces: tuple[str, ...] = ()
        if self.form in (PatternForm.REGEX, PatternForm.URL_REGEX):
            self._expression = re.compile(text, re.IGNORECASE)
        else:
            end = "*" if self.needs_path else ""
            self._pieces = tuple(f"*.{text}{end}".lower().split("*"))

    def matches(self, host: str, path: str | None) -> bool:
        """Whether the pattern covers the request; without a path, one that needs it never does."""
        if not self.needs_path:
            return self._covers(host, host)
        if path is None:
            return False
        text = (host + path)[:LONGEST_TEXT]
        return self._covers(text, text.lower())

    def could_match(self, host: str) -> bool:
        """Whether the host is one that the pattern names in full, so that its path is worth reading."""
        if self.form is not PatternForm.URL_GLOB:
            return False
        name = self.text.partition("/")[0].lower()
        return "*" not in name and (host == name or host.endswith("." + name))

    def _covers(self, text: str, lowered: str) -> bool:
        if self._expression is not None:
            return self._expression.search(text) is not None
        return _glob(self._pieces, "." + lowered)


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
