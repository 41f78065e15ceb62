"""Reads TOML files that people write. Whatever is wrong is one ConfigError naming file, line, key and remedy."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any

from appliance.errors import ConfigError


class Table:
    """One table of a TOML file. Every key must be asked for; `done()` complains about those that nobody knows."""

    def __init__(self, path: Path, text: str, data: dict[str, Any], prefix: str = "") -> None:
        self.path, self.text, self.prefix = path, text, prefix
        self._data, self._known = data, set[str]()

    def wrong(self, key: str, problem: str, hint: str = "") -> ConfigError:
        """The error for this key of this file."""
        line = self._line(key)
        place = f"{self.path}:{line}" if line else f"{self.path}"
        return ConfigError(f"{place}: {self.prefix}{key}: {problem}", hint)

    def _line(self, key: str) -> int | None:
        """The line on which the key stands, behind the header of its table; good enough for a person to find it."""
        start = 0
        section = self.prefix.rstrip(".").partition("[")[0]
        if section and (found := re.search(rf"^\s*\[+\s*{re.escape(section)}\s*\]+", self.text, re.M)):
            start = found.end()
        if found := re.compile(rf"^\s*(['\"]?){re.escape(key)}\1\s*=", re.M).search(self.text, start):
            return self.text.count("\n", 0, found.end()) + 1
        return self.text.count("\n", 0, start) + 1 if start else None

    def _get(self, key: str, kind: type, default: Any, what: str) -> Any:
        self._known.add(key)
        value = self._data.get(key, default)
        if value is None:
            raise self.wrong(key, f"is missing, and must be {what}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"must be {what}, not {value!r}")
        return value

    def string(self, key: str, default: str | None = None) -> str:
        """A string."""
        return str(self._get(key, str, default, 'text in quotes, like "text"'))

    def boolean(self, key: str, default: bool | None = None) -> bool:
        """true or false."""
        return bool(self._get(key, bool, default, "true or false"))

    def integer(self, key: str, default: int | None = None, low: int = 0, high: int = 2**31) -> int:
        """A whole number from low to high."""
        value = int(self._get(key, int, default, f"a whole number from {low} to {high}"))
        if not low <= value <= high:
            raise self.wrong(key, f"must be a whole number from {low} to {high}, not {value}")
        return value

    def strings(self, key: str, default: Iterable[str] | None = ()) -> list[str]:
        """A list of strings."""
        value = self._get(key, list, None if default is None else list(default), 'a list like ["one", "two"]')
        for entry in value:
            if not isinstance(entry, str):
                raise self.wrong(key, f'must be a list like ["one", "two"]; {entry!r} is not in quotes')
        return list(value)

    def choice[E: Enum](self, key: str, kind: type[E], default: E | None = None) -> E:
        """One member of an Enum, by its value."""
        value = self.string(key, None if default is None else str(default.value))
        for member in kind:
            if member.value == value:
                return member
        allowed = [str(member.value) for member in kind]
        raise self.wrong(key, f"must be one of {', '.join(allowed)}, not {value!r}", _near(value, allowed))

    def parsed[T](self, key: str, read: Callable[[str], T], default: str) -> T:
        """A string that `read` understands; its ValueError says what is wrong."""
        try:
            return read(self.string(key, default))
        except ValueError as error:
            raise self.wrong(key, str(error)) from error

    def table(self, key: str) -> "Table":
        """The table below this key, empty where there is none."""
        value = self._get(key, dict, {}, f"a table, begun by a line [{self.prefix}{key}]")
        return Table(self.path, self.text, value, f"{self.prefix}{key}.")

    def tables(self, key: str) -> list["Table"]:
        """The tables begun by [[key]]."""
        value = self._get(key, list, [], f"tables, each begun by a line [[{key}]]")
        return [
            Table(self.path, self.text, row if isinstance(row, dict) else {}, f"{key}[{number}].")
            for number, row in enumerate(value, 1)
        ]

    def for_people(self, *keys: str) -> None:
        """Keys that only people read."""
        self._known.update(keys)

    def rest(self) -> dict[str, Any]:
        """The keys that nobody asked for yet, for tables whose keys are data."""
        rest = {key: value for key, value in self._data.items() if key not in self._known}
        self._known.update(rest)
        return rest

    def done(self) -> None:
        """Raise for a key that nothing reads: a typing error would otherwise switch something off in silence."""
        for key in self._data:
            if key not in self._known:
                raise self.wrong(key, "is not a setting", _near(key, self._known) or "Remove the line.")


def _near(value: str, allowed: Iterable[str]) -> str:
    close = difflib.get_close_matches(value, list(allowed), 1)
    return f"Did you mean {close[0]!r}?" if close else ""


def read_toml(path: Path) -> Table:
    """The whole file as a Table; raises ConfigError where it cannot be read or is no TOML."""
    try:
        text = path.read_text(encoding="utf-8")
        return Table(path, text, tomllib.loads(text))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror})", "Check that it exists and who owns it."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text", "Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {_lower(str(error))}", "Text needs quotes, and each key stands once.") from error


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
