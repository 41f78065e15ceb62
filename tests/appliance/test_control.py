"""How processes talk: real sockets, senders that never wait, receivers that trust nothing."""

import json
import threading
from pathlib import Path

import pytest

from appliance import control


def test_a_question_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "run" / "gate.sock"
    with control.bind(path) as bound:
        bound.setblocking(True)

        def answer() -> None:
            message, sent_by = control.receive(bound) or ({}, "")
            control.answer(bound, sent_by, {"asked": message, "text": "ü"})

        thread = threading.Thread(target=answer)
        thread.start()
        told = control.ask(path, "status", seconds=5, host="example.org")
        thread.join()
    assert told == {"asked": {"ask": "status", "host": "example.org"}, "text": "ü"}
    assert [one.name for one in path.parent.iterdir()] == ["gate.sock"], "the asker's own socket is gone"


def test_nobody_answers(tmp_path: Path) -> None:
    assert control.ask(tmp_path / "none.sock", "status", seconds=0.05) is None
    with control.bind(tmp_path / "busy.sock"):
        assert control.ask(tmp_path / "busy.sock", "status", seconds=0.05) is None


def test_an_answer_that_is_no_message_is_none(tmp_path: Path) -> None:
    with control.bind(tmp_path / "a.sock") as bound:
        bound.setblocking(True)

        def answer() -> None:
            _, sent_by = control.receive(bound) or ({}, "")
            control.send(bound, sent_by, b"[1, 2]")

        thread = threading.Thread(target=answer)
        thread.start()
        assert control.ask(tmp_path / "a.sock", "status", seconds=5) is None
        thread.join()


@pytest.mark.filterwarnings("error")
def test_a_path_too_long_for_a_socket_is_no_answer(tmp_path: Path) -> None:
    assert control.ask(tmp_path / ("x" * 200) / "a.sock", "status", seconds=0.05) is None


def test_only_the_same_user_may_speak(tmp_path: Path) -> None:
    with control.bind(tmp_path / "a.sock"):
        assert (tmp_path / "a.sock").stat().st_mode & 0o777 == 0o600


def test_a_socket_takes_the_place_of_what_a_dead_process_left(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    control.bind(path).close()
    assert path.exists()
    with control.bind(path) as bound, control.sender() as via:
        assert control.send(via, path, b"{}")
        assert control.receive(bound) == ({}, "")


def test_nothing_waits(tmp_path: Path) -> None:
    with control.bind(tmp_path / "a.sock") as bound:
        assert control.receive(bound) is None


NOISE = [b"", b"{", b"\xff\xfe", b"[1]", b"7", b'"x"', b"null", b"[" * 50_000, b"x" * control.LONGEST]


@pytest.mark.parametrize("noise", NOISE, ids=lambda noise: repr(noise[:10]))
def test_noise_is_an_empty_message(tmp_path: Path, noise: bytes) -> None:
    with control.bind(tmp_path / "a.sock") as bound, control.sender() as via:
        assert control.send(via, tmp_path / "a.sock", noise)
        assert control.receive(bound) == ({}, "")


def test_the_longest_message_arrives_whole(tmp_path: Path) -> None:
    message = {"text": "x" * (control.LONGEST - 20)}
    with control.bind(tmp_path / "a.sock") as bound, control.sender() as via:
        assert control.send(via, tmp_path / "a.sock", json.dumps(message).encode())
        assert control.receive(bound) == (message, "")


def test_a_full_queue_drops_and_never_waits(tmp_path: Path) -> None:
    with control.bind(tmp_path / "a.sock") as bound, control.sender() as via:
        sent = [control.send(via, tmp_path / "a.sock", b"{}") for _ in range(2_000)]
        assert sent[0] and not sent[-1]
        received = 0
        while control.receive(bound):
            received += 1
        assert received == sum(sent)


def test_sending_to_a_path_that_is_no_socket(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with control.sender() as via:
        for path in (tmp_path / "file", tmp_path / "none", tmp_path):
            assert not control.send(via, path, b"{}")


def test_an_answer_to_nobody_is_no_error(tmp_path: Path) -> None:
    with control.bind(tmp_path / "a.sock") as bound:
        control.answer(bound, "", {})
        control.answer(bound, str(tmp_path / "gone.sock"), {})
