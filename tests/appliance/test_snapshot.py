"""Building the world out of files, and what happens when a file is broken, changed, or gone."""

from pathlib import Path

import pytest

from appliance.errors import ConfigError, RuleSetError
from appliance.files import write_atomic
from appliance.health import Code
from appliance.overrides import add
from appliance.snapshot import Keeper, Origin, Paths, Snapshot, keep_as_last_good, load, open_rules
from filters.index import RuleSet
from filters.model import ClientGroup
from tests.laws.support import NOON, of_names

GOOD = of_names(games="play.example", illegal="canary.example")
OTHER = of_names(games="other.example", illegal="canary.example")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A state folder with a configuration and a rule set, as after a first run."""
    found = Paths(tmp_path / "state", tmp_path / "schoolgate.toml")
    write_atomic(tmp_path / "schoolgate.toml", b'[school]\nname = "one"\n')
    put(found.rules, GOOD)
    return found


def put(path: Path, rules: RuleSet) -> None:
    write_atomic(path, bytes(rules.buffer))


def configure(paths: Paths, text: str) -> None:
    assert paths.config
    write_atomic(paths.config, text.encode())


def codes(snapshot: Snapshot) -> set[Code]:
    return {warning.code for warning in snapshot.warnings}


def lists_game(snapshot: Snapshot, host: str) -> bool:
    return bool(snapshot.book.rules.find(host)[0])


def test_a_snapshot_of_what_stands_in_the_files(paths: Paths) -> None:
    snapshot = load(paths)
    assert snapshot.origin is Origin.LIVE
    assert snapshot.config.school == "one"
    assert lists_game(snapshot, "www.play.example")
    assert snapshot.book.overrides == ()


def test_without_a_configuration_the_defaults_hold(paths: Paths) -> None:
    snapshot = load(Paths(paths.state, None))
    assert snapshot.config.school == "" and snapshot.origin is Origin.LIVE


def test_standing_warnings(paths: Paths) -> None:
    assert codes(load(paths)) == {Code.SEALED_LIST_EMPTY, Code.HELPLINE_UNCHECKED}
    put(paths.rules, of_names(illegal="canary.example really.example"))
    configure(paths, '[school]\ncountry = "UG"\nhelpline_checked_on = "2026-11-23"\n')
    snapshot = load(paths)
    assert codes(snapshot) == set()
    assert snapshot.helpline


def test_a_first_run_with_a_broken_configuration_does_not_start(paths: Paths) -> None:
    configure(paths, '[school]\nnmae = "x"\n')
    with pytest.raises(ConfigError, match=r"schoolgate\.toml:2: school\.nmae"):
        load(paths)


def test_later_the_last_good_configuration_is_in_force(paths: Paths) -> None:
    keep_as_last_good(paths)
    configure(paths, '[school]\nnmae = "x"\n')
    snapshot = load(paths)
    assert (snapshot.origin, snapshot.config.school) == (Origin.LAST_GOOD, "one")
    (told,) = [warning for warning in snapshot.warnings if warning.code is Code.CONFIG_BROKEN]
    assert "schoolgate.toml:2: school.nmae" in told.text


def test_the_last_good_configuration_means_the_same_where_it_is_kept(paths: Paths) -> None:
    """A path in it is relative to the configuration, and not to the copy."""
    assert paths.config
    (paths.config.parent / "ca.pem").write_text("x")
    configure(paths, '[school]\nname = "one"\n[inspect]\nupstream_ca = "ca.pem"\n')
    keep_as_last_good(paths)
    configure(paths, "[school")
    snapshot = load(paths)
    assert (snapshot.origin, snapshot.config.school) == (Origin.LAST_GOOD, "one")
    assert snapshot.config.upstream_ca == str(paths.config.parent / "ca.pem")


def test_the_schools_own_policies_are_kept_with_it(paths: Paths) -> None:
    assert paths.policies
    write_atomic(paths.policies / "staff.toml", b'name = "ours"\n')
    keep_as_last_good(paths)
    write_atomic(paths.policies / "staff.toml", b"name = \n")
    snapshot = load(paths)
    assert snapshot.origin is Origin.LAST_GOOD
    assert snapshot.tables.policies[ClientGroup.STAFF].name == "ours"
    (paths.policies / "staff.toml").unlink()
    keep_as_last_good(paths)
    configure(paths, "[school")
    assert load(paths).tables.policies[ClientGroup.STAFF].name == "staff"


def damaged(raw: bytes) -> dict[str, bytes]:
    middle, late = bytearray(raw), bytearray(raw)
    middle[len(raw) // 2] ^= 1
    late[raw.rindex(b'"lists"') + 1] ^= 1
    return {
        "empty": b"",
        "short": raw[:1000],
        "noise": b"not a rule set",
        "a page": b"<html>" + raw,
        "one bit": bytes(middle),
        "one bit in its table of lists": bytes(late),
        "longer": raw + b"x",
    }


DAMAGED = damaged(bytes(GOOD.buffer))


@pytest.mark.parametrize("which", DAMAGED)
def test_a_damaged_rule_set_is_refused_in_one_sentence(paths: Paths, which: str) -> None:
    paths.rules.write_bytes(DAMAGED[which])
    with pytest.raises(RuleSetError) as error:
        open_rules(paths.rules)
    assert str(error.value).startswith(f"{paths.rules}: ") and error.value.hint


@pytest.mark.parametrize("which", DAMAGED)
def test_the_last_good_rule_set_is_in_force_then(paths: Paths, which: str) -> None:
    put(paths.last_good / "rules.set", OTHER)
    paths.rules.write_bytes(DAMAGED[which])
    snapshot = load(paths)
    assert snapshot.origin is Origin.LAST_GOOD
    assert lists_game(snapshot, "other.example") and not lists_game(snapshot, "play.example")
    assert Code.RULES_BROKEN in codes(snapshot)


def test_with_no_rule_set_at_all_nothing_starts(paths: Paths) -> None:
    paths.rules.unlink()
    with pytest.raises(RuleSetError, match="no such rule set") as error:
        load(paths)
    assert "rules build" in error.value.hint


def test_a_damaged_rule_set_without_a_last_good_one_is_the_one_that_is_told(paths: Paths) -> None:
    """Not the copy, which nobody has ever seen."""
    paths.rules.write_bytes(DAMAGED["one bit"])
    with pytest.raises(RuleSetError) as error:
        load(paths)
    assert str(error.value).startswith(f"{paths.rules}: its checksum is wrong")


def test_a_rule_set_with_a_category_that_is_gone_is_refused(paths: Paths) -> None:
    """The engine would fail at each of its names, and the policy's on_failure would answer."""
    put(paths.last_good / "rules.set", GOOD)
    put(paths.rules, of_names(gmaes="play.example"))
    snapshot = load(paths)
    assert snapshot.origin is Origin.LAST_GOOD
    assert any("gmaes" in warning.text for warning in snapshot.warnings)


