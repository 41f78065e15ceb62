"""What a group may reach and when: Policy, Schedule, Override, Category. Frozen values; appliance reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from filters.model import ClientGroup


class Kind(Enum):
    """What being in a category means, strongest first."""

    SEALED = "sealed"
    """illegal content: blocked for everybody, nobody can open it"""
    PROTECTED = "protected"
    """help, health, rights: nothing but a sealed rule can block or record it"""
    ESSENTIAL = "essential"
    """what a device needs to know that it is online: never blocked, never recorded"""
    ALLOWED = "allowed"
    """the school's own allowlist: above every content category"""
    CONFIDENTIAL = "confidential"
    """banks, health records, government: never inspected; otherwise like any other name"""
    CONTENT = "content"
    """blocked where the policy says so"""


@dataclass(frozen=True, slots=True)
class Category:
    """One row of rules/categories.toml."""

    name: str
    kind: Kind
    record: bool = True
    """False where a block says something about the child that nobody should keep"""
    severity: int = 0
    """where a name stands in several blocked categories, the highest is the one told"""


class Wants(Enum):
    """What a policy wants inspected on devices that trust the box."""

    PATHS = "paths"
    """hosts on which some rule needs the path"""
    UNKNOWN = "unknown"
    """hosts that stand on no list"""


@dataclass(frozen=True, slots=True)
class Hours:
    """One slot of a Schedule in the school's wall-clock time. end <= start runs past midnight into the next day."""

    days: frozenset[int]
    """0 is Monday; the day on which the slot starts"""
    start: int
    """minutes after midnight, 0 to 1439"""
    end: int
    """minutes after midnight, exclusive, 0 to 1440"""
    block: frozenset[str] = frozenset()
    """categories blocked in this slot, beside those of the policy"""
    allow: frozenset[str] = frozenset()
    """categories of the policy that are open in this slot"""

    def covers(self, at: datetime) -> bool:
        """Whether the local wall-clock time `at` lies in the slot. Wall-clock, so a DST change moves no lesson."""
        minute, day = at.hour * 60 + at.minute, at.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the Internet is open for a group, and the lessons that change what is blocked."""

    open: tuple[Hours, ...] = ()
    """none means always open"""
    lessons: tuple[Hours, ...] = ()

    def is_open(self, at: datetime) -> bool:
        """Whether ordinary names may be reached at local time `at`."""
        return not self.open or any(hours.covers(at) for hours in self.open)


@dataclass(frozen=True, slots=True)
class Override:
    """A person's temporary change. It ends by itself and can open nothing that is sealed."""

    id: str
    group: ClientGroup
    until: datetime
    """aware; the override holds before this moment and not at it"""
    host: str | None = None
    """this name and every name below it are allowed; None pauses the group's Internet"""
    reason: str = ""

    def holds(self, group: ClientGroup, at: datetime) -> bool:
        """Whether the override applies to the group at the aware time `at`."""
        # by the moment: two times of one zone compare by the wall clock, which an hour of autumn passes twice
        return group is self.group and at.timestamp() < self.until.timestamp()


class Failure(Enum):
    """What the gate answers when the engine fails."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Policy:
    """One file of rules/policies, in force for one group."""

    name: str
    block: frozenset[str] = frozenset()
    """names of content categories"""
    schedule: Schedule = field(default_factory=Schedule)
    safe_search: bool = True
    youtube: str | None = None
    """"strict", "moderate" or None"""
    inspect: frozenset[Wants] = frozenset()
    direct_address: bool = False
    """whether connections to bare public addresses are allowed"""
    encrypted_hello: bool = False
    """whether real Encrypted Client Hellos are allowed"""
    no_server_name: bool = True
    """whether a ClientHello without a name is allowed, judged by the name the client asked the proxy for"""
    record: bool = True
    """False keeps no events for this group, with filtering unchanged (the right to object)"""
    on_failure: Failure = Failure.CLOSED

    def blocked_at(self, at: datetime) -> frozenset[str]:
        """The content categories blocked at local time `at`."""
        blocked = self.block
        for hours in self.schedule.lessons:
            if hours.covers(at):
                blocked = (blocked | hours.block) - hours.allow
        return blocked


Categories = Mapping[str, Category]
