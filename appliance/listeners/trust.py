"""Which devices trust the box's certificate, and which hosts a device would not let it speak for.

Trust is learned, never assumed: a device is inspected only after it fetched the trust page over TLS. An app that pins
its certificate refuses the handshake; that host is then left alone on that device. Hosts are kept in memory only,
because they are browsing; the devices that trust are kept in trust.json, so that a restart asks nobody again.
"""

from collections import OrderedDict
from pathlib import Path
from time import monotonic

from appliance.files import read_json, write_json

TRUST_HOST = "schoolgate.internal"
"""fetched over TLS only by a device that trusts the box; always answered by an inspect worker"""
PINNED_FOR = 24 * 3600.0
"""seconds for which a refused host is left alone on a device"""
_MOST_PINS = 20_000
DOUBT_AFTER = 3
"""different hosts refused in a row, none accepted, before a device's trust is cleared: the certificate was removed"""


class Trust:
    """What the gates know. Every gate has its own, told by the inspect workers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.devices = read_trusted(path)
        self._pins: OrderedDict[tuple[str, str], float] = OrderedDict()

    def inspects(self, device: str, host: str) -> bool:
        """Whether the box may speak for `host` on this device."""
        if device not in self.devices:
            return False
        until = self._pins.get((device, host))
        return until is None or until < monotonic()

    def reload(self) -> None:
        """Take up the devices that the file holds now."""
        self.devices = read_trusted(self._path)

    def pin(self, device: str, host: str) -> None:
        """Leave this host alone on this device."""
        self._pins[device, host] = monotonic() + PINNED_FOR
        while len(self._pins) > _MOST_PINS:
            self._pins.popitem(last=False)


class Learner:
    """What an inspect worker makes of the handshakes it sees."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._refused: dict[str, set[str]] = {}

    def learned(self, device: str) -> bool:
        """The device fetched the trust page over TLS; True where that is news."""
        self._refused.pop(device, None)
        devices = read_trusted(self._path)
        if device in devices:
            return False
        write_json(self._path, sorted(devices | {device}), 0o600)
        return True

    def accepted(self, device: str) -> None:
        """A handshake succeeded."""
        self._refused.pop(device, None)

    def refused(self, device: str, host: str) -> bool:
        """The device refused a handshake for this host; True where it has so lost its trust."""
        hosts = self._refused.setdefault(device, set())
        hosts.add(host)
        if len(hosts) < DOUBT_AFTER:
            return False
        del self._refused[device]
        write_json(self._path, sorted(read_trusted(self._path) - {device}), 0o600)
        return True


def read_trusted(path: Path) -> frozenset[str]:
    """The devices in trust.json; none where it is missing or damaged, so that they are asked again."""
    devices = read_json(path)
    return frozenset(str(device) for device in devices) if isinstance(devices, list) else frozenset()
