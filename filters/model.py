"""The words every part shares: what is asked (Request), what was decided (Verdict), and why (Reason, Rule).

Values only, all frozen. Their string forms are a contract: the command line, the pages and the event store print them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Via(Enum):
    """How the box learned of the request."""

    DNS = "dns"
    """a name was asked"""
    TLS = "tls"
    """a connection to be encrypted: CONNECT and, once read, the ClientHello"""
    HTTP = "http"
    """a request whose path can be read: plain http, or https on a device that trusts the box"""


class Action(Enum):
    """What is to be done with a request."""

    ALLOW = "allow"
    BLOCK = "block"
    REWRITE = "rewrite"
    """reach Verdict.target instead: the search engine's own safe address"""
    INSPECT = "inspect"
    """allowed by name, but the policy wants the page judged where the device trusts the box"""


class Reason(Enum):
    """Why a verdict is what it is; one for each filter in filters.engine, in the order of FILTERS."""

    SEALED = "sealed"
    PROTECTED = "protected"
    ESSENTIAL = "essential"
    PAUSED = "paused"
    ALLOWED_BY_OVERRIDE = "allowed_by_override"
    OUTSIDE_HOURS = "outside_hours"
    ALLOWED_BY_RULE = "allowed_by_rule"
    BLOCKED_BY_CATEGORY = "blocked_by_category"
    SEARCH_NOT_LOCKABLE = "search_not_lockable"
    SAFE_SEARCH = "safe_search"
    DIRECT_ADDRESS = "direct_address"
    ENCRYPTED_HELLO = "encrypted_hello"
    NO_SERVER_NAME = "no_server_name"
    PAGE_WANTED = "page_wanted"
    NOT_LISTED = "not_listed"
    ENGINE_ERROR = "engine_error"


class Hello(Enum):
    """What the ClientHello tells of the server's name (RFC 6066 section 3, RFC 9849 for ECH)."""

    NAMED = "named"
    NO_NAME = "no_name"
    ENCRYPTED = "encrypted"
    """a real Encrypted Client Hello, so that the name read is only the outer one"""


class ClientGroup(Enum):
    """Who is asking, by age. A device that nobody placed is a guest, and guest is the strictest."""

    EARLY_PRIMARY = "early-primary"
    PRIMARY = "primary"
    LOWER_SECONDARY = "lower-secondary"
    UPPER_SECONDARY = "upper-secondary"
    STAFF = "staff"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Request:
    """One normalised question to the decision point."""

    host: str
    """a name as names.normalise returns it, or an address as names.address returns it"""
    group: ClientGroup
    via: Via
    at: datetime
    """aware, in the school's own time zone: the core never asks the clock"""
    path: str | None = None
    """path and query, beginning with "/", where it can be read; None otherwise"""
    hello: Hello = Hello.NAMED


@dataclass(frozen=True, slots=True)
class Rule:
    """The line of a list that decided."""

    list: str
    line: int
    """counted from 1 in the list as it was imported; 0 for a rule that a person made by hand"""
    text: str
    date: str
    """the date of the list, ISO 8601 (YYYY-MM-DD), or "" when the list does not say"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, and everything needed to explain it to a child."""

    action: Action
    reason: Reason
    policy: str
    category: str | None = None
    rule: Rule | None = None
    target: str | None = None
    """with Action.REWRITE, the name to be reached instead"""
    record: bool = False
    """may be kept as an Event; never true for protected or essential names"""
