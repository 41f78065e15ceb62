"""Reads TOML files that people write. Whatever is wrong is one ConfigError naming file, line, key and remedy."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date
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
        """The line on which the key stands in its table, else that of the table's header, where it can be found."""
        name, number = _section(self.prefix)
        start = header = 0
        if name:
            headers = list(re.finditer(rf"^\s*\[+\s*{_spelt(name)}\s*\]+", self.text, re.M))
            if len(headers) >= number:
                header, start = headers[number - 1].start(), headers[number - 1].end()
        below = re.compile(r"^\s*\[", re.M).search(self.text, start)
        end = below.start() if below else len(self.text)
        for pattern in (rf"^\s*{_spelt(key)}\s*=", rf"^\s*{_spelt(name)}\s*\.\s*{_spelt(key)}\s*="):
            if found := re.compile(pattern, re.M).search(self.text, start, end):
                return self.text.count("\n", 0, found.end()) + 1
        if not name and (found := re.compile(rf"^\s*\[+\s*{_spelt(key)}\s*[\].]", re.M).search(self.text)):
            return self.text.count("\n", 0, found.end()) + 1
        return self.text.count("\n", 0, header + 1) + 1 if start else None

    def _get(self, key: str, kind: type, default: Any, what: str) -> Any:
        self._known.add(key)
        value = self._data.get(key, default)
        if value is None:
            raise self.wrong(key, f"is missing, and must be {what}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, f"must be {what}, not {_shown(value)}")
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
                raise self.wrong(key, f'must be a list like ["one", "two"]; {_shown(entry)} is not in quotes')
        return list(value)

    def choice[E: Enum](self, key: str, kind: type[E], default: E | None = None) -> E:
        """One member of an Enum, by its value."""
        value = self.string(key, None if default is None else str(default.value))
        for member in kind:
            if member.value == value:
                return member
        allowed = [str(member.value) for member in kind]
        raise self.wrong(key, f"must be one of {', '.join(allowed)}, not {value!r}", near(value, allowed))

    def parsed[T](self, key: str, read: Callable[[str], T], default: str, hint: str = "") -> T:
        """A string that `read` understands; its ValueError says what is wrong."""
        try:
            return read(self.string(key, default))
        except ValueError as error:
            raise self.wrong(key, str(error), hint) from error

    def day(self, key: str) -> str:
        """A day in ISO 8601, written with or without quotes, or "" for none."""
        self._known.add(key)
        value = self._data.get(key, "")
        with suppress(TypeError, ValueError):
            return date.fromisoformat(str(value)).isoformat() if value else ""
        raise self.wrong(key, f'must be a day like "2026-11-23", not {_shown(value)}')

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
                raise self.wrong(key, "is not a setting", near(key, self._known) or "Remove the line.")


def near(value: str, allowed: Iterable[str]) -> str:
    """A hint that names the allowed value which `value` may be a misspelling of, or ""."""
    known = {each.lower(): each for each in allowed}
    close = difflib.get_close_matches(value.lower(), known, 1)
    return f"Did you mean {known[close[0]]!r}?" if close else ""


def _section(prefix: str) -> tuple[str, int]:
    """ "open[2]." names the second table called "open", "proxy." the first called "proxy"."""
    name, _, number = prefix.rstrip(".").partition("[")
    return name, int(number.rstrip("]") or 1)


def _spelt(name: str) -> str:
    """A pattern for a key as TOML lets it be written."""
    return rf"(?:{re.escape(name)}|\"{re.escape(name)}\"|'{re.escape(name)}')"


def _shown(value: object) -> str:
    """A value as a person wrote it."""
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return repr(value)
        case list():
            return "a list" if value else "[]"
        case dict():
            return "a table"
    return str(value)


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
    except RecursionError as error:
        raise ConfigError(f"{path}: holds brackets in brackets without end", "Close each bracket.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_broken(path, text, str(error)), "Text needs quotes, and each key stands once.") from error


def _broken(path: Path, text: str, told: str) -> str:
    """What tomllib says, with the line where a person looks for it."""
    what, _, place = told.partition(" (at ")
    found = re.match(r"line (\d+), column (\d+)", place)
    line, column = (found[1], found[2]) if found else (text.rstrip().count("\n") + 1, 0)
    where = f" at column {column}" if column else " at the end of the file"
    return f"{path}:{line}: this is no TOML{where}: {what[:1].lower()}{what[1:]}"
