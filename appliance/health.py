"""Warnings: what a person should look at. Each has a stable code, one sentence, and what to do; pages only list."""

from dataclasses import dataclass
from enum import Enum


class Code(Enum):
    """Stable names of warnings; docs/warnings.md explains each."""

    CONFIG_BROKEN = "config-broken"
    RULES_BROKEN = "rules-broken"
    OVERRIDES_BROKEN = "overrides-broken"
    SEALED_LIST_EMPTY = "sealed-list-empty"
    HELPLINE_UNCHECKED = "helpline-unchecked"
    EVENTS_DROPPED = "events-dropped"
    EVENT_STORE_SET_ASIDE = "event-store-set-aside"
    PROCESS_RESTARTED = "process-restarted"
    INSPECT_DOWN = "inspect-down"
    ENGINE_ERROR = "engine-error"


@dataclass(frozen=True, slots=True)
class Warning:
    """One thing to look at."""

    code: Code
    text: str
    hint: str = ""

    def told(self) -> dict[str, str]:
        """As pages and --json print it."""
        return {"code": self.code.value, "text": self.text, "hint": self.hint}
