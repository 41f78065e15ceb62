"""What an inspected request is answered with, and what a handshake teaches: the inspect lane without its library.

A request names its host in its head, and the connection named one before; a server may speak for both, so both are
judged, and the stricter verdict holds.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance import control
from appliance.enforcement import Step, step
from appliance.gate import Gate, stricter
from appliance.listeners.trust import TRUST_HOST, Learner
from appliance.notice.page import Problem
from appliance.notice.pages import Pages
from filters.model import Via
from filters.names import host as normalise

Page = tuple[int, bytes]
"""status and body"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request on an inspected connection."""

    device: str
    """address"""
    tunnel: str
    """the name that the connection was judged by, normalised"""
    host: str
    """as the request names it, without port; "" where it names none"""
    path: str
    """with the query"""
    language: str
    """Accept-Language"""


class Inspected:
    """Judges requests, and keeps what devices trust up to date."""

    def __init__(
        self, gate: Gate, pages: Callable[[], Pages], learner: Learner, tell_gates: Callable[[control.Message], None]
    ) -> None:
        self._gate, self._pages, self._learner, self._tell_gates = gate, pages, learner, tell_gates

    def page(self, asked: Asked, problem: Problem | None) -> Page | None:
        """The page that stands in for the server's answer; None where the request passes. `problem` is why the server
        cannot be asked."""
        pages, language = self._pages(), asked.language
        host = normalise(asked.host or asked.tunnel)
        if host is None:
            return 400, pages.problem(Problem.BAD_REQUEST, asked.host, language)
        if host == asked.tunnel == TRUST_HOST:
            self._learned(asked.device)
            return 200, pages.trusted(language)
        verdict = self._gate.judge(host, asked.device, Via.HTTP, asked.path)
        if host != asked.tunnel:
            verdict = stricter(verdict, self._gate.judge(asked.tunnel, asked.device, Via.HTTP, asked.path))
        if step(Via.HTTP, verdict.action, trusted=True) is Step.BLOCK_PAGE:
            return 403, pages.block(verdict, host, language)
        return (problem.status, pages.problem(problem, host, language)) if problem else None

    def _learned(self, device: str) -> None:
        if self._learner.learned(device):
            self._tell_gates({"trust": "changed"})

    def accepted(self, device: str, host: str) -> None:
        """The device accepted a certificate of the box for this host."""
        if host != TRUST_HOST:
            self._learner.accepted(device)

    def refused(self, device: str, host: str) -> None:
        """The device refused it: the host is left alone on this device, and its trust may be over."""
        self._tell_gates({"pin": [device, host]})
        if self._learner.refused(device, host):
            self._tell_gates({"trust": "changed"})
