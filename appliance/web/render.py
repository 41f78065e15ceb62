"""From a template and values to an answer, in the language of the one who asks.

A language chosen with ?lang= stays chosen by travelling in the links: no cookie. Templates escape everything; only
appliance.notice.markup.Html passes as it is.
"""

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from appliance.notice import look
from appliance.notice.language import LANGUAGES, choose
from appliance.notice.markup import figures, fill, latin, visible
from appliance.notice.texts import texts

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the menu."""

    key: str
    """the sentence page.KEY is its label"""
    path: str


class Renderer:
    """Renders the templates of one app, with its menu."""

    def __init__(self, menu: tuple[Entry, ...], home: str = "/") -> None:
        self._menu = menu
        self._home = home
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, request: Request, template: str, default: str, status: int = 200, **values: object) -> HTMLResponse:
        """The answer to `request`: `template` filled with `values` and the words of the language."""
        asked = request.query_params.get("lang")
        chosen = asked if asked in LANGUAGES else None
        words = texts(chosen or choose(request.headers.get("accept-language", ""), default=default))
        html = self._templates.get_template(f"{template}.html").render(
            values,
            words=words,
            say=words.say,
            fill=fill,
            figures=figures,
            latin=latin,
            visible=visible,
            link=partial(_link, chosen),
            menu=self._menu,
            home=self._home,
            here=request.url.path,
            languages=[texts(language) for language in LANGUAGES],
        )
        return HTMLResponse(html, status)


@cache
def stylesheet() -> str:
    """The look of the block page and what the small web adds to it."""
    return look.STYLE + (_FOLDER / "static" / "style.css").read_text(encoding="utf-8")


@cache
def script() -> str:
    """The only script there is: the quick exit."""
    return (_FOLDER / "static" / "leave.js").read_text(encoding="utf-8")


def _link(chosen: str | None, path: str) -> str:
    return f"{path}?lang={chosen}" if chosen else path
