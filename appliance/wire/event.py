"""An Event on its way from a gate to the recorder: one JSON datagram that fits any socket.

Writing is total: text that cannot be sent as it stands is cut, for an event must never cost a packet. Reading trusts
nothing: whatever the bytes, the answer is an Event within the limits, or None.
"""

import json
from dataclasses import asdict, dataclass, fields, replace

LONGEST = 1_400
"""bytes of a datagram"""
LATEST = 2**40
"""no time lies at or after this"""
MOST_LINES = 2**32
"""no line has this number or more"""
LIMITS = {
    "group": 32,
    "category": 48,
    "action": 16,
    "reason": 32,
    "via": 8,
    "host": 253,
    "rule_list": 96,
    "client": 64,
}
"""UTF-8 bytes of each text; with all of them full, and each character escaped, a datagram stays below LONGEST"""


@dataclass(frozen=True, slots=True)
class Event:
    """A flagged request, as the gate tells it. Only the recorder sees `host` and `client`; it keeps neither."""

    at: int
    """unix seconds"""
    group: str
    category: str
    """"" where the verdict names none"""
    action: str
    reason: str
    via: str
    host: str
    """normalised name or address"""
    rule_list: str
    """"" where no rule decided"""
    rule_line: int
    client: str
    """the device's address"""


_NAMES = frozenset(field.name for field in fields(Event))


def encode(event: Event) -> bytes:
    """The event as a datagram of at most LONGEST bytes. What does not fit LIMITS is cut, what cannot be printed becomes
    "?", and numbers out of range take the nearest in range."""
    texts = {name: _clipped(getattr(event, name), limit) for name, limit in LIMITS.items()}
    at = min(max(event.at, 0), LATEST - 1)
    line = min(max(event.rule_line, 0), MOST_LINES - 1)
    sent = replace(event, at=at, rule_line=line, **texts)
    return json.dumps(asdict(sent), ensure_ascii=False, separators=(",", ":")).encode()


def decode(datagram: bytes) -> Event | None:
    """The event in a datagram, or None for any other bytes."""
    if len(datagram) > LONGEST:
        return None
    try:
        told = json.loads(datagram.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.keys() != _NAMES:
        return None
    if not _is_number(told["at"], LATEST) or not _is_number(told["rule_line"], MOST_LINES):
        return None
    if not all(_is_text(told[name], limit) for name, limit in LIMITS.items()):
        return None
    return Event(**told)


def _clipped(text: str, limit: int) -> str:
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) * 4 <= limit else text.encode()[:limit].decode(errors="ignore")


def _is_number(value: object, end: int) -> bool:
    return type(value) is int and 0 <= value < end


def _is_text(value: object, limit: int) -> bool:
    return type(value) is str and value.isprintable() and len(value.encode()) <= limit
