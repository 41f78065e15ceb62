"""Paths in rules and requests: one canonical form, so that "/A//b/../c" and "/a/c" are the same place.

A path rule covers its path and everything below it, as a name rule covers every name below it.
"""

import re

_ESCAPED = re.compile(r"%[0-9a-fA-F]{2}")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_DEEPEST = 16
"""path segments looked at; a rule that lies deeper is refused by the parser"""


def _decode(match: re.Match[str]) -> str:
    char = chr(int(match[0][1:], 16))
    return char if char in _UNRESERVED else match[0]


def canonical(path: str) -> str:
    """A path as rules are keyed by it: unreserved characters decoded (RFC 3986 section 6.2.2.2), dot segments and
    empty segments gone (6.2.2.3), fragment dropped, no slash at either end, lower case. The query stays as it is."""
    path = path.partition("#")[0]
    path, mark, query = path.partition("?")
    kept: list[str] = []
    for segment in _ESCAPED.sub(_decode, path).split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return ("/".join(kept) + mark + query).lower()


def key(host: str, path: str) -> str:
    """What a path rule on `host` is filed under; `path` as it stands in the list or the request."""
    return f"{host}/{canonical(path)}"


def keys(host: str, path: str) -> tuple[str, ...]:
    """Every key under which a rule could cover this request, most specific first."""
    full = canonical(path)
    bare = full.partition("?")[0]
    segments = bare.split("/")[:_DEEPEST] if bare else []
    below = tuple(f"{host}/{'/'.join(segments[:depth])}" for depth in range(len(segments), 0, -1))
    return below if full == bare else (f"{host}/{full}", *below)
