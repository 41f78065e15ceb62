"""The documents say what the code does: every code, reason, column and key stands in its page."""

import re
from pathlib import Path

import pytest

from appliance.config import TEMPLATE
from appliance.enforcement import ENFORCE
from appliance.health import Code
from appliance.store.schema import Row
from filters.engine import FILTERS
from filters.model import Reason, Via
from filters.syntax import Format

DOCS = Path("docs")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("code", Code, ids=lambda code: code.value)
def test_every_warning_is_explained(code: Code) -> None:
    assert f"| `{code.value}` |" in page("warnings.md")


def test_reasons_stand_in_the_order_of_precedence() -> None:
    told = re.findall(r"^\| `(\w+)` \|", page("reasons.md"), re.M)
    assert told[: len(FILTERS)] == [consider.__name__ for consider in FILTERS]
    assert set(told) == {reason.value for reason in Reason}


@pytest.mark.parametrize("via", Via, ids=lambda via: via.value)
def test_what_an_action_means_is_told_for_each_wire(via: Via) -> None:
    row = next(line for line in page("reasons.md").splitlines() if line.startswith(f"| {via.value} |"))
    for (own, _), steps in ENFORCE.items():
        if own is via:
            assert all(step.value in row for step in steps)


@pytest.mark.parametrize("column", [*Row._fields, "count"])
def test_every_column_that_is_kept_is_told(column: str) -> None:
    assert f"`{column}`" in page("privacy.md")


def test_every_list_format_is_told() -> None:
    told = page("list-formats.md").lower()
    for form in Format:
        assert form.value.split("-")[0] in told


def test_every_key_of_the_configuration_is_told() -> None:
    keys = re.findall(r'^# "?([\w./]+)"? =', TEMPLATE, re.M)
    assert len(keys) > 15
    for key in keys:
        assert f"`{key}`" in page("configuration.md") or f'`"{key}"`' in page("configuration.md"), key


def test_links_lead_somewhere() -> None:
    for path in (Path("README.md"), Path("CONTRIBUTING.md"), *DOCS.rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path}: {target}"
