"""The pages that listeners send, in the reader's language: one object for each snapshot."""

from dataclasses import dataclass

from appliance.notice.help import HelpLine
from appliance.notice.language import LANGUAGES, choose
from appliance.notice.page import Problem, block_page, problem_page, trusted_page
from filters.model import Verdict


@dataclass(frozen=True, slots=True)
class Pages:
    """Block page and problem page with the school's settings filled in."""

    language: str
    """for readers whose browser names none that we have"""
    helpline: HelpLine | None

    def block(self, verdict: Verdict, host: str, accept_language: str) -> bytes:
        """The page for a blocked request."""
        return block_page(verdict, host, self._choose(accept_language), self.helpline)

    def problem(self, problem: Problem, host: str, accept_language: str, detail: str = "") -> bytes:
        """The page for a request that could not be served."""
        return problem_page(problem, host, detail, self._choose(accept_language), self.helpline)

    def _choose(self, accept_language: str) -> str:
        return choose(accept_language, LANGUAGES, self.language)

    def trusted(self, accept_language: str) -> bytes:
        """The page that only a device which trusts the box can open."""
        return trusted_page(self._choose(accept_language))
