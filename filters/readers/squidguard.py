"""squidGuard's files beside `domains`, as the University of Toulouse publishes them: `urls` and `expressions`.

`urls` holds host and beginning of a path without a scheme; lists of whole web addresses are read the same way.
An `expressions` line is searched in host and path. One that speaks of no "/" is searched in the bare name as well, so
that it works where the path cannot be seen.
"""

from collections.abc import Iterable

from filters.readers.base import Reader
from filters.syntax import Parsed, ParsedRule, Shape


class Urls(Reader):
    """Reads web addresses."""

    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """A line's rule; nothing for a comment."""
        text = raw.split(None, 1)[0]
        if not text.startswith(("#", ";")):
            yield self.site(number, raw, text)


class Expressions(Reader):
    """Reads regular expressions, one a line."""

    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """A line's rules; nothing for a comment."""
        text = raw.strip()
        if text.startswith("#"):
            return
        found = self.expression(number, raw, text, Shape.URL_REGEX)
        yield found
        if isinstance(found, ParsedRule) and "/" not in text:
            yield found._replace(shape=Shape.REGEX)
