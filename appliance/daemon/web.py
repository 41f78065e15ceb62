"""`schoolgate web`: the children's pages behind the gates, and the status page on the box's own address."""

import asyncio
import socket
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from appliance import control
from appliance.ca import certificate_path
from appliance.clock import now
from appliance.daemon.gate import bind_shared
from appliance.daemon.process import Arguments, Life, main
from appliance.daemon.status import Status, gather
from appliance.snapshot import Keeper, Paths, Snapshot
from appliance.web.app import local, public
from appliance.web.recent import Recent
from appliance.web.serve import server
from appliance.web.views import (
    Block,
    BoxView,
    Certificate,
    GroupState,
    GroupView,
    LaneView,
    ListView,
    ProcessState,
    ProcessView,
    StatusView,
    WarningView,
)
from appliance.wire.event import Event, decode
from filters.model import ClientGroup, Reason
from filters.policy import Kind, Policy


async def serve(arguments: Arguments) -> None:
    """The process."""
    paths = arguments.paths
    box = WebProcess(paths)
    loop = asyncio.get_running_loop()
    recent = control.bind(paths.run / "recent.sock")
    loop.add_reader(recent, box.hear_blocks, recent)
    listeners = [(public(box.recent, box.box_view), _bind_unix(paths.run / "pages.sock"))]
    tcp = bind_shared(box.keeper.snapshot.config.web)
    names = {box.keeper.snapshot.config.web[0]}
    listeners.append((local(box.recent, box.box_view, box.status_view, names), tcp))
    servers = [(server(app), bound) for app, bound in listeners]
    serving = [asyncio.ensure_future(one.serve(sockets=[bound])) for one, bound in servers]
    await Life(arguments, box.hear, box.keeper.refresh).run()
    for one, _ in servers:
        one.should_exit = True
    await asyncio.gather(*serving)
    loop.remove_reader(recent)
    recent.close()


def _bind_unix(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(str(path))
    path.chmod(0o600)
    bound.listen(128)  # who asks before the app serves waits, and is not refused
    return bound


class WebProcess:
    """What the pages ask for."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self.keeper = Keeper(paths)
        self.recent = Recent()
        self._since = now(UTC)

    def hear(self, message: control.Message) -> control.Message | None:
        """Nothing is asked of this process but whether it is there."""
        return {"process": "web"} if message == {"ask": "status"} else None

    def hear_blocks(self, bound: socket.socket) -> None:
        """Blocks, from the gates and the inspect workers."""
        while True:
            try:
                event = decode(bound.recv(2_048))
            except BlockingIOError:
                return
            if event is not None and (block := self._block(event)):
                self.recent.add(event.client, block)

    def _block(self, event: Event) -> Block | None:
        snapshot = self.keeper.snapshot
        dates = {info.name: info.date for info in snapshot.rules.lists}
        try:
            policy = snapshot.tables.policies[ClientGroup(event.group)]
            reason = Reason(event.reason)
        except ValueError:
            return None
        return Block(
            at=datetime.fromtimestamp(event.at, snapshot.config.zone),
            host=event.host,
            category=event.category or None,
            reason=reason,
            list=event.rule_list,
            line=event.rule_line,
            date=dates.get(event.rule_list, ""),
            policy=policy.name,
        )

    def box_view(self) -> BoxView:
        """What the children's pages say of this box."""
        snapshot = self.keeper.snapshot
        policies = snapshot.tables.policies.values()
        categories = snapshot.tables.categories.values()
        closed = {name for policy in policies for name in policy.block}
        shown = [one.name for one in categories if one.name in closed or one.kind is Kind.SEALED]
        return BoxView(
            blocked=tuple(shown),
            records=any(policy.record for policy in policies),
            retention_days=snapshot.config.retention_days,
            inspects=snapshot.config.inspect_workers > 0,
            helpline=snapshot.helpline,
            certificate=self._certificate(),
            proxy_port=snapshot.config.proxy[0][1],
            language=snapshot.config.language,
        )

    def _certificate(self) -> Certificate | None:
        try:
            return Certificate.from_pem(certificate_path(self._paths.state).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def status_view(self) -> StatusView:
        """What the status page shows; asks the other processes, so it is called in a thread."""
        snapshot, status = self.keeper.snapshot, gather(self._paths) or Status(())
        at = now(snapshot.config.zone)
        return StatusView(
            at=at,
            since=self._since.astimezone(snapshot.config.zone),
            version=version("schoolgate"),
            groups=tuple(_group_view(snapshot, group, at) for group in ClientGroup),
            lanes=tuple(
                LaneView(lane, status.in_use.get(lane, 0), status.used.get(lane, 0))
                for lane in ("splice", "inspect", "terminate", "plain")
            ),
            processes=tuple(
                ProcessView(str(one["name"]), ProcessState(one["state"]), int(str(one["restarts"])))
                for one in status.processes
            ),
            blocks=status.blocked,
            lists=tuple(ListView(info.name, info.category, info.entries, info.date) for info in snapshot.rules.lists),
            rules_built=_date_of(self._paths.rules),
            warnings=tuple(WarningView(one["code"], one["text"], one["hint"]) for one in status.warnings),
        )


def _group_view(snapshot: Snapshot, group: ClientGroup, at: datetime) -> GroupView:
    policy: Policy = snapshot.tables.policies[group]
    state = GroupState.OPEN if policy.schedule.is_open(at) else GroupState.OUTSIDE_HOURS
    if any(override.host is None and override.holds(group, at) for override in snapshot.book.overrides):
        state = GroupState.PAUSED
    return GroupView(group.value, policy.name, state)


def _date_of(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    except OSError:
        return ""


if __name__ == "__main__":
    main(serve)
