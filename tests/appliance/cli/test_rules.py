"""`rules`: lists of every kind in, what became of them told, and nothing broken by what is no list."""

import gzip
import http.server
import lzma
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path

import pytest

from tests.appliance.cli.command import Command, lines

HOSTS = """\
# Title: Some hosts
# Date: 2026-02-03
0.0.0.0 one.example
0.0.0.0 two.example
0.0.0.0 one.example
0.0.0.0 com
"""
REPORT = ["name", "category", "accepted", "rejected", "duplicates", "ignored", "unusable", "problems", "examples"]


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    path = tmp_path / "some.hosts"
    path.write_text(HOSTS)
    return path


def test_a_list_is_in_force_at_once(box: Command, hosts: Path) -> None:
    said = box.good("rules", "import", hosts, "--category", "games")
    assert lines(said.out) == [
        "some (games): 2 accepted, 1 rejected, 1 duplicates",
        "1 × this would cover a whole public suffix, or nearly everything",
        "line 6, column 9: com",
        said.out.splitlines()[-1],
    ]
    assert said.out.splitlines()[-1].startswith("The rule set holds ")
    told = box.good("explain", "www.one.example", "--group", "primary", "--json").json
    assert told["rule"] == {"list": "some", "line": 3, "text": "one.example", "date": "2026-02-03"}


def test_the_report_for_programs(box: Command, hosts: Path) -> None:
    told = box.good("rules", "import", hosts, "--category", "games", "--json").json
    assert list(told) == ["lists", "skipped", "entries"]
    (report,) = told["lists"]
    assert list(report) == REPORT
    assert [report[key] for key in REPORT[:6]] == ["some", "games", 2, 1, 1, 0]
    assert report["problems"] == {"too_wide": 1}
    (example,) = report["examples"]
    assert (example["line"], example["column"], example["text"], example["file"]) == (6, 9, "com", None)


