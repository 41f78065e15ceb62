"""The public suffix list as one question, against the package's own answer."""

from pathlib import Path

from publicsuffixlist import PSLFILE, PublicSuffixList

from appliance.lists.suffixes import from_rules, public_suffixes
from filters.names import normalise


def test_kinds_of_rules() -> None:
    is_suffix = from_rules(["// comment", "", "uk", "co.uk", "*.ck", "!www.ck", "公司.cn  // why"])
    asked = ("uk", "co.uk", "x.co.uk", "ck", "any.ck", "www.ck", "a.any.ck", "xn--55qx5d.cn", "unknown", "x.unknown")
    assert [name for name in asked if is_suffix(name)] == ["uk", "co.uk", "ck", "any.ck", "xn--55qx5d.cn", "unknown"]


def test_it_agrees_with_the_package_on_every_rule() -> None:
    is_suffix, package = public_suffixes(), PublicSuffixList()
    rules = [line.split()[0] for line in Path(PSLFILE).read_text("utf-8").splitlines() if line.strip()]
    names = {normalise(rule.removeprefix("!").replace("*", "any")) for rule in rules if rule != "//"}
    asked = [name for name in names if name] + [f"x.{name}" for name in names if name]
    assert len(asked) > 15_000
    assert [name for name in asked if is_suffix(name) != package.is_public(name)] == []
