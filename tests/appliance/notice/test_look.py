"""The style sheet: what browsers of 2012 understand, and nothing that knows left from right by itself."""

import re

import pytest

from appliance.notice import look


@pytest.mark.parametrize(
    "modern", ["var(", "grid", "flex", "gap:", "inset", "margin-inline", "clamp(", "@import", ":is("]
)
def test_nothing_newer_than_the_oldest_browser(modern: str) -> None:
    assert modern not in look.STYLE


def test_nothing_is_loaded() -> None:
    urls = re.findall(r"url\([\"']?([^\"')]{0,30})", look.STYLE)
    assert urls and all(url.startswith("data:image/svg+xml,") for url in urls)


def test_braces_are_balanced_and_the_sheet_cannot_end_its_element() -> None:
    assert look.STYLE.count("{") == look.STYLE.count("}")
    assert "{{" not in look.STYLE and "</" not in look.STYLE


def test_the_picture_is_for_the_eye_only() -> None:
    assert 'aria-hidden="true"' in look.CLOSED_GATE
