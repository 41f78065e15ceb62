"""Served for real: over a Unix socket as the gate does and over TCP, saying nothing about who asked."""

import logging
from pathlib import Path

import httpx
import pytest

from tests.appliance.web.sample_box import Box, block, running


def test_the_gates_socket(box: Box, tmp_path: Path) -> None:
    box.recent.add("10.0.0.9", block("mine.example"))
    with (
        running(box.public(), tmp_path / "web.sock") as where,
        httpx.Client(transport=httpx.HTTPTransport(uds=where), base_url="http://schoolgate.internal") as client,
    ):
        answer = client.get("/why", headers={"X-Schoolgate-Client": "10.0.0.9"})
        assert answer.status_code == 200 and "mine.example" in answer.text
        assert "mine.example" not in client.get("/why", headers={"X-Forwarded-For": "10.0.0.9"}).text
        assert "server" not in answer.headers


def test_tcp_sees_the_peer_and_not_what_it_claims(box: Box) -> None:
    box.recent.add("127.0.0.1", block("mine.example"))
    box.recent.add("10.0.0.9", block("of-another.example"))
    with running(box.local()) as where:
        claims = {"X-Schoolgate-Client": "10.0.0.9", "X-Forwarded-For": "10.0.0.9", "Forwarded": "for=10.0.0.9"}
        html = httpx.get(f"http://{where}/why", headers=claims).text
    assert "mine.example" in html and "of-another.example" not in html


def test_help_leaves_no_line_anywhere(
    box: Box, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), running(box.local()) as where:
        client = httpx.Client(headers={"User-Agent": "planted-agent"})
        for path in ("/help?planted=1", "/leave?planted=1", "/planted-nothing"):
            client.get(f"http://{where}{path}")
        client.close()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    out, err = capfd.readouterr()
    assert not any("planted" in line for line in [*ours, out, err])
