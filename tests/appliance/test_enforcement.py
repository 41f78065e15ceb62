"""What a verdict means on each wire: the whole table, row by row."""

from itertools import product

import pytest

from appliance.enforcement import ENFORCE, Step, step
from filters.model import Action, Via

# (via, action): (any device, a device that trusts the box)
EXPECTED = {
    ("dns", "allow"): ("forward", "forward"),
    ("dns", "inspect"): ("forward", "forward"),
    ("dns", "rewrite"): ("alias", "alias"),
    ("dns", "block"): ("sinkhole", "sinkhole"),
    ("tls", "allow"): ("splice", "splice"),
    ("tls", "inspect"): ("splice", "inspect"),
    ("tls", "rewrite"): ("splice to target", "splice to target"),
    ("tls", "block"): ("terminate", "inspect"),
    ("http", "allow"): ("relay", "relay"),
    ("http", "inspect"): ("relay", "relay"),
    ("http", "rewrite"): ("relay to target", "relay to target"),
    ("http", "block"): ("block page", "block page"),
}
PASSING = {Step.FORWARD, Step.SPLICE, Step.SPLICE_TO_TARGET, Step.RELAY, Step.RELAY_TO_TARGET, Step.ALIAS}
OF = {
    Via.DNS: {Step.FORWARD, Step.SINKHOLE, Step.ALIAS},
    Via.TLS: {Step.SPLICE, Step.SPLICE_TO_TARGET, Step.TERMINATE, Step.INSPECT},
    Via.HTTP: {Step.RELAY, Step.RELAY_TO_TARGET, Step.BLOCK_PAGE},
}


@pytest.mark.parametrize(("via", "action"), list(product(Via, Action)))
@pytest.mark.parametrize("trusted", [False, True])
def test_every_verdict_has_one_step_on_every_wire(via: Via, action: Action, trusted: bool) -> None:
    assert step(via, action, trusted).value == EXPECTED[via.value, action.value][trusted]


def test_the_table_has_no_other_row() -> None:
    assert set(ENFORCE) == set(product(Via, Action))


@pytest.mark.parametrize("via", Via)
def test_a_block_never_passes(via: Via) -> None:
    assert not set(ENFORCE[via, Action.BLOCK]) & PASSING


@pytest.mark.parametrize("via", Via)
def test_a_wire_does_only_what_it_can(via: Via) -> None:
    assert {step for action in Action for step in ENFORCE[via, action]} <= OF[via]


def test_nothing_is_forged_for_a_device_that_does_not_trust_the_box() -> None:
    assert all(ENFORCE[via, action][0] is not Step.INSPECT for via, action in product(Via, Action))


def test_every_step_is_used() -> None:
    assert {step for row in ENFORCE.values() for step in row} == set(Step)
