"""Recent: this device's refusals only, the newest first, bounded in number and in time, and nowhere but in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.web.recent import Recent, canonical
from appliance.web.views import Block
from filters.model import Reason


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def block(host: str) -> Block:
    from datetime import UTC, datetime

    return Block(datetime(2026, 11, 23, tzinfo=UTC), host, "adult", Reason.BLOCKED_BY_CATEGORY)


def hosts(recent: Recent, address: str) -> list[str]:
    return [kept.host for kept in recent.for_client(address)]


def test_each_device_sees_its_own_newest_first() -> None:
    recent = Recent()
    for address, host in [("10.0.0.9", "a"), ("10.0.0.8", "b"), ("10.0.0.9", "c")]:
        recent.add(address, block(host))
    assert hosts(recent, "10.0.0.9") == ["c", "a"]
    assert hosts(recent, "10.0.0.8") == ["b"]
    assert hosts(recent, "10.0.0.7") == []


def test_the_same_refusal_again_is_one_line_and_newer() -> None:
    recent = Recent()
    for host in ("a", "b", "a", "a"):
        recent.add("10.0.0.9", block(host))
    assert hosts(recent, "10.0.0.9") == ["a", "b"]


def test_it_is_gone_after_an_hour() -> None:
    clock = Clock()
    recent = Recent(clock=clock)
    recent.add("10.0.0.9", block("a"))
    clock.now = 3599.9
    recent.add("10.0.0.9", block("b"))
    assert hosts(recent, "10.0.0.9") == ["b", "a"]
    clock.now = 3600.0
    assert hosts(recent, "10.0.0.9") == ["b"]
    clock.now = 7200.0
    assert hosts(recent, "10.0.0.9") == []


def test_the_device_seen_longest_ago_makes_room() -> None:
    recent = Recent(clients=2)
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3"):
        recent.add(address, block("a"))
    assert [len(hosts(recent, f"10.0.0.{last}")) for last in (1, 2, 3)] == [1, 0, 1]


def test_forget_forgets_one_device() -> None:
    recent = Recent()
    recent.add("10.0.0.9", block("a"))
    recent.add("10.0.0.8", block("b"))
    recent.forget("::ffff:10.0.0.9")
    recent.forget("10.9.9.9")
    recent.forget("nonsense")
    assert hosts(recent, "10.0.0.9") == []
    assert hosts(recent, "10.0.0.8") == ["b"]


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("10.0.0.9", "10.0.0.9"),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        ("FD00::0:1", "fd00::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("010.0.0.9", None),
        ("example.com", None),
        ("", None),
    ],
)
def test_canonical(given_: str, expected: str | None) -> None:
    assert canonical(given_) == expected


def test_an_address_that_is_none_has_no_list() -> None:
    recent = Recent()
    recent.add("nonsense", block("a"))
    assert hosts(recent, "nonsense") == [] == hosts(recent, "")


EVENTS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.floats(0, 400)), max_size=60)


@given(EVENTS)
def test_it_says_what_a_plain_list_would(events: list[tuple[int, int, float]]) -> None:
    """The oracle keeps everything and filters when asked."""
    clock = Clock()
    recent = Recent(per_client=3, clients=20, seconds=1000, clock=clock)
    everything: list[tuple[float, int, str]] = []
    for client, host, pause in events:
        clock.now += pause
        recent.add(f"10.0.0.{client}", block(str(host)))
        everything = [item for item in everything if item[1:] != (client, str(host))]
        everything.append((clock.now, client, str(host)))
    for client in range(1, 10):
        mine = [(at, host) for at, owner, host in everything if owner == client][-3:]
        expected = [host for at, host in reversed(mine) if clock.now - at < 1000]
        assert hosts(recent, f"10.0.0.{client}") == expected


@given(EVENTS)
def test_it_never_holds_more_than_it_may(events: list[tuple[int, int, float]]) -> None:
    recent = Recent(per_client=2, clients=3)
    for client, host, _ in events:
        recent.add(f"10.0.0.{client}", block(str(host)))
    kept = [len(hosts(recent, f"10.0.0.{client}")) for client in range(1, 10)]
    assert max(kept) <= 2 and sum(1 for count in kept if count) <= 3
