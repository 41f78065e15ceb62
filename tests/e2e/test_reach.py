"""The box leads to no place inside the school: neither by name nor by address, in no lane, whoever asks."""

import pytest

from tests.e2e import raw
from tests.e2e.box import PRIMARY, STAFF, Box
from tests.e2e.client import Refused, fetch, fetch_secure, learn_trust, open_tunnel
from tests.e2e.origin import Origin

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-tunnel")]

INSIDE = {
    "private": "10.0.0.1",
    "private172": "172.16.0.1",
    "private192": "192.168.1.1",
    "link-local": "169.254.169.254",
    "shared": "100.64.0.1",
    "loopback": "127.200.0.1",
    "unspecified": "0.0.0.0",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "ula": "fd00::1",
    "link-local6": "fe80::1",
    "unspecified6": "::",
    "multicast6": "ff02::1",
    "mapped": "::ffff:10.0.0.1",
    "nat64": "64:ff9b::a00:1",
    "6to4": "2002:a00:1::1",
}
"""127.0.0.0/9 and ::1 are in `reachable`; nothing of this is"""
NAMES = {f"{name}.inside.example": [address] for name, address in INSIDE.items()} | {
    "mixed.inside.example": ["10.0.0.1", "169.254.1.1", "127.0.0.1"],
    "own.inside.example": ["127.0.0.1"],
    "own6.inside.example": ["::1"],
}


@pytest.fixture(scope="module")
def names() -> dict[str, list[str]]:
    return NAMES


@pytest.mark.parametrize("name", INSIDE)
def test_a_name_that_leads_inside(box: Box, name: str) -> None:
    host = f"{name}.inside.example"
    for device in (PRIMARY.format(1), STAFF.format(1)):
        answer = fetch(box, f"http://{host}/", device)
        assert (answer.status, answer.is_ours) == (403, True)
        with pytest.raises(Refused, match=r"HTTP/1\.1 403 "):
            open_tunnel(box, host, 443, device).close()


@pytest.mark.parametrize("address", INSIDE.values())
def test_an_address_inside(box: Box, address: str) -> None:
    """Staff may use bare addresses: it is the place that is closed."""
    bare = f"[{address}]" if ":" in address else address
    answer = fetch(box, f"http://{bare}/", STAFF.format(1))
    assert (answer.status, answer.is_ours) == (403, True)
    with pytest.raises(Refused, match=r"HTTP/1\.1 403 "):
        open_tunnel(box, address, 443, STAFF.format(1)).close()


@pytest.mark.parametrize("written", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "127.0.0.1."])
def test_an_address_in_another_notation_is_the_same_address(box: Box, origin: Origin, written: str) -> None:
    origin.forget()
    answer = fetch(box, f"http://{written}:{origin.http}/", PRIMARY.format(1))
    assert (answer.status, answer.is_ours) == (403, True), "children use no bare addresses"
    assert origin.seen == []
    assert fetch(box, f"http://{written}:{origin.http}/", STAFF.format(1)).body == b"hello from /"
    own = fetch(box, f"http://{written}:{box.web[1]}/", STAFF.format(1))
    assert (own.status, own.is_ours) == (403, True)


@pytest.mark.parametrize("host", ["own.inside.example", "own6.inside.example", "localhost"])
def test_the_boxs_own_ports(box: Box, host: str) -> None:
    for port in (box.proxy[1], box.web[1]):
        answer = fetch(box, f"http://{host}:{port}/", STAFF.format(1))
        assert (answer.status, answer.is_ours) == (403, True)
        with pytest.raises(Refused, match=r"HTTP/1\.1 403 "):
            open_tunnel(box, host, port, STAFF.format(1)).close()


def test_only_the_addresses_that_may_be_reached_are_tried(box: Box, origin: Origin) -> None:
    assert fetch(box, f"http://mixed.inside.example:{origin.http}/", STAFF.format(1)).body == b"hello from /"


def test_the_inspect_lane_leads_nowhere_else(box: Box, origin: Origin) -> None:
    device = PRIMARY.format(41)
    context = learn_trust(box, device)
    for host, port in (("private.inside.example", 443), ("own.inside.example", box.web[1])):
        answer = fetch_secure(box, host, port, context, device)
        assert (answer.status, answer.is_ours) == (403, True)


def test_no_address_in_the_hello_changes_where_the_connection_goes(box: Box) -> None:
    came = raw.Recorder(b"answer")
    with raw.server(came) as port, open_tunnel(box, "www.pages.example", port, STAFF.format(1)) as tunnel:
        tunnel.sendall(raw.client_hello("private.inside.example"))
        assert tunnel.recv(100) == b"answer"
