"""The recorder: takes events from the gates' datagrams, counts repeats together, and hands them to the one writer.

Nothing that arrives stops it and no gate waits for it. A device's address becomes a pseudonym and a host its
registrable domain as they come in: what waits to be written holds neither.
"""

import json
import select
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from ipaddress import ip_address
from itertools import islice
from pathlib import Path

from publicsuffixlist import PublicSuffixList

from appliance import clock, control
from appliance.errors import StateError
from appliance.store.pace import BATCH, Pace
from appliance.store.pseudonym import Pseudonyms
from appliance.store.schema import Row
from appliance.store.writer import Writer
from appliance.wire.event import LONGEST, Event, decode

SOCKET = "run/recorder.sock"
MOST_WAITING = 5_000
"""rows that may wait for the disk; further ones are dropped and counted"""
RETRY = 10.0
"""seconds after which a disk that took nothing is tried again"""
SWEEP = 3_600.0
"""seconds between looks for what is to be forgotten"""
SWEEP_AGAIN = 60.0
"""seconds after which a look that failed is repeated; events go on being written meanwhile"""
TELL_DROPS = 86_400.0
"""seconds for which dropped events are warned of"""
POLL = 1.0
"""seconds within which a wish to stop is seen"""
AT_ONCE = 1_000
"""datagrams read before a look at what is due"""
NEVER = float("-inf")


class Recorder:
    """The body of the recorder's process."""

    def __init__(
        self,
        state: Path,
        retention_days: int,
        term_days: int,
        zone: tzinfo = UTC,
        *,
        now: Callable[[], float] = lambda: clock.now().timestamp(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`zone` says when a day begins; `now` tells unix seconds. The store is opened by the first tick."""
        self._retention_days, self._zone = retention_days, zone
        self._now, self._monotonic = now, monotonic
        self._writer = Writer(state, now)
        self._pseudonyms = Pseudonyms(state, term_days, now)
        self._suffixes = PublicSuffixList()
        self._pace = Pace()
        self._waiting: dict[Row, int] = {}
        self._since = self._retry_at = self._sweep_at = self._dropped_at = NEVER
        self._dropped = self._malformed = 0
        self._last_commit: int | None = None
        self._trouble: StateError | None = None

    @property
    def commits(self) -> int:
        """How many commits were made that changed something."""
        return self._writer.commits

    def run(self, sock: socket.socket, stop: threading.Event) -> None:
        """Serve `sock` (control.bind(state / SOCKET)) until `stop` is set, then write what waits. No datagram and no
        state of the disk ends it."""
        while not stop.is_set():
            self.tick()
            select.select([sock], [], [], min(POLL, self.wait()))
            self._drain(sock)
        self._drain(sock)
        self.close()

    def take(self, datagram: bytes) -> control.Message | None:
        """One datagram: an event is counted, {"ask":"status"} is answered, anything else is only counted."""
        event = decode(datagram)
        if event:
            self._count(event)
        elif _asks_for_status(datagram):
            return self.status()
        else:
            self._malformed += 1
        return None

    def wait(self) -> float:
        """Seconds until tick() has something to do."""
        at = max(self._sweep_at, self._pace.free)
        if self._waiting:
            at = min(at, self._pace.due(self._since, len(self._waiting)))
        return max(0.0, max(at, self._retry_at) - self._monotonic())

    def tick(self) -> None:
        """Do what is due: at most one commit."""
        at = self._monotonic()
        if at < self._retry_at:
            return
        if at >= max(self._sweep_at, self._pace.free):
            self._sweep_at = at + SWEEP_AGAIN
            self._try(self._sweep)
        elif self._waiting and at >= self._pace.due(self._since, len(self._waiting)):
            self._try(lambda: self._commit(BATCH))

    def close(self) -> None:
        """Write what waits, in one commit, and close the store."""
        if self._waiting:
            self._try(lambda: self._commit(len(self._waiting)))
        self._writer.close()

    def status(self) -> control.Message:
        """What a status page shows of this process."""
        return {
            "process": "recorder",
            "events_today": self._events_today(),
            "waiting": sum(self._waiting.values()),
            "dropped": self._dropped,
            "malformed": self._malformed,
            "last_commit": self._last_commit,
            "warnings": self._warnings(),
        }

    def _drain(self, sock: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                datagram, asker = sock.recvfrom(LONGEST + 1)
            except BlockingIOError:
                return
            answer = self.take(datagram)
            if answer:
                control.answer(sock, str(asker or ""), answer)

    def _count(self, event: Event) -> None:
        row = Row(
            minute=event.at // 60,
            device=self._pseudonyms.of(event.client),
            domain=self._domain(event.host),
            group=event.group,
            category=event.category,
            action=event.action,
            reason=event.reason,
            via=event.via,
            rule_list=event.rule_list,
            rule_line=event.rule_line,
        )
        if row in self._waiting:
            self._waiting[row] += 1
        elif len(self._waiting) < MOST_WAITING:
            if not self._waiting:
                self._since = self._monotonic()
            self._waiting[row] = 1
        else:
            self._dropped += 1
            self._dropped_at = self._monotonic()

    def _domain(self, host: str) -> str:
        """The name that somebody registered, which says less than the whole host; an address stays as it is."""
        try:
            ip_address(host)
        except ValueError:
            return self._suffixes.privatesuffix(host) or host
        return host

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StateError as error:
            self._trouble, self._retry_at = error, self._monotonic() + RETRY
        else:
            self._trouble = None

    def _commit(self, most: int) -> None:
        batch = dict(islice(self._waiting.items(), most))
        self._writer.add(batch)
        for row in batch:
            del self._waiting[row]
        self._pace.spend(self._monotonic())
        self._last_commit = int(self._now())

    def _sweep(self) -> None:
        self._pseudonyms.renew_if_over()
        before = self.commits
        self._writer.forget(self._retention_days)
        if self.commits > before:
            self._pace.rest(self._monotonic())
        self._sweep_at = self._monotonic() + SWEEP

    def _events_today(self) -> int:
        """Stored and waiting; only the waiting ones while the disk lets nothing be read."""
        midnight = datetime.fromtimestamp(self._now(), self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        first = int(midnight.timestamp()) // 60
        waiting = sum(count for row, count in self._waiting.items() if row.minute >= first)
        if self._trouble:
            return waiting
        try:
            return waiting + self._writer.counted(first)
        except StateError as error:
            self._trouble = error
            return waiting

    def _warnings(self) -> list[dict[str, str]]:
        found = []
        if self._trouble:
            found.append(_warning("events-dropped", str(self._trouble), self._trouble.hint))
        elif self._monotonic() - self._dropped_at < TELL_DROPS:
            text = f"{self._dropped} events were dropped: more came than the disk could take."
            found.append(_warning("events-dropped", text, "Look for a device that asks again and again."))
        if aside := self._writer.aside():
            text = f"The event store could not be used and was set aside as {', '.join(aside)}; a new one was begun."
            hint = (
                f"Check the SD card or disk. The file may be deleted; it goes by itself in {self._retention_days} days."
            )
            found.append(_warning("event-store-set-aside", text, hint))
        return found


def _warning(code: str, text: str, hint: str) -> dict[str, str]:
    return {"code": code, "text": text, "hint": hint}


def _asks_for_status(datagram: bytes) -> bool:
    if len(datagram) > LONGEST:
        return False
    try:
        told = json.loads(datagram)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and told.get("ask") == "status"
