"""Trust is learned: by fetching a page, kept in a file, lost when handshakes fail and none succeeds."""

import json
from pathlib import Path

import pytest

from appliance.listeners.trust import DOUBT_AFTER, Learner, Trust, read_trusted

DEVICE, OTHER = "10.0.0.7", "10.0.0.8"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trust.json"


def test_nobody_trusts_at_first(path: Path) -> None:
    assert not Trust(path).inspects(DEVICE, "example.org")


def test_a_device_that_fetched_the_page_is_inspected(path: Path) -> None:
    gate, worker = Trust(path), Learner(path)
    assert worker.learned(DEVICE)
    assert not worker.learned(DEVICE), "that is no news"
    assert not gate.inspects(DEVICE, "example.org"), "a gate learns it when it is told"
    gate.reload()
    assert gate.inspects(DEVICE, "example.org")
    assert not gate.inspects(OTHER, "example.org")


def test_trust_survives_a_restart_and_is_for_the_box_only(path: Path) -> None:
    Learner(path).learned(DEVICE)
    Learner(path).learned(OTHER)
    assert Trust(path).devices == {DEVICE, OTHER}
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == [DEVICE, OTHER]


def test_a_pinned_host_is_left_alone_on_that_device(path: Path) -> None:
    for device in (DEVICE, OTHER):
        Learner(path).learned(device)
    gate = Trust(path)
    gate.pin(DEVICE, "app.example")
    assert not gate.inspects(DEVICE, "app.example")
    assert gate.inspects(DEVICE, "www.example")
    assert gate.inspects(OTHER, "app.example")
    gate.reload()
    assert not gate.inspects(DEVICE, "app.example"), "learning of a device forgets no pin"


def test_pins_are_in_no_file(path: Path) -> None:
    """They are browsing."""
    Learner(path).learned(DEVICE)
    gate = Trust(path)
    gate.pin(DEVICE, "app.example")
    assert "app.example" not in path.read_text()
    assert Trust(path).inspects(DEVICE, "app.example")


def test_pins_are_bounded_and_the_oldest_goes(path: Path) -> None:
    Learner(path).learned(DEVICE)
    gate = Trust(path)
    for number in range(20_001):
        gate.pin(DEVICE, f"n{number}.example")
    assert gate.inspects(DEVICE, "n0.example")
    assert not gate.inspects(DEVICE, "n1.example")
    assert not gate.inspects(DEVICE, "n20000.example")


def test_apps_that_pin_do_not_cost_a_device_its_trust(path: Path) -> None:
    worker = Learner(path)
    worker.learned(DEVICE)
    for _ in range(10):
        assert not worker.refused(DEVICE, "app.example"), "one host, however often"
    for number in range(10):
        worker.accepted(DEVICE)
        assert not worker.refused(DEVICE, f"app{number}.example")
    assert read_trusted(path) == {DEVICE}


def test_a_device_that_refuses_everything_loses_it(path: Path) -> None:
    worker = Learner(path)
    for device in (DEVICE, OTHER):
        worker.learned(device)
    told = [worker.refused(DEVICE, f"site{number}.example") for number in range(DOUBT_AFTER)]
    assert told == [False] * (DOUBT_AFTER - 1) + [True]
    assert read_trusted(path) == {OTHER}
    assert worker.learned(DEVICE), "it may come back"


def test_one_device_does_not_speak_for_another(path: Path) -> None:
    worker = Learner(path)
    worker.learned(DEVICE)
    for number in range(DOUBT_AFTER - 1):
        assert not worker.refused(DEVICE, f"site{number}.example")
    worker.accepted(OTHER)
    assert worker.refused(DEVICE, "site9.example")


def test_fetching_the_page_again_ends_the_doubt(path: Path) -> None:
    worker = Learner(path)
    worker.learned(DEVICE)
    for number in range(DOUBT_AFTER - 1):
        worker.refused(DEVICE, f"site{number}.example")
    worker.learned(DEVICE)
    assert not worker.refused(DEVICE, "site9.example")


@pytest.mark.parametrize("content", [None, b"", b"{", b"{}", b"7", b"\xff\xfe", b'"10.0.0.7"'])
def test_a_damaged_file_means_nobody(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(content)
    assert read_trusted(path) == frozenset()
    assert not Trust(path).inspects(DEVICE, "example.org")
    assert Learner(path).learned(DEVICE)
    assert read_trusted(path) == {DEVICE}
