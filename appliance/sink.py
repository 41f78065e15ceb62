"""Sends events to the recorder, and blocks to the "why?" page: one datagram each, and no packet waits for it."""

from collections import deque
from pathlib import Path

from appliance import control
from appliance.wire.event import Event, encode

MOST_WAITING = 1_000
"""events that wait while the recorder is busy; a Unix socket's own queue holds ten (net.unix.max_dgram_qlen)"""


class DatagramSink:
    """The sink of a gate or an inspect worker. An event that finds the queue full is dropped and counted."""

    def __init__(self, run: Path) -> None:
        self._recorder, self._recent = str(run / "recorder.sock"), str(run / "recent.sock")
        self._socket = control.sender()
        self._waiting: deque[bytes] = deque()
        self.dropped = 0

    def put(self, event: Event) -> None:
        """Send the event to the store, behind those that wait."""
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(encode(event))
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the recorder takes it; called every second too."""
        while self._waiting and control.send(self._socket, self._recorder, self._waiting[0]):
            self._waiting.popleft()

    def show(self, event: Event) -> None:
        """Send the block to the process that shows a device its own last blocks, from memory only."""
        control.send(self._socket, self._recent, encode(event))

    def close(self) -> None:
        """Let go of the socket."""
        self.flush()
        self._socket.close()
