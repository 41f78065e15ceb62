"""Turns rules into a compiled rule set, and several sets into one; filters.index describes and reads the file.

Pure: rules in, the file's sections out, for the caller to write. Sorting goes by 256 shares of the digests, so that
three million names are built in little more memory than the file itself.
"""

import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from hashlib import blake2b
from itertools import accumulate

from filters.index import ALLOW, DIRECTORY, HEADER, LINE, MAGIC, Form, ListInfo, RuleSet
from filters.patterns import Pattern
from filters.syntax import ParsedRule, Shape

SHARES = 256
_FORM_OF = {Shape.NAME: Form.BELOW, Shape.EXACT: Form.EXACT, Shape.PATH: Form.PATH}
_PatternRow = tuple[int, str, bool, int]
_Top = tuple[str, int]
"""a name of one label, and its value"""
_SEVERAL = re.compile(r"[.:/]")
"""in every name of several labels, in every address, and in every path"""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule set ready to be written."""

    sections: tuple[bytes, ...]
    """to be written one after the other"""
    entries: int
    duplicates: int
    """rules left out because the same category already held them"""


def compile_list(rules: Iterable[ParsedRule], info: ListInfo, key: bytes) -> Compiled:
    """One list as a rule set. `key` is the box's 16 bytes; `info` needs no lines or entries, they are counted here."""
    seed = blake2b(digest_size=8, salt=key)
    shares: list[array[int]] = [array("Q") for _ in range(SHARES)]
    lines: list[array[int]] = [array("I") for _ in range(SHARES)]
    patterns: list[_PatternRow] = []
    hosts_with_paths: set[str] = set()
    tops: list[_Top] = []
    last = 0

    def put(text: str, value: int) -> None:
        if not _SEVERAL.search(text):
            tops.append((text, value))  # "gov" or "intranet": so few that they need no look-up of their own
            return
        digest = seed.copy()
        digest.update(text.encode())
        raw = digest.digest()
        shares[raw[0]].append(int.from_bytes(raw))
        lines[raw[0]].append(value)

    def mark(host: str | None, line: int) -> None:
        if host and host not in hosts_with_paths:
            hosts_with_paths.add(host)
            put(host, line | Form.MARKER << 28)

    for line, shape, allow, text in rules:
        last = max(last, line)
        form = _FORM_OF.get(shape)
        if form is None:
            patterns.append((shape, text, allow, line))
            mark(Pattern(shape, text).host, line)
            continue
        put(text, line | form << 28 | (ALLOW if allow else 0))
        if form is Form.PATH:
            mark(text.partition("/")[0], line)

    def share(number: int) -> Iterator[tuple[int, int]]:
        return zip(shares[number], lines[number], strict=True)

    return _write(share, [replace(info, lines=last)], patterns, tops, key)


def merge(sets: Sequence[RuleSet], key: bytes, on_share: Callable[[], None] | None = None) -> Compiled:
    """Several sets of the same key as one, the earlier before the later. `on_share` is called 256 times.

    Law: merging compiled lists gives what compiling them together would.
    """
    infos = [info for one in sets for info in one.lists]
    starts, total = [], 0
    for one in sets:
        starts.append(total)
        total += sum(info.lines for info in one.lists)
    if total > LINE:
        raise ValueError(f"the lists have {total:,} lines together; a rule set holds {LINE:,}")
    patterns = [
        (int(pattern.form), pattern.text, allow, start + line)
        for one, start in zip(sets, starts, strict=True)
        for pattern, allow, line in one.patterns
    ]

    def share(number: int) -> Iterator[tuple[int, int]]:
        for one, start in zip(sets, starts, strict=True):
            for digest, value in _entries(one, number):
                yield digest, value + start  # the line is in the low bits and cannot overflow into the form
        if on_share:
            on_share()

    tops = [
        (text, value + start)
        for one, start in zip(sets, starts, strict=True)
        for text, values in one.tops.items()
        for value in values
    ]
    return _write(share, infos, patterns, tops, key)


