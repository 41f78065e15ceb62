"""Pseudonyms of devices: the same for a term, and then never to be linked with the next ones.

state/pseudonym.json holds the secret of the term and when it began. At the term's end the secret is overwritten and
replaced, so that nobody, the box included, can tell which device an old pseudonym meant.
"""

import hmac
import os
from collections.abc import Callable
from pathlib import Path

from appliance.files import read_json, write_json
from appliance.store import CLOCK_FLOOR

SECRET = "pseudonym.json"
DAY = 86_400


class Pseudonyms:
    """Gives pseudonyms out, and a new secret at each term's end."""

    def __init__(self, state: Path, term_days: int, now: Callable[[], float]) -> None:
        """`now` tells unix seconds. The secret in `state` is read, or made where there is none."""
        self._path, self._term, self._now = state / SECRET, term_days * DAY, now
        self._stored, self._secret, self._began = True, b"", 0
        if not self._read():
            self._renew()

    def of(self, client: str) -> str:
        """8 hex digits for the device with this address."""
        self.renew_if_over()
        return hmac.digest(self._secret, client.encode(), "sha256").hex()[:8]

    def renew_if_over(self) -> None:
        """At the term's end, destroy the secret and make another. Raises nothing: a secret that cannot be stored is
        kept in memory, and stored with a later call."""
        if self._is_over():
            self._renew()
        elif not self._stored:
            self._store()

    def _is_over(self) -> bool:
        """Also where the term begins further ahead than a term: the clock was far ahead when the secret was made."""
        now = self._now()
        return now >= self._began + self._term or CLOCK_FLOOR <= now < self._began - self._term

    def _read(self) -> bool:
        told = read_json(self._path)
        try:
            self._secret, self._began = bytes.fromhex(told["secret"]), int(told["began"])
        except (TypeError, KeyError, ValueError, OverflowError):
            return False
        return len(self._secret) == 32

    def _renew(self) -> None:
        self._secret, self._began = os.urandom(32), int(self._now())
        self._store()

    def _store(self) -> None:
        try:
            _overwrite(self._path)
            write_json(self._path, {"secret": self._secret.hex(), "began": self._began}, 0o600)
        except OSError:
            self._stored = False
        else:
            self._stored = True


def _overwrite(path: Path) -> None:
    """Put zeros where the old secret lies: a rename alone would leave it on the disk."""
    try:
        with path.open("r+b") as old:
            old.write(bytes(path.stat().st_size))
            old.flush()
            os.fsync(old.fileno())
    except FileNotFoundError:
        pass
