"""Files as they come: text, compressed text, archives. Read as streams and within limits, told by content, not by name.

What is in a file is not trusted: it may be cut off, may unpack to more than any disk holds, may name places outside
its folder, may have lines without end. Each of these is a ListError in words and never costs memory.
"""

import bz2
import codecs
import gzip
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from appliance.errors import ListError
from filters.syntax import LONGEST_LINE

MOST_TEXT = 2 << 30
"""bytes that a file or an archive may unpack to"""
MOST_FILES = 20_000
CHUNK = 1 << 18
_XZ_MEMORY = 192 << 20  # xz -9 needs 65 MiB; a hostile file may ask for gigabytes

Progress = Callable[[int], None]
"""called with the bytes read so far"""

BROKEN = (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile)
_FETCH_AGAIN = "It may have been cut off on its way: fetch it again."
_MAKE_ROOM = "Make room on the disk, or unpack the archive elsewhere and import the folder."


class _Xz(io.RawIOBase):
    """An xz file, unpacked within a limit of memory, which lzma.LZMAFile does not know."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._decoder = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill the buffer as far as the next piece goes; 0 at the end."""
        view = memoryview(cast(bytearray, buffer))
        while True:
            rest = self._decoder.unused_data if self._decoder.eof else b""
            data = rest or (self._raw.read(CHUNK) if self._decoder.eof or self._decoder.needs_input else b"")
            if self._decoder.eof:
                data = data.lstrip(b"\0")  # streams may follow each other with padding between
                if not data:
                    return 0
                self._decoder = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
            elif not data and self._decoder.needs_input:
                raise EOFError
            found = self._decoder.decompress(data, len(view))
            if found:
                view[: len(found)] = found
                return len(found)


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """(the file itself, its content without compression); both are closed at the end. Raises ListError."""
    try:
        with path.open("rb") as raw:
            head = raw.read(6)
            raw.seek(0)
            if head.startswith(b"\xfd7zXZ\0"):
                yield raw, cast(BinaryIO, io.BufferedReader(_Xz(raw), CHUNK))
            elif head.startswith(b"\x1f\x8b"):
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield raw, cast(BinaryIO, unpacked)
            elif head.startswith(b"BZh"):
                with bz2.BZ2File(raw) as unpacked_bz2:
                    yield raw, cast(BinaryIO, unpacked_bz2)
            else:
                yield raw, raw
    except FileNotFoundError:
        raise ListError(f"{path}: there is no such file or folder", "Check the spelling of the path.") from None
    except PermissionError:
        raise ListError(f"{path}: may not be read", f"Give the right to read it: chmod a+r {path}") from None
    except BROKEN as error:
        raise ListError(f"{path.name}: is damaged or ends too early", _FETCH_AGAIN) from error
    except OSError as error:
        raise ListError(
            f"{path}: cannot be read ({error.strerror or error})", "Check the disk or the stick."
        ) from error


def lines(path: Path, progress: Progress | None = None, longest: int = LONGEST_LINE) -> Iterator[str]:
    """The lines of a text, UTF-8 or with the mark of UTF-16, decompressed. Of a line without end only so much is kept
    that it can be told to be longer than `longest`. Raises ListError while reading."""
    with opened(path) as (raw, unpacked):
        decoder: codecs.IncrementalDecoder | None = None
        tail, overflows, total = "", False, 0
        while chunk := unpacked.read(CHUNK):
            total += len(chunk)
            if total > MOST_TEXT:
                raise ListError(f"{path.name}: unpacks to more than {MOST_TEXT >> 30} GiB", "It is no list.")
            decoder = decoder or _decoder(chunk)
            first, *others = decoder.decode(chunk).split("\n")
            pieces = [tail if overflows else tail + first, *others]
            tail = pieces.pop()
            overflows = len(tail) > longest
            if overflows:
                tail = tail[: longest + 1]
            yield from pieces
            if progress:
                progress(raw.tell())
        if tail:
            yield tail


def _decoder(head: bytes) -> codecs.IncrementalDecoder:
    name = "utf-16" if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    return codecs.getincrementaldecoder(name)(errors="replace")


def sample(path: Path, size: int) -> str:
    """The first `size` bytes of a text, decoded. Raises ListError."""
    with opened(path) as (_, unpacked):
        head = unpacked.read(size)
        return _decoder(head).decode(head)


def is_archive(path: Path) -> bool:
    """Whether the file holds other files. Raises ListError."""
    with opened(path) as (_, unpacked):
        head = unpacked.read(512)
    return head[257:262] == b"ustar" or head.startswith(b"PK\x03\x04")


def unpack(path: Path, folder: Path, progress: Progress | None = None) -> None:
    """Put the regular files of an archive (tar with any compression, zip) into the folder. Raises ListError, also for
    a name that leads out of the folder: an archive that has one is hostile as a whole."""
    room, files = MOST_TEXT, 0
    try:
        with opened(path) as (raw, unpacked):
            for name, changed, stream in _zipped(raw) if unpacked is raw and _is_zip(raw) else _tarred(unpacked):
                files += 1
                if files > MOST_FILES:
                    raise ListError(f"{path.name}: holds more than {MOST_FILES:,} files", "It is no archive of lists.")
                room -= _write(_place(path, folder, name), changed, stream, room)
                if room < 0:
                    raise ListError(f"{path.name}: unpacks to more than {MOST_TEXT >> 30} GiB", "It is no list.")
                if progress:
                    progress(raw.tell())
    except (ValueError, OverflowError) as error:  # numbers in a header that no file has
        raise ListError(f"{path.name}: is damaged", _FETCH_AGAIN) from error


def _write(place: Path, changed: float, stream: IO[bytes], room: int) -> int:
    """Write one unpacked file as far as there is room; the bytes that it took."""
    took = 0
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        out = place.open("wb")
    except OSError as error:
        raise ListError(f"{place}: cannot be written ({error.strerror})", _MAKE_ROOM) from error
    with out:
        while took <= room and (chunk := stream.read(CHUNK)):
            took += len(chunk)
            try:
                out.write(chunk)
            except OSError as error:
                raise ListError(f"{place}: cannot be written ({error.strerror})", _MAKE_ROOM) from error
    os.utime(place, (changed, changed))
    return took


def _is_zip(raw: BinaryIO) -> bool:
    head = raw.read(4)
    raw.seek(0)
    return head == b"PK\x03\x04"


_Packed = tuple[str, float, IO[bytes]]
"""name, time of the last change in seconds since 1970, content"""


def _tarred(stream: BinaryIO) -> Iterator[_Packed]:
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isreg() else None
            if content:
                yield entry.name, max(0.0, min(entry.mtime, 2.0**32)), content


def _zipped(raw: BinaryIO) -> Iterator[_Packed]:
    with zipfile.ZipFile(raw) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            try:
                content = archive.open(entry)
            except (RuntimeError, NotImplementedError) as error:
                raise ListError(
                    f"{entry.filename}: is locked with a password or packed in a way that we do not know",
                    "Unpack it by hand and import the folder.",
                ) from error
            with content:
                yield entry.filename, _stamp(entry), content


def _stamp(entry: zipfile.ZipInfo) -> float:
    """A zip tells no time zone: the day is what counts."""
    try:
        return max(0.0, datetime(*entry.date_time, tzinfo=UTC).timestamp())
    except ValueError:
        return 0.0


def _place(path: Path, folder: Path, name: str) -> Path:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0].startswith("/") or ".." in parts or "\0" in name:
        raise ListError(f"{path.name}: names a file outside of itself ({name[:80]!r})", "Do not use this archive.")
    return folder.joinpath(*parts)
