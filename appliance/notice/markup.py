"""HTML built from values, so that no text can break out of it: everything is escaped that is not Html already.

Only `tag` and `document` make Html. Characters that are invisible or turn the direction of the text (C0, bidi
overrides, lone surrogates) become U+FFFD: a host name must look like what it is.
"""

from html import escape
from string import Formatter

from appliance.notice.texts import Texts

_VOID = frozenset({"meta", "br", "hr", "link"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()

    def __html__(self) -> str:
        """What template engines call to learn that it needs no escaping."""
        return self


Content = Html | str


def visible(text: str, longest: int = 255) -> str:
    """`text` as one line of at most `longest` characters, with nothing invisible in it."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in cut)


def tag(name: str, /, *content: Content, **attributes: str) -> Html:
    """One element. Attribute names may end in "_" where Python has the word (class_), and "_" inside stands for "-"."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(*content)}</{name}>")


def join(*content: Content) -> Html:
    """The pieces one after the other."""
    return Html("".join(piece if isinstance(piece, Html) else escape(piece) for piece in content))


def fill(sentence: str, **values: Content) -> Html:
    """`sentence` with its {places} filled, each value kept whole in a page of either direction."""
    pieces: list[Content] = []
    for before, place, _, _ in Formatter().parse(sentence):
        pieces.append(before)
        if place is not None:
            pieces.append(tag("bdi", values[place]))
    return join(*pieces)


def latin(text: str) -> Html:
    """A host name or other left-to-right text, kept in order inside a right-to-left page."""
    return tag("span", text, dir="ltr", class_="ltr")


def figures(text: str) -> Html:
    """A date or number: left to right, and never broken over two lines."""
    return tag("span", text, dir="ltr", class_="ltr whole")


def document(texts: Texts, title: str, style: str, body: Html) -> bytes:
    """A complete page in UTF-8. `style` is our own CSS and is not escaped."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="robots", content="noindex"),
        tag("title", title),
        tag("style", Html(style)),
    )
    page = tag("html", head, body, lang=texts.language, dir=texts.direction)
    return f"<!doctype html>\n{page}\n".encode()
