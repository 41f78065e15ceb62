"""The data folder and a school's own policies: read into values, and every likely mistake told with its place."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.tables import (
    Tables,
    read_categories,
    read_confidential,
    read_helpline,
    read_policy,
    read_safe_search,
    read_tables,
    rules_folder,
)
from filters.model import ClientGroup
from filters.policy import Failure, Hours, Kind, Policy, Wants

BUILT_IN = read_tables(None)
CATEGORIES = BUILT_IN.categories


def policy(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "primary.toml"
    path.write_text(f'name = "own"\n{text}', encoding="utf-8")
    return read_policy(path, CATEGORIES)


def mistake(tmp_path: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        policy(tmp_path, text)
    assert "\n" not in str(error.value)
    return error.value


def test_every_group_has_a_policy_and_guest_is_the_strictest() -> None:
    policies = BUILT_IN.policies
    assert set(policies) == set(ClientGroup)
    guest = policies[ClientGroup.GUEST]
    for group, other in policies.items():
        assert other.name == group.value
        assert other.block <= guest.block
        assert guest.safe_search or not other.safe_search
    assert guest.on_failure is Failure.CLOSED
    assert not (guest.direct_address or guest.encrypted_hello or guest.no_server_name)


def test_older_pupils_are_trusted_with_more() -> None:
    policies = BUILT_IN.policies
    ages = [
        ClientGroup.EARLY_PRIMARY,
        ClientGroup.PRIMARY,
        ClientGroup.LOWER_SECONDARY,
        ClientGroup.UPPER_SECONDARY,
        ClientGroup.STAFF,
    ]
    for younger, older in pairwise(ages):
        assert policies[older].block < policies[younger].block


def test_a_device_keeps_working_when_the_filter_fails_for_staff_only() -> None:
    open_ones = {group for group, own in BUILT_IN.policies.items() if own.on_failure is Failure.OPEN}
    assert open_ones == {ClientGroup.STAFF}


def test_categories_of_each_kind() -> None:
    kinds = {name: row.kind for name, row in CATEGORIES.items() if row.kind is not Kind.CONTENT}
    assert kinds == {
        "illegal": Kind.SEALED,
        "protected": Kind.PROTECTED,
        "essential": Kind.ESSENTIAL,
        "school-allowlist": Kind.ALLOWED,
        "confidential": Kind.CONFIDENTIAL,
    }
    assert not CATEGORIES["dating"].record, "it would tell whom a child is drawn to"
    assert CATEGORIES["self-harm"].severity > CATEGORIES["games"].severity


def test_the_outer_names_of_ech() -> None:
    assert "cloudflare-ech.com" in BUILT_IN.ech_outer_names


def test_every_policy_says_by_itself_what_a_reader_needs(tmp_path: Path) -> None:
    assert policy(tmp_path, "") == Policy("own", no_server_name=True)


def test_a_whole_policy(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        """
        title = "For people"
        about = "Also for people"
        ages = [9, 11]
        block = ["games", "video"]
        safe_search = false
        youtube = "moderate"
        inspect = ["paths", "unknown"]
        direct_address = "allow"
        encrypted_hello = "allow"
        no_server_name = "block"
        record = false
        on_failure = "open"
        [[open]]
        days = "mon-fri"
        from = "07:30"
        to = "16:30"
        [[open]]
        days = "fri-mon"
        from = "21:00"
        to = "02:00"
        [[lesson]]
        name = "Maths"
        days = "wed, fri"
        from = "10:00"
        to = "10:45"
        block = ["chat"]
        allow = ["video"]
        """,
    )
    assert (found.block, found.youtube, found.on_failure) == ({"games", "video"}, "moderate", Failure.OPEN)
    assert found.inspect == set(Wants)
    assert (found.safe_search, found.record, found.no_server_name) == (False, False, False)
    assert found.direct_address and found.encrypted_hello
    assert found.schedule.open == (
        Hours(frozenset(range(5)), 450, 990),
        Hours(frozenset({4, 5, 6, 0}), 1260, 120),
    )
    lesson = Hours(frozenset({2, 4}), 600, 645, frozenset({"chat"}), frozenset({"video"}))
    assert found.schedule.lessons == (lesson,)
    assert found.blocked_at(datetime(2026, 1, 7, 10, 30, tzinfo=UTC)) == {"games", "chat"}


def test_a_slot_without_words_is_every_day_all_day(tmp_path: Path) -> None:
    assert policy(tmp_path, "[[open]]").schedule.open == (Hours(frozenset(range(7)), 0, 1440),)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('block = ["gmaes"]', 2, "names a category 'gmaes' that does not exist"),
        ('block = ["illegal"]', 2, "holds 'illegal', which is sealed for everybody"),
        ('block = ["protected"]', 2, "holds 'protected'"),
        ('block = "games"', 2, "must be a list"),
        ('youtube = "strickt"', 2, 'must be "strict", "moderate" or ""'),
        ('inspect = ["everything"]', 2, "holds 'everything'"),
        ('direct_address = "maybe"', 2, 'must be "allow" or "block"'),
        ("direct_address = true", 2, "must be text in quotes"),
        ('on_failure = "shut"', 2, "must be one of open, closed"),
        ("safe_serch = true", 2, "is not a setting"),
        ('[[open]]\nfrom = "7.30"', 3, 'must be a time like "08:30"'),
        ('[[open]]\nfrom = "24:30"', 3, 'must be a time like "08:30"'),
        ('[[open]]\nfrom = "24:00"\nto = "08:00"', 3, "must be a time"),
        ('[[open]]\nto = "12:60"', 3, 'must be a time like "08:30"'),
        ('[[open]]\ndays = "monday"', 3, 'must be days like "mon-fri"'),
        ('[[open]]\ndays = ""', 3, 'must be days like "mon-fri"'),
        ('[[open]]\ndays = "mon-"', 3, 'must be days like "mon-fri"'),
        ('[[open]]\nday = "mon"', 3, "is not a setting"),
        ('[[lesson]]\nallow = ["illegal"]', 3, "holds 'illegal', which is sealed for everybody"),
        ('[[open]]\nfrom = "08:00"\n[[open]]\nfrom = "8"', 5, 'must be a time like "08:30"'),
        ("[open]", 2, "must be tables, each begun by a line [[open]]"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    told = str(mistake(tmp_path, text))
    assert told.startswith(f"{tmp_path / 'primary.toml'}:{line}: "), told
    assert words in told


def test_the_school_may_have_its_own_policy_for_one_group(tmp_path: Path) -> None:
    (tmp_path / "staff.toml").write_text('name = "our staff"\nblock = ["games"]\n')
    found = read_tables(tmp_path)
    assert found.policies[ClientGroup.STAFF].name == "our staff"
    assert found.policies[ClientGroup.GUEST] == BUILT_IN.policies[ClientGroup.GUEST]
    assert tmp_path / "staff.toml" in found.sources


def test_a_policy_that_no_group_uses_is_no_silence(tmp_path: Path) -> None:
    (tmp_path / "primry.toml").write_text('name = "own"\n')
    with pytest.raises(ConfigError, match="named for no group") as error:
        read_tables(tmp_path)
    assert "primary.toml" in error.value.hint


def test_a_folder_that_is_not_there_is_no_policy(tmp_path: Path) -> None:
    tables: Tables = read_tables(tmp_path / "none")
    assert tables.policies == BUILT_IN.policies


def test_categories_with_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "categories.toml"
    path.write_text('[[category]]\nname = "a"\nkind = "contend"\n')
    with pytest.raises(ConfigError, match=":3: ") as error:
        read_categories(path)
    assert "content" in error.value.hint


def test_the_built_in_safe_search_table_is_read_whole() -> None:
    found = read_safe_search(rules_folder() / "safesearch.toml")
    assert found.targets["yandex.com.tr"] == found.targets["www.yandex.ru"] == "familysearch.yandex.ru"
    assert set(found.youtube_targets) == {"strict", "moderate"}
    assert all(name.startswith(".") for name in found.not_lockable)


def test_a_helpline_is_shown_only_once_somebody_has_dialled_it() -> None:
    assert read_helpline("UG", "") is None
    assert read_helpline("", "2026-11-23") is None
    assert read_helpline("XX", "2026-11-23") is None
    found = read_helpline("UG", "2026-11-23")
    assert found and "2026-11-23" in str(found)


def test_confidential_names_are_bare() -> None:
    names = read_confidential()
    assert "gov.uk" in names
    assert all(name == name.strip().lower() and "#" not in name and " " not in name for name in names)
