"""The language of a page: asked for in the address, else in the header, else the school's; kept by the links."""

import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from appliance.notice import look
from appliance.notice.language import LANGUAGES
from appliance.notice.texts import texts
from appliance.web import render

CHILDREN = ["/", "/about", "/why", "/help", "/leave", "/trust", "/trusted"]
ADULT = ["/", "/status", "/proxy"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", CHILDREN)
def test_every_page_in_every_language(public: TestClient, path: str, language: str) -> None:
    answer = public.get(path, params={"lang": language})
    assert answer.status_code == 200
    check(answer.text, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ADULT)
def test_and_for_the_adult(local: TestClient, path: str, language: str) -> None:
    check(local.get(path, headers={"Accept-Language": language}).text, language)


def check(html: str, language: str) -> None:
    words = texts(language)
    assert f'<html lang="{language}" dir="{words.direction}">' in html
    assert html.count("<h1>") == html.count("<main ") == html.count("<title>") == 1
    assert words.say("page.motto") in html
    assert len(html.encode()) + len(render.stylesheet()) + len(render.script()) < 100_000
    for switch in LANGUAGES:
        assert f'href="?lang={switch}" lang="{switch}"' in html
    assert not re.search(r"<(img|iframe|object)|\son\w+=|style=|javascript:", html)
    labels = re.findall(r'aria-labelledby="([^"]+)"', html)
    assert all(html.count(f'id="{label}"') == 1 for label in labels)


@pytest.mark.parametrize(
    ("query", "header", "expected"),
    [
        ("", "fr-CA, en;q=0.3", "fr"),
        ("?lang=zh", "fr", "zh"),
        ("?lang=xx", "fr", "fr"),
        ("?lang=../../etc", "", "en"),
        ("?lang=zh&lang=ru", "", "ru"),
        ("", "sw", "en"),
    ],
)
def test_language(public: TestClient, query: str, header: str, expected: str) -> None:
    html = public.get(f"/about{query}", headers={"Accept-Language": header}).text
    assert f'<html lang="{expected}"' in html


def test_the_schools_language_is_for_those_who_ask_for_none_of_ours(box: object, public: TestClient) -> None:
    box.view = replace(box.view, language="es")  # type: ignore[attr-defined]
    assert '<html lang="es"' in public.get("/about", headers={"Accept-Language": "sw"}).text


def test_a_chosen_language_travels_in_every_link_of_the_box(public: TestClient) -> None:
    html = public.get("/about?lang=ru").text
    links = [link for link in re.findall(r'href="(/[^"]*)"', html) if link != "/style.css"]
    assert len(links) >= 5 and all(link.endswith("?lang=ru") for link in links)
    assert "?lang" not in "".join(re.findall(r'href="(/[^"]*)"', public.get("/about").text))


def test_one_look() -> None:
    assert render.stylesheet().startswith(look.STYLE)
    assert render.stylesheet().count("{") == render.stylesheet().count("}")
    assert "location.replace" in render.script()
