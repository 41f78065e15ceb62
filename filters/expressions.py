"""Which regular expressions from lists are let in: those that no host name or address can keep busy.

`re` backtracks, so an expression's worst case is the number of ways in which it can fail. The scanner below counts
them: bounded choices multiply (`ways`), an unbounded quantifier that competes with what follows it adds a power of the
text's length (`power`). One that does not, as in "[0-9]+\\.", is steady: all steady ones together cost one pass.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from filters.patterns import Pattern
from filters.syntax import Problem, Shape

LONGEST_EXPRESSION = 500
MOST_WAYS = 1_000
MOST_REPEATS = 100
DEEPEST_GROUP = 8
HIGHEST_POWER = 3
"""of 253 characters of a host name"""
HIGHEST_POWER_OF_URL = 2
"""of patterns.LONGEST_TEXT characters of host and path"""
PROBES = ("qzxvkwj.com", "xkjqzwv.org", "vwzkqjx.net", "jqxzwkv.info", "wzvxqjk.co.uk", "kjvqxzw.example")
"""names that nobody lists: a pattern that covers one of them would cover nearly everything"""

_TOKEN = re.compile(
    r"(?P<unfit>\\[1-9]|\\[uxN]|\(\?(?!:))"  # back-references, look-around, and what can hide a character from us
    r"|(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<or>\|)|(?P<anchor>\^|\$|\\[bBAZ])"
    r"|(?P<char>\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\*+?{\[])",
    re.DOTALL,
)
_QUANTIFIER = re.compile(r"(?:([*+?])|\{([0-9]*)(,?)([0-9]*)\})[?+]?")
_SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_AS_GOOD_AS_UNBOUNDED = 16
_CHARACTERS = tuple(map(chr, range(32, 127)))
_NESTED_SET = re.compile(r"\[|--|&&|~~|\|\|")  # Python warns that these may come to mean something inside a set
_ESCAPED = re.compile(r"\\.", re.DOTALL)


class _UnfitError(Exception):
    """The expression uses what is not let in."""


@dataclass(frozen=True, slots=True)
class _Cost:
    ways: int = 1
    power: int = 0
    steady: bool = False
    quantified: bool = False
    literal: str | None = None
    """the text itself, where it is nothing but plain characters"""


@dataclass(frozen=True, slots=True)
class _Atom:
    text: str
    """a single character, a set or an anchor; "" for a group"""
    inner: _Cost
    """of a group"""
    least: int = 1
    most: int | None = 1


def safe_regex(text: str, url: bool = False) -> Problem | None:
    """Why the expression is refused, or None when it may be used: on host names, or with `url` on host and path."""
    if len(text) > LONGEST_EXPRESSION:
        return Problem.UNSAFE_EXPRESSION
    body = text.removeprefix("(?i)")
    try:
        cost = _Scanner(body).whole()
        re.compile(text, re.IGNORECASE)
    except _UnfitError:
        return Problem.UNSAFE_EXPRESSION
    except (re.error, OverflowError, RecursionError):
        return Problem.BROKEN_EXPRESSION
    power = cost.power + cost.steady + (not body.startswith("^"))
    if cost.ways > MOST_WAYS or power > (HIGHEST_POWER_OF_URL if url else HIGHEST_POWER):
        return Problem.UNSAFE_EXPRESSION
    pattern = Pattern(Shape.URL_REGEX if url else Shape.REGEX, text)
    if re.search(text, "", re.IGNORECASE) or any(pattern.matches(probe, "/") for probe in PROBES):
        return Problem.TOO_WIDE
    return None


class _Scanner:
    """Recursive descent over one expression."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def whole(self) -> _Cost:
        """The cost of the whole expression. Raises _UnfitError or re.error."""
        cost = self._alternatives()
        if self.at != len(self.text):
            raise re.error("something is out of place", self.text, self.at)
        return cost

    def _alternatives(self) -> _Cost:
        branches = [self._sequence()]
        while self.text.startswith("|", self.at):
            self.at += 1
            branches.append(self._sequence())
        if len(branches) == 1:
            return branches[0]
        literals = [branch.literal for branch in branches if branch.literal is not None]
        if len(literals) == len(branches):  # of plain words, those fit that are beginnings of one another
            ways = max(sum(one.startswith(other) for other in literals) for one in literals)
        else:
            ways = sum(branch.ways for branch in branches)
        power = max(branch.power for branch in branches)
        return _Cost(ways, power, any(b.steady for b in branches), any(b.quantified for b in branches))

    def _sequence(self) -> _Cost:
        atoms: list[_Atom] = []
        while (token := _TOKEN.match(self.text, self.at)) and token.lastgroup not in ("or", "close"):
            if token.lastgroup == "unfit" or self.depth > DEEPEST_GROUP:
                raise _UnfitError
            self.at = token.end()
            inner = _Cost()
            if token.lastgroup == "open":
                inner = self._group()
            elif token[0][0] == "[" and _NESTED_SET.search(_ESCAPED.sub("", token[0])[1:]):
                raise re.error("a set within a set", self.text, self.at)
            atoms.append(_Atom("" if token.lastgroup == "open" else token[0], inner, *self._quantifier()))
        return _of_sequence(atoms, outermost=self.depth == 0)

    def _group(self) -> _Cost:
        self.depth += 1
        inner = self._alternatives()
        self.depth -= 1
        if not self.text.startswith(")", self.at):
            raise re.error("a bracket is missing", self.text, self.at)
        self.at += 1
        return inner

    def _quantifier(self) -> tuple[int, int | None]:
        match = _QUANTIFIER.match(self.text, self.at)
        if not match:
            return 1, 1
        self.at = match.end()
        if match[1]:
            return _SIGNS[match[1]]
        least = int(match[2] or 0)
        most = least if not match[3] else int(match[4]) if match[4] else None
        if max(least, most or 0) > MOST_REPEATS:
            raise _UnfitError
        return least, most


