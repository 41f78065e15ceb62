"""How the box's own processes talk: one JSON datagram each way over Unix sockets in the state's run folder.

A sender never waits: a process that is busy or gone must not delay a packet. Only the same user can open the sockets.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

Message = dict[str, Any]
LONGEST = 60_000
"""bytes; the kernel's default send buffer takes three times that"""


def bind(path: Path) -> socket.socket:
    """A datagram socket at `path`, in place of whatever a process that died left there; non-blocking."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        bound.bind(str(path))
        path.chmod(0o600)
    except OSError:
        bound.close()
        raise
    return bound


def sender() -> socket.socket:
    """A socket to send from without an address of its own; non-blocking."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)


def send(via: socket.socket, path: Path | str, content: bytes) -> bool:
    """Send without waiting; False where nobody listens or the receiver's queue is full."""
    try:
        via.sendto(content, str(path))
    except OSError:
        return False
    return True


def receive(bound: socket.socket) -> tuple[Message, str] | None:
    """The next message and the path to answer to ("" for none), or None when none waits. Noise is an empty message."""
    try:
        content, sent_by = bound.recvfrom(LONGEST)
    except BlockingIOError:
        return None
    try:
        message = json.loads(content)
    except (ValueError, RecursionError):
        message = {}
    return (message if isinstance(message, dict) else {}), str(sent_by or "")


def answer(bound: socket.socket, path: str, message: Message) -> None:
    """Answer an ask; whoever asked may be gone."""
    if path:
        send(bound, path, json.dumps(message).encode())


def ask(path: Path, question: str, seconds: float = 1.0, **more: Any) -> Message | None:
    """Put a question to the process that listens at `path`; None when it does not answer in time."""
    own = path.parent / f"ask-{os.getpid()}-{os.urandom(4).hex()}.sock"
    try:
        with bind(own) as bound:
            bound.settimeout(seconds)
            bound.sendto(json.dumps({"ask": question, **more}).encode(), str(path))
            answered = json.loads(bound.recv(LONGEST))
    except (OSError, ValueError, RecursionError):
        return None
    finally:
        own.unlink(missing_ok=True)
    return answered if isinstance(answered, dict) else None
