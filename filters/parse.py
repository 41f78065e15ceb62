"""Lists in every format → rules, and refusals with line and column. Never raises: one bad line never loses a list.

Names are canonical (filters.names), comments and blank lines yield nothing, and no block rule covers a public suffix.
The formats stand in filters.readers; this module chooses, and reads the plain lines of the largest lists by itself,
because a reader's call for each of three million lines would be felt.
"""

from collections.abc import Callable, Iterable, Iterator

from filters.expressions import safe_regex
from filters.formats import detect, not_a_list
from filters.names import LONGEST_NAME, NAME
from filters.readers.adblock import Adblock
from filters.readers.base import Context, Reader
from filters.readers.eth_phishing import EthPhishing
from filters.readers.names import OWN_NAMES, SINKS, Names
from filters.readers.resolvers import Dnsmasq, Rpz, Unbound
from filters.readers.squidguard import Expressions, Urls
from filters.readers.v2fly import V2fly
from filters.syntax import (
    LONGEST_LINE,
    Format,
    Include,
    IsPublicSuffix,
    Parsed,
    ParsedRule,
    Problem,
    RuleSyntaxError,
    Shape,
)

__all__ = [
    "Format",
    "Include",
    "IsPublicSuffix",
    "Parsed",
    "ParsedRule",
    "Problem",
    "RuleSyntaxError",
    "Shape",
    "detect",
    "not_a_list",
    "parse",
    "safe_regex",
]

_READERS: dict[Format, Callable[[Context], Reader]] = {
    Format.HOSTS: Names,
    Format.PLAIN: Names,
    Format.WILDCARD: Names,
    Format.ADBLOCK: Adblock,
    Format.DNSMASQ: Dnsmasq,
    Format.UNBOUND: Unbound,
    Format.RPZ: Rpz,
    Format.SQUIDGUARD_DOMAINS: Names,
    Format.SQUIDGUARD_URLS: Urls,
    Format.SQUIDGUARD_EXPRESSIONS: Expressions,
    Format.V2FLY: V2fly,
    Format.ETH_PHISHING: EthPhishing,
}


def parse(
    lines: Iterable[str],
    form: Format,
    is_public_suffix: IsPublicSuffix,
    include: Include | None = None,
    attribute: str | None = None,
) -> Iterator[Parsed]:
    """The rules of a list and what was refused, in the order of the lines. `lines` may end in line breaks.

    `include` and `attribute` are for v2fly's lists: the lines of another list by name, and the attribute ("ads", or
    "-cn" for its absence) that rules must bear.
    """
    reader = _READERS[form](Context(is_public_suffix, include, attribute))
    if form is Format.HOSTS:
        return _hosts(lines, is_public_suffix, reader)
    if form in (Format.PLAIN, Format.SQUIDGUARD_DOMAINS):
        return _plain(lines, is_public_suffix, reader)
    return _every(lines, reader, None if form is Format.ETH_PHISHING else LONGEST_LINE)


def _every(lines: Iterable[str], reader: Reader, longest: int | None) -> Iterator[Parsed]:
    for number, raw in enumerate(lines, 1):
        yield from _read(number, raw, reader, longest)
    yield from reader.end()


def _read(number: int, raw: str, reader: Reader, longest: int | None = LONGEST_LINE) -> Iterable[Parsed]:
    """What the reader makes of one line, which may be blank or too long."""
    raw = raw.rstrip()
    if number == 1:
        raw = raw.removeprefix("\ufeff")
    if not raw or raw.isspace():
        return ()
    if longest and len(raw) > longest:
        return (reader.refuse(number, raw, raw[longest:], Problem.TOO_LONG),)
    return reader.line(number, raw)


def _plain(lines: Iterable[str], is_public_suffix: IsPublicSuffix, reader: Reader) -> Iterator[Parsed]:
    """Lines that are a canonical name and nothing else are taken here, all others by the reader."""
    is_name, shape = NAME.fullmatch, Shape.NAME
    for number, raw in enumerate(lines, 1):
        text = raw.strip()
        if is_name(text) and len(text) <= LONGEST_NAME and not is_public_suffix(text):
            yield ParsedRule(number, shape, False, text)
        elif text:
            yield from _read(number, raw, reader)


def _hosts(lines: Iterable[str], is_public_suffix: IsPublicSuffix, reader: Reader) -> Iterator[Parsed]:
    """Lines that are a sink and one canonical name are taken here, all others by the reader."""
    is_name, shape = NAME.fullmatch, Shape.NAME
    for number, raw in enumerate(lines, 1):
        sink, _, text = raw.strip().partition(" ")
        if (
            is_name(text)
            and sink in SINKS
            and text not in OWN_NAMES
            and len(text) <= LONGEST_NAME
            and not is_public_suffix(text)
        ):
            yield ParsedRule(number, shape, False, text)
        else:
            yield from _read(number, raw, reader)
