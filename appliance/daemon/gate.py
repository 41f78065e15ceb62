"""`schoolgate gate`: judges and moves connections. One for each core, all on the same port; holds no secrets."""

import socket

from appliance import control
from appliance.config import Address
from appliance.daemon.process import Arguments, Life, allow_many_files, main
from appliance.errors import StateError
from appliance.gate import Gate
from appliance.listeners.dial import Dialer
from appliance.listeners.handoff import HandOff
from appliance.listeners.http import PlainLane
from appliance.listeners.tcp import Listener
from appliance.listeners.trust import Trust
from appliance.notice.pages import Pages
from appliance.sink import DatagramSink
from appliance.snapshot import Keeper, Paths


async def serve(arguments: Arguments) -> None:
    """The process."""
    allow_many_files()
    box = GateProcess(arguments.paths)
    life = Life(arguments, box.hear, box.every_second)
    try:
        for address in box.keeper.snapshot.config.proxy:
            box.listener.listen(bind_shared(address))
        await life.run()
    finally:
        await box.close()


class GateProcess:
    """Everything one gate holds."""

    def __init__(self, paths: Paths) -> None:
        self.keeper = Keeper(paths)
        self.sink = DatagramSink(paths.run)
        self.gate = Gate(lambda: self.keeper.snapshot, self.sink)
        self.trust = Trust(paths.state / "trust.json")
        self.dialer = Dialer(lambda: self.keeper.snapshot.config)
        self.handoff = HandOff(paths.run, self.keeper.snapshot.config.inspect_workers)
        plain = PlainLane(self.gate, self.dialer, self._pages, paths.run / "pages.sock")
        self.listener = Listener(lambda: self.keeper.snapshot, self.gate, self.dialer, self.handoff, self.trust, plain)

    def _pages(self) -> Pages:
        snapshot = self.keeper.snapshot
        return Pages(snapshot.config.language, snapshot.helpline)

    def hear(self, message: control.Message) -> control.Message | None:
        """What an inspect worker learned, or somebody's question."""
        match message:
            case {"pin": [str(device), str(host)]}:
                self.trust.pin(device, host)
            case {"trust": "changed"}:
                self.trust.reload()
            case {"ask": "status"}:
                return self._status()
        return None

    def _status(self) -> control.Message:
        snapshot = self.keeper.snapshot
        return {
            "lanes": self.listener.lanes(),
            "used": self.listener.used,
            "judged": {action.value: count for action, count in self.gate.judged.items()},
            "blocked": dict(self.gate.blocked),
            "dropped": self.sink.dropped,
            "failures": self.gate.failures,
            "origin": snapshot.origin.value,
            "rules": snapshot.rules.checksum.hex(),
            "warnings": [warning.told() for warning in snapshot.warnings],
        }

    def every_second(self) -> None:
        """Take up changes, and end what takes too long."""
        self.keeper.refresh()
        self.listener.sweep()
        self.sink.flush()

    async def close(self) -> None:
        """Close every connection."""
        await self.listener.close()
        self.handoff.close()
        self.dialer.close()
        self.sink.close()


def bind_shared(address: Address) -> socket.socket:
    """A listening socket on a port that all gates share: the kernel spreads connections (SO_REUSEPORT)."""
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what is accepted inherits it
        listening.bind((host, port))
        listening.listen(4096)
    except OSError as error:
        listening.close()
        hint = "Another program has the port: stop it, or set [proxy] listen."
        raise StateError(f"cannot listen on {host} port {port} ({error.strerror})", hint) from error
    return listening


if __name__ == "__main__":
    main(serve)