def _of_sequence(atoms: list[_Atom], outermost: bool) -> _Cost:
    ways, power, steady, quantified = 1, 0, False, False
    for place, atom in enumerate(atoms):
        following = atoms[place + 1] if place + 1 < len(atoms) else None
        fixed = atom.least == atom.most
        if atom.text and not fixed and ((following is None and outermost) or _disjoint(atom, following)):
            steady = True
        elif atom.most is None or atom.most - atom.least > _AS_GOOD_AS_UNBOUNDED:
            if atom.inner.quantified or atom.inner.ways > 1:
                raise _UnfitError
            power += 1
        else:
            ways *= sum(atom.inner.ways**times for times in range(atom.least, atom.most + 1))
            power += atom.inner.power * atom.most
        ways = min(ways, MOST_WAYS + 1)
        steady = steady or atom.inner.steady
        quantified = quantified or atom.inner.quantified or (atom.least, atom.most) != (1, 1)
    plain = [_plain(atom) for atom in atoms]
    return _Cost(ways, power, steady, quantified, None if quantified or None in plain else "".join(map(str, plain)))


def _plain(atom: _Atom) -> str | None:
    """The one character that the atom stands for, or None where it stands for several or for a place."""
    text = atom.text.removeprefix("\\")
    escaped = text != atom.text
    means_more = text.isalnum() if escaped else text in "^$."
    return text.lower() if len(text) == 1 and not means_more else None


def _disjoint(atom: _Atom, following: _Atom | None) -> bool:
    """Whether nothing that the atom takes could begin what follows it."""
    if following is None or not following.text or following.least == 0:
        return False
    if following.text in ("$", "\\Z"):
        return True
    if following.text in ("^", "\\A", "\\b", "\\B"):
        return False
    return not _characters(atom.text) & _characters(following.text)


@lru_cache(maxsize=256)
def _characters(text: str) -> frozenset[str]:
    one = re.compile(text, re.IGNORECASE)
    return frozenset(filter(one.fullmatch, _CHARACTERS))
