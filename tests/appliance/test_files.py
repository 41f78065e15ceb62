"""Files that are whole or not there: what a reader can see while one is written, and what is left after a fault."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.files import read_json, same, stamp, write_atomic, write_json


def names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def test_a_file_is_written_with_its_folder_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomic(path, b"content", 0o600)
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(path.parent) == ["file"], "nothing is left beside it"


def test_parts_are_written_one_after_the_other(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", [b"one ", b"two ", b""])
    assert (tmp_path / "file").read_bytes() == b"one two "


def test_a_fault_while_writing_keeps_the_old_file_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_atomic(path, broken())
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_the_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"content")
    before = stamp(path)
    write_atomic(path, b"content")
    assert stamp(path) == before
    write_atomic(path, b"Content")
    assert stamp(path) != before


def test_a_reader_sees_the_old_or_the_new_and_never_a_part(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([letter]) * 200_000 for letter in b"ab"]
    write_atomic(path, contents[0])
    seen, done = set(), threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(40):
        write_atomic(path, contents[turn % 2])
    done.set()
    reader.join()
    assert seen <= set(contents)


def test_an_open_file_stays_what_it_was(tmp_path: Path) -> None:
    """A rule set that a process has mapped must not change under it."""
    path = tmp_path / "file"
    write_atomic(path, b"old")
    with path.open("rb") as held:
        write_atomic(path, b"new")
        assert held.read() == b"old"


def test_json_goes_and_comes_back(tmp_path: Path) -> None:
    value = {"name": "École ünïcode", "rows": [1, None, True]}
    write_json(tmp_path / "file.json", value)
    assert read_json(tmp_path / "file.json") == value
    assert "École" in (tmp_path / "file.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe", b"[1,", b"[" * 200_000])
def test_json_that_is_missing_or_broken_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file.json"
    if content is not None:
        path.write_bytes(content)
    assert read_json(path) is None


def test_a_folder_in_the_place_of_a_file_is_none(tmp_path: Path) -> None:
    assert read_json(tmp_path) is None
    assert not same(tmp_path, b"x")


def test_stamps_tell_every_replacement(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert stamp(path) is None
    seen = set()
    for content in (b"aaa", b"bbb", b"aaa", b"cc"):
        write_atomic(path, content)
        seen.add(stamp(path))
    assert len(seen) == 4
