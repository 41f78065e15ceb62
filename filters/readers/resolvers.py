"""Lists written for DNS resolvers: dnsmasq, unbound, and response policy zones (RPZ).

An answer that leads nowhere is a block, an answer as usual is an exception, and any other answer is not for us: it
leads the name to another place.
"""

import re
from collections.abc import Iterable

from filters.readers.base import Context, Reader
from filters.readers.names import SINKS
from filters.syntax import Parsed, ParsedRule, Problem, Shape

_NOWHERE = SINKS | {"", "#"}


class Dnsmasq(Reader):
    """Reads dnsmasq's options. Every name in them covers those below it."""

    _option = re.compile(r"\s*(?:--)?([a-z-]+)\s*(?:=\s*(.*))?")
    _names = re.compile(r"/(.*)/([^/]*)")

    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """The rules of one option, which may hold several names; nothing for a comment."""
        bare = re.sub(r"(?:\A|\s)#.*", "", raw)  # "server=/name/#" is no comment
        if not bare.strip():
            return
        option = self._option.fullmatch(bare.rstrip())
        if not option:
            yield self.refuse(number, raw, bare.strip(), Problem.NOT_THE_FORMAT)
            return
        names = self._names.fullmatch(option[2] or "")
        if option[1] not in ("address", "server", "local") or not names:
            yield self.refuse(number, raw, bare.strip(), Problem.NOT_FOR_US)
            return
        target = names[2]
        allow = option[1] != "address" and target == "#"
        if not allow and target not in (_NOWHERE if option[1] == "address" else {""}):
            yield self.refuse(number, raw, target, Problem.NOT_FOR_US)
            return
        for name in names[1].split("/"):
            if name == "#":
                yield self.refuse(number, raw, name, Problem.TOO_WIDE)
            else:
                yield self.name(number, raw, name, allow)


class Unbound(Reader):
    """Reads unbound's local zones, which cover the names below them, and its local data, which do not."""

    _zone = re.compile(r'\s*local-zone:\s*"?([^\s"]+?)\.?"?\s+"?([a-z_]+)"?\s*')
    _data = re.compile(
        r'\s*local-data:\s*["\']?([^\s"\']+?)\.?\s+(?:[0-9]+\s+)?(?:IN\s+)?([A-Z]+)\s+([^"\']*?)["\']?\s*',
        re.IGNORECASE,
    )
    _other = re.compile(r"\s*[a-z0-9-]+:.*")
    _block = frozenset({"refuse", "deny", "static", "inform_deny", "block_a"}) | {
        f"always_{kind}" for kind in ("nxdomain", "refuse", "null", "nodata", "deny")
    }
    _allow = frozenset({"transparent", "typetransparent", "always_transparent", "nodefault"})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._redirected: Parsed | None = None
        """a zone that is answered by the data that follow it, so that only they tell where it leads"""

    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """The rules that this line settles; nothing for a comment."""
        bare = re.sub(r"(?:\A|\s)#.*", "", raw)
        if zone := self._zone.fullmatch(bare):
            yield from self.end()
            yield from self._in_zone(number, raw, zone[1], zone[2])
        elif data := self._data.fullmatch(bare):
            yield from self._in_data(number, raw, data[1], data[2].upper(), data[3])
        elif bare.strip() and bare.strip() != "server:":
            fits = self._other.fullmatch(bare)
            yield self.refuse(number, raw, bare.strip(), Problem.NOT_FOR_US if fits else Problem.NOT_THE_FORMAT)

    def end(self) -> Iterable[Parsed]:
        """A redirected zone without data: its names have no answer."""
        if self._redirected:
            yield self._redirected
        self._redirected = None

    def _in_zone(self, number: int, raw: str, name: str, kind: str) -> Iterable[Parsed]:
        if kind in self._block or kind in self._allow:
            yield self.name(number, raw, name, kind in self._allow)
        elif kind in ("redirect", "inform_redirect"):
            self._redirected = self.name(number, raw, name)
        else:
            yield self.refuse(number, raw, kind, Problem.NOT_FOR_US)

    def _in_data(self, number: int, raw: str, name: str, kind: str, target: str) -> Iterable[Parsed]:
        rule = self.name(number, raw, name, shape=Shape.EXACT)
        redirected = self._redirected
        of_zone = (
            redirected
            and isinstance(rule, ParsedRule)
            and (not isinstance(redirected, ParsedRule) or redirected.text == rule.text)
        )
        if kind not in ("A", "AAAA") or target.strip() not in SINKS:
            if of_zone:
                self._redirected = None
            yield self.refuse(number, raw, target.strip() or name, Problem.NOT_FOR_US)
        elif of_zone:
            yield from self.end()
        else:
            yield rule


class Rpz(Reader):
    """Reads a response policy zone (draft-vixie-dnsop-dns-rpz). "*.name" is taken to cover the name too."""

    _record = re.compile(
        r"(?P<owner>\S+)?\s+(?:(?:[0-9]+[smhdw]?|IN)\s+){0,2}(?P<kind>[A-Z]+[0-9]*)\s+(?P<data>.+)", re.IGNORECASE
    )
    _triggers = re.compile(r"(?:\A|\.)rpz-(?:client-ip|ip|nsip|nsdname)\Z", re.IGNORECASE)
    _block = frozenset({".", "*.", "*", "rpz-drop."})

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._owner = ""
        self._origins: list[str] = []
        """names of the zone itself, with a dot before: owners may be written with or without them"""
        self._open = 0
        """brackets not yet closed: such records go over several lines"""

    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """The rule of one record; nothing for comments, directives and the zone's own records."""
        bare = raw.partition(";")[0].rstrip()
        within, self._open = self._open, max(0, self._open + bare.count("(") - bare.count(")"))
        if within or not bare.strip():
            return
        if bare.startswith("$"):
            words = bare.split()
            if words[0].upper() == "$ORIGIN" and len(words) > 1:
                self._origins.append("." + words[1].lower())
            return
        record = self._record.fullmatch(bare)
        if not record:
            yield self.refuse(number, raw, bare.strip(), Problem.NOT_THE_FORMAT)
            return
        self._owner = record["owner"] or self._owner
        yield from self._rule(number, raw, record["kind"].upper(), record["data"].strip())

    def _rule(self, number: int, raw: str, kind: str, data: str) -> Iterable[Parsed]:
        owner, target = self._owner, data.lower()
        if kind in ("SOA", "NS", "TXT"):
            if kind == "SOA" and owner.endswith("."):
                self._origins.append("." + owner.lower())
            return
        name = self._relative(owner)
        if self._triggers.search(name):
            yield self.refuse(number, raw, owner, Problem.NOT_FOR_US)
            return
        allow = kind == "CNAME" and target == "rpz-passthru."
        nowhere = target in self._block if kind == "CNAME" else kind in ("A", "AAAA") and target in SINKS
        if not allow and not nowhere:
            yield self.refuse(number, raw, data, Problem.NOT_FOR_US)
        else:
            yield self.name(number, raw, name, allow, Shape.NAME if name.startswith("*.") else Shape.EXACT)

    def _relative(self, owner: str) -> str:
        """The owner without the name of the zone."""
        if not owner.endswith("."):
            return owner
        for origin in self._origins:
            if owner.lower().endswith(origin):
                return owner[: -len(origin)]
        return owner[:-1]
