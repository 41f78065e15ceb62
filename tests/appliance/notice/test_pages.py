"""Pages: the same pages, in the reader's language and with the school's helpline."""

from appliance.notice.help import HelpLine
from appliance.notice.page import Problem, block_page, problem_page, trusted_page
from appliance.notice.pages import Pages
from filters.model import Action, Reason, Verdict

LINE = HelpLine("Child Helpline", "116", "2026-11-20")
PAGES = Pages("es", LINE)
VERDICT = Verdict(Action.BLOCK, Reason.PAUSED, "primary")


def test_in_the_language_of_the_reader() -> None:
    assert PAGES.block(VERDICT, "x.example", "fr-CA") == block_page(VERDICT, "x.example", "fr", LINE)
    answer = PAGES.problem(Problem.UPSTREAM_DOWN, "x.example", "ar", "no route")
    assert answer == problem_page(Problem.UPSTREAM_DOWN, "x.example", "no route", "ar", LINE)
    assert PAGES.trusted("zh") == trusted_page("zh")


def test_in_the_schools_language_for_all_others() -> None:
    assert PAGES.trusted("sw") == PAGES.trusted("") == trusted_page("es")