@pytest.mark.parametrize("ending", ["txt", "xz", "gz", "tar.gz", "folder"])
def test_every_wrapping(box: Command, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"wrapped.{ending}"
    match ending:
        case "txt":
            path.write_text(HOSTS)
        case "xz":
            path.write_bytes(lzma.compress(HOSTS.encode()))
        case "gz":
            path.write_bytes(gzip.compress(HOSTS.encode()))
        case _:
            folder = tmp_path / "wrapped.folder"
            folder.mkdir()
            (folder / "inner.hosts").write_text(HOSTS)
            if ending == "tar.gz":
                with tarfile.open(path, "w:gz") as archive:
                    archive.add(folder / "inner.hosts", "inner.hosts")
    (report,) = box.good("rules", "import", path, "--category", "games", "--json").json["lists"]
    assert report["accepted"] == 2


def squidguard(folder: Path) -> Path:
    """A collection in the layout of squidGuard, with the names that a well-known publisher uses."""
    for name, domains, urls in (
        ("adult", "a.example\n", "b.example/x\nc.example/" + "/".join("abcdefghijklmnopq") + "\n"),
        ("astrology", "stars.example\n", ""),
    ):
        (folder / name).mkdir(parents=True)
        (folder / name / "domains").write_text(domains)
        if urls:
            (folder / name / "urls").write_text(urls)
    return folder


def test_a_collection_by_its_publishers_names(box: Command, tmp_path: Path) -> None:
    told = box.good("rules", "import", squidguard(tmp_path / "many"), "--json").json
    (report,) = told["lists"]
    assert [report[key] for key in REPORT[:6]] == ["many-adult", "adult", 2, 1, 0, 0]
    assert report["examples"][0]["file"] == "urls", "a list of several files tells in which one a bad line stands"
    assert told["skipped"] == ["astrology"]
    said = box.good("rules", "import", tmp_path / "many").out
    assert "urls, line 2, column 1: c.example/a/b/c" in said
    assert "Left out, as Schoolgate has no category for them: astrology." in said
    assert "--only NAME --category CATEGORY" in said


def test_one_of_a_collection(box: Command, tmp_path: Path) -> None:
    many = squidguard(tmp_path / "many")
    box.good("rules", "import", many, "--only", "astrology", "--category", "games", "--name", "stars")
    (info,) = [info for info in box.good("rules", "status", "--json").json if info["name"] == "stars"]
    assert (info["category"], info["source"]) == ("games", f"{many}#astrology")
    assert "holds no list 'astrologie'" in box.refuses("rules", "import", many, "--only", "astrologie")
    assert "Give --name with --only" in box.refuses("rules", "import", many, "--category", "games", "--name", "x")


def test_a_list_must_be_said_to_be_something(box: Command, tmp_path: Path) -> None:
    for name, hint in (("publisher-Gambling.txt", "give --category gambling."), ("unknown.txt", "There are illegal, ")):
        (tmp_path / name).write_text("a.example\n")
        told = box.refuses("rules", "import", tmp_path / name)
        assert "it does not say what it holds" in told and hint in told


@pytest.mark.parametrize("word", ["illegal", "protected", "essential", "school-allowlist", "Ads & trackers"])
def test_no_list_opens_or_seals_by_its_own_word(box: Command, tmp_path: Path, word: str) -> None:
    (tmp_path / "own.txt").write_text(f"# category: {word}\na.example\n")
    box.refuses("rules", "import", tmp_path / "own.txt")


def test_a_list_may_say_what_it_closes(box: Command, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("# category: Games\na.example\n")
    assert "own (games): 1 accepted" in box.good("rules", "import", tmp_path / "own.txt").out


@pytest.mark.parametrize(
    ("category", "hint"), [("gamse", "Did you mean 'games'?"), ("Games", "Did you mean 'games'?"), ("x", "There are ")]
)
def test_a_category_that_does_not_exist(box: Command, hosts: Path, category: str, hint: str) -> None:
    told = box.refuses("rules", "import", hosts, "--category", category)
    assert f"there is no category {category!r}" in told and hint in told


NO_LISTS = {
    "page.txt": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "line 1, column 1: this is a web page"),
    "binary.txt": (bytes(range(256)) * 20, "this is not text"),
    "bad.txt": (b"?????\n!!! !!!\n(((\n" * 9, "is in no format"),
    "wide.txt": (
        b"0.0.0.0 com\n0.0.0.0 co.uk\n",
        "it holds no rule that can be used: line 1, column 9: this would cover",
    ),
    "empty.txt": (b"", "it holds no rule"),
    "comments.txt": (b"# nothing\n# at all\n", "it holds no rule"),
    "other.json": (b'{"a": 1}', "is in no format"),
    "cut.txt.xz": (lzma.compress(HOSTS.encode() * 99)[:-40], "is damaged or ends too early"),
    "cut.tar.gz": (gzip.compress(b"x" * 9999)[:-40], "is damaged or ends too early"),
}


@pytest.mark.parametrize("name", NO_LISTS)
def test_what_is_no_list_changes_nothing(box: Command, tmp_path: Path, name: str) -> None:
    content, told = NO_LISTS[name]
    (tmp_path / name).write_bytes(content)
    before = {path: path.read_bytes() for path in box.state.rglob("*") if path.is_file()}
    said = box.refuses("rules", "import", tmp_path / name, "--category", "games")
    assert told in said and len(said.splitlines()) == 2, said
    assert {path: path.read_bytes() for path in box.state.rglob("*") if path.is_file()} == before


def test_what_is_no_list_in_a_folder_keeps_no_other_out(box: Command, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("page.txt", "cut.txt.xz", "wide.txt"):
        (folder / name).write_bytes(NO_LISTS[name][0])
    (folder / "good.txt").write_text("a.example\n")
    said = box("rules", "import", folder, "--category", "games")
    assert said.status == 1 and "1 of the lists could not be imported" in said.err
    assert "folder-good (games): 1 accepted" in said.out and "folder-wide: not imported: it holds no" in said.out
    assert "cut.txt.xz: not imported: is damaged" in said.out
    assert "page.txt: not imported: line 1, column 1: this is a web page" in said.out
    assert box.good("explain", "a.example", "--group", "primary", "--json").json["action"] == "block"


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("nowhere.txt", "there is no such file or folder"),
        ("ftp://lists.example/list", "is not an address that can be fetched"),
        ("http://127.0.0.1:9/list", "cannot be reached"),
    ],
)
def test_a_place_where_nothing_is(box: Command, where: str, told: str) -> None:
    assert told in box.refuses("rules", "import", where, "--category", "games")


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "ü", "x" * 81])
def test_names_that_would_lead_elsewhere(box: Command, hosts: Path, name: str) -> None:
    told = box.refuses("rules", "import", hosts, "--category", "games", "--name", name)
    assert "cannot be the name of a list" in told


def test_no_list_takes_the_name_of_one_that_comes_with_schoolgate(box: Command, tmp_path: Path) -> None:
    (tmp_path / "adult.txt").write_text("a.example\n")
    assert "comes with Schoolgate" in box.refuses(
        "rules", "import", tmp_path / "adult.txt", "--category", "adult", "--name", "adult"
    )
    assert "imported-adult (adult)" in box.good("rules", "import", tmp_path / "adult.txt", "--category", "adult").out


