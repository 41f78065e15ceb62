"""Compressed files and archives: streams, limits, and hostile content."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from appliance.errors import ListError
from appliance.lists import archive
from filters.syntax import LONGEST_LINE

NAMES = "".join(f"bad{number}.example\n" for number in range(50_000))


@pytest.mark.parametrize(
    "packed",
    [
        NAMES.encode(),
        lzma.compress(NAMES.encode()),
        gzip.compress(NAMES.encode()),
        bz2.compress(NAMES.encode()),
        lzma.compress(NAMES[:600_000].encode()) + b"\0" * 8 + lzma.compress(NAMES[600_000:].encode()),
        gzip.compress(NAMES[:600_000].encode()) + gzip.compress(NAMES[600_000:].encode()),
        NAMES.replace("\n", "\r\n").encode("utf-8-sig"),
        NAMES.encode("utf-16"),
    ],
    ids=["plain", "xz", "gz", "bz2", "two xz", "two gz", "windows", "utf-16"],
)
def test_lines_are_the_same_however_they_are_packed(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "list"
    path.write_bytes(packed)
    seen: list[int] = []
    assert [line.rstrip("\r") for line in archive.lines(path, seen.append)] == NAMES.split("\n")[:-1]
    assert seen == sorted(seen)
    assert seen[-1] == len(packed)
    assert archive.sample(path, 40).startswith("bad0.example")
    assert not archive.is_archive(path)


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress, bz2.compress])
def test_a_file_cut_off_is_told_and_gives_what_it_has(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "list.packed"
    whole = pack(NAMES.encode())  # type: ignore[operator]
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ListError, match=r"list\.packed: is damaged or ends too early"):
        list(archive.lines(path))


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "list.xz"
    whole = bytearray(lzma.compress(NAMES.encode()))
    whole[len(whole) // 2] ^= 255
    path.write_bytes(whole)
    with pytest.raises(ListError, match="damaged") as caught:
        list(archive.lines(path))
    assert caught.value.hint


def test_a_line_without_end_is_kept_only_as_far_as_it_must(tmp_path: Path) -> None:
    path = tmp_path / "list.xz"
    path.write_bytes(lzma.compress(b"first.example\n" + b"x" * (5 << 20) + b"\nlast.example"))
    first, long, last = archive.lines(path)
    assert (first, last) == ("first.example", "last.example")
    assert LONGEST_LINE < len(long) <= LONGEST_LINE + archive.CHUNK


def test_a_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_TEXT", 1 << 20)
    path = tmp_path / "list.gz"
    path.write_bytes(gzip.compress(b"bad.example\n" * 200_000))
    with pytest.raises(ListError, match="unpacks to more than"):
        list(archive.lines(path))
    bomb = tmp_path / "bomb.tar.xz"
    bomb.write_bytes(lzma.compress(tar({"a": b"x" * (3 << 20)})))
    with pytest.raises(ListError, match="unpacks to more than"):
        archive.unpack(bomb, tmp_path / "out")


def test_an_xz_file_that_wants_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    # the block header alone asks for the memory (xz format, sections 3.1 and 5.3.1): id, size, then the dictionary
    small = lzma.compress(b"bad.example\n")
    header = bytearray(small[12 : 12 + small[12] * 4])
    assert header[2:4] == b"\x21\x01"
    header[4] = 40
    path = tmp_path / "list.xz"
    path.write_bytes(small[:12] + header + zlib.crc32(header).to_bytes(4, "little") + small[12 + len(header) + 4 :])
    with pytest.raises(ListError, match="damaged") as caught:
        list(archive.lines(path))
    assert "limit" in str(caught.value.__cause__)


def tar(files: dict[str, bytes], **facts: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), facts.get("mtime", 1_700_000_000)
            made.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name, (2023, 11, 14, 12, 0, 0)), content)
    return out.getvalue()


@pytest.mark.parametrize(
    "make", [tar, lambda files: lzma.compress(tar(files)), lambda files: gzip.compress(tar(files)), zipped]
)
def test_archives_are_unpacked_with_their_days(tmp_path: Path, make: object) -> None:
    path, out = tmp_path / "lists", tmp_path / "out"
    path.write_bytes(make({"./a/domains": b"bad.example\n", "b": b""}))  # type: ignore[operator]
    assert archive.is_archive(path)
    archive.unpack(path, out)
    assert (out / "a" / "domains").read_bytes() == b"bad.example\n"
    assert (out / "b").read_bytes() == b""
    assert abs((out / "b").stat().st_mtime - 1_700_000_000) < 86_400


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "..\\out.txt"])
@pytest.mark.parametrize("make", [tar, zipped])
def test_an_archive_that_leads_outside_is_refused(tmp_path: Path, make: object, name: str) -> None:
    path, out = tmp_path / "lists", tmp_path / "deep" / "out"
    path.write_bytes(make({name: b"x"}))  # type: ignore[operator]
    with pytest.raises(ListError, match="outside of itself"):
        archive.unpack(path, out)
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]


def test_links_and_devices_in_an_archive_are_left_out(tmp_path: Path) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as packing:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            entry = tarfile.TarInfo(f"entry{kind!r}")
            entry.type, entry.linkname = kind, "/etc/passwd"
            packing.addfile(entry)
    path, out = tmp_path / "lists.tar", tmp_path / "out"
    path.write_bytes(made.getvalue())
    out.mkdir()
    archive.unpack(path, out)
    assert list(out.iterdir()) == []


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_FILES", 3)
    path = tmp_path / "lists.tar"
    path.write_bytes(tar({str(number): b"" for number in range(4)}))
    with pytest.raises(ListError, match="more than 3 files"):
        archive.unpack(path, tmp_path / "out")


def test_a_tar_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "lists.tar.xz"
    path.write_bytes(lzma.compress(tar({"a": NAMES.encode()}))[:3_000])
    with pytest.raises(ListError, match="damaged or ends too early"):
        archive.unpack(path, tmp_path / "out")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="no such file") as caught:
        list(archive.lines(tmp_path / "nothing"))
    assert caught.value.hint
