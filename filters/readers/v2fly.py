"""v2fly's domain lists: "domain:", "full:", "regexp:", "keyword:" and "include:", with "@attributes".

A bare name is a "domain:". An include may ask for an attribute or, with "@-", for its absence. Each list is taken in
once for each such wish, so that lists which include each other end. "&affiliations" change nothing: to know them, every
file of the collection would have to be read.
"""

import re
from collections.abc import Iterable, Iterator

from filters.readers.base import Context, Reader
from filters.syntax import LONGEST_LINE, Parsed, Problem, Shape

_TYPED = re.compile(r"(full|domain|regexp|keyword|include):(.*)", re.DOTALL)
_SHORTEST_KEYWORD = 4

_Wish = frozenset[str]
"""attributes that a rule must bear, and those, with a "-" before, that it must not"""


class V2fly(Reader):
    """Reads one list and those that it includes."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._taken: set[tuple[str, tuple[_Wish, ...]]] = set()
        self._wishes: tuple[_Wish, ...] = (frozenset({context.attribute}),) if context.attribute else ()

    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """The rules of a line; those of an included list all have the number of the line that includes it."""
        waiting: list[tuple[Iterator[str], tuple[_Wish, ...]]] = [(iter((raw,)), self._wishes)]
        while waiting:
            lines, wishes = waiting[-1]
            for one in lines:
                if len(one) > LONGEST_LINE:
                    yield self.refuse(number, one, one, Problem.TOO_LONG)
                    continue
                kind, value, attributes = _split(one)
                if kind == "include":
                    inner = (*wishes, attributes) if attributes else wishes
                    if (value, inner) in self._taken:
                        continue
                    self._taken.add((value, inner))
                    included = self._included(value)
                    if included is None:
                        yield self.refuse(number, one, value, Problem.NO_SUCH_LIST)
                        continue
                    waiting.append((included, inner))
                    break
                if value and all(_granted(wish, attributes) for wish in wishes):
                    yield self._rule(number, one, kind, value)
            else:
                waiting.pop()

    def _included(self, name: str) -> Iterator[str] | None:
        try:
            return iter(self.context.include(name)) if self.context.include else None
        except LookupError:
            return None

    def _rule(self, number: int, raw: str, kind: str, value: str) -> Parsed:
        if kind == "regexp":
            return self.expression(number, raw, value, Shape.REGEX)
        if kind == "keyword":
            if len(value) < _SHORTEST_KEYWORD:
                return self.refuse(number, raw, value, Problem.TOO_WIDE)
            return self.glob(number, raw, f"*{value.lower()}*", allow=False)
        return self.name(number, raw, value, shape=Shape.EXACT if kind == "full" else Shape.NAME)


def _split(raw: str) -> tuple[str, str, frozenset[str]]:
    """Kind, value and attributes of a line; an empty value for a comment."""
    words = raw.partition("#")[0].split()
    if not words:
        return "domain", "", frozenset()
    typed = _TYPED.fullmatch(words[0])
    kind, value = (typed[1], typed[2]) if typed else ("domain", words[0])
    return kind, value, frozenset(word[1:] for word in words[1:] if word[0] == "@" and len(word) > 1)


def _granted(wish: _Wish, attributes: frozenset[str]) -> bool:
    return all((one[1:] not in attributes) if one[0] == "-" else one in attributes for one in wish)
