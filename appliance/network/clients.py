"""Who is asking: the group of a client's address. Networks are the configuration's; the most specific one decides."""

from functools import lru_cache
from ipaddress import ip_address

from appliance.config import Config
from filters.model import ClientGroup

TRY_NETWORK = "127.77.0."
"""source addresses with which `schoolgate try` asks as a group, on the box itself: one for each group, from .1 on"""


def try_address(group: ClientGroup) -> str:
    """The loopback address that stands for the group."""
    return f"{TRY_NETWORK}{list(ClientGroup).index(group) + 1}"


_TRY_GROUPS = {try_address(group): group for group in ClientGroup}


class Clients:
    """Address to group. One for each configuration; addresses come as the kernel prints them."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.group = lru_cache(maxsize=4096)(self._group)

    def _group(self, address: str) -> ClientGroup:
        """The group of a client's address; the default group for anything that is no address."""
        if address in _TRY_GROUPS:
            return _TRY_GROUPS[address]
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return self._config.default_group
        mapped = getattr(found, "ipv4_mapped", None)
        for network, group in self._config.groups:
            if (mapped or found) in network:
                return group
        return self._config.default_group
