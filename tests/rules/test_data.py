"""The data folder: complete, well formed, in agreement with itself, and harmless to help and learning."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from publicsuffixlist import PublicSuffixList

from filters.model import ClientGroup
from filters.policy import Kind

RULES = Path(__file__).parents[2] / "rules"
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
HEADER = re.compile(r"# ([a-z-]+): (.+)")
SUFFIXES = PublicSuffixList()

LEAST = {
    "adult": 250, "gambling": 120, "dating": 60, "piracy": 80, "violence-and-gore": 20, "drugs": 30, "hate": 25,
    "discrimination": 10, "extremism": 10, "self-harm": 8, "random-chat": 25, "malware-test": 4, "phishing-test": 2,
    "bypass-vpn": 100, "bypass-proxy": 60, "bypass-doh": 120, "bypass-tor": 15, "bypass-i2p": 8, "bypass-relay": 3,
    "games": 60, "social": 40, "video": 20, "chat": 20, "forums": 15, "ai-chat": 30, "remote-control": 15,
    "alcohol-tobacco": 30, "weapons": 20, "cheating": 15, "ads": 30, "illegal": 1,
    "protected": 250, "connectivity": 42, "confidential": 120,
}  # fmt: skip
OF_EVERY_LIST = {"title", "category", "date", "source", "licence", "about"}
UKSIC_B = {
    "discrimination", "hate speech", "drugs and substance abuse", "extremism", "gambling", "malware and hacking",
    "pornography", "piracy and copyright theft", "self-harm", "violence",
}  # fmt: skip
MUST_BE_PROTECTED = (
    "www.thetrevorproject.org", "www.plannedparenthood.org", "www.nasa.gov", "en.wikipedia.org", "www.breastcancer.org",
    "takeitdown.ncmec.org", "stopncii.org", "report.iwf.org.uk", "www.inhope.org", "www.childline.org.uk",
    "childhelplineinternational.org", "findahelpline.com", "988lifeline.org", "www.khanacademy.org", "www.nhs.uk",
    "www.unhcr.org", "www.unicef.org", "education.minecraft.net", "scratch.mit.edu", "www.gamblersanonymous.org",
)  # fmt: skip
INNOCENT = (
    "www.google.com", "www.bing.com", "ohio.gov", "www.essex.ac.uk", "www.middlesex.edu", "www.scunthorpe.co.uk",
    "www.sussex.ac.uk", "www.bbc.co.uk", "docs.python.org", "github.com", "maps.google.com", "drive.google.com",
    "www.microsoft.com", "teams.microsoft.com", "zoom.us", "www.amazon.com", "www.openstreetmap.org", "archive.org",
    "www.chess.com", "lichess.org", "www.eicar.org", "news.yahoo.com", "fonts.googleapis.com", "www.gstatic.com",
    "cdn.jsdelivr.net", "www.cloudflare.com", "www.apple.com", "www.icloud.com", "www.mozilla.org", "www.etsy.com",
    "genius.com", "www.shell.com", "www.dickssportinggoods.com", "www.cockermouth.org.uk",
)  # fmt: skip


@dataclass(frozen=True)
class NameList:
    """One list as a test sees it."""

    stem: str
    head: dict[str, str]
    names: list[str]


def read_list(path: Path) -> NameList:
    head: dict[str, str] = {}
    names: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not names and (found := HEADER.fullmatch(line)):
            head.setdefault(found[1], found[2])
        elif name := line.partition("#")[0].strip():
            names.append(name)
    return NameList(path.stem, head, names)


def table(name: str) -> dict[str, Any]:
    return tomllib.loads((RULES / name).read_text(encoding="utf-8"))


BESIDE = [RULES / f"{name}.txt" for name in ("protected", "connectivity", "confidential")]
LISTS = {path.stem: read_list(path) for path in [*BESIDE, *sorted(RULES.glob("lists/*.txt"))]}
CATEGORIES = {row["name"]: row for row in table("categories.toml")["category"]}
CONTENT = {name for name, row in CATEGORIES.items() if row["kind"] == "content"}
POLICIES = {path.stem: table(f"policies/{path.name}") for path in RULES.glob("policies/*.toml")}


def covers(names: set[str], host: str) -> bool:
    """Whether the host or a name above it stands in names."""
    labels = host.split(".")
    return any(".".join(labels[start:]) in names for start in range(len(labels)))


def of_kind(*kinds: str) -> set[str]:
    return {
        name for each in LISTS.values() if CATEGORIES[each.head["category"]]["kind"] in kinds for name in each.names
    }


@pytest.mark.parametrize("path", sorted(RULES.rglob("*.toml")), ids=lambda path: path.name)
def test_every_toml_file_parses_and_is_dated(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text)
    assert re.search(r"date = \d{4}-\d\d-\d\d", text)


def test_categories_are_complete() -> None:
    rows = table("categories.toml")["category"]
    assert len(CATEGORIES) == len(rows)
    for row in rows:
        assert set(row) == {"name", "kind", "severity", "record", "uksic", "about"}
        assert Kind(row["kind"]) and isinstance(row["severity"], int) and isinstance(row["record"], bool)
        assert row["about"].endswith(".") and LABEL.fullmatch(row["name"])
        assert row["kind"] in ("sealed", "content") or not row["record"], f"{row['name']} must never be recorded"
    assert {row["uksic"][2:] for row in rows if row["uksic"].startswith("B ")} == UKSIC_B
    severities = [CATEGORIES[name]["severity"] for name in CONTENT]
    assert len(set(severities)) == len(severities), "which category is told must not depend on the order of lists"
    assert CATEGORIES["illegal"]["severity"] > max(severities)


def test_there_is_one_policy_for_every_group() -> None:
    assert set(POLICIES) == {group.value for group in ClientGroup}
    assert all(policy["name"] == name for name, policy in POLICIES.items())


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_policies_name_what_exists(name: str) -> None:
    policy = POLICIES[name]
    assert set(policy) == {
        "name", "title", "ages", "about", "block", "safe_search", "youtube", "inspect", "direct_address",
        "encrypted_hello", "no_server_name", "record", "on_failure",
    }  # fmt: skip
    assert set(policy["block"]) <= CONTENT
    assert len(set(policy["block"])) == len(policy["block"])
    assert policy["youtube"] in ("strict", "moderate", "") and set(policy["inspect"]) <= {"paths"}
    assert {policy[key] for key in ("direct_address", "encrypted_hello", "no_server_name")} <= {"allow", "block"}
    assert policy["on_failure"] in ("open", "closed")


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_the_example_in_a_policy_works_when_it_is_uncommented(name: str) -> None:
    text = (RULES / "policies" / f"{name}.toml").read_text(encoding="utf-8")
    policy = tomllib.loads(re.sub(r"^# ?(\[\[|[a-z]+ = [\"\[])", r"\1", text, flags=re.MULTILINE))
    (opened,), (lesson,) = policy["open"], policy["lesson"]
    for slot in (opened, lesson):
        assert re.fullmatch(r"[a-z]{3}([-,][a-z]{3})*", slot["days"])
        assert all(re.fullmatch(r"\d\d:\d\d", slot[end]) for end in ("from", "to"))
    assert set(lesson["block"]) <= CONTENT - set(policy["block"]), "blocks what is blocked anyway"
    assert set(lesson["allow"]) <= set(policy["block"]), "opens what is open anyway"
    assert lesson["block"] or lesson["allow"]


def test_guest_is_the_strictest_and_policies_open_with_age() -> None:
    blocked = {name: set(policy["block"]) for name, policy in POLICIES.items()}
    ages = ["guest", "early-primary", "primary", "lower-secondary", "upper-secondary", "staff"]
    for younger, older in pairwise(ages):
        assert blocked[younger] >= blocked[older], f"{older} blocks what {younger} does not"
    assert blocked["guest"] == CONTENT
    assert blocked["staff"] == {"malware", "phishing"}
    strictness = {"": 0, "moderate": 1, "strict": 2, "allow": 0, "block": 1, "open": 0, "closed": 1}
    for key in ("youtube", "direct_address", "encrypted_hello", "no_server_name", "on_failure"):
        assert all(strictness[POLICIES["guest"][key]] >= strictness[policy[key]] for policy in POLICIES.values())


@pytest.mark.parametrize("name", sorted(LISTS))
def test_lists_say_what_they_are(name: str) -> None:
    head = LISTS[name].head
    assert set(head) >= OF_EVERY_LIST
    assert date.fromisoformat(head["date"])
    assert head["licence"] == "MIT"
    assert head["category"] in CATEGORIES


@pytest.mark.parametrize("name", sorted(LISTS))
def test_names_are_normal_and_stand_once(name: str) -> None:
    names = LISTS[name].names
    for host in names:
        assert len(host) <= 253 and all(LABEL.fullmatch(label) for label in host.split(".")), host
        assert not host.rpartition(".")[2].isdigit(), f"{host} is an address"
    assert sorted(set(names)) == sorted(names)


def test_lists_are_all_there_and_large_enough() -> None:
    assert set(LISTS) == set(LEAST)
    small = {name: len(LISTS[name].names) for name, least in LEAST.items() if len(LISTS[name].names) < least}
    assert not small


def test_every_list_has_its_canary_and_every_content_category_a_list() -> None:
    for path in RULES.glob("lists/*.txt"):
        category = LISTS[path.stem].head["category"]
        canary = "sealed" if category == "illegal" else category
        assert f"{canary}.schoolgate.test" in LISTS[path.stem].names
    assert {LISTS[path.stem].head["category"] for path in RULES.glob("lists/*.txt")} == CONTENT | {"illegal"}


@pytest.mark.parametrize("name", sorted(LISTS))
def test_no_list_covers_a_public_suffix(name: str) -> None:
    if LISTS[name].head.get("allow-suffixes") == "yes":
        assert name == "confidential"
        return
    assert [host for host in LISTS[name].names if SUFFIXES.is_public(host)] == []


def test_nothing_is_both_harmful_and_protected_or_essential() -> None:
    spared = of_kind("protected", "essential")
    assert [host for host in sorted(of_kind("content", "sealed")) if covers(spared, host)] == []


def test_no_name_stands_in_two_content_categories() -> None:
    home: dict[str, str] = {}
    for each in LISTS.values():
        if (category := each.head["category"]) in CONTENT:
            for host in each.names:
                assert home.setdefault(host, category) == category, f"{host}: {home[host]} and {category}"


@pytest.mark.parametrize("host", MUST_BE_PROTECTED)
def test_help_and_learning_are_protected(host: str) -> None:
    assert covers(of_kind("protected"), host)


@pytest.mark.parametrize("host", INNOCENT)
def test_innocent_names_are_not_blocked(host: str) -> None:
    assert not covers(of_kind("content", "sealed"), host)


def test_public_test_points_are_listed() -> None:
    points = {
        "exampleadultsite.com": "adult", "nudity.testcategory.com": "adult", "malware.testcategory.com": "malware-test",
        "wicar.org": "malware-test", "internetbadguys.com": "phishing-test",
    }  # fmt: skip
    assert [host for host, name in points.items() if host not in LISTS[name].names] == []


def test_google_and_yandex_are_whole() -> None:
    data = table("safesearch.toml")
    counts = {"google_suffixes": 112, "google_com_suffixes": 58, "google_co_suffixes": 24, "yandex_suffixes": 24}
    for key, count in counts.items():
        assert len(data[key]) == count
        assert data[key] == sorted(set(data[key]))
    hosts = {f"www.google.{suffix}" for suffix in data["google_suffixes"]}
    hosts |= {f"www.google.com.{suffix}" for suffix in data["google_com_suffixes"]}
    hosts |= {f"www.google.co.{suffix}" for suffix in data["google_co_suffixes"]}
    assert len(hosts) == 194
    rows = {row["name"]: row for row in data["engine"]}
    yandex = {f"{www}yandex.{suffix}" for suffix in data["yandex_suffixes"] for www in ("", "www.")}
    assert len(yandex | set(rows["Yandex"]["hosts"])) == 52
    assert rows["Google"]["hosts"] == []


def test_safe_search_rows_agree_with_each_other() -> None:
    data = table("safesearch.toml")
    hosts = [host for row in data["engine"] for host in row["hosts"]] + data["youtube"]["hosts"]
    assert len(set(hosts)) == len(hosts)
    unlockable = set(data["unlockable"])
    targets = {row["target"] for row in data["engine"]} | {data["youtube"]["strict"], data["youtube"]["moderate"]}
    assert [host for host in [*hosts, *targets] if covers(unlockable, host)] == []
    assert not targets & set(hosts), "a target that is rewritten again would never be reached"
    for row in data["engine"]:
        assert row["source"] and isinstance(row["verified"], bool)
    assert set(data["fallback"]) <= targets
    for row in data["fallback"].values():
        assert all(IPv4Address(each) for each in row["ipv4"]) and all(IPv6Address(each) for each in row["ipv6"])


def test_bypass_facts_are_whole() -> None:
    data = table("bypass.toml")
    rows = [*data["svc_param"], *data["port"], *data["resolver"]]
    rows += [data[key] for key in ("firefox_canary", "ddr", "private_relay", "https_record")]
    assert all(row["source"] and row["mark"] in ("S", "K") for row in rows)
    assert [row["key"] for row in data["svc_param"]] == list(range(8))
    assert data["svc_param"][data["https_record"]["strip"]]["name"] == "ech"
    assert set(data["private_relay"]["names"]) <= set(LISTS["bypass-relay"].names)
    assert data["ech_outer_names"] == ["cloudflare-ech.com"]
    assert {(row["protocol"], row["port"]) for row in data["port"]} >= {("tcp", 853), ("udp", 853), ("udp", 443)}
    addresses = [each for row in data["resolver"] for each in (*row["ipv4"], *row["ipv6"])]
    assert len(set(addresses)) == len(addresses) >= 60
    assert all(IPv4Address(each) for row in data["resolver"] for each in row["ipv4"])
    assert all(IPv6Address(each) for row in data["resolver"] for each in row["ipv6"])


def test_helplines_are_graded_sourced_and_unverified_until_somebody_dials() -> None:
    rows = table("helplines.toml")["helpline"]
    assert len({(row["country"], row["number"]) for row in rows}) == len(rows)
    for row in rows:
        assert re.fullmatch(r"[A-Z]{2}", row["country"])
        assert re.fullmatch(r"\+?\d[\d -]+", row["number"])
        assert row["grade"] in ("A", "B", "C") and row["channel"] in ("phone", "whatsapp")
        assert row["name"] and row["source"] and date.fromisoformat(row["noted_on"])
        assert not row["verified_on"] or date.fromisoformat(row["verified_on"])
    grades = [row["grade"] for row in rows]
    assert grades == sorted(grades)
    assert {"UG", "KE", "IN", "AR", "EU"} <= {row["country"] for row in rows if row["grade"] == "A"}
    assert len({row["country"] for row in rows}) >= 95


def test_where_to_report_is_protected() -> None:
    links = table("helplines.toml")["link"]
    assert len(links) == 9
    for row in links:
        url = urlsplit(row["url"])
        assert url.scheme == "https" and row["name"] and row["for_whom"]
        assert covers(of_kind("protected"), url.hostname or "")


@pytest.mark.parametrize("publisher", ["ut1", "v2fly", "eth-phishing"])
def test_imports_lead_to_categories_and_open_nothing(publisher: str) -> None:
    names = dict(table("imports.toml")[publisher])
    skipped = names.pop("skip")
    assert names and not set(skipped) & set(names)
    assert len(set(skipped)) == len(skipped)
    assert {CATEGORIES[category]["kind"] for category in names.values()} <= {"content", "confidential"}


def test_devices_can_learn_that_they_are_online() -> None:
    essential = set(LISTS["connectivity"].names)
    assert essential >= {
        "connectivitycheck.gstatic.com", "www.google.com", "captive.apple.com", "www.msftconnecttest.com",
        "dns.msftncsi.com", "detectportal.firefox.com", "www.gstatic.com", "nmcheck.gnome.org",
    }  # fmt: skip
    assert LISTS["connectivity"].head["category"] == "essential"
    assert LISTS["protected"].head["category"] == "protected"
    assert LISTS["confidential"].head["category"] == "confidential"
