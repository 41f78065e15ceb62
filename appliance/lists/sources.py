"""Where lists come from: a file, a folder, an archive or a web address becomes Members, each a list to be compiled.

Nothing is read as a whole: a Member gives its lines as often as they are asked for, as long as its Source is open.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory

from appliance.errors import ListError
from appliance.lists import archive
from appliance.lists.archive import Progress
from appliance.lists.fetch import fetch, is_url
from filters.formats import SAMPLE, detect, header, not_a_list
from filters.parse import parse
from filters.syntax import LONGEST_LINE, Format, Include, IsPublicSuffix, Parsed

_JSON_LINE = 32 << 20  # JSON may well be one line
_SQUIDGUARD = ("domains", "urls", "expressions")
_BESIDE = re.compile(r"(?:global_)?usage|.*readme.*|.*licen[cs]e.*|copying|changelog.*|.*\.md|.*\.rules", re.I)
_ENDINGS = re.compile(r"(?:\.(?:xz|gz|bz2|zip|tar|tgz|txz|txt|hosts?|list|domains?|json|conf|zone|rpz|csv))+\Z", re.I)
_LOOK_AT = 100
"""files of a folder `data` that are read to see whether it is v2fly's"""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a list."""

    path: Path
    format: Format
    size: int
    """bytes of the file as it lies there: what `progress` counts up to"""

    def lines(self, progress: Progress | None = None) -> Iterator[str]:
        """The lines, read as they are asked for. Raises ListError in the midst of them when the file is damaged."""
        return archive.lines(self.path, progress, _JSON_LINE if self.format is Format.ETH_PHISHING else LONGEST_LINE)


@dataclass(frozen=True, slots=True)
class Member:
    """One list of a source."""

    name: str
    """fit for a file's name; not always unique among sources"""
    parts: tuple[Part, ...]
    """one; of a squidGuard category up to three, each with line numbers of its own"""
    date: str
    """ISO 8601 (YYYY-MM-DD): what the list says of itself, else the file's own"""
    title: str = ""
    category: str = ""
    """of our own lists, "" elsewhere"""
    include: Include | None = None

    @property
    def format(self) -> Format:
        """The format of the first part."""
        return self.parts[0].format

    @property
    def size(self) -> int:
        """Bytes of all parts: what the progress of `parsed` counts up to."""
        return sum(part.size for part in self.parts)

    def parsed(
        self, is_public_suffix: IsPublicSuffix, attribute: str | None = None, progress: Progress | None = None
    ) -> Iterator[Parsed]:
        """The rules and refusals of all parts. Raises ListError when a file is damaged."""
        done = 0
        for part in self.parts:
            lines = part.lines(_after(done, progress))
            yield from parse(lines, part.format, is_public_suffix, self.include, attribute)
            done += part.size


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file of a folder or an archive that is no list."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Source:
    """An opened source."""

    origin: str
    """the path or address that was asked for"""
    members: tuple[Member, ...]
    """at least one, sorted by name"""
    skipped: tuple[Skipped, ...] = ()
    changed: bool = True
    """False when a server said that nothing is new since the last time"""


@contextmanager
def open_source(where: str, fetch_to: Path | None = None, progress: Progress | None = None) -> Iterator[Source]:
    """Open a file, a folder, an archive (.tar with any compression, .zip) or a web address.

    Downloads are kept in `fetch_to` for the next time, and archives are unpacked there as long as the source is open;
    without it both go to a temporary folder. `progress` tells of these two. Raises ListError.
    """
    with ExitStack() as stack:
        changed = True
        path = Path(where).expanduser()
        if is_url(where):
            folder = fetch_to or Path(stack.enter_context(TemporaryDirectory()))
            path, changed = (found := fetch(where, folder, progress)).path, found.changed
        elif "://" in where:
            raise ListError(f"{where}: is not an address that can be fetched", "Use one that begins with https://")
        root, skipped = path, list[Skipped]()
        if not _is_folder(path) and archive.is_archive(path):
            if fetch_to:
                fetch_to.mkdir(parents=True, exist_ok=True)
            root = Path(stack.enter_context(TemporaryDirectory(dir=fetch_to, prefix=".unpacked-")))
            archive.unpack(path, root, progress)
        members = list(_of_folder(root, skipped)) if root.is_dir() else [_of_file(root)]
        if not members:
            first = f": {skipped[0].name}: {skipped[0].why}" if skipped else ""
            raise ListError(f"{where}: no list was found in it{first}", "Give the path of a list itself.")
        yield Source(where, tuple(_named_apart(members, root)), tuple(skipped), changed)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise ListError(f"{path}: cannot be read ({error.strerror})", "Check the rights of its folder.") from error


