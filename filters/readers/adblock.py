"""Filter lists for browsers (Adblock Plus, uBlock Origin, AdGuard), as far as they speak of sites and addresses.

A rule is taken only where the box can keep what it means. Rules that hide parts of pages, and rules about who loads
what from where ("third-party", "domain=", "script" …), are not for us: blocking the site would be more than was asked.
The modifiers that are let in speak of the page itself or of everything.
"""

import re
from collections.abc import Iterable

from filters.readers.base import Reader
from filters.readers.names import Names
from filters.syntax import Parsed, Problem, Shape

_HIDING = re.compile(r"#@?[?$%]{0,2}#|\$@?\$")
_MODIFIERS = re.compile(r"\$((?:~?[a-z0-9_-]+(?:=[^,]*)?)(?:,(?:~?[a-z0-9_-]+(?:=[^,]*)?))*)\Z", re.IGNORECASE)
_OF_PAGES = frozenset({"all", "document", "doc"})
_BLOCK = _OF_PAGES | {"popup", "important", "match-case", "network"}
_ALLOW = _OF_PAGES | {"important", "match-case", "network"}

_START = re.compile(r"(?P<below>\|\|)|(?P<exact>\|?(?:(?:https?|wss?|\*)?://|(?<=\|)(?=[a-z0-9])))", re.IGNORECASE)
_REGEX = re.compile(r"/(.+)/")
_SITE = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^/^?|:]*)(?P<port>:[0-9]*)?(?P<path>.*)", re.DOTALL)
_HOST = re.compile(r"[\w*.-]+|\[.*\]", re.IGNORECASE)
_ENTRY = re.compile(r"(?:[0-9a-f.:]+\s+)?[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_SCHEME = re.compile(r"\A\^?(?:https\?|https|http|\(https\?\)|\(\?:https\?\)|\[a-z\]\+)?:(?:\\?/){2}")
_ANYTHING_BELOW = re.compile(r"\A\^\((?:\?:)?\.\*\\?\.\|\.\*:?(?:\\?/){2}\)\?")
_ANY_PATH = re.compile(r"(?:\((?:\?:)?\\?/(?:\.\*)?\)\?\$|\\?/\$?)\Z")


class Adblock(Reader):
    """Reads filter rules."""

    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """A line's rules; nothing for comments and headers."""
        text = raw.strip()
        if text.startswith(("!", "[Adblock", "[uBlock", "[AdGuard")):
            return
        if _HIDING.search(text):
            yield self.refuse(number, raw, text, Problem.NOT_FOR_US)
        elif not text.startswith("#"):
            yield from self._rule(number, raw, text)

    def _rule(self, number: int, raw: str, text: str) -> Iterable[Parsed]:
        allow = text.startswith("@@")
        body = text[2:] if allow else text
        found = _MODIFIERS.search(body)
        names = frozenset(found[1].lower().split(",")) if found else frozenset[str]()
        if not names <= (_ALLOW if allow else _BLOCK):
            yield self.refuse(number, raw, text, Problem.NOT_FOR_US)
            return
        body = body[: found.start()] if found else body
        if regex := _REGEX.fullmatch(body):
            yield self._expression(number, raw, regex[1], allow)
        elif start := _START.match(body):
            yield self._anchored(number, raw, body[start.end() :], allow, start["exact"] is not None)
        elif not found and not allow and _ENTRY.fullmatch(body):
            yield from Names(self.context).line(number, raw)
        else:
            yield self._anywhere(number, raw, body, allow, bool(names & _OF_PAGES))

    def _anchored(self, number: int, raw: str, rest: str, allow: bool, exact: bool) -> Parsed:
        """A rule that says where the host begins: "||" at it or at one below, "://" at it."""
        site = _SITE.fullmatch(rest)
        host, path = (site["host"].lower(), site["path"]) if site else ("", "")
        if not _HOST.fullmatch(host):
            return self.refuse(number, raw, rest, Problem.NOT_A_NAME)
        closed = path.endswith(("^", "|", "^*"))
        path = path.rstrip("^|*") if path.strip("^|*/") else ""
        if path:
            return self._path(number, raw, host, path.lstrip("^") or "/", allow, closed)
        if not closed and (host.endswith((".", "-")) or "." not in host) and host.isascii() and "*" not in host:
            return self.glob(number, raw, f"{host}*", allow)
        return self.name(number, raw, host, allow, Shape.EXACT if exact and "*" not in host else Shape.NAME)

    def _path(self, number: int, raw: str, host: str, path: str, allow: bool, closed: bool) -> Parsed:
        if not path.startswith(("/", "?")):
            path = f"/*{path}"
        if "*" in host + path or "^" in path or (not closed and not path[-1].isalnum() and path[-1] != "/"):
            return self.url_glob(number, raw, host, path.replace("^", "*"), allow)
        return self.site(number, raw, host + path, allow)

    def _anywhere(self, number: int, raw: str, body: str, allow: bool, of_pages: bool) -> Parsed:
        """A rule for any place of the address. Such rules are about advertisements within pages, unless they say that
        they are about whole pages."""
        bare = body.rstrip("^|*")
        if bare.startswith("*."):
            return self._anchored(number, raw, body[2:], allow, exact=False)
        if _HOST.fullmatch(bare) and "." in bare.strip("*.") and body.endswith("^"):
            return self.glob(number, raw, f"*{bare.lower()}", allow)
        if of_pages and _HOST.fullmatch(body) and body.endswith(".") and body.isascii():
            return self.glob(number, raw, f"*{body.lower()}*", allow)
        if not of_pages:
            return self.refuse(number, raw, body, Problem.NOT_FOR_US)
        return self.url_glob(number, raw, "*", bare.lstrip("*").replace("^", "*"), allow)

    def _expression(self, number: int, raw: str, text: str, allow: bool) -> Parsed:
        """A browser searches the whole address; we search host and path, or the host where no path is spoken of."""
        bare = _ANYTHING_BELOW.sub(r"(?:^|\\.)", _SCHEME.sub("^", text))
        if bare.endswith("\\$"):
            bare = bare[:-2] + "$"  # AdGuard writes the end so, because a bare "$" would begin the modifiers
        if "://" in bare.replace("\\", "") or bare.startswith("^http"):
            return self.refuse(number, raw, text, Problem.NOT_FOR_US)
        bare = _ANY_PATH.sub("$", bare)
        return self.expression(number, raw, bare, Shape.URL_REGEX if "/" in bare else Shape.REGEX, allow, text)
