"""What every reader of lists shares: it is given one line after another and answers with rules and refusals.

A reader never raises, whatever the text. What it accepts is canonical, and no block rule covers a public suffix.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from filters.expressions import PROBES, safe_regex
from filters.names import address, normalise
from filters.patterns import Pattern
from filters.syntax import LONGEST_QUOTE, Include, IsPublicSuffix, Parsed, ParsedRule, Problem, RuleSyntaxError, Shape
from filters.urls import key, keys

_SCHEME = re.compile(r"(?:https?|ftp)://(?:[^/?#@]*@)?", re.IGNORECASE)
_SPLIT = re.compile(r"([^/?#]*)(.*)", re.DOTALL)
_PORT = re.compile(r"(?<=[^:]):[0-9]{0,5}\Z|(?<=\]):[0-9]{0,5}\Z")
_ANYTHING_BEFORE = re.compile(r"\A\^?\.\*\??(?![*+{])")  # says nothing in a search, and costs a power
_FEWEST_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Context:
    """What reading a list needs beside its lines."""

    is_public_suffix: IsPublicSuffix
    include: Include | None = None
    """how a v2fly list finds the lists that it includes"""
    attribute: str | None = None
    """of a v2fly list, only the rules that bear this attribute, or with a "-" before it, those that do not"""


class Reader(ABC):
    """Reads one list."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """What one line says. It is not blank, has no white space at its end and is no longer than LONGEST_LINE."""

    def end(self) -> Iterable[Parsed]:
        """What was held back until the end of the list."""
        return ()

    def refuse(self, number: int, raw: str, text: str, problem: Problem) -> RuleSyntaxError:
        """A refusal of `text`, a part of the line `raw`. What could disturb a terminal is not quoted."""
        quote = "".join(char if char.isprintable() else "\ufffd" for char in text[:LONGEST_QUOTE])
        return RuleSyntaxError(number, max(raw.find(text), 0) + 1, quote, problem)

    def name(self, number: int, raw: str, text: str, allow: bool = False, shape: Shape = Shape.NAME) -> Parsed:
        """A rule about a host: a name, "*.name", ".name", an address, or a name with "*" inside."""
        bare = text[2:] if text.startswith("*.") else text[text.startswith(".") :]
        if not bare.strip("*."):
            return self.refuse(number, raw, text, Problem.TOO_WIDE if bare or text else Problem.NOT_A_NAME)
        if "*" in bare:
            return self.glob(number, raw, bare.lower().removesuffix("."), allow)
        host = listed_host(bare)
        if host is None:
            return self.refuse(number, raw, text, Problem.NOT_A_NAME)
        if shape is Shape.NAME and not allow and ":" not in host and self.context.is_public_suffix(host):
            return self.refuse(number, raw, text, Problem.TOO_WIDE)
        return ParsedRule(number, shape, allow, host)

    def site(self, number: int, raw: str, text: str, allow: bool = False) -> Parsed:
        """A rule about a host or about a path on it: what `name` takes, or "host/path", with or without a scheme."""
        host, path = split_url(text)
        if not path.strip("/"):
            return self.name(number, raw, host, allow)
        if "*" in host or "*" in path:
            return self.url_glob(number, raw, host, path, allow)
        found = listed_host(host[host.startswith(".") :])
        if found is None:
            return self.refuse(number, raw, text, Problem.NOT_A_NAME)
        filed = key(found, path)
        if filed == found + "/":
            return self.name(number, raw, host, allow)
        if filed not in keys(found, path):
            return self.refuse(number, raw, text, Problem.TOO_DEEP)
        return ParsedRule(number, Shape.PATH, allow, filed)

    def url_glob(self, number: int, raw: str, host: str, path: str, allow: bool) -> Parsed:
        """A rule about host and beginning of a path with "*" in them."""
        if "*" not in host:
            found = listed_host(host)
            if found is None:
                return self.refuse(number, raw, host or path, Problem.NOT_A_NAME)
            return ParsedRule(number, Shape.URL_GLOB, allow, (found + path).lower())
        text = (host + path).lower()
        if len(re.findall(r"[a-z0-9]", text)) < _FEWEST_LETTERS:
            return self.refuse(number, raw, host + path, Problem.TOO_WIDE)
        return ParsedRule(number, Shape.URL_GLOB, allow, text)

    def expression(
        self, number: int, raw: str, text: str, shape: Shape, allow: bool = False, quote: str | None = None
    ) -> Parsed:
        """A rule that is a regular expression; `quote` is how the line has it."""
        searched = _ANYTHING_BEFORE.sub("", text)
        problem = safe_regex(searched, url=shape is Shape.URL_REGEX)
        if problem:
            return self.refuse(number, raw, quote or text, problem)
        return ParsedRule(number, shape, allow, searched)

    def glob(self, number: int, raw: str, text: str, allow: bool) -> Parsed:
        """Letters that hold for every name of a suffix do not make a rule narrow: "*e.com" is too wide."""
        if not re.fullmatch(r"[a-z0-9_.*-]+", text):
            return self.refuse(number, raw, text, Problem.NOT_A_NAME)
        head, _, last = text.rpartition(".")
        telling = re.findall(r"[a-z0-9]", text if "*" in last and last.strip("*") else head)
        pattern = Pattern(Shape.GLOB, text)
        if len(telling) < _FEWEST_LETTERS or any(pattern.matches(probe, None) for probe in PROBES):
            return self.refuse(number, raw, text, Problem.TOO_WIDE)
        return ParsedRule(number, Shape.GLOB, allow, text)


def split_url(text: str) -> tuple[str, str]:
    """Host and path of a web address whose scheme may be missing; user, port and fragment are dropped."""
    scheme = _SCHEME.match(text)
    match = _SPLIT.fullmatch(text[scheme.end() :] if scheme else text)
    host, path = (match[1], match[2].partition("#")[0]) if match else (text, "")
    return (_PORT.sub("", host) if host.count(":") == 1 or "]" in host else host), path


def listed_host(text: str) -> str | None:
    """The canonical host that a list means. A bare number stands in lists for something else than an address."""
    return (address(text) if ":" in text or text.count(".") == 3 else None) or normalise(text)