def _entries(rules: RuleSet, number: int) -> Iterator[tuple[int, int]]:
    """(digest, value) of one of the 256 shares of a set."""
    directory = rules.directory
    for slot in range(number << 8, (number + 1) << 8):
        low, high = directory[slot], directory[slot + 1]
        if low < high:
            top = slot << 48
            for key, check, value in zip(
                rules.keys[low:high], rules.checks[low:high], rules.values[low:high], strict=True
            ):
                yield top | key << 16 | check, value


def _write(
    share: Callable[[int], Iterable[tuple[int, int]]],
    infos: Sequence[ListInfo],
    patterns: Sequence[_PatternRow],
    tops: Sequence[_Top],
    key: bytes,
) -> Compiled:
    directory, values, keys, checks = array("I", [0]), array("I"), array("I"), array("H")
    sieve = _Sieve(infos)
    slot = 0
    for number in range(SHARES):
        # one integer a rule sorts by digest, then by line: the first list keeps what several hold
        rows = sorted(digest << 64 | (value & LINE) << 32 | value for digest, value in share(number))
        digest, seen = -1, set[tuple[int, str]]()
        for row in rows:
            if row >> 64 != digest:
                digest, seen = row >> 64, set()
            value = row & 0xFFFFFFFF
            if not sieve.passes(value, seen):
                continue
            while slot < digest >> 48:
                directory.append(len(keys))
                slot += 1
            values.append(value)
            keys.append(digest >> 16 & 0xFFFFFFFF)
            checks.append(digest & 0xFFFF)
    directory.extend([len(keys)] * (DIRECTORY - len(directory)))
    told = {"tops": sieve.tops(tops), "patterns": patterns, "lists": sieve.lists(patterns)}
    manifest = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return _sealed(key, len(keys), manifest, (directory, values, keys, checks), sieve.duplicates)


class _Sieve:
    """Of rules alike in one category, lets the first through; and counts, for each list, what passed."""

    def __init__(self, infos: Sequence[ListInfo]) -> None:
        self._infos = infos
        self._ends = list(accumulate(info.lines for info in infos))
        self._kept = [0] * len(infos)
        self.duplicates = 0

    def passes(self, value: int, seen: set[tuple[int, str]]) -> bool:
        """Whether the entry is the first of its kind among those with the same name, which `seen` remembers."""
        at = bisect_left(self._ends, value & LINE)
        same = (value >> 28, self._infos[at].category)
        is_rule = value >> 28 & 7 != Form.MARKER
        if same in seen:
            self.duplicates += is_rule
            return False
        seen.add(same)
        self._kept[at] += is_rule
        return True

    def tops(self, tops: Sequence[_Top]) -> dict[str, list[int]]:
        """The names of one label with their values, in the order of their lines."""
        found: dict[str, list[int]] = {}
        seen: dict[str, set[tuple[int, str]]] = {}
        for text, value in sorted(tops, key=lambda top: (top[0], top[1] & LINE, top[1])):
            if self.passes(value, seen.setdefault(text, set())):
                found.setdefault(text, []).append(value)
        return found

    def lists(self, patterns: Sequence[_PatternRow]) -> list[tuple[object, ...]]:
        """The rows of the lists, with the number of rules that each has in the set."""
        for _, _, _, line in patterns:
            self._kept[bisect_left(self._ends, line)] += 1
        rows = zip(self._infos, self._kept, strict=True)
        return [astuple(replace(info, entries=count)) for info, count in rows]


def _sealed(key: bytes, entries: int, manifest: bytes, arrays: tuple[array[int], ...], duplicates: int) -> Compiled:
    """The sections behind their header, with the checksum over all that follows it."""
    body = [section.tobytes() for section in arrays] + [manifest]
    head = HEADER.pack(MAGIC, bytes(16), key, entries, len(manifest))
    digest = blake2b(head[24:], digest_size=16)
    for section in body:
        digest.update(section)
    head = HEADER.pack(MAGIC, digest.digest(), key, entries, len(manifest))
    return Compiled((head, *body), entries, duplicates)
