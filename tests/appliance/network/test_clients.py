"""Who is asking: the most specific network decides, and whoever is not known is a guest."""

from ipaddress import ip_network

import pytest

from appliance.config import Config
from appliance.network.clients import Clients, try_address
from filters.model import ClientGroup

CONFIG = Config(
    groups=(
        (ip_network("2001:db8:1::/64"), ClientGroup.UPPER_SECONDARY),
        (ip_network("10.20.5.0/24"), ClientGroup.STAFF),
        (ip_network("10.20.0.0/16"), ClientGroup.PRIMARY),
    )
)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("10.20.1.1", ClientGroup.PRIMARY),
        ("10.20.5.1", ClientGroup.STAFF),
        ("10.21.0.1", ClientGroup.GUEST),
        ("::ffff:10.20.5.1", ClientGroup.STAFF),
        ("2001:db8:1::7", ClientGroup.UPPER_SECONDARY),
        ("2001:db8:1::7%eth0", ClientGroup.UPPER_SECONDARY),
        ("2001:db8:2::7", ClientGroup.GUEST),
        ("fe80::1%wlan0", ClientGroup.GUEST),
        ("127.0.0.1", ClientGroup.GUEST),
        ("", ClientGroup.GUEST),
        ("example.org", ClientGroup.GUEST),
        ("10.20.1", ClientGroup.GUEST),
        ("127.77.0.", ClientGroup.GUEST),
        ("127.77.0.x", ClientGroup.GUEST),
        ("127.77.0.0", ClientGroup.GUEST),
        ("127.77.0.200", ClientGroup.GUEST),
        ("127.77.0.1.2", ClientGroup.GUEST),
    ],
)
def test_group(address: str, group: ClientGroup) -> None:
    clients = Clients(CONFIG)
    assert clients.group(address) is group
    assert clients.group(address) is group, "and again, from memory"


@pytest.mark.parametrize("group", ClientGroup)
def test_the_box_itself_may_ask_as_any_group(group: ClientGroup) -> None:
    assert Clients(CONFIG).group(try_address(group)) is group


def test_the_address_for_asking_as_a_group_is_on_the_box_only() -> None:
    """127.0.0.0/8 is never routed, so no device can come from there."""
    assert all(ip_network(f"{try_address(group)}/32").is_loopback for group in ClientGroup)
    assert len({try_address(group) for group in ClientGroup}) == len(ClientGroup)


def test_who_is_not_known_is_what_the_school_says() -> None:
    assert Clients(Config(default_group=ClientGroup.STAFF)).group("10.0.0.1") is ClientGroup.STAFF