def test_the_same_name_again_takes_the_place_and_says_so(box: Command, hosts: Path, tmp_path: Path) -> None:
    box.good("rules", "import", hosts, "--category", "games")
    assert "in the place of" not in box.good("rules", "import", hosts, "--category", "games").out
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "some.txt").write_text("three.example\n")
    said = box.good("rules", "import", tmp_path / "other" / "some.txt", "--category", "games").out
    assert f"in the place of the list of that name from {hosts}" in said
    assert box.good("explain", "one.example", "--group", "primary", "--json").json["action"] == "allow"


@pytest.mark.parametrize("category", ["protected", "school-allowlist"])
def test_a_list_that_spoils_the_rule_set_is_not_taken(box: Command, tmp_path: Path, category: str) -> None:
    (tmp_path / "spoil.txt").write_text("adult.schoolgate.test\n")
    told = box.refuses("rules", "import", tmp_path / "spoil.txt", "--category", category)
    assert "the new rule set would be wrong" in told and "adult.schoolgate.test for guest must be 'block" in told
    assert box.good("explain", "adult.schoolgate.test", "--json").json["action"] == "block"
    box.good("rules", "build")


def test_the_schools_own_policies_spoil_no_rule_set(box: Command) -> None:
    (box.state / "schoolgate.toml").touch()
    (box.state / "policies").mkdir()
    (box.state / "policies" / "guest.toml").write_text('name = "open"\nblock = []\n')
    box.good("rules", "build")
    box.good("rules", "test")


def test_status(box: Command, hosts: Path) -> None:
    box.good("rules", "import", hosts, "--category", "games")
    told = box.good("rules", "status", "--json").json
    assert list(told[0]) == ["name", "category", "date", "title", "source", "lines", "entries"]
    assert told[-1] == {
        "name": "some",
        "category": "games",
        "date": "2026-02-03",
        "title": "Some hosts",
        "source": str(hosts),
        "lines": 5,
        "entries": 2,
    }
    head, *rows, last = box.good("rules", "status").out.splitlines()
    at = head.index("category")
    assert all(row[at - 1] == " " and row[at] != " " for row in rows), "columns stand below their heads"
    assert rows[-1].split() == ["some", "games", "2", "2026-02-03", str(hosts)]
    assert last.startswith(f"{sum(info['entries'] for info in told):,} rules in ")


def test_removing(box: Command, hosts: Path) -> None:
    box.good("rules", "import", hosts, "--category", "games")
    assert "Did you mean 'some'?" in box.refuses("rules", "remove", "sone")
    assert "comes with Schoolgate and stays" in box.refuses("rules", "remove", "adult")
    assert "there is no imported list" in box.refuses("rules", "remove", "../rules")
    box.good("rules", "remove", "some")
    assert box.good("explain", "one.example", "--group", "primary", "--json").json["action"] == "allow"


def test_a_damaged_list_is_told_with_what_to_do(box: Command, hosts: Path) -> None:
    box.good("rules", "import", hosts, "--category", "games")
    (box.state / "lists" / "some.rules").write_bytes(b"damaged")
    told = box.refuses("rules", "build")
    assert "some.rules: it is too short" in told and "`schoolgate rules remove some`" in told
    box.good("rules", "remove", "some")
    box.good("rules", "build")


def test_the_text_of_a_list_is_not_kept(box: Command, hosts: Path) -> None:
    box.good("rules", "import", hosts, "--category", "games")
    kept = b"".join(path.read_bytes() for path in box.state.rglob("*") if path.is_file())
    assert b"one.example" not in kept and b"two.example" not in kept


