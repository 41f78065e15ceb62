"""The folder of compiled lists."""

from pathlib import Path

import pytest

from appliance.errors import RuleSetError
from appliance.lists.shelf import Shelf, second_name
from filters.compile import compile_list
from filters.index import ListInfo
from filters.syntax import ParsedRule, Shape

KEY = bytes(range(16))


def compiled(name: str, *hosts: str) -> tuple[bytes, ...]:
    rules = [ParsedRule(line, Shape.NAME, False, host) for line, host in enumerate(hosts, 1)]
    return compile_list(rules, ListInfo(name, "games", source=f"from/{name}"), KEY).sections


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "lists", lambda: KEY)


def test_an_empty_shelf(shelf: Shelf) -> None:
    assert shelf.paths() == [] and shelf.source("one") == "" and shelf.remove("one") is False


def test_in_and_out(shelf: Shelf) -> None:
    with shelf.changing():
        shelf.put("two", compiled("two", "b.example"))
        shelf.put("one", compiled("one", "a.example"))
    assert [path.stem for path in shelf.paths()] == ["one", "two"]
    assert shelf.source("one") == "from/one"
    rules = shelf.open(shelf.paths()[0])
    assert [hit.text for hit in rules.find("www.a.example")[0]] == ["a.example"]
    with shelf.changing():
        assert shelf.remove("one") is True
    assert [path.stem for path in shelf.paths()] == ["two"]


@pytest.mark.parametrize("name", ["../box", "..", "/etc/passwd", ".lock", ""])
def test_no_name_leads_out_of_the_folder(shelf: Shelf, tmp_path: Path, name: str) -> None:
    (tmp_path / "box.rules").touch()
    with shelf.changing():
        assert shelf.remove(name) is False
    assert (tmp_path / "box.rules").exists()


def test_a_damaged_list(shelf: Shelf, tmp_path: Path) -> None:
    with shelf.changing():
        shelf.put("one", compiled("one", "a.example"))
    (path,) = shelf.paths()
    content = bytearray(path.read_bytes())
    content[300_000 % len(content)] ^= 1
    path.write_bytes(content)
    with pytest.raises(RuleSetError, match=r"one\.rules: its checksum is wrong") as raised:
        shelf.open(path)
    assert "`schoolgate rules remove one`" in raised.value.hint
    assert shelf.source("one") == ""


def test_what_a_crash_left_is_swept_and_never_put_back(shelf: Shelf, tmp_path: Path) -> None:
    with shelf.changing():
        shelf.put("one", compiled("one", "new.example"))
    left = tmp_path / "lists" / ".one.before"
    left.write_bytes(b"".join(compiled("one", "old.example")))
    with shelf.changing():
        pass
    assert not left.exists()
    assert shelf.open(shelf.paths()[0]).find("new.example")[0]


def test_without_changing_nothing_is_put_back(shelf: Shelf) -> None:
    shelf.put("one", compiled("one", "a.example"))
    shelf.put("one", compiled("one", "b.example"))
    assert shelf.open(shelf.paths()[0]).find("b.example")[0]


def test_a_second_name_costs_no_second_copy(tmp_path: Path) -> None:
    path, name = tmp_path / "path", tmp_path / "name"
    path.write_text("old")
    name.write_text("in the way")
    second_name(path, name)
    assert path.samefile(name)
    (tmp_path / "new").write_text("new")
    (tmp_path / "new").replace(path)
    assert name.read_text() == "old"
