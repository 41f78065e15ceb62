"""The last refusals of each device, in memory and nowhere else: bounded, and gone after an hour.

Nothing here writes, logs or pickles. Memory is bounded whatever the devices do: at most `per_client` refusals of at
most `clients` devices. The clock is monotonic, so a box without a battery that finds the time keeps its promise.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from appliance.web.views import Block

_Kept = deque[tuple[float, Block]]


class Recent:
    """Implements views.RecentBlocks. For one thread: the web process's event loop."""

    def __init__(
        self,
        per_client: int = 20,
        clients: int = 500,
        seconds: float = 3600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_client = per_client
        self._clients = clients
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        """by address; the device that was refused last stands last"""

    def add(self, address: str, block: Block) -> None:
        """Remember a refusal of the device at `address`. The same refusal again only becomes newer."""
        client = canonical(address)
        if client is None:
            return
        now = self._clock()
        self._expire(now)
        kept = self._kept.pop(client, deque())
        told_before = [item for item in kept if _same(item[1], block)]
        for item in told_before:
            kept.remove(item)
        kept.append((now, block))
        while len(kept) > self._per_client:
            kept.popleft()
        self._kept[client] = kept
        while len(self._kept) > self._clients:
            self._kept.popitem(last=False)

    def for_client(self, address: str) -> list[Block]:
        """The refusals of the last hour, newest first. An address that is none has none."""
        now = self._clock()
        self._expire(now)
        kept = self._kept.get(canonical(address) or "", deque())
        return [block for at, block in reversed(kept) if now - at < self._seconds]

    def forget(self, address: str) -> None:
        """Drop what is remembered of the device at `address`."""
        self._kept.pop(canonical(address) or "", None)

    def _expire(self, now: float) -> None:
        """Drop what is too old, from the devices refused longest ago; stops at the first that has something left."""
        while self._kept:
            client, kept = next(iter(self._kept.items()))
            while kept and now - kept[0][0] >= self._seconds:
                kept.popleft()
            if kept:
                return
            del self._kept[client]


def canonical(address: str) -> str | None:
    """One spelling for each device: IPv4 through an IPv6 socket is the IPv4 address. None when it is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)


def _same(one: Block, other: Block) -> bool:
    return (one.host, one.category, one.reason) == (other.host, other.category, other.reason)
