"""Reads a compiled rule set out of a buffer: opened, never loaded, and shared by every process that maps it.

The file, all little-endian, is the same on arm64 and amd64:

    magic 8 | checksum 16 | key 16 | entries u64 | manifest bytes u64 | padding to 64
    directory  u32 × 65,537   where each value of a digest's first 16 bits begins
    values     u32 × entries  allow 1 bit | form 3 bits | line 28 bits
    keys       u32 × entries  the digest's next 32 bits, sorted within a directory slot
    checks     u16 × entries  the digest's last 16 bits
    manifest   JSON           the lists with their lines, names of one label, and patterns, which no digest can hold

A digest is BLAKE2b-64 of a name or of "host/path", salted with the secret of the box, so that nobody can craft a name
that collides there. (Salted, not keyed: one compression less a probe, and a digest here proves nothing to anybody.)
Lines are counted through all lists, so that one number tells list and line.
"""

import json
import re
import struct
from bisect import bisect_left
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from itertools import accumulate
from typing import Any, NamedTuple

from filters.model import Rule
from filters.patterns import Pattern, Patterns
from filters.urls import keys as path_keys

MAGIC = b"SGRULES1"
HEADER = struct.Struct("<8s16s16sQQ8x")
DIRECTORY = 65_537
LINE = (1 << 28) - 1
ALLOW = 1 << 31
_SPLIT = struct.Struct(">HIH")


class Form(IntEnum):
    """What an entry says of the name or "host/path" that it is filed under."""

    BELOW = 0
    """the rule covers the name and everything below it"""
    EXACT = 1
    """the rule covers this very name only"""
    PATH = 2
    """the rule covers this "host/path" and everything below it"""
    MARKER = 3
    """no rule: some rule needs the path on this host"""


@dataclass(frozen=True, slots=True)
class ListInfo:
    """One list inside a rule set."""

    name: str
    category: str
    date: str = ""
    title: str = ""
    source: str = ""
    lines: int = 0
    """the number of the last line"""
    entries: int = 0
    """rules kept, duplicates left out"""


class Hit(NamedTuple):
    """A rule that covers the request."""

    info: ListInfo
    line: int
    text: str

    @property
    def category(self) -> str:
        """The category of the list."""
        return self.info.category

    @property
    def rule(self) -> Rule:
        """The hit as the Rule that a verdict names."""
        return Rule(self.info.name, self.line, self.text, self.info.date)


class BadRuleSet(ValueError):
    """The buffer is not a rule set, is damaged, or is of another version."""


