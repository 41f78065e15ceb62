"""Which addresses may be reached, and reaching them: real sockets on loopback, names from the resolver's cache."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import pytest

from appliance.config import Config, Network
from appliance.errors import UpstreamError
from appliance.listeners.dial import KEPT_FAILED, Dialer, Forbidden, NameNotFound, is_own, may_be_reached

LOOPBACK = (ip_network("127.0.0.0/8"),)
NONE: tuple[Network, ...] = ()

PUBLIC = [
    "93.184.215.14",
    "8.8.8.8",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "::ffff:93.184.215.14",
    "64:ff9b::5db8:d70e",  # NAT64 of a public address (RFC 6052)
]
NOT_PUBLIC = {
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "link-local": ["169.254.169.254", "fe80::1"],
    "site-local, once": ["fec0::1"],
    "shared by providers": ["100.64.0.1", "100.127.255.255"],
    "this network": ["0.0.0.0", "0.1.2.3", "::"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "measurements": ["198.18.0.1", "198.19.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255"],
    "mapped": ["::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"],
    "compatible, once": ["::127.0.0.1", "::10.0.0.1"],
    "6to4": ["2002:7f00:1::1", "2002:a00:1::", "2002:c0a8:101::1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1"],
    "nothing": ["", "example.org", "10.0.0.1.", "10.0.0.1/8", "fe80::1%eth0", "1"],
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_reached(address: str) -> None:
    assert may_be_reached(address, NONE)


@pytest.mark.parametrize(("kind", "address"), [(kind, one) for kind, rows in NOT_PUBLIC.items() for one in rows])
def test_others_may_not(kind: str, address: str) -> None:
    assert not may_be_reached(address, NONE), kind


@pytest.mark.parametrize(
    ("address", "network", "reached"),
    [
        ("10.0.5.7", "10.0.5.0/24", True),
        ("10.0.6.7", "10.0.5.0/24", False),
        ("::ffff:10.0.5.7", "10.0.5.0/24", True),
        ("64:ff9b::a00:507", "10.0.5.0/24", True),
        ("fd00::7", "fd00::/64", True),
        ("fd00::7", "10.0.5.0/24", False),
        ("2002:a00:507::1", "2002::/16", False),  # the address inside is private all the same
        ("169.254.169.254", "10.0.0.0/8", False),
    ],
)
def test_the_configuration_may_name_networks(address: str, network: str, reached: bool) -> None:
    assert may_be_reached(address, (ip_network(network),)) is reached


@pytest.mark.parametrize(
    ("address", "own"), [("127.0.0.1", True), ("127.1.2.3", True), ("::ffff:127.0.0.1", True), ("93.184.215.14", False)]
)
def test_only_own_addresses_can_be_bound(address: str, own: bool) -> None:
    assert is_own(address) is own


@contextmanager
def server(address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A listening socket on loopback, by its port."""
    with socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET) as one:
        yield one.getsockname()[1]


@contextmanager
def deaf(address: str, port: int) -> Iterator[None]:
    """A port that neither accepts nor refuses: its queue is full."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((address, port))
        one.listen(0)
        waiting = []
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex((address, port))
            waiting.append(client)
        try:
            yield
        finally:
            for client in waiting:
                client.close()


class Names(Dialer):
    """A dialer whose resolver is a table: the machine's own knows no names on a box without a link."""

    table: dict[str, tuple[str, ...]]

    async def _resolve(self, host: str) -> tuple[str, ...]:
        return self.table.get(host, ())


@contextmanager
def dialer(config: Config, **table: tuple[str, ...]) -> Iterator[Dialer]:
    one = Names(lambda: config) if table else Dialer(lambda: config)
    if isinstance(one, Names):
        one.table = {name.replace("_", "."): rows for name, rows in table.items()}
    try:
        yield one
    finally:
        one.close()


BOTH = ("127.0.0.1", "127.0.0.2")
LOCAL = Config(reachable=LOOPBACK, connect_seconds=3)


def test_a_connection_is_made_and_carries_bytes() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening, dialer(LOCAL) as one:
            connection = await one.connect("127.0.0.1", listening.getsockname()[1])
            accepted, _ = listening.accept()
            with connection, accepted:
                assert not connection.getblocking()
                connection.send(b"x")
                assert accepted.recv(1) == b"x"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("host", "error"),
    [("127.0.0.1", Forbidden), ("10.1.2.3", Forbidden), ("::1", Forbidden), ("0.0.0.0", Forbidden)],
)
def test_no_way_into_the_network(host: str, error: type[UpstreamError]) -> None:
    async def main() -> None:
        with dialer(Config()) as one, pytest.raises(error):
            await one.connect(host, 80)

    asyncio.run(main())


