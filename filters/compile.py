"""Turns rules into a compiled rule set, and several sets into one; filters.index describes and reads the file.

Pure: rules in, the file's sections out, for the caller to write. Sorting goes by 256 shares of the digests, so that
three million names are built in little more memory than the file itself.
"""

import json
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
    last, fewest_dots = 0, 1

    def put(text: str, value: int) -> None:
        nonlocal fewest_dots
        if "." not in text and ":" not in text:
            fewest_dots = 0  # "gov" or "intranet": whole top-level names are to be looked up too
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

    return _write(share, [replace(info, lines=last)], patterns, fewest_dots, key)


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

    return _write(share, infos, patterns, min((one.fewest_dots for one in sets), default=1), key)


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
    fewest_dots: int,
    key: bytes,
) -> Compiled:
    directory, values, keys, checks = array("I", [0]), array("I"), array("I"), array("H")
    ends = list(accumulate(info.lines for info in infos))
    kept = [0] * len(infos)
    duplicates = 0
    slot = 0
    for number in range(SHARES):
        # one integer a rule sorts by digest, then by line: the first list keeps what several hold
        rows = sorted(digest << 64 | (value & LINE) << 32 | value for digest, value in share(number))
        digest, seen = -1, set[tuple[int, str]]()
        for row in rows:
            if row >> 64 != digest:
                digest, seen = row >> 64, set()
            value = row & 0xFFFFFFFF
            at = bisect_left(ends, value & LINE)
            same = (value >> 28, infos[at].category)
            if same in seen:
                duplicates += value >> 28 & 7 != Form.MARKER
                continue
            seen.add(same)
            kept[at] += value >> 28 & 7 != Form.MARKER
            while slot < digest >> 48:
                directory.append(len(keys))
                slot += 1
            values.append(value)
            keys.append(digest >> 16 & 0xFFFFFFFF)
            checks.append(digest & 0xFFFF)
    directory.extend([len(keys)] * (DIRECTORY - len(directory)))
    for row_pattern in patterns:
        kept[bisect_left(ends, row_pattern[3])] += 1
    told = {
        "lists": [astuple(replace(info, entries=count)) for info, count in zip(infos, kept, strict=True)],
        "patterns": patterns,
        "fewest_dots": fewest_dots,
    }
    manifest = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return _sealed(key, len(keys), manifest, (directory, values, keys, checks), duplicates)


def _sealed(key: bytes, entries: int, manifest: bytes, arrays: tuple[array[int], ...], duplicates: int) -> Compiled:
    """The sections behind their header, with the checksum over all that follows it."""
    body = [section.tobytes() for section in arrays] + [manifest]
    head = HEADER.pack(MAGIC, bytes(16), key, entries, len(manifest))
    digest = blake2b(head[24:], digest_size=16)
    for section in body:
        digest.update(section)
    head = HEADER.pack(MAGIC, digest.digest(), key, entries, len(manifest))
    return Compiled((head, *body), entries, duplicates)
