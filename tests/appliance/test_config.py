"""The configuration: every default, every setting, and every mistake that a person is likely to make."""

import re
import tomllib
from datetime import UTC
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.config import TEMPLATE, Config, parse_address, read_config
from appliance.errors import ConfigError
from filters.model import ClientGroup


def config(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "schoolgate.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_no_file_and_an_empty_file_are_the_defaults(tmp_path: Path) -> None:
    assert config(tmp_path, "") == read_config(None)
    found = read_config(None)
    assert found.proxy == (("127.0.0.1", 8080),)
    assert found.web == ("127.0.0.1", 8081)
    assert found.default_group is ClientGroup.GUEST
    assert found.retention_days == 30
    assert found.reachable == ()
    assert found.processes >= 1


def test_the_template_changes_nothing_and_what_it_offers_is_the_default(tmp_path: Path) -> None:
    assert config(tmp_path, TEMPLATE) == read_config(None)
    offered = re.sub(r'^# (?=["a-z_0-9.]+ = )', "", TEMPLATE, flags=re.M)
    offered = "\n".join(line for line in offered.splitlines() if not line.startswith('"10.20.'))
    assert len(tomllib.loads(offered)) == 6
    assert sum(len(table) for table in tomllib.loads(offered).values()) >= 14
    assert config(tmp_path, offered) == read_config(None)


def test_everything_at_once(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    found = config(
        tmp_path,
        """
        [school]
        name = "École du Lac"
        timezone = "Africa/Kampala"
        language = "fr"
        country = "ug"
        helpline_checked_on = "2026-11-23"
        [groups]
        default = "early-primary"
        "10.20.0.0/16" = "primary"
        "10.20.5.0/24" = "staff"
        "2001:db8::/48" = "upper-secondary"
        [proxy]
        listen = ["0.0.0.0:3128", "[::]:3128"]
        processes = 3
        reachable = ["10.0.5.0/24", "fd00::/64"]
        connect_seconds = 5
        idle_seconds = 60
        [web]
        listen = "127.0.0.1:9000"
        [inspect]
        workers = 2
        upstream_ca = "ca.pem"
        [events]
        retention_days = 7
        term_days = 90
        """,
    )
    assert found == Config(
        school="École du Lac",
        zone=ZoneInfo("Africa/Kampala"),
        language="fr",
        country="UG",
        helpline_checked_on="2026-11-23",
        default_group=ClientGroup.EARLY_PRIMARY,
        groups=(
            (ip_network("2001:db8::/48"), ClientGroup.UPPER_SECONDARY),
            (ip_network("10.20.5.0/24"), ClientGroup.STAFF),
            (ip_network("10.20.0.0/16"), ClientGroup.PRIMARY),
        ),
        proxy=(("0.0.0.0", 3128), ("::", 3128)),
        processes=3,
        reachable=(ip_network("10.0.5.0/24"), ip_network("fd00::/64")),
        connect_seconds=5,
        idle_seconds=60,
        web=("127.0.0.1", 9000),
        inspect_workers=2,
        upstream_ca=str(tmp_path / "ca.pem"),
        retention_days=7,
        term_days=90,
    )


MISTAKES = [
    ('[school]\ntimezone = "Kampala"', 2, "school.timezone"),
    ('[school]\ntimezone = "Africa"', 2, "school.timezone"),
    ('[school]\nlanguage = "xx"', 2, "school.language"),
    ('[school]\ncountry = "Uganda"', 2, "school.country"),
    ('[school]\nhelpline_checked_on = "yesterday"', 2, "school.helpline_checked_on"),
    ("[school]\nname = 7", 2, "school.name"),
    ('[groups]\ndefault = "pupils"', 2, "groups.default"),
    ('[groups]\n"10.20.0.0/16" = "primry"', 2, "groups.10.20.0.0/16"),
    ('[groups]\n"10.20.0.1/16" = "primary"', 2, "groups.10.20.0.1/16"),
    ('[groups]\n"the library" = "primary"', 2, "groups.the library"),
    ('[groups]\n"10.20.0.0/16" = 1', 2, "groups.10.20.0.0/16"),
    ("[proxy]\nlisten = []", 2, "proxy.listen"),
    ('[proxy]\nlisten = "127.0.0.1:8080"', 2, "proxy.listen"),
    ('[proxy]\nlisten = ["8080"]', 2, "proxy.listen"),
    ('[proxy]\nlisten = ["localhost:8080"]', 2, "proxy.listen"),
    ('[proxy]\nlisten = ["127.0.0.0/8:8080"]', 2, "proxy.listen"),
    ('[proxy]\nlisten = ["127.0.0.1:0"]', 2, "proxy.listen"),
    ('[proxy]\nlisten = ["127.0.0.1:99999"]', 2, "proxy.listen"),
    ('[proxy]\nlisten = ["127.0.0.1:²"]', 2, "proxy.listen"),
    ('[proxy]\nreachable = ["10.0.5.1/24"]', 2, "proxy.reachable"),
    ('[proxy]\nreachable = ["school"]', 2, "proxy.reachable"),
    ("[proxy]\nconnect_seconds = 0", 2, "proxy.connect_seconds"),
    ("[proxy]\nconnect_seconds = true", 2, "proxy.connect_seconds"),
    ("[proxy]\nconnect_seconds = 1.5", 2, "proxy.connect_seconds"),
    ("[proxy]\nprocesses = 1000", 2, "proxy.processes"),
    ('[web]\nlisten = ""', 2, "web.listen"),
    ("[inspect]\nworkers = -1", 2, "inspect.workers"),
    ('[inspect]\nupstream_ca = "not-there.pem"', 2, "inspect.upstream_ca"),
    ("[events]\nretention_days = 0", 2, "events.retention_days"),
    ("[events]\n\n# keep them\nretention_days = 10000", 4, "events.retention_days"),
    ("[event]\nretention_days = 7", 1, "event"),
    ("[events]\nretention_day = 7", 2, "events.retention_day"),
    ("retention_days = 7", 1, "retention_days"),
    ('school = "x"', 1, "school"),
]


@pytest.mark.parametrize(("text", "line", "key"), MISTAKES, ids=[f"{text.splitlines()[-1]}" for text, _, _ in MISTAKES])
def test_a_mistake_is_told_with_file_line_and_key(tmp_path: Path, text: str, line: int, key: str) -> None:
    with pytest.raises(ConfigError) as error:
        config(tmp_path, text)
    told = str(error.value)
    assert told.startswith(f"{tmp_path / 'schoolgate.toml'}:{line}: {key}: "), told
    assert "\n" not in told and "Traceback" not in told


def test_a_misspelt_key_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        config(tmp_path, "[events]\nretention_day = 7")
    assert "retention_days" in error.value.hint


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:8080", ("::1", 8080)), ("0.0.0.0:1", ("0.0.0.0", 1))],
)
def test_parse_address(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", ":", "127.0.0.1", "127.0.0.1:", ":80", "a:80", "[::1]", "127.0.0.1:80:80", "[]:1"]
)
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_address(text)


def test_the_zone_of_a_machine_without_one_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Not/AZone")
    assert read_config(None).zone is UTC