def test_a_name_that_leads_inside_is_refused_and_one_that_leads_outside_too_keeps_that() -> None:
    async def main() -> None:
        with dialer(Config(), bad_example=("127.0.0.1", "10.0.0.1"), both_example=("10.0.0.1", "8.8.8.8")) as one:
            with pytest.raises(Forbidden):
                await one.addresses("bad.example", 80)
            assert await one.addresses("both.example", 80) == ("8.8.8.8",)
            with pytest.raises(NameNotFound):
                await one.addresses("none.example", 80)

    asyncio.run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::ffff:127.0.0.1"])
def test_the_boxs_own_ports_cannot_be_reached_even_where_the_network_can(host: str) -> None:
    async def main() -> None:
        config = Config(proxy=(("0.0.0.0", 18080),), web=("127.0.0.1", 18081), reachable=LOOPBACK)
        with dialer(config) as one:
            for port in (18080, 18081):
                with pytest.raises(Forbidden):
                    await one.addresses(host, port)
            assert await one.addresses(host, 18082)

    asyncio.run(main())


def test_localhost_is_resolved_and_kept() -> None:
    async def main() -> None:
        with dialer(LOCAL) as one:
            first = await one.addresses("localhost", 80)
            assert "127.0.0.1" in first
            assert await one.addresses("localhost", 80) == first

    asyncio.run(main())


def test_a_name_that_is_not_found_is_said_so_again_and_asked_again_later() -> None:
    async def main() -> None:
        with dialer(LOCAL) as one:
            for _ in range(2):
                with pytest.raises(NameNotFound):
                    await one.addresses("no-such-name.invalid", 80)
            until, found = one._kept["no-such-name.invalid"]
            assert found == () and until <= asyncio.get_running_loop().time() + KEPT_FAILED

    asyncio.run(main())


def test_a_name_with_an_impossible_label_is_not_found() -> None:
    """What the resolver cannot even encode must not end a listener."""

    async def main() -> None:
        with dialer(LOCAL) as one, pytest.raises(NameNotFound):
            await one.addresses("a" * 64 + ".example", 80)

    asyncio.run(main())


def test_a_port_that_refuses_is_told_in_one_sentence() -> None:
    async def main() -> None:
        with server() as port:
            pass
        with dialer(LOCAL) as one, pytest.raises(UpstreamError, match="cannot be reached"):
            await one.connect("127.0.0.1", port)

    asyncio.run(main())


def test_the_next_address_is_tried_when_the_first_refuses() -> None:
    async def main() -> None:
        with server("127.0.0.2") as port, dialer(LOCAL, two_example=BOTH) as one:
            connection = await one.connect("two.example", port)
            with connection:
                assert connection.getpeername()[0] == "127.0.0.2"

    asyncio.run(main())


def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    async def main() -> None:
        with server("127.0.0.2") as port, deaf("127.0.0.1", port), dialer(LOCAL, two_example=BOTH) as one:
            connection = await one.connect("two.example", port)
            with connection:
                assert connection.getpeername()[0] == "127.0.0.2"

    asyncio.run(main())


def test_all_addresses_refuse() -> None:
    async def main() -> None:
        with server("127.0.0.2") as port:
            pass
        with dialer(LOCAL, two_example=BOTH) as one, pytest.raises(UpstreamError):
            await one.connect("two.example", port)

    asyncio.run(main())


def test_nobody_answers_in_time() -> None:
    async def main() -> None:
        config = Config(reachable=LOOPBACK, connect_seconds=1)
        with server("127.0.0.3") as port:
            pass
        with deaf("127.0.0.1", port), dialer(config) as one, pytest.raises(UpstreamError, match="in time"):
            await one.connect("127.0.0.1", port)

    asyncio.run(main())


def test_losers_of_the_race_are_closed() -> None:
    """A connection that nobody uses would be left to the collector, which warns; warnings are errors here."""

    async def main() -> None:
        with server("127.0.0.1") as port, server("127.0.0.2", port), dialer(LOCAL, two_example=BOTH) as one:
            for _ in range(20):
                (await one.connect("two.example", port)).close()

    asyncio.run(main())
