"""Files, folders, archives and web addresses as lists."""

import gzip
import io
import json
import lzma
import os
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from appliance.errors import ListError
from appliance.lists.sources import Member, open_source
from filters.parse import Format, ParsedRule, Problem, RuleSyntaxError

DAY = 1_700_000_000  # 2023-11-14


def suffix(name: str) -> bool:
    return "." not in name


def put(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.utime(path, (DAY, DAY))
    return folder


def pack(folder: Path, to: Path) -> Path:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        for path in sorted(folder.rglob("*")):
            made.add(path, f"./{path.relative_to(folder)}", recursive=False)
    to.write_bytes(lzma.compress(out.getvalue()))
    return to


def texts(member: Member) -> list[str]:
    return [one.text for one in member.parsed(suffix) if isinstance(one, ParsedRule)]


UT1 = {
    "adult/domains": "bad.example\nworse.example\n",
    "adult/urls": "page.example/bad\n",
    "adult/expressions": "(badword|worseword)/\n",
    "adult/usage": "black\n",
    "games/domains": "play.example\n",
    "empty/domains": "",
    "global_usage": "# words\nNAME: adult\n",
    "README": "words",
}
V2FLY = {
    "data/shop": "shop.example @ads\ninclude:cdn\n",
    "data/cdn": "full:cdn.example\n",
    "data/geo-!here": "there.example\n",
    "README.md": "words",
}


def test_a_file(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"bad.hosts": "# Title: Bad names\n# category: adult\n# Updated: 2026-08-19\n0.0.0.0 bad.example\nx!\n"},
    )
    with open_source(str(tmp_path / "bad.hosts")) as source:
        (member,) = source.members
        assert (member.name, member.format, member.title) == ("bad", Format.HOSTS, "Bad names")
        assert (member.category, member.date) == ("adult", "2026-08-19")
        assert member.size == (tmp_path / "bad.hosts").stat().st_size
        assert list(member.parsed(suffix)) == list(member.parsed(suffix))
        assert [type(one) for one in member.parsed(suffix)] == [ParsedRule, RuleSyntaxError]
    assert (source.origin, source.changed, source.skipped) == (str(tmp_path / "bad.hosts"), True, ())


def test_a_file_without_a_date_has_that_of_the_file(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": "bad.example\n"})
    with open_source(str(tmp_path / "a.txt")) as source:
        assert source.members[0].date == "2023-11-14"


@pytest.mark.parametrize(("name", "packing"), [("a.txt.xz", lzma.compress), ("a.gz", gzip.compress)])
def test_a_compressed_file(tmp_path: Path, name: str, packing: object) -> None:
    put(tmp_path, {name: packing(b"bad.example\n")})  # type: ignore[operator]
    with open_source(str(tmp_path / name)) as source:
        assert source.members[0].name == "a"
        assert texts(source.members[0]) == ["bad.example"]


def test_json_in_one_long_line(tmp_path: Path) -> None:
    names = [f"bad{number}.example" for number in range(30_000)]
    put(tmp_path, {"eth.json": json.dumps({"fuzzylist": [], "blacklist": names})})
    with open_source(str(tmp_path / "eth.json")) as source:
        assert texts(source.members[0]) == names


@pytest.mark.parametrize("packed", [False, True])
def test_squidguard_categories(tmp_path: Path, packed: bool) -> None:
    where = put(tmp_path / "ut1", UT1)
    if packed:
        where = pack(where, tmp_path / "ut1.tar.xz")
    with open_source(str(where), tmp_path / "fetched") as source:
        adult, games = source.members
        assert (adult.name, games.name) == ("adult", "games")
        assert [part.format for part in adult.parts] == [
            Format.SQUIDGUARD_DOMAINS,
            Format.SQUIDGUARD_URLS,
            Format.SQUIDGUARD_EXPRESSIONS,
        ]
        assert texts(adult) == ["bad.example", "worse.example", "page.example/bad", "(badword|worseword)/"]
        assert adult.date == "2023-11-14"
        assert source.skipped == ()
    assert not packed or list((tmp_path / "fetched").iterdir()) == []


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", ["", "community-1.0"])
def test_a_v2fly_collection(tmp_path: Path, packed: bool, below: str) -> None:
    where = tmp_path / "all"
    put(where / below, V2FLY)
    if packed:
        where = pack(where, tmp_path / "all.tar.xz")
    with open_source(str(where)) as source:
        members = {member.name: member for member in source.members}
        assert sorted(members) == ["cdn", "geo-not-here", "shop"]
        assert texts(members["shop"]) == ["shop.example", "cdn.example"]
        assert [one.text for one in members["shop"].parsed(suffix, attribute="ads")] == ["shop.example"]


def test_a_v2fly_list_finds_those_beside_it_and_no_others(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"lists/shop": "full:a.example\ninclude:cdn\ninclude:../secret\ninclude:gone\n", "lists/cdn": "b.example"},
    )
    put(tmp_path, {"secret": "secret.example\n"})
    with open_source(str(tmp_path / "lists" / "shop")) as source:
        found = list(source.members[0].parsed(suffix))
    assert [one.text for one in found if isinstance(one, ParsedRule)] == ["a.example", "b.example"]
    assert [one.problem for one in found if isinstance(one, RuleSyntaxError)] == [Problem.NO_SUCH_LIST] * 2


