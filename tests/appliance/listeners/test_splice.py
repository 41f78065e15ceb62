"""The splice lane over real sockets: nothing lost, nothing kept while idle, nothing spinning, nothing left open."""

import asyncio
import gc
import hashlib
import os
import resource
import selectors
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from appliance.listeners.splice import BUFFER, PIPE, Flow, Pipes

SECONDS = 20


class Bench:
    """One loop's share of the lane: what a listener holds."""

    def __init__(self, pipes: int = 16) -> None:
        self.pipes = Pipes(pipes)
        self.buffer = memoryview(bytearray(BUFFER))
        self.closed: list[Flow] = []

    def flow(self, client: socket.socket, server: socket.socket) -> Flow:
        return Flow(asyncio.get_running_loop(), self.pipes, self.buffer, client, server, self.closed.append)


def pair(tcp: bool, small: bool = False) -> tuple[socket.socket, socket.socket]:
    """Two connected non-blocking sockets."""
    if not tcp:
        one, other = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            one = socket.create_connection(listening.getsockname())
            other, _ = listening.accept()
    for end in (one, other):
        end.setblocking(False)
        if small:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32_768)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32_768)
    return one, other


@asynccontextmanager
async def spliced(
    bench: Bench, tcp: bool = True, small: bool = False, to_server: bytes = b"", to_client: bytes = b""
) -> AsyncIterator[tuple[socket.socket, socket.socket, Flow]]:
    """(the client's end, the server's end, the flow between them)."""
    client, inner_client = pair(tcp, small)
    inner_server, server = pair(tcp, small)
    flow = bench.flow(inner_client, inner_server)
    flow.start(to_server, to_client)
    try:
        yield client, server, flow
    finally:
        flow.close()
        bench.pipes.close()
        client.close()
        server.close()


