"""The adult's pages: the status in words and as data, the way through the box, and no child in any of it."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from appliance.notice.texts import texts
from appliance.web.local import number, plain
from appliance.web.views import ProcessState, ProcessView, StatusView
from tests.appliance.web.sample_box import NOW, Box, block

ENGLISH = texts("en")


def test_landing_has_three_doors(local: TestClient) -> None:
    html = local.get("/").text
    doors = html[html.index('<ul class="doors">') : html.index("</ul>", html.index('<ul class="doors">'))]
    assert [f'href="{path}"' in doors for path in ("/status", "/help", "/proxy")] == [True] * 3
    assert doors.count("<a ") == 3


def test_status_tells_all_of_it(local: TestClient) -> None:
    html = local.get("/status").text
    for told in (
        *("2026-11-23 09:05", "2026-11-22 07:05", "0.1.0", "primary", "early-primary", "splice", "42", "gate-0"),
        *("120\u202f345", "20\u202f340", "ut1-adult", "3\u202f235\u202f739", "3\u202f235\u202f741", "2026-08-17"),
        *("rules-old", "The list ut1-adult is 98 days old.", "Run: schoolgate rules update"),
        *(ENGLISH.say("status.paused"), ENGLISH.category("adult").title, ENGLISH.say("reason.direct_address.title")),
    ):
        assert told in html, told
    assert html.index(ENGLISH.category("ads").title) < html.index("20\u202f340") < html.index(">12<")


def test_status_of_a_box_that_just_began(box: Box, local: TestClient) -> None:
    box.status = StatusView(NOW, NOW, "0.1.0")
    html = local.get("/status").text
    for key in ("no_warnings", "no_blocks", "no_lists"):
        assert ENGLISH.say(f"status.{key}") in html


def test_no_child_in_the_status(box: Box, local: TestClient) -> None:
    box.recent.add("10.0.0.9", block("secret.example"))
    for path in ("/status", "/status.json", "/health", "/"):
        text = local.get(path).text
        assert "secret.example" not in text and "10.0.0.9" not in text


def test_status_as_data(local: TestClient) -> None:
    data = local.get("/status.json").json()
    assert data["healthy"] is True
    status = data["status"]
    assert status["at"] == "2026-11-23T09:05:00+00:00"
    assert status["blocks"] == {"adult": 12, "ads": 20340, "direct_address": 3}
    assert status["groups"][0] == {"group": "primary", "policy": "primary", "state": "paused"}
    assert status["processes"][1] == {"name": "recorder", "state": "running", "restarts": 2}
    assert status["lists"][0] == {"name": "ut1-adult", "category": "adult", "entries": 3235739, "date": "2026-08-17"}
    assert set(status) == set(StatusView.__dataclass_fields__)


def test_plain_leaves_plain_values() -> None:
    assert plain(({"a": (1, None, "x")}, 2.5)) == [{"a": [1, None, "x"]}, 2.5]


@pytest.mark.parametrize("state", [ProcessState.STARTING, ProcessState.STOPPED])
def test_health(box: Box, local: TestClient, state: ProcessState) -> None:
    assert (local.get("/health").status_code, local.get("/health").json()) == (200, {"healthy": True})
    box.status = replace(box.status, processes=(ProcessView("gate-0", state),))
    assert (local.get("/health").status_code, local.get("/health").json()) == (503, {"healthy": False})


@pytest.mark.parametrize(
    ("host", "proxy", "page"),
    [
        ("127.0.0.1:8081", "PROXY 127.0.0.1:8080", "127.0.0.1"),
        ("localhost:8081", "PROXY localhost:8080", "localhost"),
        ("[::1]:8081", "PROXY [::1]:8080", "::1"),
        ("10.0.0.1:8081", "PROXY 10.0.0.1:8080", "10.0.0.1"),
    ],
)
def test_the_proxy_is_named_as_the_box_was(local: TestClient, host: str, proxy: str, page: str) -> None:
    answer = local.get("/proxy.pac", headers={"Host": host})
    assert answer.headers["content-type"].startswith("application/x-ns-proxy-autoconfig")
    assert f'var box = "{proxy}";' in answer.text
    html = local.get("/proxy", headers={"Host": host}).text
    assert f"http://{host}/proxy.pac" in html and f'dir="ltr">{page}</dd>' in html and ">8080<" in html


def test_numbers() -> None:
    assert [number(value) for value in (0, 999, 1000, 1234567)] == ["0", "999", "1\u202f000", "1\u202f234\u202f567"]
