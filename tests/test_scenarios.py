"""Every scenario, one test each, against the lists and policies that come with Schoolgate.

tests/scenarios/*.txt hold what this version must do; rules/scenarios.txt holds what every rule set of every school must
do. A failure names file and line.
"""

from functools import cache
from pathlib import Path

import pytest

from appliance.lists.builtin import in_memory
from appliance.scenarios import Scenario, read, run
from appliance.tables import Tables, read_tables, rules_folder
from filters.engine import Rulebook
from filters.index import RuleSet
from filters.model import ClientGroup
from filters.policy import Kind

OWN = Path(__file__).parent / "scenarios"
EVERYWHERE = rules_folder() / "scenarios.txt"
FILES = [*sorted(OWN.glob("*.txt")), EVERYWHERE]
SCENARIOS = [scenario for path in FILES for scenario in read(path)]
BLOCKED_NAMES = 1_000
"""a rough floor: the seeds are worth something by themselves"""


def name_of(scenario: Scenario) -> str:
    return f"{scenario.path.name}:{scenario.line}"


@cache
def tables() -> Tables:
    return read_tables(None)


@cache
def book() -> Rulebook:
    """What a box begins with: the lists in rules/, compiled and merged."""
    return Rulebook(in_memory(), tables().categories, tables().safe_search)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=name_of)
def test_scenario(scenario: Scenario) -> None:
    wrong = run([scenario], tables().policies, book())
    assert not wrong, str(wrong[0])


def test_there_are_enough_and_each_file_has_some() -> None:
    told = {path: sum(scenario.path == path for scenario in SCENARIOS) for path in FILES}
    assert all(told.values()), told
    assert sum(count for path, count in told.items() if path != EVERYWHERE) >= 220
    assert told[EVERYWHERE] >= 40


def test_every_category_of_content_has_a_canary_that_some_group_is_refused() -> None:
    """A canary that is in no list, or a category that no policy blocks, would go unnoticed for years."""
    canaries = {f"{name}.schoolgate.test": kind.kind for name, kind in tables().categories.items()}
    for canary, kind in canaries.items():
        if kind is Kind.CONTENT:
            asked = [scenario for scenario in SCENARIOS if scenario.request.host == canary]
            assert any(scenario.expected[0] == "block" for scenario in asked), canary


def test_the_built_in_lists_are_of_a_useful_size() -> None:
    rules = book().rules
    assert isinstance(rules, RuleSet)
    content = [info for info in rules.lists if tables().categories[info.category].kind is Kind.CONTENT]
    assert sum(info.entries for info in content) > BLOCKED_NAMES


def test_scenarios_speak_of_every_group() -> None:
    assert {scenario.request.group for scenario in SCENARIOS} == set(ClientGroup)
