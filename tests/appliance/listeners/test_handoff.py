"""A connection changes hands between two processes' sockets: the client's own, with what it already said."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from appliance import control
from appliance.listeners.handoff import LONGEST, HandOff, Handover, take

HANDOVER = Handover("example.org", 443, "93.184.215.14", b"\x16\x03\x01" + bytes(range(256)))


@contextmanager
def workers(run: Path, *numbers: int) -> Iterator[list[socket.socket]]:
    bound = [control.bind(run / f"inspect-{number}.sock") for number in numbers]
    try:
        yield bound
    finally:
        for one in bound:
            one.close()


@contextmanager
def gate(run: Path, count: int) -> Iterator[HandOff]:
    one = HandOff(run, count)
    try:
        yield one
    finally:
        one.close()


def test_the_worker_gets_the_clients_own_connection(tmp_path: Path) -> None:
    with workers(tmp_path, 0) as (worker,), gate(tmp_path, 1) as handoff:
        client, served = socket.socketpair()
        with client:
            assert handoff.give(served, "10.0.0.7", HANDOVER)
            assert served.fileno() == -1, "the gate is out of the way"
            found = take(worker)
            assert found
            taken, handover = found
            with taken:
                assert handover == HANDOVER
                assert not taken.getblocking()
                client.send(b"and on")
                assert taken.recv(6) == b"and on"
            assert client.recv(1) == b""


def test_the_address_of_a_client_over_tcp_is_kept(tmp_path: Path) -> None:
    with workers(tmp_path, 0) as (worker,), gate(tmp_path, 1) as handoff:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            client = socket.create_connection(listening.getsockname())
            served, address = listening.accept()
        with client:
            assert handoff.give(served, address[0], HANDOVER)
            found = take(worker)
            assert found
            with found[0] as taken:
                assert taken.getpeername() == address


def test_the_longest_hello_fits(tmp_path: Path) -> None:
    handover = Handover("a" * 253, 65_535, "2001:db8::1", bytes(70_000))
    with workers(tmp_path, 0) as (worker,), gate(tmp_path, 1) as handoff:
        client, served = socket.socketpair()
        with client:
            assert handoff.give(served, "10.0.0.7", handover)
            found = take(worker)
            assert found and found[1] == handover
            found[0].close()


def test_a_device_always_meets_the_same_worker_and_others_share_the_rest(tmp_path: Path) -> None:
    with workers(tmp_path, 0, 1, 2) as bound, gate(tmp_path, 3) as handoff:
        met: dict[str, set[int]] = {}
        for turn in range(30):
            device = f"10.0.0.{turn % 10}"
            client, served = socket.socketpair()
            with client:
                assert handoff.give(served, device, HANDOVER)
                for number, worker in enumerate(bound):
                    if found := take(worker):
                        found[0].close()
                        met.setdefault(device, set()).add(number)
        assert all(len(numbers) == 1 for numbers in met.values())
        assert len(set.union(*met.values())) > 1


def test_another_worker_takes_over_for_one_that_died(tmp_path: Path) -> None:
    with workers(tmp_path, 0, 1) as (first, second), gate(tmp_path, 2) as handoff:
        first.close()
        for device in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
            client, served = socket.socketpair()
            with client:
                assert handoff.give(served, device, HANDOVER)
                found = take(second)
                assert found
                found[0].close()


def test_with_no_worker_the_socket_is_still_ours(tmp_path: Path) -> None:
    for count in (0, 2):
        with gate(tmp_path, count) as handoff:
            client, served = socket.socketpair()
            with client, served:
                assert not handoff.give(served, "10.0.0.1", HANDOVER)
                served.send(b"still here")
                assert client.recv(10) == b"still here"


def test_a_worker_that_is_busy_refuses_and_the_gate_does_not_wait(tmp_path: Path) -> None:
    with workers(tmp_path, 0) as (worker,), gate(tmp_path, 1) as handoff:
        ends: list[socket.socket] = []
        for _ in range(5_000):
            client, served = socket.socketpair()
            ends += [client, served]
            if not handoff.give(served, "10.0.0.1", HANDOVER):
                break
        else:
            pytest.fail("its queue has no end")
        while found := take(worker):
            found[0].close()
        for end in ends:
            end.close()


def test_nothing_waits(tmp_path: Path) -> None:
    with workers(tmp_path, 0) as (worker,):
        assert take(worker) is None


def send(run: Path, content: bytes, descriptors: list[int]) -> None:
    with control.sender() as one:
        one.connect(str(run / "inspect-0.sock"))
        socket.send_fds(one, [content], descriptors)


ROW = asdict(HANDOVER) | {"read": HANDOVER.read.hex()}
GOOD = json.dumps(ROW).encode()
NOISE = [
    *(b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"{}"),
    json.dumps(ROW | {"read": "zz"}).encode(),
    json.dumps({key: value for key, value in ROW.items() if key != "host"}).encode(),
]


@pytest.mark.parametrize("content", NOISE)
def test_noise_is_no_hand_over_and_leaves_nothing_open(tmp_path: Path, content: bytes) -> None:
    with workers(tmp_path, 0) as (worker,):
        client, served = socket.socketpair()
        with client:
            send(tmp_path, content, [served.fileno()])
            served.close()
            assert take(worker) is None
            assert client.recv(1) == b"", "the descriptor was closed"


def test_a_hand_over_without_a_socket_is_none(tmp_path: Path) -> None:
    with workers(tmp_path, 0) as (worker,):
        send(tmp_path, GOOD, [])
        assert take(worker) is None


def test_a_descriptor_that_is_no_socket_is_none_and_closed(tmp_path: Path) -> None:
    with workers(tmp_path, 0) as (worker,):
        reading, writing = os.pipe()
        send(tmp_path, GOOD, [writing])
        os.close(writing)
        try:
            assert take(worker) is None
            assert os.read(reading, 1) == b"", "the descriptor was closed"
        finally:
            os.close(reading)


def test_the_limit_is_above_what_a_gate_sends() -> None:
    assert LONGEST > 2 * 70_000 + 1_000
