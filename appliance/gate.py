"""The one seam between listeners and filters: it knows who asks and what time it is, asks decide(), and reports.

Nothing here waits. The engine's failure is caught once, here: the policy's on_failure answers, and what is sealed
stays closed.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Protocol

from appliance.clock import now
from appliance.snapshot import Snapshot
from appliance.wire.event import Event
from filters.engine import decide, is_sealed
from filters.model import Action, Hello, Reason, Request, Verdict, Via
from filters.policy import Failure, Policy


class Sink(Protocol):
    """Where events go. It must not wait."""

    def put(self, event: Event) -> None:
        """Take an event to be kept, or drop and count it."""

    def show(self, event: Event) -> None:
        """Take a block that only the blocked device itself is shown, from memory."""


class Gate:
    """Judges requests against the snapshot in use."""

    def __init__(self, snapshot: Callable[[], Snapshot], sink: Sink, clock: Callable[[tzinfo], datetime] = now) -> None:
        self._snapshot, self._sink, self._clock = snapshot, sink, clock
        self.judged: Counter[Action] = Counter()
        """verdicts since the start; protected names are in no counter"""
        self.blocked: Counter[str] = Counter()
        """refusals since the start by category, or by reason where there is none"""
        self.failures = 0
        """times that the engine failed"""

    def judge(self, host: str, client: str, via: Via, path: str | None = None, hello: Hello = Hello.NAMED) -> Verdict:
        """The verdict on a normalised host asked for by a client's address. Never raises; reports what may be kept."""
        snapshot = self._snapshot()
        group = snapshot.clients.group(client)
        policy = snapshot.tables.policies[group]
        request = Request(host, group, via, self._clock(snapshot.config.zone), path, hello)
        try:
            verdict = decide(request, policy, snapshot.book)
        except Exception:  # whatever the engine's fault, the answer is the policy's
            verdict = self._failed(request, policy, snapshot)
        if verdict.reason is not Reason.PROTECTED:
            self.judged[verdict.action] += 1
        if verdict.action is Action.BLOCK:
            self.blocked[verdict.category or verdict.reason.value] += 1
            self._report(request, client, verdict)
        return verdict

    def _failed(self, request: Request, policy: Policy, snapshot: Snapshot) -> Verdict:
        self.failures += 1
        action = Action.BLOCK
        if policy.on_failure is Failure.OPEN:
            try:
                action = Action.BLOCK if is_sealed(request, policy, snapshot.book) else Action.ALLOW
            except Exception:  # not even the sealed rules can be read, so nothing may pass
                action = Action.BLOCK
        return Verdict(action, Reason.ENGINE_ERROR, policy.name)

    def _report(self, request: Request, client: str, verdict: Verdict) -> None:
        rule = verdict.rule
        event = Event(
            at=int(request.at.timestamp()),
            group=request.group.value,
            category=verdict.category or "",
            action=verdict.action.value,
            reason=verdict.reason.value,
            via=request.via.value,
            host=request.host,
            rule_list=rule.list if rule else "",
            rule_line=rule.line if rule else 0,
            client=client,
        )
        self._sink.show(event)
        if verdict.record:
            self._sink.put(event)


_STRICTNESS = (Action.ALLOW, Action.INSPECT, Action.REWRITE, Action.BLOCK)


def stricter(one: Verdict, other: Verdict) -> Verdict:
    """Of two verdicts on one connection, the one that lets less through; the first when they are alike."""
    return other if _STRICTNESS.index(other.action) > _STRICTNESS.index(one.action) else one
