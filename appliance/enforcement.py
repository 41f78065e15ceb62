"""What a verdict means on each wire: one total table, and nothing else decides it."""

from collections.abc import Mapping
from enum import Enum

from filters.model import Action, Via


class Step(Enum):
    """What a listener does."""

    FORWARD = "forward"
    """DNS: ask the upstream"""
    SINKHOLE = "sinkhole"
    """DNS: answer with the box's own address, or that there is no such name"""
    ALIAS = "alias"
    """DNS: answer with the target's addresses"""
    SPLICE = "splice"
    """TLS: move ciphertext between the two, unread"""
    SPLICE_TO_TARGET = "splice to target"
    """TLS: the same, to the verdict's target"""
    TERMINATE = "terminate"
    """TLS: an alert, at once; nothing is forged"""
    INSPECT = "inspect"
    """TLS: hand the connection to an inspect worker"""
    RELAY = "relay"
    """HTTP: pass the request on"""
    RELAY_TO_TARGET = "relay to target"
    """HTTP: pass the request on to the verdict's target"""
    BLOCK_PAGE = "block page"
    """HTTP: say why, and where help is"""


ENFORCE: Mapping[tuple[Via, Action], tuple[Step, Step]] = {
    # (via, action):           (any device,            a device that trusts the box)
    (Via.DNS, Action.ALLOW): (Step.FORWARD, Step.FORWARD),
    (Via.DNS, Action.INSPECT): (Step.FORWARD, Step.FORWARD),
    (Via.DNS, Action.REWRITE): (Step.ALIAS, Step.ALIAS),
    (Via.DNS, Action.BLOCK): (Step.SINKHOLE, Step.SINKHOLE),
    (Via.TLS, Action.ALLOW): (Step.SPLICE, Step.SPLICE),
    (Via.TLS, Action.INSPECT): (Step.SPLICE, Step.INSPECT),
    (Via.TLS, Action.REWRITE): (Step.SPLICE_TO_TARGET, Step.SPLICE_TO_TARGET),
    (Via.TLS, Action.BLOCK): (Step.TERMINATE, Step.INSPECT),  # the worker shows the block page
    (Via.HTTP, Action.ALLOW): (Step.RELAY, Step.RELAY),
    (Via.HTTP, Action.INSPECT): (Step.RELAY, Step.RELAY),
    (Via.HTTP, Action.REWRITE): (Step.RELAY_TO_TARGET, Step.RELAY_TO_TARGET),
    (Via.HTTP, Action.BLOCK): (Step.BLOCK_PAGE, Step.BLOCK_PAGE),
}


def step(via: Via, action: Action, trusted: bool) -> Step:
    """What to do; `trusted` tells whether the device is known to trust the box's certificate."""
    return ENFORCE[via, action][trusted]
