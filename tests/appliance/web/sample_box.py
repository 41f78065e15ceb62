"""A box to show: views as the daemon would fill them, the apps made of them, and a server for real sockets."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.applications import Starlette

from appliance.web import app as web
from appliance.web.recent import Recent
from appliance.web.serve import server
from appliance.web.views import (
    Block,
    BoxView,
    GroupState,
    GroupView,
    LaneView,
    ListView,
    ProcessState,
    ProcessView,
    StatusView,
    WarningView,
)
from filters.model import Reason

NOW = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)

STATUS = StatusView(
    at=NOW,
    since=NOW - timedelta(hours=26),
    version="0.1.0",
    groups=(GroupView("primary", "primary", GroupState.PAUSED), GroupView("guest", "early-primary")),
    lanes=(LaneView("splice", 42, 120345), LaneView("inspect", 3, 15)),
    processes=(ProcessView("gate-0", ProcessState.RUNNING), ProcessView("recorder", ProcessState.RUNNING, 2)),
    blocks={"adult": 12, "ads": 20340, "direct_address": 3},
    lists=(ListView("ut1-adult", "adult", 3235739, "2026-08-17"), ListView("own", "gambling", 2)),
    rules_built="2026-11-22",
    warnings=(WarningView("rules-old", "The list ut1-adult is 98 days old.", "Run: schoolgate rules update"),),
)


def block(host: str = "bets.example", category: str | None = "gambling", **changes: object) -> Block:
    made = Block(NOW, host, category, Reason.BLOCKED_BY_CATEGORY, "ut1-gambling", 77, "2026-08-17", "primary")
    return replace(made, **changes)


@dataclass
class Box:
    """What the daemon holds and may change while the apps run."""

    view: BoxView
    status: StatusView = STATUS
    recent: Recent = field(default_factory=Recent)

    def local(self) -> Starlette:
        return web.local(self.recent, lambda: self.view, lambda: self.status, names=["10.0.0.1"])

    def public(self) -> Starlette:
        return web.public(self.recent, lambda: self.view)


@contextmanager
def running(app: Starlette, at: Path | None = None) -> Iterator[str]:
    """The app on a real socket: a Unix one at `at`, else TCP on a free port. Yields where: the path, or host:port."""
    listener = socket.socket(socket.AF_UNIX if at else socket.AF_INET)
    listener.bind(str(at) if at else ("127.0.0.1", 0))
    where = str(at) if at else f"127.0.0.1:{listener.getsockname()[1]}"
    listener.listen()
    it = server(app)
    thread = threading.Thread(target=lambda: asyncio.run(it.serve(sockets=[listener])))
    thread.start()
    try:
        yield where
    finally:
        it.should_exit = True
        thread.join()
