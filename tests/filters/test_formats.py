"""Which format a text is in, what its header says, and what is no list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.formats import SAMPLE, Header, detect, header, not_a_list
from filters.syntax import Format, Problem

SAMPLES = {
    Format.HOSTS: "# a list\n127.0.0.1 localhost\n::1 localhost\n0.0.0.0 bad.example\n0.0.0.0 worse.example\n",
    Format.PLAIN: "## names ##\n\nbad.example\nsub.worse.example  # why\n192.0.2.1\n2001:db8::1\n",
    Format.WILDCARD: "*.bad.example\n*.worse.example\n",
    Format.ADBLOCK: "[Adblock Plus 2.0]\n! Title: x\n||bad.example^\n@@||good.example^\nshop.example##.banner\n",
    Format.DNSMASQ: "# x\naddress=/bad.example/0.0.0.0\nserver=/worse.example/\n",
    Format.UNBOUND: 'server:\n  local-zone: "bad.example." always_nxdomain\n  local-data: "worse.example A 0.0.0.0"\n',
    Format.RPZ: "$TTL 300\n@ SOA localhost. root.localhost. 1 2 3 4 5\n NS localhost.\nbad.example CNAME .\n",
    Format.SQUIDGUARD_URLS: "bad.example/a\nhttps://worse.example/b?c=d\n192.0.2.1/x\n",
    Format.V2FLY: "# x\nfull:www.bad.example @ads\ninclude:other\nbad.example\nworse.example\n",
    Format.ETH_PHISHING: '{"version": 2, "fuzzylist": ["good.example"], "blacklist": ["bad.example"]}',
}


@pytest.mark.parametrize(("form", "text"), SAMPLES.items())
def test_each_format_is_told_by_its_lines(form: Format, text: str) -> None:
    assert detect(text) is form
    assert detect("\ufeff" + text.replace("\n", "\r\n")) is form


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("adult/domains", Format.SQUIDGUARD_DOMAINS),
        ("urls", Format.SQUIDGUARD_URLS),
        ("adult/expressions", Format.SQUIDGUARD_EXPRESSIONS),
        ("adult/other", Format.PLAIN),
    ],
)
def test_squidguard_is_told_by_the_name_of_the_file(name: str, form: Format) -> None:
    assert detect("bad.example\n", name) is form


def test_text_without_entries_is_an_empty_plain_list() -> None:
    assert detect("") is Format.PLAIN
    assert detect("# nothing yet\n\n") is Format.PLAIN


@pytest.mark.parametrize(
    "text",
    [
        "To whom it may concern, this is a letter.\nIt has several lines of words.\n",
        '{"error": "no such list"}',
        "id,name,score\n1,alpha beta,2\n2,gamma delta,3\n",
        "<html><body>Sign in</body></html>",
        "PK\x03\x04\0\0\0",
    ],
)
def test_what_is_in_no_format(text: str) -> None:
    assert detect(text) is None


def test_a_few_bad_lines_do_not_hide_the_format() -> None:
    assert detect("bad.example\nwhat is this\nworse.example\nworst.example\n") is Format.PLAIN


def test_one_stray_line_does_not_make_another_format() -> None:
    names = "".join(f"bad{number}.example\n" for number in range(100))
    assert detect(names + "||stray.example^\n") is Format.PLAIN


def test_a_line_cut_off_by_the_end_of_the_sample_does_not_count() -> None:
    assert detect(("bad.example\n" * (SAMPLE // 12 + 1))[:SAMPLE]) is Format.PLAIN


@pytest.mark.parametrize(
    ("text", "line", "column", "problem"),
    [
        ("<!DOCTYPE html><html>", 1, 1, Problem.WEB_PAGE),
        ("\n\n  <html lang=en>\n", 3, 3, Problem.WEB_PAGE),
        ("# saved\n<html>\n", 2, 1, Problem.WEB_PAGE),
        ("<?xml version='1.0'?>", 1, 1, Problem.WEB_PAGE),
        ("bad.example\nx\0y\n", 2, 2, Problem.BINARY),
        ("\ufffd\x01\x02\ufffd" * 9, 1, 1, Problem.BINARY),
    ],
)
def test_what_is_no_list_is_told_with_its_place(text: str, line: int, column: int, problem: Problem) -> None:
    found = not_a_list(text)
    assert found is not None
    assert (found.line, found.column, found.problem) == (line, column, problem)


def test_lists_are_lists() -> None:
    assert [not_a_list(text) for text in SAMPLES.values()] == [None] * len(SAMPLES)
    assert not_a_list("caf\ufffd.example\n") is None


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("# Last modified: 2026-07-06 00:40:32 UTC", "2026-07-06"),
        ("! TimeUpdated: 2026-02-26T08:47:20+00:00", "2026-02-26"),
        ("# Updated: March 24, 2024", "2024-03-24"),
        ("; date: 1 Sept 2025", "2025-09-01"),
        ("# date: 2026-13-40", ""),
        ("# date: soon", ""),
        ("# updates are welcome", ""),
    ],
)
def test_dates_in_headers(line: str, date: str) -> None:
    assert header(f"{line}\nbad.example\n").date == date


def test_a_header_names_title_category_and_the_latest_date() -> None:
    text = (
        "! Title: One\n! Title: Two\n! Updated: 2026-01-02\n! Last modified: 2025-01-02\n# category: adult\nx.example\n"
    )
    assert header(text) == Header("One", "adult", "2026-01-02")


@given(st.text(max_size=400))
def test_any_text_gets_an_answer(text: str) -> None:
    assert detect(text) in (None, *Format)
    header(text)
    problem = not_a_list(text)
    assert problem is None or detect(text) is None
