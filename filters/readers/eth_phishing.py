"""The JSON of eth-phishing-detect: a blocklist, an allowlist, and names that look-alikes are compared with.

Read as a row of tokens and not as a tree, so that a rule keeps its line and no file must be whole in memory.
"""

import json
import re
from collections.abc import Iterable

from filters.readers.base import Context, Reader
from filters.syntax import Parsed, Problem

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s"\[\]{}:,]+|"')
_BLOCK = frozenset({"blacklist", "blocklist"})  # the names of the keys, as the format has them
_ALLOW = frozenset({"whitelist", "allowlist"})


class EthPhishing(Reader):
    """Reads the arrays of strings that are values of the outermost object."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._key = self._last = ""
        self._inside = False

    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """The rules of the strings in this line."""
        for match in _TOKEN.finditer(raw):
            token = match[0]
            if token == "[":
                self._inside, self._key = True, self._last
            elif token in ("]", "{", "}"):
                self._inside = False
            elif token[0] == '"':
                try:
                    self._last = json.loads(token)
                except ValueError:
                    yield self.refuse(number, raw, token, Problem.NOT_THE_FORMAT)
                    continue
                if self._inside:
                    yield from self._entry(number, raw, self._last)

    def _entry(self, number: int, raw: str, text: str) -> Iterable[Parsed]:
        if self._key in _BLOCK or self._key in _ALLOW:
            yield self.site(number, raw, text, self._key in _ALLOW)
        else:
            yield self.refuse(number, raw, text, Problem.NOT_FOR_US)  # look-alikes are told by likeness, not by rule
