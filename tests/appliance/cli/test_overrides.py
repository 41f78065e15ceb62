"""`allow`, `pause` and `override`: what a teacher changes, and what nobody can."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from appliance.cli.overrides import minutes
from appliance.errors import ConfigError
from tests.appliance.cli.command import Command

ADULT = "adult.schoolgate.test"
KEYS = ["id", "group", "host", "until", "reason"]


@pytest.mark.parametrize(("text", "told"), [("1m", 1), ("45m", 45), ("45min", 45), ("2h", 120), (" 12H ", 720)])
def test_how_long(text: str, told: int) -> None:
    assert minutes(text) == told


@pytest.mark.parametrize("text", ["", "45", "0m", "-5m", "1.5h", "3d", "m", "13h", "721m", "99999m", "٣m"])
def test_what_is_no_duration_or_too_long(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        minutes(text)
    assert raised.value.hint


def test_a_name_is_open_for_a_while(box: Command) -> None:
    begun = datetime.now(UTC)
    told = box.good("allow", ADULT, "--group", "primary", "--for", "45m", "--reason", "maths", "--json").json
    assert list(told) == KEYS
    assert (told["group"], told["host"], told["reason"]) == ("primary", ADULT, "maths")
    until = datetime.fromisoformat(told["until"])
    assert timedelta(minutes=44) < until - begun < timedelta(minutes=46)
    assert [row["id"] for row in box.good("override", "list", "--json").json] == [told["id"]]
    assert "(maths)" in box.good("override", "list").out


def test_what_is_told_of_it(box: Command) -> None:
    told = box.good("allow", ADULT, "--group", "primary", "--for", "5m").out
    assert f"{ADULT} is open for primary until " in told
    assert "To end it sooner: schoolgate override end " in told
    assert "not blocked before" not in told
    assert "It was not blocked before either." in box.good("allow", "x.example", "--group", "staff", "--for", "1m").out


def test_a_pause(box: Command) -> None:
    box.good("allow", ADULT, "--group", "primary", "--for", "45m")
    told = box.good("pause", "--group", "primary", "--for", "10m")
    assert "The Internet of primary is paused until " in told.out
    assert box.good("explain", "example.org", "--group", "primary", "--json").json["reason"] == "paused"
    assert box.good("explain", ADULT, "--group", "primary", "--json").json["reason"] == "paused"
    assert box.good("explain", "www.childline.org.uk", "--group", "primary", "--json").json["reason"] == "protected"
    assert box.good("explain", "example.org", "--group", "staff", "--json").json["action"] == "allow"
    later = box.good("allow", "other.example", "--group", "primary", "--for", "10m").out
    assert "But the Internet of primary is paused" in later


def test_a_new_pause_takes_the_place_of_the_old(box: Command) -> None:
    for _ in range(2):
        box.good("pause", "--group", "primary", "--for", "10m")
    assert len(box.good("override", "list", "--json").json) == 1


def test_sealed_is_sealed(box: Command) -> None:
    for host in ("sealed.schoolgate.test", "www.sealed.schoolgate.test"):
        assert "cannot be opened by anyone" in box.refuses("allow", host, "--group", "staff", "--for", "5m")
    assert not (box.state / "overrides.json").exists()
    box.good("allow", "schoolgate.test", "--group", "staff", "--for", "5m")
    assert box.good("explain", "sealed.schoolgate.test", "--group", "staff", "--json").json["reason"] == "sealed"


@pytest.mark.parametrize("host", ["com", "co.uk", "github.io", "xn--p1ai"])
def test_what_stands_above_many_sites(box: Command, host: str) -> None:
    told = box.refuses("allow", host, "--group", "staff", "--for", "5m")
    assert f"{host} stands above many sites" in told and f"example.{host}" in told


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("https://chess.example/play?x", "Name the whole site instead: chess.example"),
        ("chess.example/play", "Name the whole site instead: chess.example"),
        ("chess.example:8443", "Name the whole site instead: chess.example"),
        ("chess example", "Write it like example.org."),
        ("", "Write it like example.org."),
    ],
)
def test_a_teacher_may_paste_an_address(box: Command, typed: str, hint: str) -> None:
    assert hint in box.refuses("allow", typed, "--group", "primary", "--for", "5m")


def test_addresses_can_be_opened(box: Command) -> None:
    for host in ("198.51.100.7", "2001:db8::1"):
        box.good("allow", host, "--group", "guest", "--for", "5m")
        assert box.good("explain", host, "--group", "guest", "--json").json["reason"] == "allowed_by_override"


def test_ending(box: Command) -> None:
    one = box.good("pause", "--group", "primary", "--for", "10m", "--json").json["id"]
    two = box.good("allow", ADULT, "--group", "primary", "--for", "10m", "--json").json["id"]
    assert "Ended: the Internet is paused for primary" in box.good("override", "end", one).out
    said = box("override", "end", two, "abcdef")
    assert said.status == 1 and f"Ended: {ADULT} is open" in said.out, "what can be ended is ended"
    assert "no override abcdef is in force" in said.err
    assert box.good("override", "list").out == "No override is in force.\n"


def test_what_has_ended_is_not_in_force(box: Command) -> None:
    row = {"id": "a", "group": "primary", "until": "2026-01-05T10:00:00+00:00", "host": None, "reason": ""}
    (box.state / "overrides.json").write_text(json.dumps([row]))
    assert box.good("override", "list", "--json").json == []
    assert "no override a is in force" in box.refuses("override", "end", "a")


def test_a_damaged_file_is_told_by_who_needs_it(box: Command) -> None:
    (box.state / "overrides.json").write_text('[{"id": ')
    for words in (["override", "list"], ["pause", "--group", "primary", "--for", "5m"], ["override", "end", "a"]):
        told = box.refuses(*words)
        assert "overrides.json: it is damaged" in told and "Remove the file" in told
    assert box.good("explain", ADULT, "--json").json["action"] == "block"
    assert "overrides.json: it is damaged" in box.good("check").out


def test_a_teacher_can_pause_also_while_the_configuration_is_broken(box: Command) -> None:
    config = box.state / "schoolgate.toml"
    (box.state / "last-good" / "schoolgate.toml").write_text("")
    config.write_text("broken =")
    box.good("pause", "--group", "primary", "--for", "5m")
    (box.state / "last-good" / "schoolgate.toml").unlink()
    box.refuses("pause", "--group", "primary", "--for", "5m")


@pytest.mark.parametrize(
    "words", [["allow", "x.example"], ["pause", "--group", "pupils", "--for", "5m"], ["override", "end"]]
)
def test_wrong_usage(box: Command, words: list[str]) -> None:
    box.refuses(*words, status=2)