async def receive(end: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer where the other side ends before."""
    loop, found = asyncio.get_running_loop(), bytearray()
    async with asyncio.timeout(SECONDS):
        while len(found) < size and (more := await loop.sock_recv(end, min(size - len(found), 1 << 18))):
            found += more
    return bytes(found)


async def send(end: socket.socket, content: bytes) -> None:
    async with asyncio.timeout(SECONDS):
        await asyncio.get_running_loop().sock_sendall(end, content)


async def until_closed(bench: Bench, flows: int = 1) -> None:
    async with asyncio.timeout(SECONDS):
        while len(bench.closed) < flows:
            await asyncio.sleep(0)


def run(main: object) -> None:
    asyncio.run(main)  # type: ignore[arg-type]


@pytest.mark.parametrize("tcp", [True, False])
def test_bytes_go_both_ways(tcp: bool) -> None:
    async def main() -> None:
        async with spliced(Bench(), tcp) as (client, server, _):
            for turn in range(50):
                await send(client, b"question %d" % turn)
                assert await receive(server, 9 + len(str(turn))) == b"question %d" % turn
                await send(server, b"answer")
                assert await receive(client, 6) == b"answer"

    run(main())


def test_what_was_read_before_comes_first() -> None:
    async def main() -> None:
        waiting = os.urandom(300_000)
        async with spliced(Bench(), small=True, to_server=waiting, to_client=b"hello") as (client, server, _):
            await send(client, b"then this")
            assert await receive(server, len(waiting) + 9) == waiting + b"then this"
            assert await receive(client, 5) == b"hello"

    run(main())


@pytest.mark.parametrize("first", ["client", "server"])
def test_one_side_ends_and_the_other_goes_on(first: str) -> None:
    async def main() -> None:
        bench = Bench()
        async with spliced(bench) as (client, server, flow):
            one, other = (client, server) if first == "client" else (server, client)
            await send(one, b"last words")
            one.shutdown(socket.SHUT_WR)
            assert await receive(other, 100) == b"last words"  # and the end is told
            for _ in range(3):
                await send(other, b"still talking")
                assert await receive(one, 13) == b"still talking"
            assert not flow.closed
            other.shutdown(socket.SHUT_WR)
            assert await receive(one, 1) == b""
            await until_closed(bench)
            assert bench.closed == [flow]

    run(main())


def test_an_end_with_bytes_still_waiting_loses_none() -> None:
    async def main() -> None:
        content = os.urandom(3_000_000)
        async with spliced(Bench(), small=True, to_client=content) as (client, server, _):
            server.shutdown(socket.SHUT_WR)
            assert await receive(client, len(content) + 1) == content

    run(main())


@pytest.mark.parametrize("pipes", [16, 0], ids=["through a pipe", "with no pipe to be had"])
def test_bulk_arrives_whole(pipes: int) -> None:
    async def main() -> None:
        bench = Bench(pipes)
        block = os.urandom(1 << 20)
        turns = 50 if pipes else 10
        wanted = hashlib.sha256(block * turns).digest()

        async def upload(end: socket.socket) -> None:
            for _ in range(turns):
                await send(end, block)
            end.shutdown(socket.SHUT_WR)

        async def fetch(end: socket.socket) -> bytes:
            digest, loop = hashlib.sha256(), asyncio.get_running_loop()
            async with asyncio.timeout(SECONDS * 2):
                while more := await loop.sock_recv(end, 1 << 20):
                    digest.update(more)
            return digest.digest()

        async with spliced(bench) as (client, server, _):
            _, found = await asyncio.gather(upload(server), fetch(client))
            assert found == wanted
            assert (bench.pipes._left < pipes) == bool(pipes), "a pipe was borrowed, where there was one"

    run(main())


def test_bulk_both_ways_at_once() -> None:
    async def main() -> None:
        up, down = os.urandom(4_000_000), os.urandom(5_000_000)
        async with spliced(Bench(), small=True) as (client, server, _):
            _, _, at_server, at_client = await asyncio.gather(
                send(client, up), send(server, down), receive(server, len(up)), receive(client, len(down))
            )
            assert at_server == up and at_client == down

    run(main())


def test_a_slow_reader_stops_the_sender() -> None:
    """What is between the two stays bounded: the buffers of the kernel, one pipe and one turn."""

    async def main() -> None:
        bench = Bench()
        async with spliced(bench) as (client, server, flow):
            sent = 0
            block = bytes(1 << 18)
            stalled = 0
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            while stalled < 50:
                try:
                    sent += server.send(block)
                    stalled = 0
                except BlockingIOError:
                    stalled += 1
                    await asyncio.sleep(0.001)
                assert sent < 64 << 20, "nobody stops the sender"
            held = sum(len(direction.held) + direction.in_pipe for direction in flow._directions)
            assert held <= BUFFER + PIPE
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32_000
            assert len(await receive(client, sent)) == sent

    run(main())


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_closes_both(who: str) -> None:
    async def main() -> None:
        bench = Bench()
        async with spliced(bench) as (client, server, flow):
            one, other = (client, server) if who == "client" else (server, client)
            await send(one, b"x")
            assert await receive(other, 1) == b"x"
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
            await until_closed(bench)
            assert flow.closed
            with suppress(ConnectionResetError):
                assert await receive(other, 1) == b""

    run(main())


def test_a_reset_while_bytes_wait_closes_both() -> None:
    async def main() -> None:
        bench = Bench()
        async with spliced(bench, small=True, to_client=bytes(5_000_000)) as (client, _, _):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            await until_closed(bench)

    run(main())


def test_closing_twice_is_closing_once() -> None:
    async def main() -> None:
        bench = Bench()
        async with spliced(bench) as (_, _, flow):
            flow.close()
            flow.close()
            assert bench.closed == [flow]

    run(main())


def test_idle_pipes_are_given_back() -> None:
    async def main() -> None:
        bench = Bench()
        block = bytes(BUFFER)
        async with spliced(bench) as (client, server, flow):
            for _ in range(200):
                await send(server, block * 4)
                await receive(client, len(block) * 4)
                if any(direction.pipe for direction in flow._directions):
                    break
            else:
                pytest.fail("bulk never took a pipe")
            now = asyncio.get_running_loop().time()
            assert flow.look(now) == 0.0  # something moved since the last look
            assert flow.look(now + 1) == 1.0
            assert not any(direction.pipe for direction in flow._directions)
            assert flow.look(now + 61) == 61.0
            pipe = bench.pipes.borrow()
            assert pipe, "the pipe is free for others"
            bench.pipes.give_back(pipe, clean=True)
            await send(server, b"awake")
            assert await receive(client, 5) == b"awake"
            assert flow.look(now + 62) == 0.0

    run(main())


class Counting(selectors.DefaultSelector):
    """Counts how often the loop looked; a descriptor that stays ready and is still watched would never let it rest."""

    looks = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.looks += 1
        return super().select(timeout)


def test_nothing_runs_while_nothing_moves() -> None:
    selector = Counting()

    async def main() -> None:
        async with spliced(Bench()) as (client, server, flow):
            await send(client, b"x")
            await receive(server, 1)
            server.shutdown(socket.SHUT_WR)  # half closed: that end stays readable for ever
            assert await receive(client, 1) == b""
            before = selector.looks
            await asyncio.sleep(0.2)
            assert selector.looks - before <= 3
            assert not flow.closed

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(main())


def test_nothing_runs_while_a_reader_is_slow() -> None:
    selector = Counting()

    async def main() -> None:
        async with spliced(Bench(), small=True, to_client=bytes(3_000_000)) as (_, server, flow):
            await send(server, b"more")
            await asyncio.sleep(0)
            before = selector.looks
            await asyncio.sleep(0.2)
            assert selector.looks - before <= 3
            assert not flow.closed

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(main())


def test_many_flows_leave_no_descriptor_open() -> None:
    async def main() -> None:
        bench = Bench()

        async def one(number: int) -> None:
            client, inner_client = pair(tcp=False)
            inner_server, server = pair(tcp=False)
            flow = bench.flow(inner_client, inner_server)
            flow.start(b"early" if number % 2 else b"")
            await send(client, bytes(BUFFER * (number % 7)))
            if number % 3 == 0:
                client.close()
                await receive(server, 1 << 20)
            elif number % 3 == 1:
                server.close()
            else:
                flow.close()
            client.close()
            server.close()

        gc.collect()  # what other tests left must not be counted here
        open_before = descriptors()
        for start in range(0, 500, 10):
            await asyncio.gather(*(one(start + number) for number in range(10)))
        await until_closed(bench, 500)
        bench.pipes.close()
        gc.collect()
        assert descriptors() == open_before

    run(main())


async def fill_a_pipe(client: socket.socket, server: socket.socket, flow: Flow) -> None:
    """Send in bulk until a pipe is borrowed, then stop reading until bytes wait in it."""
    block = bytes(4 * BUFFER)
    for _ in range(2_000):
        if any(direction.in_pipe for direction in flow._directions):
            return
        with suppress(BlockingIOError):
            server.send(block)
        await asyncio.sleep(0)
        if not any(direction.pipe for direction in flow._directions):
            with suppress(BlockingIOError):
                client.recv(len(block))
    pytest.fail("nothing ever waited in a pipe")


def test_closing_with_bytes_in_a_pipe_leaves_no_descriptor_open() -> None:
    async def main() -> None:
        gc.collect()
        open_before = descriptors()
        for _ in range(5):
            bench = Bench()
            async with spliced(bench, tcp=False) as (client, server, flow):
                await fill_a_pipe(client, server, flow)
        assert descriptors() == open_before

    run(main())


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_pipes_are_few_and_used_again() -> None:
    pipes = Pipes(2)
    first, second = pipes.borrow(), pipes.borrow()
    assert first and second and pipes.borrow() is None
    pipes.give_back(first, clean=True)
    assert pipes.borrow() == first
    pipes.give_back(second, clean=False)  # it may still hold bytes, so another takes its place
    third = pipes.borrow()
    assert third and pipes.borrow() is None
    for pipe in (first, third):
        pipes.give_back(pipe, clean=True)
    pipes.close()
    for end in (*first, *second, *third):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end)


def test_without_descriptors_there_is_no_pipe_and_no_error() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        assert Pipes(4).borrow() is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
