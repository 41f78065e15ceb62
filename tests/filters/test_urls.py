"""Paths in one form: what is the same place has the same key, and a rule covers what lies below it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.urls import canonical, key, keys


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("", ""),
        ("/", ""),
        ("/a/b", "a/b"),
        ("a/b/", "a/b"),
        ("//a///b", "a/b"),
        ("/A/B", "a/b"),
        ("/a/./b", "a/b"),
        ("/a/../b", "b"),
        ("/../../b", "b"),
        ("/a/b/..", "a"),
        ("/%61/%7Eb", "a/~b"),
        ("/%2e%2e/b", "b"),
        ("/a/%2E%2e/b", "b"),
        ("/a%2Fb", "a%2fb"),  # an escaped slash is not a slash (RFC 3986 section 2.2)
        ("/a%20b", "a%20b"),
        ("/a%zz", "a%zz"),
        ("/a#part", "a"),
        ("/a?x=/../b", "a?x=/../b"),
        ("/a/?x", "a?x"),
        ("/?x", "?x"),
        ("/a?", "a?"),
        ("/a?x#part", "a?x"),
        ("/ä", "ä"),
        ("/Ä", "ä"),
    ],
)
def test_canonical(path: str, form: str) -> None:
    assert canonical(path) == form


def test_key() -> None:
    assert key("example.org", "/A//b") == "example.org/a/b"
    assert key("example.org", "/") == "example.org/"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", ()),
        ("/a", ("h/a",)),
        ("/a/b/c", ("h/a/b/c", "h/a/b", "h/a")),
        ("/a/b?x=1", ("h/a/b?x=1", "h/a/b", "h/a")),
        ("/?x=1", ("h/?x=1",)),
    ],
)
def test_keys_are_told_most_specific_first(path: str, expected: tuple[str, ...]) -> None:
    assert keys("h", path) == expected


def test_no_path_makes_more_keys_than_a_rule_can_have() -> None:
    found = keys("h", "/x" * 10_000)
    assert len(found) == 16
    assert found[-1] == "h/x"


simple = st.lists(st.text("abc.~-_", min_size=1, max_size=4).filter(lambda s: s not in (".", "..")), max_size=8)


@given(simple)
def test_a_canonical_path_stays_as_it_is(segments: list[str]) -> None:
    path = "/".join(segments)
    assert canonical(path) == path
    assert canonical(f"/{path}/") == path


@given(simple, simple)
def test_a_rule_covers_what_lies_below_it(ruled: list[str], below: list[str]) -> None:
    rule, path = "/" + "/".join(ruled), "/" + "/".join([*ruled, *below])
    assert (key("h", rule) in keys("h", path)) == bool(ruled)


@given(simple, st.data())
def test_escaping_what_needs_no_escape_changes_nothing(segments: list[str], data: st.DataObject) -> None:
    path = "/".join(segments)
    escaped = "".join(
        f"%{ord(char):02{data.draw(st.sampled_from('xX'))}}" if char != "/" and data.draw(st.booleans()) else char
        for char in path
    )
    assert canonical(escaped) == path


@given(st.text(max_size=60))
def test_any_text_has_keys_and_never_climbs_out(text: str) -> None:
    for one in keys("host", text):
        assert one.startswith("host/")
    assert ".." not in canonical(text).partition("?")[0].split("/")
