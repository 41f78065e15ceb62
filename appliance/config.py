"""The configuration: one TOML file, all of whose settings have defaults. Text becomes a Config or a ConfigError."""

import os
import re
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from appliance.clock import zone
from appliance.settings import Table, read_toml
from filters.model import ClientGroup

Network = IPv4Network | IPv6Network
Address = tuple[str, int]
LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")
"""those that appliance.notice has texts for"""

TEMPLATE = """\
# Schoolgate's configuration. Every line may be left out; what stands here behind a "#" is what is used then.
# A change is taken up within seconds. A mistake changes nothing: `schoolgate check` names file, line and remedy.

[school]
# name = ""
# timezone = ""              # like "Africa/Kampala"; "" is the machine's own
# language = "en"            # en fr es ar ru zh: for devices that do not say theirs
# country = ""               # like "UG": whose helpline is shown
# helpline_checked_on = ""   # the day somebody dialled it, like "2026-11-23"; it is not shown before

[groups]
# default = "guest"          # for devices that no network below covers; guest is the strictest
# "10.20.0.0/16" = "primary" # early-primary primary lower-secondary upper-secondary staff guest

[proxy]
# listen = ["127.0.0.1:8080"]
# processes = 0              # 0 is one for each processor core
# reachable = []             # networks inside the school that may be reached, like ["10.0.5.0/24"]
# connect_seconds = 10
# idle_seconds = 900

[web]
# listen = "127.0.0.1:8081"

[inspect]
# workers = 1                # 0 switches inspection off; 2 or more for a fast box
# upstream_ca = ""           # a file: a further certificate authority, for the school's own servers

[events]
# retention_days = 30
# term_days = 120            # a device gets a new pseudonym each term
"""


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration, ready to use."""

    school: str = ""
    zone: tzinfo = UTC
    language: str = "en"
    country: str = ""
    helpline_checked_on: str = ""
    default_group: ClientGroup = ClientGroup.GUEST
    groups: tuple[tuple[Network, ClientGroup], ...] = ()
    """most specific network first"""
    proxy: tuple[Address, ...] = (("127.0.0.1", 8080),)
    processes: int = 1
    reachable: tuple[Network, ...] = ()
    connect_seconds: int = 10
    idle_seconds: int = 900
    web: Address = ("127.0.0.1", 8081)
    inspect_workers: int = 1
    upstream_ca: str = ""
    retention_days: int = 30
    term_days: int = 120
    path: Path | None = field(default=None, compare=False)


def read_config(path: Path | None, folder: Path | None = None) -> Config:
    """The configuration in `path`, or the defaults for None. Paths in it begin at `folder`, or else where it lies.
    Raises ConfigError."""
    table = read_toml(path) if path else Table(Path("defaults"), "", {})
    school, groups, proxy = table.table("school"), table.table("groups"), table.table("proxy")
    web, inspect, events = table.table("web"), table.table("inspect"), table.table("events")
    config = Config(
        school=school.string("name", ""),
        zone=school.parsed("timezone", _zone, "", 'Write it as the IANA does, like "Africa/Kampala".'),
        language=school.parsed("language", _language, "en"),
        country=school.parsed("country", _country, ""),
        helpline_checked_on=school.day("helpline_checked_on"),
        default_group=groups.choice("default", ClientGroup, ClientGroup.GUEST),
        groups=_groups(groups),
        proxy=_addresses(proxy, "listen", ["127.0.0.1:8080"]),
        processes=proxy.integer("processes", 0, 0, 64) or len(os.sched_getaffinity(0)),
        reachable=_networks(proxy, "reachable"),
        connect_seconds=proxy.integer("connect_seconds", 10, 1, 120),
        idle_seconds=proxy.integer("idle_seconds", 900, 10, 86_400),
        web=web.parsed("listen", parse_address, "127.0.0.1:8081"),
        inspect_workers=inspect.integer("workers", 1, 0, 16),
        upstream_ca=_file(inspect, "upstream_ca", folder),
        retention_days=events.integer("retention_days", 30, 1, 365),
        term_days=events.integer("term_days", 120, 1, 366),
        path=path,
    )
    for part in (school, groups, proxy, web, inspect, events, table):
        part.done()
    if config.web in config.proxy:
        raise web.wrong("listen", "is the address of the proxy, too", "Give the web and the proxy different ports.")
    return config


def parse_address(text: str) -> Address:
    """ "127.0.0.1:8080" or "[::1]:8080" as (host, port). Raises ValueError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f'must be an address and a port like "127.0.0.1:8080", not {text!r}')
    try:
        ip_address(host)
    except ValueError as error:
        raise ValueError(f'must begin with an address like "127.0.0.1:8080", not {text!r}') from error
    return host, int(port)


def _addresses(table: Table, key: str, default: list[str]) -> tuple[Address, ...]:
    found = []
    for text in table.strings(key, default):
        try:
            found.append(parse_address(text))
        except ValueError as error:
            raise table.wrong(key, str(error)) from error
    if not found:
        raise table.wrong(key, "must name at least one address")
    return tuple(found)


def _networks(table: Table, key: str) -> tuple[Network, ...]:
    found = []
    for text in table.strings(key, []):
        try:
            found.append(_network(text))
        except ValueError as error:
            raise table.wrong(key, str(error)) from error
    return tuple(found)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = f"; its network is {str(ip_network(text, strict=False))!r}"
    except ValueError:
        meant = ""
    raise ValueError(f'{text!r} is not a network like "10.0.5.0/24"{meant}')


def _zone(name: str) -> tzinfo:
    try:
        return zone(name)
    except OSError as error:  # "Africa" is a folder of zones
        raise ValueError(f"there is no time zone {name!r}") from error


def _language(text: str) -> str:
    if text not in LANGUAGES:
        raise ValueError(f"must be one of {', '.join(LANGUAGES)}, not {text!r}")
    return text


def _country(text: str) -> str:
    if text and not re.fullmatch("[A-Za-z]{2}", text):
        raise ValueError(f'must be a country\'s two letters like "UG", not {text!r}')
    return text.upper()


def _file(table: Table, key: str, folder: Path | None) -> str:
    """The path of an existing file, "" for none; a relative one begins at `folder`, or else beside this file."""
    text = table.string(key, "")
    path = (folder or table.path.parent) / text
    if text and not path.is_file():
        raise table.wrong(key, f"there is no file {path}")
    return str(path.absolute()) if text else ""


def _groups(table: Table) -> tuple[tuple[Network, ClientGroup], ...]:
    found: list[tuple[Network, ClientGroup]] = []
    for key in table.rest():
        try:
            network = _network(key)
        except ValueError as error:
            raise table.wrong(key, str(error), "Groups are given to networks.") from error
        found.append((network, table.choice(key, ClientGroup)))
    return tuple(sorted(found, key=lambda row: -row[0].prefixlen))
