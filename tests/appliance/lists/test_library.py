"""The lists of a box and the rule set made of them: taken, refused, put back, updated, built."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import ListError, RuleSetError, StateError
from appliance.lists.builtin import built_in_names
from appliance.lists.library import Library, Report
from appliance.snapshot import Paths, open_rules
from appliance.tables import Tables, read_tables
from filters.index import RuleSet
from filters.model import Rule
from filters.policy import Category, Kind

TABLES = read_tables(None)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "state", None)


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str], str]:
    """Writes a list, and tells its path."""

    def put(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return put


def take(library: Library, where: str, category: str = "games", tables: Tables = TABLES) -> Report:
    """Import one list without building."""
    with library.changing():
        (report,), _ = library.import_(where, tables, category=category)
    return report


def found(rules: RuleSet, host: str) -> list[Rule]:
    return [hit.rule for hit in rules.find(host)[0]]


def test_the_secret_is_made_once_and_readable_by_its_owner_only(paths: Paths) -> None:
    key = Library(paths).key
    assert len(key) == 16 and Library(paths).key == key
    assert (paths.state / "box.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"short", bytes(17)])
def test_a_damaged_secret_is_told(paths: Paths, content: bytes) -> None:
    paths.state.mkdir()
    (paths.state / "box.key").write_bytes(content)
    with pytest.raises(RuleSetError, match=r"box\.key: is damaged"):
        _ = Library(paths).key


def test_a_list_and_its_rules(paths: Paths, put: Callable[[str, str], str]) -> None:
    library = Library(paths)
    report = take(library, put("chess.txt", "# Date: 2026-02-03\na.example\nb.example\nA.example.\n"))
    assert (report.accepted, report.duplicates, report.refused) == (2, 1, 0)
    assert library.names() == ["chess"]
    (info,) = library.lists()
    assert (info.name, info.category, info.date, info.entries) == ("chess", "games", "2026-02-03", 2)
    rules = library.build(TABLES)
    assert found(rules, "www.b.example") == [Rule("chess", 3, "b.example", "2026-02-03")]
    assert open_rules(paths.rules).checksum == rules.checksum


def test_the_lists_that_come_with_schoolgate_are_always_there(paths: Paths) -> None:
    rules = Library(paths).build(TABLES)
    assert {info.name for info in rules.lists} == built_in_names()
    assert [hit.list for hit in found(rules, "adult.schoolgate.test")] == ["adult"]
    assert found(rules, "gov")[0].list == "confidential", "the one list that may hold public suffixes"


def test_progress_is_told_and_ends_at_the_whole(paths: Paths, put: Callable[[str, str], str]) -> None:
    library, seen = Library(paths), list[tuple[float, float]]()
    where = put("many.txt", "".join(f"n{number}.example\n" for number in range(50_000)))
    with library.changing():
        library.import_(where, TABLES, category="games", progress=lambda *told: seen.append(told))
    size = Path(where).stat().st_size
    assert len(seen) > 1 and seen[-1] == (size, size)
    seen.clear()
    library.build(TABLES, lambda *told: seen.append(told))
    assert seen == [(share, 256) for share in range(1, 257)]


def test_a_failing_change_leaves_every_list_as_it_was(paths: Paths, put: Callable[[str, str], str]) -> None:
    library = Library(paths)
    take(library, put("one.txt", "one.example\n"))
    take(library, put("two.txt", "two.example\n"))
    before = {path.name: path.read_bytes() for path in (paths.state / "lists").glob("*.rules")}
    with pytest.raises(KeyError), library.changing():
        library.import_(put("one.txt", "other.example\n"), TABLES, category="games")
        library.import_(put("three.txt", "three.example\n"), TABLES, category="games")
        library.remove("two")
        assert library.names() == ["one", "three"]
        raise KeyError
    assert {path.name: path.read_bytes() for path in (paths.state / "lists").glob("*.rules")} == before
    assert not list((paths.state / "lists").glob(".*.before"))


def test_a_rule_set_that_fails_a_scenario_is_never_in_force(paths: Paths, put: Callable[[str, str], str]) -> None:
    library = Library(paths)
    checksum = library.build(TABLES).checksum
    take(library, put("spoil.txt", "adult.schoolgate.test\n"), "protected")
    with pytest.raises(RuleSetError, match=r"adult\.schoolgate\.test for guest must be"):
        library.build(TABLES)
    assert open_rules(paths.rules).checksum == checksum
    assert not (paths.state / "rules.new").exists()


def test_what_was_in_force_is_kept_as_the_last_good(paths: Paths, put: Callable[[str, str], str]) -> None:
    library, kept = Library(paths), paths.last_good / "rules.set"
    first = library.build(TABLES).checksum
    assert open_rules(kept).checksum == first, "of the first set a copy, so that there always is one"
    take(library, put("one.txt", "one.example\n"))
    second = library.build(TABLES).checksum
    assert second != first and open_rules(kept).checksum == first
    paths.rules.write_bytes(b"damaged")
    library.build(TABLES)
    assert open_rules(kept).checksum == first, "a damaged set is never kept as good"


def test_a_rule_set_is_made_only_where_none_can_be_used(paths: Paths) -> None:
    library = Library(paths)
    assert library.ensure(TABLES) is False and paths.rules.exists()
    paths.rules.write_bytes(b"damaged")
    assert library.ensure(TABLES) is False, "the last good one is in force"
    (paths.last_good / "rules.set").write_bytes(b"damaged")
    assert library.ensure(TABLES) is True
    open_rules(paths.rules)


def test_two_changes_at_once(paths: Paths) -> None:
    one, two = Library(paths), Library(paths)
    with one.changing(), pytest.raises(StateError, match="another program is changing the lists"), two.changing():
        pytest.fail("both hold the lists")
    with two.changing():
        pass


def test_a_list_of_another_box_is_not_merged(paths: Paths, tmp_path: Path, put: Callable[[str, str], str]) -> None:
    other = Library(Paths(tmp_path / "other", None))
    take(other, put("theirs.txt", "a.example\n"))
    (paths.state / "lists").mkdir(parents=True)
    (tmp_path / "other" / "lists" / "theirs.rules").rename(paths.state / "lists" / "theirs.rules")
    with pytest.raises(RuleSetError, match="was compiled on another box") as raised:
        Library(paths).build(TABLES)
    assert "`schoolgate rules remove theirs`" in raised.value.hint


def test_a_list_for_a_category_that_is_gone(paths: Paths, put: Callable[[str, str], str]) -> None:
    library = Library(paths)
    more = replace(TABLES, categories={**TABLES.categories, "gone": Category("gone", Kind.CONTENT)})
    take(library, put("old.txt", "a.example\n"), "gone", more)
    with pytest.raises(RuleSetError, match="the list old is for 'gone', which is no category"):
        library.build(TABLES)


def test_a_list_that_several_files_make_up(paths: Paths, tmp_path: Path) -> None:
    folder = tmp_path / "many" / "gambling"
    folder.mkdir(parents=True)
    (folder / "domains").write_text("a.example\nnot a name\n")
    (folder / "urls").write_text("b.example/bet\n")
    library = Library(paths)
    with library.changing():
        (report,), left_out = library.import_(str(tmp_path / "many"), TABLES)
    assert (report.name, report.category, report.accepted, left_out) == ("imported-gambling", "gambling", 2, [])
    assert report.files == ["domains"] and report.examples[0].line == 2


def test_what_cannot_be_used_is_told_and_the_rest_is_taken(paths: Paths, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "bad.txt").write_text("0.0.0.0 com\n")
    (folder / "good.txt").write_text("a.example\n")
    (folder / "page.txt").write_text("<html>")
    library = Library(paths)
    with library.changing():
        reports, _ = library.import_(str(folder), TABLES, category="games")
    assert [(report.name, report.accepted, bool(report.unusable)) for report in reports] == [
        ("folder-bad", 0, True),
        ("folder-good", 1, False),
        ("page.txt", 0, True),
    ]
    assert library.names() == ["folder-good"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "0.0.0.0 com\n0.0.0.0 co.uk\n"])
def test_a_list_without_a_rule_does_not_take_the_place_of_one_with(
    paths: Paths, put: Callable[[str, str], str], text: str
) -> None:
    library = Library(paths)
    take(library, put("one.txt", "one.example\n"))
    with pytest.raises(ListError, match="it holds no rule that can be used"):
        take(library, put("one.txt", text))
    assert [info.entries for info in library.lists()] == [1]


def test_names_that_are_cut_and_names_that_are_taken(paths: Paths, put: Callable[[str, str], str]) -> None:
    library = Library(paths)
    assert take(library, put("adult.txt", "a.example\n"), "adult").name == "imported-adult"
    assert len(take(library, put("x" * 120 + ".txt", "a.example\n")).name) == 80


def test_an_address_that_does_not_answer(paths: Paths) -> None:
    library = Library(paths)
    with pytest.raises(ListError, match="cannot be reached"), library.changing():
        library.import_("http://127.0.0.1:9/list.txt", TABLES, category="games")


def test_every_name_of_every_list_is_found_with_its_line(paths: Paths, put: Callable[[str, str], str]) -> None:
    """However lists overlap, the first one that holds a name is the one told."""
    library = Library(paths)
    lists = [[f"n{number}.example" for number in range(400) if number % step == 0] for step in (6, 4, 3, 1)]
    for number, names in enumerate(lists):
        take(library, put(f"list{number}.txt", "".join(f"{name}\n" for name in names)))
    rules = library.build(TABLES)
    for name in lists[-1]:
        first = next(number for number, names in enumerate(lists) if name in names)
        hits = [(rule.list, rule.line) for rule in found(rules, f"www.{name}")]
        assert hits == [(f"list{first}", lists[first].index(name) + 1)]
    assert [info.entries for info in rules.lists[-4:]] == [67, 66, 67, 200], "each name counts once"
