"""The lists that come with Schoolgate."""

from appliance.lists.builtin import ORIGIN, SPECIAL, built_in, built_in_names, built_in_paths, in_memory
from appliance.tables import read_categories, rules_folder
from filters.policy import Kind

CATEGORIES = read_categories(rules_folder() / "categories.toml")


def test_every_file_is_one_list_for_a_category_that_exists() -> None:
    parts = list(built_in(bytes(16)))
    infos = [info for part in parts for info in part.lists]
    assert [info.name for info in infos] == [path.stem for path in built_in_paths()]
    for info in infos:
        assert info.category in CATEGORIES and info.entries and info.date and info.source == ORIGIN, info


def test_what_opens_comes_first() -> None:
    kinds = [CATEGORIES[next(iter(part.lists)).category].kind for part in built_in(bytes(16))]
    assert kinds[: len(SPECIAL)] == [Kind.PROTECTED, Kind.ESSENTIAL, Kind.CONFIDENTIAL]
    assert all(kind in (Kind.CONTENT, Kind.SEALED) for kind in kinds[len(SPECIAL) :])


def test_in_memory_it_is_the_same_rule_set() -> None:
    rules = in_memory()
    assert {info.name for info in rules.lists} == built_in_names()
    assert rules.find("www.adult.schoolgate.test")[0][0].category == "adult"
