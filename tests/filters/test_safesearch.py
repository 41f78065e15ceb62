"""Which name is reached instead, by a small table and by the one that comes with Schoolgate."""

import pytest

from appliance.tables import read_safe_search, rules_folder
from filters.names import normalise
from filters.safesearch import SafeSearch

SMALL = SafeSearch(
    targets={"www.search.example": "safe.search.example"},
    youtube=frozenset({"www.youtube.com"}),
    youtube_targets={"strict": "restrict.youtube.com", "moderate": "restrictmoderate.youtube.com"},
    not_lockable=(".wild.example",),
)


@pytest.mark.parametrize(
    ("host", "search", "youtube", "target"),
    [
        ("www.search.example", True, None, "safe.search.example"),
        ("www.search.example", False, "strict", None),
        ("search.example", True, "strict", None),  # exact
        ("a.www.search.example", True, "strict", None),
        ("www.youtube.com", True, "strict", "restrict.youtube.com"),
        ("www.youtube.com", False, "moderate", "restrictmoderate.youtube.com"),
        ("www.youtube.com", True, None, None),
        ("www.youtube.com", True, "unheard-of", None),
    ],
)
def test_target(host: str, search: bool, youtube: str | None, target: str | None) -> None:
    assert SMALL.target(host, search, youtube) == target


@pytest.mark.parametrize(
    ("host", "lockable"),
    [("wild.example", False), ("www.wild.example", False), ("notwild.example", True), ("example", True)],
)
def test_an_engine_that_cannot_be_locked(host: str, lockable: bool) -> None:
    assert SMALL.is_lockable(host) is lockable


def test_without_a_table_every_engine_is_left_alone() -> None:
    assert SafeSearch().target("www.google.com", True, "strict") is None
    assert SafeSearch().is_lockable("www.baidu.com")


def test_the_built_in_table_is_canonical_and_leads_nowhere_twice() -> None:
    table = read_safe_search(rules_folder() / "safesearch.toml")
    targets = {*table.targets.values(), *table.youtube_targets.values()}
    for name in {*table.targets, *targets, *table.youtube, *(name[1:] for name in table.not_lockable)}:
        assert normalise(name) == name
    for target in targets:
        assert table.target(target, True, "strict") is None, f"{target} would be led away again"
        assert table.is_lockable(target)
    for host in table.targets:
        assert table.is_lockable(host), f"{host} is both led to a safe address and called unlockable"


def test_the_built_in_table_knows_googles_names_everywhere() -> None:
    table = read_safe_search(rules_folder() / "safesearch.toml")
    for host in ("www.google.com", "www.google.fr", "www.google.com.br", "www.google.co.ug", "www.google.ru"):
        assert table.target(host, True, None) == "forcesafesearch.google.com"
    assert len([host for host in table.targets if host.startswith("www.google.")]) == 194
