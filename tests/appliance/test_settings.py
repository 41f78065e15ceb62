"""Mistakes in files that people write: each is one sentence with file, line, key and a remedy."""

from enum import Enum
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.settings import Table, near, read_toml


class Colour(Enum):
    RED = "red"
    DARK_BLUE = "dark-blue"


TEXT = """\
# a comment
name = "box"
"quoted" = 3
flag = true

[first]
number = 7
words = ["one", "two"]

[second]
number = "seven"

[[row]]
colour = "red"

[[row]]
colour = "blue"

[second.inner]
key = 1
"""


@pytest.fixture
def table(tmp_path: Path) -> Table:
    path = tmp_path / "file.toml"
    path.write_text(TEXT, encoding="utf-8")
    return read_toml(path)


def said(error: pytest.ExceptionInfo[ConfigError]) -> tuple[int | None, str]:
    """(line, what follows the place) of an error."""
    place, _, rest = str(error.value).partition(": ")
    line = place.rpartition("file.toml")[2].lstrip(":")
    return (int(line) if line else None), rest


def test_values_are_read(table: Table) -> None:
    first = table.table("first")
    assert table.string("name") == "box"
    assert table.boolean("flag") is True
    assert first.integer("number") == 7
    assert first.strings("words") == ["one", "two"]
    assert [row.choice("colour", Colour) for row in table.tables("row")[:1]] == [Colour.RED]
    assert table.parsed("name", len, "") == 3


def test_what_is_not_there_has_its_default_or_is_missing(table: Table) -> None:
    assert table.string("none", "x") == "x"
    assert table.boolean("none", False) is False
    assert table.integer("none", 5) == 5
    assert table.strings("none", ["a"]) == ["a"]
    assert table.choice("none", Colour, Colour.DARK_BLUE) is Colour.DARK_BLUE
    assert table.tables("none") == []
    assert table.table("none").string("key", "y") == "y"
    for read in (table.string, table.boolean, table.integer):
        with pytest.raises(ConfigError, match="is missing"):
            read("nothing")


@pytest.mark.parametrize(
    ("where", "read", "line", "words"),
    [
        ("", lambda t: t.integer("name"), 2, "name: must be a whole number"),
        ("", lambda t: t.string("quoted"), 3, "quoted: must be text in quotes"),
        ("", lambda t: t.integer("flag"), 4, "flag: must be a whole number"),
        ("", lambda t: t.strings("name"), 2, "name: must be a list"),
        ("", lambda t: t.table("name"), 2, "name: must be a table"),
        ("first", lambda t: t.integer("number", low=8), 7, "first.number: must be a whole number from 8"),
        ("first", lambda t: t.string("words"), 8, "first.words: must be text in quotes"),
        ("second", lambda t: t.integer("number"), 11, "second.number: must be a whole number"),
        ("second", lambda t: t.string("missing"), 10, "second.missing: is missing"),
        ("first", lambda t: t.choice("number", Colour), 7, "first.number: must be text"),
        ("second", lambda t: t.parsed("number", int, ""), 11, "second.number: invalid literal"),
    ],
)
def test_the_place_is_told(table: Table, where: str, read: object, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(table.table(where) if where else table)  # type: ignore[operator]
    found_line, text = said(error)
    assert (found_line, text[: len(words)]) == (line, words)
    assert "\n" not in str(error.value)


def test_of_several_tables_the_right_one_is_told(table: Table) -> None:
    with pytest.raises(ConfigError) as error:
        table.tables("row")[1].choice("colour", Colour)
    assert said(error)[0] == 17
    assert "red, dark-blue" in str(error.value)


def test_a_list_of_words_with_a_number_in_it(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text('words = ["one", 2]\n')
    with pytest.raises(ConfigError, match="2 is not in quotes"):
        read_toml(path).strings("words")


def test_a_key_that_nobody_knows_is_no_silence(table: Table) -> None:
    first = table.table("first")
    first.integer("number")
    first.for_people("words")
    first.done()
    second = table.table("second")
    second.integer("numbre", 0)
    with pytest.raises(ConfigError) as error:
        second.done()
    assert said(error) == (11, "second.number: is not a setting")
    assert error.value.hint == "Did you mean 'numbre'?"
    table.string("name")
    with pytest.raises(ConfigError) as error:
        table.done()
    assert error.value.hint


def test_the_rest_is_what_nobody_asked_for(table: Table) -> None:
    first = table.table("first")
    first.integer("number")
    assert first.rest() == {"words": ["one", "two"]}
    first.done()


@pytest.mark.parametrize(
    ("value", "hint"),
    [("primry", "Did you mean 'primary'?"), ("PRIMARY", "Did you mean 'primary'?"), ("xyz", ""), ("", "")],
)
def test_near(value: str, hint: str) -> None:
    assert near(value, ["primary", "staff"]) == hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"name = \xff", "UTF-8"),
        (b"name = box", "file.toml:1: this is no TOML"),
        (b"a = 1\na = 2", "file.toml:2: this is no TOML"),
        (b"[one\n", "file.toml:1: this is no TOML"),
        (b"\x00", "file.toml:1: this is no TOML"),
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "file.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        read_toml(path)
    assert str(path) in str(error.value) and words in str(error.value)
    assert error.value.hint and "\n" not in str(error.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_toml(tmp_path)


def test_brackets_without_end_are_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(ConfigError):
        read_toml(path)