class Publisher(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and says when nothing has changed."""

    def do_GET(self) -> None:
        path = Path(self.directory) / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        tag = f'"{blake2b(body).hexdigest()[:16]}"'
        same = self.headers.get("If-None-Match") == tag
        self.send_response(304 if same else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", "0" if same else str(len(body)))
        self.end_headers()
        if not same:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def published(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which what lies in it is served."""
    folder = tmp_path / "published"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Publisher, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_lists_from_the_web_are_updated(box: Command, published: tuple[Path, str]) -> None:
    folder, address = published
    (folder / "list.txt").write_text("one.example\n")
    assert "To add one: schoolgate rules import URL" in box.good("rules", "update").out
    box.good("rules", "import", f"{address}/list.txt", "--category", "games", "--name", "mine")
    assert box.good("rules", "update").out == "mine (games): unchanged, 1 rules\n"
    (folder / "list.txt").write_text("one.example\ntwo.example\n")
    assert "mine (games): 2 accepted" in box.good("rules", "update").out
    assert box.good("explain", "two.example", "--group", "primary", "--json").json["rule"]["list"] == "mine"
    (report,) = box.good("rules", "update", "--json").json["lists"]
    assert list(report) == [*REPORT, "unchanged"] and report["unchanged"] is True


def test_an_update_that_brings_no_list_leaves_the_old_one(box: Command, published: tuple[Path, str]) -> None:
    folder, address = published
    for name in ("one", "two"):
        (folder / f"{name}.txt").write_text(f"{name}.example\n")
        box.good("rules", "import", f"{address}/{name}.txt", "--category", "games")
    (folder / "one.txt").write_bytes(NO_LISTS["page.txt"][0])
    (folder / "two.txt").write_text("two.example\nthree.example\n")
    said = box("rules", "update")
    assert said.status == 1 and "one.txt: line 1, column 1: this is a web page" in said.err
    assert "two (games): 2 accepted" in said.out, "one publisher's fault is not another's"
    for host in ("one.example", "three.example"):
        assert box.good("explain", host, "--group", "primary", "--json").json["action"] == "block"
    for content in ("", "0.0.0.0 com\n"):
        (folder / "one.txt").write_text(content)
        for _ in range(2):
            said = box("rules", "update")
            assert said.status == 1 and "it holds no rule" in said.err, "not once, and then said to be unchanged"
    (folder / "one.txt").unlink()
    assert "404" in box.refuses("rules", "update")
    assert box.good("explain", "one.example", "--group", "primary", "--json").json["action"] == "block"


def test_a_collection_from_the_web_keeps_its_categories(box: Command, published: tuple[Path, str]) -> None:
    folder, address = published
    many = squidguard(folder / "many")

    def pack() -> None:
        with tarfile.open(folder / "many.tar.gz", "w:gz") as archive:
            archive.add(many, "many")

    (many / "games").mkdir()
    (many / "games" / "domains").write_text("chess.example\n")
    pack()
    box.good("rules", "import", f"{address}/many.tar.gz")
    (many / "games" / "domains").write_text("chess.example\nludo.example\n")
    pack()
    said = box.good("rules", "update").out
    assert "many-games (games): 2 accepted" in said and "many-adult (adult): 2 accepted" in said
    assert "astrology" not in said, "what was left out stays out"
    assert box.good("explain", "a.example", "--group", "primary", "--json").json["category"] == "adult"
    (many / "games" / "domains").unlink()
    pack()
    said = box("rules", "update")
    assert said.status == 1 and "many-games: the publisher no longer has it" in said.err
    assert box.good("explain", "ludo.example", "--group", "primary", "--json").json["category"] == "games"


def test_what_is_sealed_lies_nowhere_in_words(box: Command, published: tuple[Path, str]) -> None:
    folder, address = published
    (folder / "secret.txt").write_text("secret.example\n")
    box.good("rules", "import", f"{address}/secret.txt", "--category", "illegal")
    box.good("rules", "update")
    assert box.good("explain", "www.secret.example", "--group", "staff", "--json").json["reason"] == "sealed"
    kept = b"".join(path.read_bytes() for path in box.state.rglob("*") if path.is_file())
    assert b"secret.example" not in kept


def test_scenarios(box: Command, tmp_path: Path) -> None:
    assert "scenarios come out as they should." in box.good("rules", "test").out
    path = tmp_path / "own.txt"
    path.write_text("adult.schoolgate.test  staff  -> allow not_listed\nexample.org guest -> block paused\n")
    said = box("rules", "test", path)
    assert said.status == 1 and "1 of 2 scenarios came out differently" in said.err
    assert said.out == "own.txt:2: example.org for guest must be 'block paused', is 'allow not_listed'\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("example.org", "own.txt:1: a scenario is "),
        ("example.org pupils -> allow not_listed", "own.txt:1: 'pupils' is no group, way, day or time"),
        ("example.org -> allow not_listed", "own.txt:1: no group is named"),
        ("exa$mple primary -> allow not_listed", "own.txt:1: 'exa$mple' is not a host"),
        ("example.org primary 25:00 -> allow not_listed", "own.txt:1: '25:00' is no group"),
        ("! pause pupils", "own.txt:1: 'pupils' is no group"),
        ("! dance", "own.txt:1: 'dance' sets no scene"),
        (
            "! rule gamse a.example\na.example primary -> block blocked_by_category gamse",
            "own.txt:2: a rule above is for",
        ),
    ],
)
def test_scenarios_with_a_mistake(box: Command, tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "own.txt").write_text(line + "\n")
    assert told in box.refuses("rules", "test", tmp_path / "own.txt")


def test_scenarios_that_are_not_there(box: Command, tmp_path: Path) -> None:
    assert "cannot be read" in box.refuses("rules", "test", tmp_path / "nowhere.txt")
