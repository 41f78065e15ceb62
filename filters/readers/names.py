"""Lists of names: one a line (plain, "*.wildcard", ".dotted", squidGuard's `domains`) and hosts files.

Both kinds cover every name below the one that is listed, as their subscribers expect. The two are read alike, because
real files mix them; filters.parse takes the plain lines of either in a faster loop.
"""

import re
from collections.abc import Iterable

from filters.names import address
from filters.readers.base import Reader
from filters.syntax import Parsed, Problem

SINKS = frozenset({"0.0.0.0", "127.0.0.1", "127.0.1.1", "255.255.255.255", "0", "::", "::0", "::1", "fe80::1%lo0"})
"""what a hosts file writes before a name that is to lead nowhere"""
OWN_NAMES = frozenset(
    {
        *("localhost", "localhost.localdomain", "localhost4", "localhost6", "local", "broadcasthost", "0.0.0.0"),
        *("localhost4.localdomain4", "localhost6.localdomain6", "localhost.local", "loopback"),
        *("ip6-localhost", "ip6-loopback", "ip6-localnet", "ip6-mcastprefix"),
        *("ip6-allnodes", "ip6-allrouters", "ip6-allhosts"),
    }
)
"""what every hosts file holds of the machine itself; no rules"""

_COMMENT = re.compile(r"#.*|(?:\A|\s)(?:[;!]|//).*", re.DOTALL)
_NETWORK = re.compile(r"[0-9a-fA-F.:]+/[0-9]{1,3}")


class Names(Reader):
    """Reads names, addresses, web addresses and lines of hosts files."""

    def line(self, number: int, raw: str) -> Iterable[Parsed]:
        """A line's rules; nothing for a comment."""
        words = _COMMENT.sub("", raw).split()
        if not words:
            return
        first, *others = words
        if not others:
            yield self._entry(number, raw, first)
        elif first.lower() in SINKS or (address(first) or "").startswith("127."):
            yield from (self.name(number, raw, other) for other in others if other.lower() not in OWN_NAMES)
        elif address(first):
            if not OWN_NAMES.issuperset(others):
                yield self.refuse(number, raw, first, Problem.NOT_FOR_US)  # it leads the name to another place
        else:
            yield self.refuse(number, raw, others[0], Problem.NOT_THE_FORMAT)

    def _entry(self, number: int, raw: str, text: str) -> Parsed:
        if "/" not in text:
            return self.name(number, raw, text)
        if _NETWORK.fullmatch(text):
            return self.refuse(number, raw, text, Problem.NOT_FOR_US)
        return self.site(number, raw, text)
