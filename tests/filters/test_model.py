"""The words that everything else prints: their texts are a contract, and values cannot be changed."""

from dataclasses import FrozenInstanceError

import pytest

from filters.engine import FILTERS
from filters.model import Action, ClientGroup, Hello, Reason, Request, Rule, Verdict, Via
from tests.laws.support import NOON


def test_the_words_are_those_of_the_command_line() -> None:
    assert [action.value for action in Action] == ["allow", "block", "rewrite", "inspect"]
    assert [via.value for via in Via] == ["dns", "tls", "http"]
    assert [hello.value for hello in Hello] == ["named", "no_name", "encrypted"]
    assert [group.value for group in ClientGroup] == [
        "early-primary",
        "primary",
        "lower-secondary",
        "upper-secondary",
        "staff",
        "guest",
    ]


def test_each_filter_has_its_reason() -> None:
    """The engine's failure is no filter: the gate answers with it."""
    names = {consider.__name__ for consider in FILTERS}
    assert {reason.value for reason in Reason} == names | {"engine_error"}


def test_reasons_stand_in_the_order_of_the_filters() -> None:
    """A person who reads the list of reasons reads the precedence."""
    order = [reason.value for reason in Reason if reason is not Reason.ENGINE_ERROR]
    assert order == [consider.__name__ for consider in FILTERS]


@pytest.mark.parametrize(
    "value",
    [
        Request("example.org", ClientGroup.PRIMARY, Via.TLS, NOON),
        Verdict(Action.ALLOW, Reason.NOT_LISTED, "primary"),
        Rule("games", 7, "example.org", "2026-11-23"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_frozen_and_hold_nothing_else(value: object) -> None:
    for name in (*type(value).__slots__, "more"):
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            setattr(value, name, "changed")
    assert not hasattr(value, "__dict__")


def test_a_verdict_says_by_itself_that_nothing_is_kept() -> None:
    assert not Verdict(Action.BLOCK, Reason.PAUSED, "primary").record
