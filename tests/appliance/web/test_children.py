"""The children's pages: true to the box, the same for everybody, and leaving nothing behind."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from appliance.notice.texts import texts
from appliance.web.children import LINKS, SYSTEMS
from appliance.web.views import BoxView
from filters.model import Reason
from tests.appliance.web.sample_box import NOW, Box, block

ENGLISH = texts("en")
ROOT = Path(__file__).parents[3]


def test_front_is_help_at_the_help_name_and_the_notice_elsewhere(public: TestClient) -> None:
    assert ENGLISH.say("help.sad_title") in public.get("http://help.schoolgate.internal/").text
    assert ENGLISH.say("about.title") in public.get("http://schoolgate.internal/").text


def test_the_notice_tells_what_is_true_of_this_box(box: Box, public: TestClient) -> None:
    html = public.get("/about").text
    assert ENGLISH.category("gambling").title in html and ENGLISH.category("drugs").title not in html
    assert "30" in html and ENGLISH.say("about.inspects_not") in html
    box.view = replace(box.view, retention_days=7, inspects=True, blocked=("drugs",))
    html = public.get("/about").text
    assert ENGLISH.category("gambling").title not in html and ENGLISH.category("drugs").title in html
    assert "<bdi>7</bdi>" in html and ENGLISH.say("about.inspects").split("'")[0] in html
    box.view = replace(box.view, records=False, blocked=())
    html = public.get("/about").text
    assert ENGLISH.say("about.keeps_nothing") in html and ENGLISH.say("about.who") not in html
    assert ENGLISH.say("about.closed_none") in html


def test_why_shows_this_devices_blocks_newest_first(box: Box, public: TestClient) -> None:
    box.recent.add("10.0.0.9", block("first.example"))
    box.recent.add("10.0.0.8", block("of-another.example"))
    box.recent.add(
        "10.0.0.9", block("203.0.113.9", None, reason=Reason.DIRECT_ADDRESS, list="", at=NOW + timedelta(hours=1))
    )
    html = public.get("/why").text
    assert html.index("203.0.113.9") < html.index("first.example")
    assert "of-another.example" not in html
    for told in ("ut1-gambling", "77", "2026-08-17", "09:05", "10:05", ENGLISH.policy("primary")):
        assert told in html
    assert ENGLISH.category("gambling").text in html and ENGLISH.say("reason.direct_address.text") in html
    assert ENGLISH.say("why.memory") in html


def test_a_rule_made_by_hand(box: Box, public: TestClient) -> None:
    box.recent.add("10.0.0.9", block(list="school", line=0, date=""))
    html = public.get("/why").text
    assert ENGLISH.say("block.by_hand") in html and ENGLISH.say("block.undated") in html


def test_why_without_blocks_and_without_a_device(public: TestClient) -> None:
    assert ENGLISH.say("why.empty") in public.get("/why").text
    del public.headers["X-Schoolgate-Client"]
    assert ENGLISH.say("why.unknown") in public.get("/why").text


def test_the_local_app_does_not_believe_the_gates_header(box: Box, local: TestClient) -> None:
    box.recent.add("10.0.0.9", block("of-another.example"))
    box.recent.add("127.0.0.1", block("mine.example"))
    html = local.get("/why", headers={"X-Schoolgate-Client": "10.0.0.9"}).text
    assert "mine.example" in html and "of-another.example" not in html


def test_a_device_can_empty_its_list(box: Box, public: TestClient) -> None:
    box.recent.add("10.0.0.9", block("mine.example"))
    box.recent.add("10.0.0.8", block("of-another.example"))
    answer = public.post("/why/forget?lang=ru", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/why?lang=ru")
    assert box.recent.for_client("10.0.0.9") == []
    assert len(box.recent.for_client("10.0.0.8")) == 1
    assert public.get("/why/forget").status_code in (404, 405)


def test_help_is_whole_without_the_internet(public: TestClient) -> None:
    html = public.get("/help").text
    for topic in ("now", "talk", "sad", "stranger", "mean", "home"):
        assert ENGLISH.say(f"help.{topic}_title") in html
    assert 'href="tel:116"' in html and "2026-11-20" in html
    for step in ("fault", "pay", "keep", "stop", "tell"):
        assert ENGLISH.say(f"card.{step}") in html
    loaded = re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', html)
    assert loaded == ["/style.css", "/leave.js"]


def test_help_without_a_checked_number_says_whom_to_ask(box: Box, public: TestClient) -> None:
    box.view = replace(box.view, helpline=None)
    html = public.get("/help").text
    assert ENGLISH.say("help.no_number") in html and "tel:" not in html


def test_every_service_we_send_children_to_is_protected() -> None:
    protected = (ROOT / "rules" / "protected.txt").read_text(encoding="utf-8")
    names = {line.split("#")[0].strip().removeprefix("*.") for line in protected.splitlines()}
    for _, url in LINKS:
        labels = url.split("/")[2].split(".")
        assert names & {".".join(labels[start:]) for start in range(len(labels) - 1)}, url


def test_the_quick_exit_goes_elsewhere_at_once(box: Box, public: TestClient) -> None:
    box.view = replace(box.view, leave_url="https://boring.example/?a=1&b=2")
    html = public.get("/leave").text
    assert '<meta http-equiv="refresh" content="0;url=https://boring.example/?a=1&amp;b=2">' in html
    assert 'data-to="https://boring.example/?a=1&amp;b=2"' in public.get("/help").text


def test_certificate_to_install(box: Box, public: TestClient) -> None:
    certificate = box.view.certificate
    assert certificate is not None
    der, pem = public.get("/ca.crt"), public.get("/ca.pem")
    assert (der.headers["content-type"], der.content) == ("application/x-x509-ca-cert", certificate.der)
    assert pem.headers["content-type"] == "application/x-pem-file" and pem.text == certificate.pem
    html = public.get("/trust").text
    assert certificate.fingerprint in html.replace("<wbr>", "") and box.view.check_url in html
    for name, key in SYSTEMS:
        assert name in html
        assert len(ENGLISH.lines(f"trust.{key}")) >= 2


def test_no_certificate_yet(box: Box, public: TestClient) -> None:
    box.view = replace(box.view, certificate=None)
    assert ENGLISH.say("trust.missing") in public.get("/trust").text
    assert public.get("/ca.crt").status_code == public.get("/ca.pem").status_code == 404


def test_a_page_that_is_none(public: TestClient) -> None:
    answer = public.get("/<script>?lang=es")
    assert answer.status_code == 404 and texts("es").say("missing.title") in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/status", "/status.json", "/proxy", "/proxy.pac", "/health"])
def test_children_are_not_shown_the_adults_pages(public: TestClient, path: str) -> None:
    assert public.get(path).status_code == 404


WHY_BOX = Box(BoxView())
WHY = TestClient(WHY_BOX.public(), base_url="http://schoolgate.internal", headers={"X-Schoolgate-Client": "10.0.0.9"})


def why_made_of(text: str) -> list[str]:
    """The tags and attributes of the page that tells of a block in which everything is `text`."""
    WHY_BOX.recent.forget("10.0.0.9")
    WHY_BOX.recent.add("10.0.0.9", block(text, text, list=text, date=text, policy=text))
    html = WHY.get("/why").text
    assert "\u202e" not in html
    return re.findall(r"</?[a-z0-9]+|\s[a-z-]+=\"", html)


@given(st.sampled_from(["<script>alert(1)</script>", '"><h1>', "\u202e", "{{ say }}", "\ud800"]) | st.text(min_size=1))
def test_nothing_breaks_out_of_why(hostile: str) -> None:
    assert why_made_of(hostile) == why_made_of("x")


def test_a_host_is_never_a_template() -> None:
    WHY_BOX.recent.add("10.0.0.9", block("{{7*191}}.example"))
    html = WHY.get("/why").text
    assert "{{7*191}}.example" in html and "1337" not in html
