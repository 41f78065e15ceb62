"""What reading a list yields: rules, and lines that were refused, each with its place and the reason."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

LONGEST_LINE = 4_096
"""characters; a longer line is one syntax error and is never held in memory as a whole"""
LONGEST_QUOTE = 80
"""characters of a refused text that are kept"""

IsPublicSuffix = Callable[[str], bool]
"""Whether a canonical name is a public suffix ("com", "co.uk", "github.io"). Asked once for nearly every line, and a
suffix may have seven labels, so no line is spared the question: the answer should come from a frozenset."""
Include = Callable[[str], Iterable[str]]
"""The lines of the list of that name; raises LookupError where there is none"""


class Shape(IntEnum):
    """How much a rule covers, and what its text is."""

    NAME = 0
    """a host name or an address: it and everything below it"""
    EXACT = 1
    """a host name: that host alone"""
    PATH = 2
    """a key as filters.urls.key makes it: the path and everything below it, on the host and on those below it"""
    GLOB = 3
    """a host name with "*" in it"""
    URL_GLOB = 4
    """host and beginning of a path with "*" in them"""
    REGEX = 5
    """an expression to be searched in the host name"""
    URL_REGEX = 6
    """an expression to be searched in host and path"""


class ParsedRule(NamedTuple):
    """One rule of a list. A tuple, because three million are made in a row."""

    line: int
    """counted from 1; a rule that came by an include has the line of the include"""
    shape: Shape
    allow: bool
    """an exception to the other rules of the same list"""
    text: str
    """in canonical form"""


class Problem(Enum):
    """Why a line was refused, as one clause that continues "line 7 was left out because"."""

    NOT_A_NAME = "this is no host name, address or web address"
    NOT_THE_FORMAT = "this does not follow the format of the list"
    TOO_WIDE = "this would cover a whole public suffix, or nearly everything"
    TOO_LONG = f"the line is longer than {LONGEST_LINE:,} characters"
    TOO_DEEP = "the path has too many parts"
    NOT_FOR_US = "this asks for something else than to block or allow a site, or for what only a browser can do"
    BROKEN_EXPRESSION = "the expression cannot be read"
    UNSAFE_EXPRESSION = "some address could keep the expression busy for too long"
    NO_SUCH_LIST = "the list that it includes is not there"
    WEB_PAGE = "this is a web page, perhaps a sign-in page of the network, and not a list"
    BINARY = "this is not text"


@dataclass(frozen=True, slots=True)
class RuleSyntaxError:
    """One thing in a list that was refused. A value: one bad line never loses a list."""

    line: int
    column: int
    """counted from 1"""
    text: str
    """the text that was refused, at most LONGEST_QUOTE characters of it"""
    problem: Problem

    @property
    def why(self) -> str:
        """The reason as a clause that a teacher can read."""
        return self.problem.value

    def __str__(self) -> str:
        return f"line {self.line:,}, column {self.column}: {self.why}: {self.text}"


Parsed = ParsedRule | RuleSyntaxError


class Format(Enum):
    """The formats of lists."""

    HOSTS = "hosts"
    PLAIN = "plain"
    WILDCARD = "wildcard"
    ADBLOCK = "adblock"
    DNSMASQ = "dnsmasq"
    UNBOUND = "unbound"
    RPZ = "rpz"
    SQUIDGUARD_DOMAINS = "squidguard-domains"
    SQUIDGUARD_URLS = "squidguard-urls"
    SQUIDGUARD_EXPRESSIONS = "squidguard-expressions"
    V2FLY = "v2fly"
    ETH_PHISHING = "eth-phishing"
