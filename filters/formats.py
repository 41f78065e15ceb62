"""Tells from the beginning of a text which list format it is in, what its header says, and whether it is a list at all.

A format is chosen by what most lines look like, not by the file's name: names lie, and downloads have none. Only
squidGuard's `domains`, `urls` and `expressions` are known by name, because expressions look like anything.
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date

from filters.names import address, normalise
from filters.syntax import LONGEST_QUOTE, Format, Problem, RuleSyntaxError

SAMPLE = 65_536
"""characters that are looked at"""

LONGEST_LOOK = 500
"""characters of a line that are looked at"""

_BY_NAME = {
    "domains": Format.SQUIDGUARD_DOMAINS,
    "urls": Format.SQUIDGUARD_URLS,
    "expressions": Format.SQUIDGUARD_EXPRESSIONS,
}
_COMMENT = re.compile(r"\s*(?:#(?![#@?$%])|#+(?:\s|\Z)|####|;|//|!|\Z)")  # "##" is also what hides parts of pages
_LINES: tuple[tuple[Format, re.Pattern[str]], ...] = (
    (Format.DNSMASQ, re.compile(r"(?:address|server|local|ipset|nftset)=/")),
    (Format.UNBOUND, re.compile(r"\s*(?:local-zone|local-data|server):")),
    (Format.V2FLY, re.compile(r"(?:full|domain|regexp|keyword|include):\S+|\S+(?:\s+@!?[a-z-]+)+\s*(?:#.*)?\Z")),
    (Format.RPZ, re.compile(r"\$(?:TTL|ORIGIN)\b|\S*\s+(?:(?:\d+[smhdw]?|IN)\s+){0,2}(?:CNAME|SOA|NS)\s+\S", re.I)),
    (Format.ADBLOCK, re.compile(r"\|\||@@|\[(?:Adblock|AdGuard|uBlock)|.*#[@?$%]{0,3}#|.*\$~?[a-z0-9-]+(?:[=,].*)?\Z")),
    (Format.HOSTS, re.compile(r"\s*(?:[0-9]+(?:\.[0-9]+){3}|[0-9a-f:]*::[0-9a-f:%a-z]*)\s+[^\s#]")),
    (Format.WILDCARD, re.compile(r"\*\.?[^\s/*]+\s*(?:#.*)?\Z")),
    (Format.SQUIDGUARD_URLS, re.compile(r"(?:https?://)?[^\s/]+\.[^\s/]+/\S*\s*\Z|https?://\S+\s*\Z", re.IGNORECASE)),
)
_ENTRY = re.compile(r"\s*(?:\*\.|\.)?([^\s#]+)\s*(?:#.*)?")
_PAGE = re.compile(r"\s*<(?:!doctype|html|head|body|script|meta|title|\?xml|!--)", re.IGNORECASE)
_PAGE_LINES = 20
_CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\ufffd]")
_HEADER = re.compile(
    r"\s*(?:#|!|;|//)+\s*(?P<key>title|category|date|(?:last )?(?:modified|updated?|change)|time ?updated)"
    r"\s*:\s*(?P<value>.+)",
    re.IGNORECASE,
)
_HEADER_LINES = 100
_ISO = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)")
_WRITTEN = re.compile(
    r"(?:(\d{1,2})\.?\s+([a-z]{3})[a-z]*\.?|([a-z]{3})[a-z]*\.?\s+(\d{1,2})),?\s+(\d{4})", re.IGNORECASE
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Header:
    """What the comments at the head of a list say of it; "" where they say nothing."""

    title: str = ""
    category: str = ""
    """of our own lists: the category that the list belongs to"""
    date: str = ""
    """ISO 8601 (YYYY-MM-DD), the latest that is named"""


def not_a_list(sample: str) -> RuleSyntaxError | None:
    """Why the text that begins with `sample` is no list, with the place where that shows, or None."""
    lines = sample[:SAMPLE].splitlines()
    shown = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        shown += 1
        if shown <= _PAGE_LINES and (_PAGE.match(line) or (shown == 1 and line.lstrip().startswith("<"))):
            column = len(line) - len(line.lstrip()) + 1
            return RuleSyntaxError(number, column, line.strip()[:LONGEST_QUOTE], Problem.WEB_PAGE)
        controls = _CONTROL.findall(line)
        if "\0" in controls or len(controls) > max(8, len(line) // 4):
            column = line.index("\0" if "\0" in controls else controls[0]) + 1
            return RuleSyntaxError(number, column, _CONTROL.sub("\ufffd", line)[:LONGEST_QUOTE], Problem.BINARY)
    return None


def detect(sample: str, name: str = "") -> Format | None:
    """The format of the text that begins with `sample` and is called `name`, or None when it is none that we read.
    Text without a single entry is PLAIN."""
    sample = sample[:SAMPLE].removeprefix("\ufeff")
    if not_a_list(sample):
        return None
    if found := _BY_NAME.get(name.rpartition("/")[2].lower()):
        return found
    if sample.lstrip().startswith("{"):
        return Format.ETH_PHISHING if re.search(r'"(?:fuzzylist|blacklist|blocklist)"\s*:', sample) else None
    lines = sample.split("\n")
    if len(sample) == SAMPLE and len(lines) > 1:
        del lines[-1]  # it may be cut in the middle
    return _by_lines(lines)


def _by_lines(lines: list[str]) -> Format | None:
    if lines and re.match(r"\s*\[(?:Adblock|AdGuard|uBlock)|!", lines[0]):
        return Format.ADBLOCK
    counts = Counter(_kind(line[:LONGEST_LOOK]) for line in lines if not _COMMENT.match(line))
    total = counts.total()
    entries = counts[Format.PLAIN] + counts[Format.WILDCARD]
    if not total:
        return Format.PLAIN
    for form, others in ((Format.V2FLY, entries), (Format.ADBLOCK, entries + counts[Format.HOSTS])):
        # these two mix lines of their own with bare names
        if counts[form] * 20 > total and (counts[form] + others) * 2 >= total:
            return form
    del counts[None]
    found, most = next(iter(counts.most_common(1)), (None, 0))
    if found in (Format.PLAIN, Format.WILDCARD):
        most = entries
    return found if most * 2 >= total else None


def _kind(line: str) -> Format | None:
    """What a single line looks like."""
    line = line.rstrip()
    for form, looks in _LINES:
        if looks.match(line):
            return form
    entry = _ENTRY.fullmatch(line)
    return Format.PLAIN if entry and (address(entry[1]) or ("." in entry[1] and normalise(entry[1]))) else None


def header(sample: str) -> Header:
    """What the comments at the head of the text say."""
    title = category = latest = ""
    for line in sample[:SAMPLE].split("\n", _HEADER_LINES)[:_HEADER_LINES]:
        found = _HEADER.match(line.removeprefix("\ufeff"))
        if not found:
            continue
        key, value = found["key"].lower(), found["value"].strip()
        if key == "title":
            title = title or value
        elif key == "category":
            category = category or value
        else:
            latest = max(latest, _iso(value))
    return Header(title, category, latest)


def _iso(text: str) -> str:
    """The first date in a text, or ""."""
    if found := _ISO.search(text):
        year, month, day = found.groups()
    elif (found := _WRITTEN.search(text)) and (word := (found[2] or found[3]).lower()) in _MONTHS:
        year, month, day = found[5], str(_MONTHS.index(word) + 1), found[1] or found[4]
    else:
        return ""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""
