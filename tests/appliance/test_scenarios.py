"""The language of scenarios: what a line means, and what a teacher is told who has mistyped one."""

from datetime import timedelta
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.scenarios import MONDAY, Scenario, read, run, told
from appliance.tables import read_tables
from filters.engine import Rulebook
from filters.model import Action, ClientGroup, Hello, Reason, Request, Verdict, Via
from tests.laws.support import of_names

TABLES = read_tables(None)
BOOK = Rulebook(of_names(illegal="sealed.example", adult="bad.example"), TABLES.categories, TABLES.safe_search)
NOON = MONDAY + timedelta(hours=12)


def scenarios(tmp_path: Path, text: str) -> list[Scenario]:
    path = tmp_path / "scenarios.txt"
    path.write_text(text, encoding="utf-8")
    return list(read(path))


def mismatches(tmp_path: Path, text: str) -> list[str]:
    return [str(one) for one in run(scenarios(tmp_path, text), TABLES.policies, BOOK)]


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("a.example primary", Request("a.example", ClientGroup.PRIMARY, Via.TLS, NOON)),
        ("A.Example. guest dns", Request("a.example", ClientGroup.GUEST, Via.DNS, NOON)),
        ("a.example dns guest", Request("a.example", ClientGroup.GUEST, Via.DNS, NOON)),
        ("a.example/b/c?d staff", Request("a.example", ClientGroup.STAFF, Via.HTTP, NOON, "/b/c?d")),
        ("a.example/ staff tls", Request("a.example", ClientGroup.STAFF, Via.TLS, NOON, "/")),
        (
            "a.example staff tue 09:05",
            Request("a.example", ClientGroup.STAFF, Via.TLS, MONDAY + timedelta(days=1, hours=9, minutes=5)),
        ),
        (
            "a.example staff hello:no_name",
            Request("a.example", ClientGroup.STAFF, Via.TLS, NOON, None, Hello.NO_NAME),
        ),
        ("2001:DB8::1 guest", Request("2001:db8::1", ClientGroup.GUEST, Via.TLS, NOON)),
        ("bücher.example guest", Request("xn--bcher-kva.example", ClientGroup.GUEST, Via.TLS, NOON)),
    ],
)
def test_a_line(tmp_path: Path, line: str, request_: Request) -> None:
    (scenario,) = scenarios(tmp_path, f"\n# comment\n{line} -> allow not_listed  # why\n")
    assert scenario.request == request_
    assert (scenario.line, scenario.expected) == (3, ("allow", "not_listed"))


@pytest.mark.parametrize(
    "line",
    [
        "a.example primary allow",
        "a.example primary ->",
        "-> allow",
        "a.example -> allow",
        "a.example pupils -> allow",
        "a.example primary someday -> allow",
        "a.example primary 9 -> allow",
        "a.example primary 24:00 -> allow",
        "a.example primary 09:60 -> allow",
        "a.example primary hello:maybe -> allow",
        "http://a.example/ primary -> allow",
        "a..example primary -> allow",
        "! rules games a.example",
        "! rule games",
        "! rule games a..example",
        "! pause pupils",
        "! allow a.example",
        "! allow a..example primary",
        "!",
    ],
)
def test_a_mistyped_line_is_told_with_its_place_and_in_words(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError) as error:
        scenarios(tmp_path, f"a.example guest -> allow not_listed\n{line}\n")
    told_ = str(error.value)
    assert told_.startswith(f"{tmp_path / 'scenarios.txt'}:2: "), told_
    assert error.value.hint
    assert "unpack" not in told_ and "\n" not in told_


def test_a_category_that_does_not_exist_is_told_and_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gmaes"):
        mismatches(tmp_path, "! rule gmaes a.example\na.example primary -> block blocked_by_category gmaes\n")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.txt", tmp_path, tmp_path / "latin.txt"):
        with pytest.raises(ConfigError, match="cannot be read"):
            list(read(path))


def test_a_mismatch_says_where_what_was_wanted_and_what_came(tmp_path: Path) -> None:
    (wrong,) = mismatches(
        tmp_path, "bad.example guest -> block blocked_by_category adult\nbad.example guest -> allow not_listed\n"
    )
    assert wrong.partition(" ")[0].endswith("scenarios.txt:2:")
    assert wrong.endswith("must be 'allow not_listed', is 'block blocked_by_category adult'")


def test_a_scene_holds_until_its_end(tmp_path: Path) -> None:
    text = """
    ! rule games play.example
    ! rule games learn.example/play
    ! allow bad.example primary
    play.example        primary -> block blocked_by_category games
    learn.example/play  primary -> block blocked_by_category games
    www.bad.example     primary -> allow allowed_by_override
    bad.example         guest   -> block blocked_by_category adult
    ! pause primary
    learn.example       primary -> block paused
    ! end
    play.example        primary -> allow not_listed
    bad.example         primary -> block blocked_by_category adult
    """
    assert mismatches(tmp_path, text) == []


def test_names_in_a_scene_may_be_written_as_in_a_line(tmp_path: Path) -> None:
    text = """
    ! rule games Play.Example.
    ! rule games bücher.example
    ! rule games Learn.Example/Play
    ! allow Bad.Example primary
    play.example        primary -> block blocked_by_category games
    bücher.example      primary -> block blocked_by_category games
    learn.example/play  primary -> block blocked_by_category games
    bad.example         primary -> allow allowed_by_override
    """
    assert mismatches(tmp_path, text) == []


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict(Action.ALLOW, Reason.NOT_LISTED, "p"), "allow not_listed"),
        (Verdict(Action.BLOCK, Reason.SEALED, "p", "illegal"), "block sealed illegal"),
        (Verdict(Action.REWRITE, Reason.SAFE_SEARCH, "p", target="safe.example"), "rewrite safe_search safe.example"),
    ],
)
def test_told(verdict: Verdict, words: str) -> None:
    assert told(verdict) == words


def test_the_week_of_scenarios_begins_on_a_monday() -> None:
    assert MONDAY.weekday() == 0 and (MONDAY.hour, MONDAY.minute) == (0, 0)
