"""`explain`: the contract of its object, what it takes, and what a person reads."""

from datetime import datetime
from pathlib import Path

import pytest

from appliance.cli.explain import _STEPS
from appliance.enforcement import Step
from appliance.tables import read_categories, rules_folder
from filters.model import Action, ClientGroup, Reason, Via
from tests.appliance.cli.command import Command, lines

KEYS = ["host", "group", "via", "at", "action", "reason", "category", "policy", "target", "record", "rule"]
ADULT = "adult.schoolgate.test"


def test_the_object_of_the_contract(box: Command) -> None:
    told = box.good("explain", ADULT, "--group", "primary", "--at", "2026-11-23T09:00", "--json").json
    assert list(told) == KEYS
    at, rule = told.pop("at"), told.pop("rule")
    assert told == {
        "host": ADULT,
        "group": "primary",
        "via": "tls",
        "action": "block",
        "reason": "blocked_by_category",
        "category": "adult",
        "policy": "primary",
        "target": None,
        "record": True,
    }
    assert datetime.fromisoformat(at).replace(tzinfo=None) == datetime(2026, 11, 23, 9)
    assert datetime.fromisoformat(at).tzinfo is not None
    line = rule.pop("line")
    assert rule == {"list": "adult", "text": ADULT, "date": "2026-11-23"}
    text = (rules_folder() / "lists" / "adult.txt").read_text(encoding="utf-8").splitlines()
    assert text[line - 1].startswith(ADULT), "the line counts from 1 in the file as it is"


CASES = [
    ("sealed.schoolgate.test", "staff", "block", "sealed", "illegal", None, True),
    ("www.childline.org.uk", "guest", "allow", "protected", "protected", None, False),
    ("captive.apple.com", "guest", "allow", "essential", "essential", None, False),
    ("www.google.com", "primary", "rewrite", "safe_search", None, "forcesafesearch.google.com", False),
    ("198.51.100.7", "guest", "block", "direct_address", None, None, False),
    ("nobody.lists.this.example", "staff", "allow", "not_listed", None, None, False),
]


@pytest.mark.parametrize(("host", "group", "action", "reason", "category", "target", "record"), CASES)
def test_one_verdict_of_each_kind(
    box: Command, host: str, group: str, action: str, reason: str, category: str, target: str, record: bool
) -> None:
    told = box.good("explain", host, "--group", group, "--json").json
    assert list(told) == KEYS
    found = [told[key] for key in ("host", "group", "action", "reason", "category", "target", "record")]
    assert found == [host, group, action, reason, category, target, record]
    assert (told["rule"] is not None) == (reason in ("sealed", "protected", "essential", "blocked_by_category"))
    if told["rule"]:
        assert list(told["rule"]) == ["list", "line", "text", "date"]


def test_a_page_that_the_policy_wants_is_inspected(box: Command) -> None:
    (box.state / "schoolgate.toml").touch()
    (box.state / "policies").mkdir()
    (box.state / "policies" / "staff.toml").write_text('name = "own"\ninspect = ["unknown"]\n')
    told = box.good("explain", "nobody.lists.this.example", "--group", "staff", "--json").json
    assert (told["action"], told["reason"], told["policy"]) == ("inspect", "page_wanted", "own")
    assert "the page is read" not in box.good("explain", "nobody.lists.this.example", "--group", "staff").out
    assert "a device that trusts the box is inspected" in " ".join(
        box.good("explain", "nobody.lists.this.example", "--group", "staff").out.split()
    )


def test_every_value_is_one_of_the_words_of_the_model(box: Command) -> None:
    categories = read_categories(rules_folder() / "categories.toml")
    for host in (ADULT, "www.google.com", "example.org", "198.51.100.7"):
        told = box.good("explain", host, "--json").json
        Action(told["action"]), Reason(told["reason"]), Via(told["via"]), ClientGroup(told["group"])
        assert told["category"] is None or told["category"] in categories


def test_without_a_group_the_device_is_unknown(box: Command) -> None:
    (box.state / "schoolgate.toml").write_text('[groups]\ndefault = "staff"\n"10.20.0.0/16" = "primary"\n')
    assert box.good("explain", ADULT, "--json").json["group"] == "staff"
    assert box.good("explain", ADULT, "--client", "10.20.0.7", "--json").json["group"] == "primary"
    assert box.good("explain", ADULT, "--client", "::ffff:10.20.0.7", "--json").json["group"] == "primary"
    told = box.good("explain", ADULT, "--client", "10.20.0.7", "--group", "guest", "--json").json
    assert told["group"] == "guest", "what was said counts"