def test_damaged_overrides_open_nothing_and_warn(paths: Paths) -> None:
    paths.overrides.write_text("{")
    snapshot = load(paths)
    assert snapshot.book.overrides == ()
    assert Code.OVERRIDES_BROKEN in codes(snapshot)


class TestKeeper:
    """Swapping the world while it is in use."""

    def test_nothing_changed(self, paths: Paths) -> None:
        keeper = Keeper(paths)
        before = keeper.snapshot
        assert not keeper.refresh()
        assert keeper.snapshot is before

    def test_an_override_is_taken_up_and_the_rules_are_not_read_again(self, paths: Paths) -> None:
        keeper = Keeper(paths)
        rules = keeper.snapshot.rules
        made = add(paths.overrides, ClientGroup.PRIMARY, "play.example", 45, NOON)
        assert keeper.refresh()
        assert keeper.snapshot.book.overrides == (made,)
        assert keeper.snapshot.rules is rules
        assert not keeper.refresh()

    def test_new_rules(self, paths: Paths) -> None:
        keeper = Keeper(paths)
        put(paths.rules, OTHER)
        assert keeper.refresh()
        assert lists_game(keeper.snapshot, "other.example")

    def test_the_old_rules_go_on_working_for_who_holds_them(self, paths: Paths) -> None:
        keeper = Keeper(paths)
        held = keeper.snapshot
        put(paths.rules, OTHER)
        keeper.refresh()
        assert lists_game(held, "play.example") and not lists_game(held, "other.example")

    def test_a_new_configuration_and_a_new_policy(self, paths: Paths) -> None:
        assert paths.policies
        keeper = Keeper(paths)
        configure(paths, '[school]\nname = "two"\n')
        assert keeper.refresh() and keeper.snapshot.config.school == "two"
        write_atomic(paths.policies / "staff.toml", b'name = "ours"\n')
        assert keeper.refresh()
        assert keeper.snapshot.tables.policies[ClientGroup.STAFF].name == "ours"
        (paths.policies / "staff.toml").unlink()
        assert keeper.refresh()
        assert keeper.snapshot.tables.policies[ClientGroup.STAFF].name == "staff"

    @pytest.mark.parametrize("kept", [True, False], ids=["with a last good copy", "without"])
    def test_a_mistake_keeps_what_was_in_force_and_mending_it_clears_the_warning(
        self, paths: Paths, kept: bool
    ) -> None:
        if kept:
            keep_as_last_good(paths)
        keeper = Keeper(paths)
        configure(paths, "[school")
        assert keeper.refresh()
        assert keeper.snapshot.config.school == "one"
        assert Code.CONFIG_BROKEN in codes(keeper.snapshot)
        configure(paths, '[school]\nname = "mended"\n')
        assert keeper.refresh()
        assert keeper.snapshot.config.school == "mended"
        assert Code.CONFIG_BROKEN not in codes(keeper.snapshot)

    def test_broken_rules_keep_the_old_ones_and_an_override_still_works(self, paths: Paths) -> None:
        keeper = Keeper(paths)
        write_atomic(paths.rules, b"damaged")
        assert keeper.refresh()
        assert lists_game(keeper.snapshot, "play.example")
        assert Code.RULES_BROKEN in codes(keeper.snapshot)
        add(paths.overrides, ClientGroup.PRIMARY, None, 5, NOON)
        assert keeper.refresh()
        assert keeper.snapshot.book.overrides and lists_game(keeper.snapshot, "play.example")
        assert Code.RULES_BROKEN in codes(keeper.snapshot)

    def test_rules_that_are_gone(self, paths: Paths) -> None:
        keeper = Keeper(paths)
        paths.rules.unlink()
        assert keeper.refresh()
        assert lists_game(keeper.snapshot, "play.example")
