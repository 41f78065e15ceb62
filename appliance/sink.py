"""Sends events to the recorder, and what was blocked to the "why?" page: one datagram each, never waiting."""

from pathlib import Path

from appliance import control
from appliance.wire.event import Event, encode


class DatagramSink:
    """A gate's sink. A full or missing receiver drops the event and counts it."""

    def __init__(self, run: Path) -> None:
        self._recorder, self._recent = str(run / "recorder.sock"), str(run / "recent.sock")
        self._socket = control.sender()
        self.dropped = 0

    def put(self, event: Event) -> None:
        """Send the event to the store."""
        if not control.send(self._socket, self._recorder, encode(event)):
            self.dropped += 1

    def show(self, event: Event) -> None:
        """Send the block to the process that shows a device its own last blocks, from memory only."""
        control.send(self._socket, self._recent, encode(event))

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
