"""What became of a list, counted."""

from pathlib import Path

from appliance.lists.report import EXAMPLES, Report, accepted, shifted
from appliance.lists.sources import open_source
from filters.syntax import Problem, RuleSyntaxError


def suffix(name: str) -> bool:
    return "." not in name


def test_the_first_refusals_are_quoted_and_all_are_counted() -> None:
    report = Report("one", "games")
    for line in range(100):
        report.take(RuleSyntaxError(line, 1, "x", Problem.TOO_WIDE), "urls")
    report.take(RuleSyntaxError(101, 1, "##.ad", Problem.NOT_FOR_US))
    assert (report.refused, report.ignored) == (100, 1)
    assert [error.line for error in report.examples] == list(range(EXAMPLES))
    assert report.files == ["urls"] * EXAMPLES


def test_rules_pass_and_refusals_stay(tmp_path: Path) -> None:
    (tmp_path / "list.hosts").write_text("0.0.0.0 a.example\n0.0.0.0 com\n0.0.0.0 b.example\n")
    report, seen = Report("one", "games"), list[int]()
    with open_source(str(tmp_path / "list.hosts")) as source:
        rules = list(accepted(source.members[0], report, suffix, seen.append))
    assert [(rule.line, rule.text) for rule in rules] == [(1, "a.example"), (3, "b.example")]
    assert (report.accepted, report.refused) == (2, 1)
    assert (report.examples[0].line, report.files) == (2, [""])
    assert seen[-1] == (tmp_path / "list.hosts").stat().st_size


def test_progress_goes_on_from_file_to_file(tmp_path: Path) -> None:
    for name in ("domains", "urls"):
        (tmp_path / "games").mkdir(exist_ok=True)
        (tmp_path / "games" / name).write_text("a.example\n" if name == "domains" else "b.example/x\n")
    seen = list[int]()
    with open_source(str(tmp_path)) as source:
        (member,) = source.members
        assert len(list(accepted(member, Report("one", "games"), suffix, seen.append))) == 2
        assert seen == sorted(seen) and seen[-1] == member.size


def test_no_progress_stays_none() -> None:
    assert shifted(None, 5) is None
    seen = list[int]()
    told = shifted(seen.append, 5)
    assert told
    told(2)
    assert seen == [7]
