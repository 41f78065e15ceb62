"""Which language to answer in: Accept-Language (RFC 9110 section 12.5.4) matched by lookup (RFC 4647 section 3.4).

Total: any header, however broken, yields one of the languages we have. A range that cannot be read is passed over.
"""

import re
from collections.abc import Iterator, Sequence

LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")
"""the languages that have texts, by their RFC 5646 tags"""

DEFAULT = "en"

_FRACTION = re.compile("[0-9]{0,3}")

_LONGEST_HEADER = 1000
"""characters read of the header; browsers send fewer than 100"""


def choose(accept_language: str, available: Sequence[str] = LANGUAGES, default: str = DEFAULT) -> str:
    """The best of `available` for the header value, or `default` where nothing matches."""
    ranges = list(_ranges(accept_language[:_LONGEST_HEADER]))
    known = {tag.lower(): tag for tag in available}
    refused = {name for name, weight in ranges if weight == 0}
    for name, _ in sorted((item for item in ranges if item[1] > 0), key=lambda item: -item[1]):
        if name == "*":
            return _first_not_refused(default, available, refused)
        for shorter in _shortened(name):
            if shorter in known and shorter not in refused:
                return known[shorter]
    return default


def _ranges(header: str) -> Iterator[tuple[str, int]]:
    """Each readable language range in lower case, and its weight in thousandths."""
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = _weight(parameters)
        if weight is not None and (name == "*" or _is_range(name)):
            yield name, weight


def _is_range(name: str) -> bool:
    return name.isascii() and all(1 <= len(subtag) <= 8 and subtag.isalnum() for subtag in name.split("-"))


def _weight(parameters: Sequence[str]) -> int | None:
    """The q-value in thousandths (RFC 9110 section 12.4.2), 1000 without one, None when it cannot be read."""
    if not parameters:
        return 1000
    key, _, value = parameters[0].partition("=")
    whole, _, fraction = value.strip().partition(".")
    if key.strip() != "q" or whole not in ("0", "1") or not _FRACTION.fullmatch(fraction):
        return None
    weight = int(whole) * 1000 + int(fraction.ljust(3, "0"))
    return weight if weight <= 1000 else None


def _shortened(name: str) -> Iterator[str]:
    """The range, then each shorter one; a single-letter subtag goes together with what follows it (RFC 4647 3.4)."""
    subtags = name.split("-")
    while subtags:
        yield "-".join(subtags)
        subtags.pop()
        if len(subtags) > 1 and len(subtags[-1]) == 1:
            subtags.pop()


def _first_not_refused(default: str, available: Sequence[str], refused: set[str]) -> str:
    return next((tag for tag in (default, *available) if tag.lower() not in refused), default)
