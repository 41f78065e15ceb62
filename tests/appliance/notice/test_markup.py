"""Html is made by tag and document only; whatever else goes in comes out as text."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.notice.markup import Html, document, figures, fill, join, latin, tag, visible
from appliance.notice.texts import texts


class Reader(HTMLParser):
    """What a browser makes of a piece of HTML: its tags with attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, attributes))

    def handle_data(self, data: str) -> None:
        self.text += data


PRINTABLE = st.text(alphabet=st.characters(exclude_categories=("C", "Z")))


@given(PRINTABLE, PRINTABLE)
def test_text_and_attributes_stay_what_they_are(content: str, value: str) -> None:
    read = Reader(tag("p", content, title=value))
    assert read.tags == [("p", [("title", value)])]
    assert read.text == content


def test_markup_goes_in_once_and_is_not_escaped_twice() -> None:
    assert tag("p", "<", tag("b", "&"), join("'", Html("<br>"))) == "<p>&lt;<b>&amp;</b>&#x27;<br></p>"


def test_names_of_attributes() -> None:
    assert tag("a", class_="x", aria_label="y", for_="z") == '<a class="x" aria-label="y" for="z"></a>'
    assert tag("br") == "<br>"


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("example.com", "example.com"),
        ("a\nb\tc\x00", "a\ufffdb\ufffdc\ufffd"),
        ("moc.elpmaxe\u202e", "moc.elpmaxe\ufffd"),
        ("zero\u200bwidth", "zero\ufffdwidth"),
        ("\ud800", "\ufffd"),
        ("пример.рф", "пример.рф"),
    ],
)
def test_visible_shows_what_hides(given_: str, shown: str) -> None:
    assert visible(given_) == shown


@given(st.text(), st.integers(1, 300))
def test_visible_is_printable_and_short(text: str, longest: int) -> None:
    shown = visible(text, longest)
    assert len(shown) <= longest
    assert shown.isprintable()


def test_fill_escapes_the_values_and_keeps_them_whole() -> None:
    assert fill("Call {service} <now>", service="A&B") == "Call <bdi>A&amp;B</bdi> &lt;now&gt;"
    assert fill("{d}.", d=figures("2026-01-02")) == '<bdi><span dir="ltr" class="ltr whole">2026-01-02</span></bdi>.'
    assert latin("x.y") == '<span dir="ltr" class="ltr">x.y</span>'


def test_a_template_engine_takes_it_as_it_is() -> None:
    assert tag("b", "x").__html__() == "<b>x</b>"


def test_document_names_language_and_direction() -> None:
    read = Reader(document(texts("ar"), "<t>", "p{color:red}", tag("body")).decode())
    assert ("html", [("lang", "ar"), ("dir", "rtl")]) in read.tags
    assert "<t>" in read.text and "p{color:red}" in read.text
