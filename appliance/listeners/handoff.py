"""Hands a client's connection from a gate to an inspect worker: the socket itself, with the bytes already read.

The worker then has the client's own connection, address and all; the gate is out of the way, and no byte is copied.
"""

import json
import os
import socket
from array import array
from dataclasses import asdict, dataclass
from pathlib import Path
from zlib import crc32

from appliance import control

LONGEST = 160_000
"""bytes of one hand-over: the largest ClientHello, in hexadecimal, with room to spare"""


@dataclass(frozen=True, slots=True)
class Handover:
    """What a worker is told beside the socket."""

    host: str
    """the name that was judged, normalised"""
    port: int
    address: str
    """where to connect to; chosen by the gate, so that the worker cannot be led astray; "" where nothing is dialled"""
    read: bytes
    """what the client already sent in the tunnel"""
    others: tuple[str, ...] = ()
    """further addresses of the host, for when the first does not answer"""
    problem: str = ""
    """where nothing is dialled, why not: the value of a notice.page.Problem"""


class HandOff:
    """The gate's side."""

    def __init__(self, run: Path, workers: int) -> None:
        self._paths = [str(run / f"inspect-{number}.sock") for number in range(workers)]
        self._socket = control.sender()
        self.busy = False
        """whether the last give() met a worker whose queue was full: it holds ten (net.unix.max_dgram_qlen)"""

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def give(self, client: socket.socket, device: str, handover: Handover) -> bool:
        """Give the client's socket away; False where no worker takes it, and the socket is still ours. A device always
        meets the same worker while that lives, so that what the worker learns of it is whole."""
        row = asdict(handover) | {"read": handover.read.hex()}
        content = json.dumps(row).encode()
        self.busy = False
        first = crc32(device.encode())
        for turn in range(len(self._paths)):
            path = self._paths[(first + turn) % len(self._paths)]
            try:
                # socket.send_fds() takes an address and does not use it
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [client.fileno()]))
                self._socket.sendmsg([content], [rights], 0, path)
            except BlockingIOError:
                self.busy = True
                continue
            except OSError:
                continue
            client.close()
            return True
        return False


def take(bound: socket.socket) -> tuple[socket.socket, Handover] | None:
    """The worker's side: the next connection, or None when none waits (or what came is no hand-over)."""
    try:
        content, descriptors, _, _ = socket.recv_fds(bound, LONGEST, 1)
    except BlockingIOError:
        return None
    try:
        row = json.loads(content)
        read, others = bytes.fromhex(row["read"]), tuple(row["others"])
        handover = Handover(row["host"], row["port"], row["address"], read, others, row["problem"])
        client = socket.socket(fileno=descriptors[0])
    except (ValueError, KeyError, TypeError, IndexError, OSError):
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    client.setblocking(False)
    return client, handover
