import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.wire.event import LATEST, LIMITS, LONGEST, MOST_LINES, Event, decode, encode

PLAIN = Event(
    at=1_795_000_000,
    group="lower-secondary",
    category="gambling",
    action="block",
    reason="blocked_by_category",
    via="tls",
    host="www.casino.example",
    rule_list="ut1-gambling",
    rule_line=4711,
    client="10.20.3.4",
)


def printable(limit: int) -> st.SearchStrategy[str]:
    characters = st.characters(exclude_categories=["C", "Z"])
    return st.text(characters, max_size=limit).map(lambda text: text.encode()[:limit].decode(errors="ignore"))


numbers = {"at": st.integers(0, LATEST - 1), "rule_line": st.integers(0, MOST_LINES - 1)}
events = st.builds(Event, **numbers, **{name: printable(limit) for name, limit in LIMITS.items()})
anything = st.builds(Event, at=st.integers(), rule_line=st.integers(), **{name: st.text() for name in LIMITS})


@given(events)
def test_an_event_survives_the_wire(event: Event) -> None:
    assert decode(encode(event)) == event


@given(anything)
def test_any_event_can_be_sent_and_sending_it_again_changes_nothing(event: Event) -> None:
    sent = encode(event)
    received = decode(sent)
    assert received is not None
    assert encode(received) == sent


@pytest.mark.parametrize("fill", ["a", '"', "\\", "\x00", "é", "網", "\U0001f3eb", "\ud800"])
def test_the_longest_event_fits_a_datagram(fill: str) -> None:
    texts = dict.fromkeys(LIMITS, fill * 5_000)
    sent = encode(replace(PLAIN, at=2**70, rule_line=2**70, **texts))
    assert len(sent) <= LONGEST
    assert decode(sent) is not None


def test_the_longest_host_name_is_not_cut() -> None:
    host = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    received = decode(encode(replace(PLAIN, host=host)))
    assert received is not None
    assert received.host == host


@given(st.binary(max_size=2_000))
def test_any_bytes_are_an_event_or_none(datagram: bytes) -> None:
    assert decode(datagram) is None or isinstance(decode(datagram), Event)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(asdict(PLAIN))), json_values)
def test_a_field_of_any_value_is_taken_only_where_it_fits(name: str, value: object) -> None:
    received = decode(json.dumps(asdict(PLAIN) | {name: value}).encode())
    if received is not None:
        assert asdict(received) == asdict(PLAIN) | {name: value}
        assert type(getattr(received, name)) is type(value)


@given(st.integers(0, len(encode(PLAIN)) - 1))
def test_a_datagram_cut_short_is_none(length: int) -> None:
    assert decode(encode(PLAIN)[:length]) is None


@pytest.mark.parametrize(
    "datagram",
    [
        b"[" * LONGEST,
        b'{"a":' * 280,
        b"9" * LONGEST,
        b"NaN",
        b'{"ask":"status"}',
        json.dumps(asdict(PLAIN)).encode("utf-16"),
        json.dumps(asdict(PLAIN) | {"path": "/secret"}).encode(),
        json.dumps(asdict(PLAIN) | {"at": True}).encode(),
        json.dumps(asdict(PLAIN) | {"at": 1.0}).encode(),
        json.dumps(asdict(PLAIN) | {"at": -1}).encode(),
        json.dumps(asdict(PLAIN) | {"host": "x" * 254}).encode(),
        json.dumps(asdict(PLAIN) | {"host": "a\nb"}).encode(),
        json.dumps(asdict(PLAIN) | {"host": "\ud800"}).encode(),
        encode(PLAIN) + b" " * LONGEST,
    ],
    ids=lambda datagram: repr(datagram[:24]),
)
def test_what_is_no_event_is_none(datagram: bytes) -> None:
    assert decode(datagram) is None
