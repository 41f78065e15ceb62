"""WebSockets, as Python's websockets library and browsers open them: through CONNECT, plain, spliced and inspected."""

import ssl
from collections.abc import Callable

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.e2e.box import Box
from tests.e2e.client import learn_trust, trusting
from tests.e2e.origin import BLOCK, Certificates, Origin
from tests.e2e.processes import resident

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-inspect")]

BLOCKED = "adult.schoolgate.test"
ME = "127.0.0.1"
Open = Callable[[], ClientConnection]


@pytest.fixture(params=["plain", "spliced", "inspected"])
def open_socket(request: pytest.FixtureRequest, box: Box, origin: Origin, certificates: Certificates) -> Open:
    """Opens a WebSocket in one of the lanes. The device trusts the box; protected names are never inspected."""
    if request.param == "plain":
        return lambda: connect(f"ws://ws.pages.example:{origin.ws}/", proxy=box.proxy_url)
    learn_trust(box, ME)
    spliced = request.param == "spliced"
    host = "protected.schoolgate.test" if spliced else "ws.pages.example"
    context = trusting(certificates.path if spliced else str(box.ca))
    return lambda: connect(f"wss://{host}:{origin.wss}/", proxy=box.proxy_url, ssl=context)


def test_messages_pass_both_ways(open_socket: Open) -> None:
    with open_socket() as connection:
        for message in ("grüß dich", BLOCK, "", b"\0", BLOCK * 3):
            connection.send(message)
            assert connection.recv(10) == message
        assert connection.ping().wait(10), "and so do pings"


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_blocked_host(box: Box, origin: Origin, certificates: Certificates, scheme: str) -> None:
    context = trusting(certificates.path, str(box.ca)) if scheme == "wss" else None
    port = origin.wss if context else origin.ws
    with pytest.raises((WebSocketException, ssl.SSLError)):
        connect(f"{scheme}://{BLOCKED}:{port}/", proxy=box.proxy_url, ssl=context).close()


def test_a_long_conversation_fills_no_memory(box: Box, open_socket: Open) -> None:
    with open_socket() as connection:

        def talk(rounds: int) -> dict[str, int]:
            for _ in range(rounds):
                connection.send(BLOCK)
                assert len(connection.recv(10)) == len(BLOCK)
            return {name: resident(pid) for name, pid in box.pids().items()}

        before = talk(20)
        after = talk(200)  # 50 MB each way
    grown = {name: after[name] - before[name] for name in before}
    assert max(grown.values()) < 8 << 20, grown