def test_a_folder_of_files(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "a.txt": "bad.example\n",
            "sub/a.txt": "worse.example\n",
            "b.hosts.gz": gzip.compress(b"0.0.0.0 worst.example\n"),
            "page.txt": "<html>sign in</html>",
            "LICENSE": "words",
            ".hidden": "hidden.example",
        },
    )
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    pack(tmp_path / "sub", tmp_path / "inner.tar.xz")
    with open_source(str(tmp_path)) as source:
        assert [(member.name, texts(member)) for member in source.members] == [
            ("a", ["bad.example"]),
            ("sub-a", ["worse.example"]),
            ("b", ["worst.example"]),
        ]
        assert [one.name for one in source.skipped] == ["inner.tar.xz", "page.txt"]
        assert "web page" in source.skipped[1].why


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("page", "\n<!DOCTYPE html><html>", "page: line 2, column 1: this is a web page"),
        ("blob", b"\x7fELF\x00\x01", "blob: line 1, column 5: this is not text"),
        ("letter", "Dear all, here is a letter.\n", "letter: is in no format"),
        ("cut.xz", lzma.compress(b"bad.example\n" * 9)[:-20], "cut.xz: is damaged or ends too early"),
    ],
)
def test_what_is_no_list_is_told(tmp_path: Path, name: str, content: str | bytes, told: str) -> None:
    put(tmp_path, {name: content})
    with pytest.raises(ListError, match=told) as caught, open_source(str(tmp_path / name)):
        pass
    assert caught.value.hint


@pytest.mark.parametrize("where", ["nothing", "ftp://bad.example/a", "file:///etc/hosts"])
def test_what_cannot_be_opened_is_told(tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ListError) as caught, open_source(where):
        pass
    assert caught.value.hint


def test_a_folder_without_a_list_is_told(tmp_path: Path) -> None:
    put(tmp_path, {"page.txt": "<html>"})
    with pytest.raises(ListError, match=r"no list was found in it: page\.txt"), open_source(str(tmp_path)):
        pass


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root may read everything, so that a test of rights must not be root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65_534)
    yield
    os.seteuid(was)


@pytest.mark.parametrize("name", ["locked.txt", "locked", "locked/a.txt"])
def test_what_may_not_be_read_is_told(tmp_path: Path, name: str, request: pytest.FixtureRequest) -> None:
    put(tmp_path, {"locked.txt": "bad.example\n", "locked/a.txt": "bad.example\n"})
    for path in (tmp_path / "locked.txt", tmp_path / "locked"):
        path.chmod(0)
    request.getfixturevalue("nobody")
    with pytest.raises(ListError, match=r"(may not|cannot) be read") as caught, open_source(str(tmp_path / name)):
        pass
    assert caught.value.hint


def test_a_web_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    put(tmp_path / "site", {"bad.txt": "bad.example\n"})

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/bad.txt"
        with open_source(url, tmp_path / "fetched") as source:
            assert (source.members[0].name, texts(source.members[0])) == ("bad", ["bad.example"])
            assert (source.members[0].date, source.changed, source.origin) == ("2023-11-14", True, url)
        with open_source(url, tmp_path / "fetched") as source:
            assert (texts(source.members[0]), source.changed) == (["bad.example"], False)
        with open_source(url) as source:
            assert texts(source.members[0]) == ["bad.example"]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_progress_counts_up_to_the_size_through_all_parts(tmp_path: Path) -> None:
    put(tmp_path, {name: content for name, content in UT1.items() if name.startswith("adult/")})
    seen: list[int] = []
    with open_source(str(tmp_path)) as source:
        list(source.members[0].parsed(suffix, progress=seen.append))
        assert seen == sorted(seen)
        assert seen[-1] == source.members[0].size