@pytest.mark.parametrize(
    ("target", "host", "via"),
    [
        ("example.org", "example.org", "tls"),
        ("EXAMPLE.org.", "example.org", "tls"),
        ("https://example.org/page", "example.org", "tls"),
        ("http://example.org/page", "example.org", "http"),
        ("example.org/page", "example.org", "http"),
        ("https://user@example.org:8443", "example.org", "tls"),
        ("bücher.example", "xn--bcher-kva.example", "tls"),
        ("2001:db8::1", "2001:db8::1", "tls"),
        ("http://[2001:DB8::1]/", "2001:db8::1", "http"),
        ("0x7f.1", "127.0.0.1", "tls"),
    ],
)
def test_what_may_be_asked(box: Command, target: str, host: str, via: str) -> None:
    told = box.good("explain", target, "--json").json
    assert (told["host"], told["via"]) == (host, via)


@pytest.mark.parametrize(
    "target", ["", " ", "exa mple", "http://", "http://[::1", "http://x:99999999/", "exa$mple.org"]
)
def test_what_is_no_host(box: Command, target: str) -> None:
    assert "neither a host nor a URL" in box.refuses("explain", "--", target)


def test_what_the_box_does_not_judge(box: Command) -> None:
    assert "no web address" in box.refuses("explain", "ftp://example.org/")


def test_the_way_can_be_said(box: Command) -> None:
    assert box.good("explain", "example.org", "--via", "dns", "--json").json["via"] == "dns"


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2026-11-23T09:00", "2026-11-23T09:00:00+03:00"),
        ("2026-11-23", "2026-11-23T00:00:00+03:00"),
        ("2026-11-23T09:00+00:00", "2026-11-23T12:00:00+03:00"),
    ],
)
def test_times_are_the_schools(box: Command, at: str, told: str) -> None:
    (box.state / "schoolgate.toml").write_text('[school]\ntimezone = "Africa/Kampala"\n')
    assert box.good("explain", ADULT, "--at", at, "--json").json["at"] == told


def test_a_time_of_today(box: Command) -> None:
    assert "T09:30:00" in box.good("explain", ADULT, "--at", "9:30", "--json").json["at"]


@pytest.mark.parametrize("at", ["noon", "25:00", "2026-13-01", "9"])
def test_what_is_no_time(box: Command, at: str) -> None:
    assert f"{at!r} is not a time" in box.refuses("explain", ADULT, "--at", at)


def test_what_is_no_device(box: Command) -> None:
    assert "'laptop' is not the address of a device" in box.refuses("explain", ADULT, "--client", "laptop")


def test_a_person_reads_why(box: Command) -> None:
    told = lines(box.good("explain", f"https://www.{ADULT}/page?x=1", "--group", "primary").out)
    assert told[0].startswith(f"BLOCK  www.{ADULT}  for primary, by tls, ")
    assert "reason    blocked by category" in told
    assert "category  adult" in told
    assert any(line.startswith(f"rule      {ADULT} (list adult of ") for line in told)
    assert "kept      minute, group, category and site, as a flagged event" in told
    assert any(line.startswith("path      /page?x=1 is only seen on a device that trusts the box") for line in told)


def test_a_person_reads_what_else_stands_on_lists(box: Command) -> None:
    told = lines(box.good("explain", "www.google.com", "--group", "primary").out)
    assert "goes to   forcesafesearch.google.com" in told
    assert any(line.startswith("also      www.google.com (essential; list connectivity, line ") for line in told)


def test_every_step_has_words() -> None:
    assert set(_STEPS) == set(Step)


def test_it_works_where_nothing_was_ever_built_and_changes_nothing(fresh: Command) -> None:
    said = fresh.good("explain", ADULT, "--json")
    assert said.json["reason"] == "blocked_by_category"
    assert "There is no rule set" in said.err
    assert not fresh.state.exists()


def test_it_takes_the_last_good_rules_where_the_rules_are_broken(box: Command) -> None:
    (box.state / "rules.set").write_bytes(b"broken")
    assert box.good("explain", ADULT, "--json").json["reason"] == "blocked_by_category"


def test_it_takes_up_an_override(box: Command) -> None:
    box.good("allow", ADULT, "--group", "primary", "--for", "5m")
    told = box.good("explain", f"www.{ADULT}", "--group", "primary", "--json").json
    assert (told["action"], told["reason"]) == ("allow", "allowed_by_override")
    assert box.good("explain", ADULT, "--group", "guest", "--json").json["action"] == "block"


def test_a_path_rule(box: Command, tmp_path: Path) -> None:
    (tmp_path / "paths.txt").write_text("https://games.example/play/\nhttps://other.example/x/y\n")
    box.good("rules", "import", tmp_path / "paths.txt", "--category", "games")
    told = box.good("explain", "http://games.example/PLAY/chess?level=2", "--group", "primary", "--json").json
    assert (told["action"], told["rule"]["text"]) == ("block", "games.example/play")
    assert box.good("explain", "http://games.example/", "--group", "primary", "--json").json["action"] == "allow"
    told = box.good("explain", "https://games.example/play", "--group", "primary", "--json").json
    assert (told["via"], told["action"]) == ("tls", "inspect"), "the path is read where the device trusts the box"