class RuleSet:
    """A compiled rule set over a buffer (bytes or mmap). Frozen in use: a change is a new RuleSet."""

    def __init__(self, buffer: bytes | memoryview) -> None:
        view = memoryview(buffer)
        if len(view) < HEADER.size:
            raise BadRuleSet("it is too short")
        magic, self.checksum, self.key, count, manifest = HEADER.unpack_from(view)
        if magic != MAGIC:
            raise BadRuleSet("it is of another kind or version")
        ends = HEADER.size + DIRECTORY * 4
        values, keys, checks = ends + count * 4, ends + count * 8, ends + count * 10
        if len(view) != checks + manifest:
            raise BadRuleSet("its length does not match its header")
        self.buffer = view
        self.directory = view[HEADER.size : ends].cast("I")
        self.values = view[ends:values].cast("I")
        self.keys = view[values:keys].cast("I")
        self.checks = view[keys:checks].cast("H")
        try:
            told: dict[str, Any] = json.loads(bytes(view[checks:]))
            self.lists = tuple(ListInfo(*row) for row in told["lists"])
            """the lists, in the order of their lines"""
            self.entries = sum(info.entries for info in self.lists)
            """rules of all lists"""
            self.patterns: tuple[tuple[Pattern, bool, int], ...] = tuple(
                (Pattern(form, text), allow, line) for form, text, allow, line in told["patterns"]
            )
            """(pattern, allow, line through all lists)"""
            self.tops: dict[str, list[int]] = told["tops"]
            """name of one label ("gov", "intranet") → its values: so few that no digest is looked up for them"""
        except (ValueError, TypeError, KeyError, re.error) as error:
            raise BadRuleSet("its manifest is damaged") from error
        self._filed = Patterns(self.patterns) if self.patterns else None
        self._ends = list(accumulate(info.lines for info in self.lists))
        self._seed = blake2b(digest_size=8, salt=self.key)

    def verify(self) -> None:
        """Read the whole file once and raise BadRuleSet unless it is what was written."""
        if checksum(self.buffer) != self.checksum:
            raise BadRuleSet("its checksum is wrong")

    def find(  # noqa: C901  the hot path: a call for each name would cost a third more
        self, host: str, path: str | None = None
    ) -> tuple[tuple[Hit, ...], bool]:
        """The rules that cover `host` (and `path`, where it is known), most specific first, and whether some rule
        needs the path. An exception takes every hit of its own category away."""
        blocks: list[Hit] = []
        excepted: set[str] = set()
        marked = False
        directory, keys, seed = self.directory, self.keys, self._seed
        name, dots = host, host.count(".")
        top = host.rpartition(".")[2]
        if host[-1] <= "9" and top.isdigit():
            dots, top = 0, ""  # nothing lies above an IPv4 address
        while True:
            digest = seed.copy()
            digest.update(name.encode())
            slot, key, check = _SPLIT.unpack(digest.digest())
            end = directory[slot + 1]
            at = bisect_left(keys, key, directory[slot], end)
            if at < end and keys[at] == key:
                paths = False
                for value in self._values(at, key, check):
                    if value >> 28 & 7 == Form.MARKER:
                        marked = paths = True
                    elif value >> 28 & 7 == Form.BELOW or name is host:
                        self._sort_in(value, name, blocks, excepted)
                if paths and path is not None:
                    self._find_paths(name, path, blocks, excepted)
            if dots <= 1:
                break
            dots -= 1
            name = name.partition(".")[2]
        if top in self.tops:
            marked = self._find_top(host, top, path, blocks, excepted) or marked
        if self._filed:
            for pattern, allow, line in self._filed.find(host, path):
                self._sort_in(line | (ALLOW if allow else 0), pattern.text, blocks, excepted)
        if not blocks:
            return (), marked
        return tuple(hit for hit in blocks if hit.category not in excepted), marked

    def _find_top(self, host: str, top: str, path: str | None, blocks: list[Hit], excepted: set[str]) -> bool:
        """Sorts in the rules about a name of one label; whether one of them needs the path."""
        marked = False
        for value in self.tops[top]:
            form = value >> 28 & 7
            marked = marked or form == Form.MARKER
            if form == Form.BELOW or (form == Form.EXACT and top == host):
                self._sort_in(value, top, blocks, excepted)
        if marked and path is not None:
            self._find_paths(top, path, blocks, excepted)
        return marked

    def _values(self, at: int, key: int, check: int) -> list[int]:
        """The values of the entries from `at` on that share the digest."""
        found = []
        while at < len(self.keys) and self.keys[at] == key:
            if self.checks[at] == check:
                found.append(self.values[at])
            at += 1
        return found

    def _find_paths(self, name: str, path: str, blocks: list[Hit], excepted: set[str]) -> None:
        for text in path_keys(name, path):
            digest = self._seed.copy()
            digest.update(text.encode())
            slot, key, check = _SPLIT.unpack(digest.digest())
            at = bisect_left(self.keys, key, self.directory[slot], self.directory[slot + 1])
            for value in self._values(at, key, check):
                if value >> 28 & 7 == Form.PATH:
                    self._sort_in(value, text, blocks, excepted)

    def _sort_in(self, value: int, text: str, blocks: list[Hit], excepted: set[str]) -> None:
        line = value & LINE
        at = bisect_left(self._ends, line)
        info = self.lists[at]
        if value & ALLOW:
            excepted.add(info.category)
        else:
            blocks.append(Hit(info, line - (self._ends[at] - info.lines), text))


def checksum(buffer: memoryview) -> bytes:
    """BLAKE2b-128 of everything behind the checksum."""
    return blake2b(buffer[24:], digest_size=16).digest()
