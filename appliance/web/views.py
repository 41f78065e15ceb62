"""What the pages show, as plain values: the daemon fills them, the pages never look behind them.

No view names a person or a device. Block is the one that holds a host name a child asked for; it lives in memory only
(appliance.web.recent) and is shown to the device it belongs to and to nobody else.
"""

import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol, Self

from appliance.notice.help import HelpLine
from appliance.notice.language import DEFAULT
from filters.model import Reason, Verdict


@dataclass(frozen=True, slots=True)
class Block:
    """One refusal, as the "Why?" page tells it to the device that met it."""

    at: datetime
    """aware, in the school's own time zone"""
    host: str
    category: str | None
    reason: Reason
    list: str = ""
    """the list the rule stands on, "" when no rule decided"""
    line: int = 0
    """counted from 1; 0 when no rule decided or a person made it by hand"""
    date: str = ""
    policy: str = ""

    @classmethod
    def of(cls, verdict: Verdict, host: str, at: datetime) -> Self:
        """The refusal that `verdict` was for `host` at the aware local time `at`."""
        rule = verdict.rule
        told = (rule.list, rule.line, rule.date) if rule else ("", 0, "")
        return cls(at, host, verdict.category, verdict.reason, *told, policy=verdict.policy)


class RecentBlocks(Protocol):
    """Who remembers the last refusals of each device; appliance.web.recent.Recent does."""

    def for_client(self, address: str) -> list[Block]:
        """The refusals of the device at IP address `address`, newest first."""

    def forget(self, address: str) -> None:
        """Drop what is remembered of the device at `address`."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The public part of the box's certificate authority. It cannot hold a key: only the certificate is read."""

    der: bytes

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """From a PEM text that holds exactly one certificate; ValueError for anything else, also with a key."""
        return cls(ssl.PEM_cert_to_DER_cert(text))

    @property
    def pem(self) -> str:
        """The certificate in PEM."""
        return ssl.DER_cert_to_PEM_cert(self.der)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate as systems print it: upper-case pairs with colons."""
        return hashlib.sha256(self.der).digest().hex(":").upper()


@dataclass(frozen=True, slots=True)
class BoxView:
    """What the children's pages say about this box. All of it must be true of the running configuration."""

    blocked: tuple[str, ...] = ()
    """categories closed for at least one group, in the order to be shown"""
    records: bool = True
    """whether any group's refusals are kept as events"""
    retention_days: int = 30
    inspects: bool = False
    """whether an inspect lane runs"""
    helpline: HelpLine | None = None
    """None unless checked at this school and not expired"""
    certificate: Certificate | None = None
    check_url: str = "https://schoolgate.internal/trusted"
    """opens without a warning only on a device that trusts the certificate"""
    leave_url: str = "https://www.wikipedia.org/"
    """where the quick exit of the help page goes: somewhere that tells nothing"""
    proxy_port: int = 8080
    language: str = DEFAULT
    """for browsers that ask for none that we have"""


class GroupState(Enum):
    """Whether a group's Internet is open at the moment."""

    OPEN = "open"
    PAUSED = "paused"
    OUTSIDE_HOURS = "outside_hours"


class ProcessState(Enum):
    """How a process of the box is."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group and the policy in force for it."""

    group: str
    policy: str
    state: GroupState = GroupState.OPEN


@dataclass(frozen=True, slots=True)
class LaneView:
    """How much goes through a lane."""

    lane: str
    in_use: int
    """connections open now"""
    total: int
    """connections since the start"""


@dataclass(frozen=True, slots=True)
class ProcessView:
    """One supervised process."""

    name: str
    state: ProcessState
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class ListView:
    """One list of the rule set in force."""

    name: str
    category: str
    entries: int
    date: str = ""
    """ISO 8601, "" when the list does not say"""


@dataclass(frozen=True, slots=True)
class WarningView:
    """Something a person should look at."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class StatusView:
    """The state of the box at one moment. Counts only: no host, no device, no child."""

    at: datetime
    since: datetime
    version: str
    groups: tuple[GroupView, ...] = ()
    lanes: tuple[LaneView, ...] = ()
    processes: tuple[ProcessView, ...] = ()
    blocks: Mapping[str, int] = field(default_factory=dict)
    """refusals since the start by category; refusals without a category under their reason's value"""
    lists: tuple[ListView, ...] = ()
    rules_built: str = ""
    """ISO 8601 date of the rule set in force"""
    warnings: tuple[WarningView, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether every process runs. An empty box is not healthy."""
        return bool(self.processes) and all(process.state is ProcessState.RUNNING for process in self.processes)

    @property
    def entries(self) -> int:
        """Entries of all lists together."""
        return sum(row.entries for row in self.lists)