def _of_file(path: Path) -> Member:
    """A single list. Raises ListError when it is none."""
    sample = archive.sample(path, SAMPLE)
    if problem := not_a_list(sample):
        raise ListError(f"{path.name}: {problem}", "Open the address in a browser and save the list itself.")
    stem = _stem(path)
    form = detect(sample, stem)
    if form is None:
        known = ", ".join(form.value for form in Format)
        raise ListError(f"{path.name}: is in no format that Schoolgate reads", f"It reads {known}.")
    head, (size, date) = header(sample), _facts(path)
    include = _includer({}, path.parent) if form is Format.V2FLY else None
    part = Part(path, form, size)
    return Member(_fit(stem), (part,), head.date or date, head.title, head.category, include)


def _of_folder(folder: Path, skipped: list[Skipped]) -> Iterator[Member]:
    """The lists of a folder and those below it. What is no list is put into `skipped`."""
    files = _files(folder)
    taken: set[Path] = set()
    for parent in sorted({path.parent for path in files if path.name in _SQUIDGUARD}):
        found = [parent / name for name in _SQUIDGUARD if parent / name in files]
        taken |= {path for path in files if path.parent == parent}
        if member := _category(parent, found):
            yield member
    for parent in sorted({path.parent for path in files if path.parent.name == "data"} | {folder}):
        lists = {path.name: path for path in files if path.parent == parent and path not in taken}
        if parent.name == "data" and _is_v2fly(lists.values()):
            yield from _collection(lists)
            taken |= set(lists.values())
            taken |= {path for path in files if path.parent == parent.parent}
    for path in files:
        if path in taken or _BESIDE.fullmatch(path.name):
            continue
        try:
            if archive.is_archive(path):
                raise ListError("it is an archive within another", "")
            yield _of_file(path)
        except ListError as error:
            skipped.append(Skipped(path.relative_to(folder).as_posix(), str(error)))


def _files(folder: Path) -> list[Path]:
    """The regular files of a folder; hidden ones and links are left alone."""
    try:
        next(folder.iterdir(), None)  # rglob passes over a folder that may not be read
        found = [
            path
            for path in folder.rglob("*")
            if path.is_file()
            and not path.is_symlink()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        ]
    except OSError as error:
        raise ListError(f"{folder}: cannot be read ({error.strerror})", "Check the rights of the folder.") from error
    return sorted(found)


def _category(folder: Path, paths: list[Path]) -> Member | None:
    """A squidGuard category; None for one that is empty."""
    parts = []
    for path in paths:
        size, _ = _facts(path)
        if size:
            parts.append(Part(path, Format(f"squidguard-{path.name}"), size))
    if not parts:
        return None
    return Member(_fit(folder.name), tuple(parts), max(_facts(path)[1] for path in paths))


def _is_v2fly(paths: Iterable[Path]) -> bool:
    """Whether the files of a folder `data` are v2fly's: none has an ending, and some is told by its lines."""
    some = [path for path in paths if not path.suffix][:_LOOK_AT]
    return any(detect(archive.sample(path, SAMPLE)) is Format.V2FLY for path in some)


def _collection(lists: dict[str, Path]) -> Iterator[Member]:
    include = _includer(lists, None)
    for name, path in sorted(lists.items()):
        size, date = _facts(path)
        yield Member(_fit(name), (Part(path, Format.V2FLY, size),), date, include=include)


def _includer(lists: dict[str, Path], beside: Path | None) -> Include:
    """How a v2fly list finds another: among `lists`, or in the folder that it lies in."""

    def include(name: str) -> Iterable[str]:
        path = lists.get(name.lower())
        if path is None and beside and re.fullmatch(r"[\w!-][\w!.-]*", name) and (beside / name).is_file():
            path = beside / name
        if path is None:
            raise LookupError(name)
        return archive.lines(path)

    return include


def _facts(path: Path) -> tuple[int, str]:
    """Size in bytes and day of the last change."""
    found = path.stat()
    return found.st_size, datetime.fromtimestamp(found.st_mtime, UTC).date().isoformat()


def _stem(path: Path) -> str:
    return _ENDINGS.sub("", path.name)


def _fit(name: str) -> str:
    """A name that may be a file's name everywhere."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name.replace("!", "not-")).strip(".-") or "list"


def _named_apart(members: list[Member], root: Path) -> Iterator[Member]:
    """Members sorted by name; those that share one are named by their path, or else counted."""
    shared = Counter(member.name for member in members)
    used: set[str] = set()
    for member in sorted(members, key=lambda member: (member.name, member.parts[0].path)):
        name = member.name
        if shared[name] > 1:
            path = member.parts[0].path.relative_to(root)
            name = _fit("-".join(path.parent.parts + (() if path.name in _SQUIDGUARD else (_stem(path),))))
        name = next(one for one in chain([name], map(f"{name}-{{}}".format, count(2))) if one not in used)
        used.add(name)
        yield replace(member, name=name)


def _after(done: int, progress: Progress | None) -> Progress | None:
    return (lambda read: progress(done + read)) if progress else None
