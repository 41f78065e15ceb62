"""The pages for the adult at the box itself: landing, status, proxy set-up. Reached on the box's own address only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from appliance.notice.texts import Texts
from appliance.web import guard, pac
from appliance.web.render import Renderer
from appliance.web.views import BoxView, StatusView

ABOUT_URL = "http://schoolgate.internal/"


@dataclass(frozen=True, slots=True)
class LocalPages:
    """Handlers of the local app. Those that ask for the status are plain functions: they run in a thread."""

    status: Callable[[], StatusView]
    box: Callable[[], BoxView]
    render: Renderer

    def routes(self) -> list[Route]:
        """What the local app has beside the children's pages."""
        return [
            Route("/", self.landing),
            Route("/proxy", self.proxy),
            Route("/proxy.pac", self.proxy_pac),
            Route("/status", self.status_page),
            Route("/status.json", self.status_json),
            Route("/health", self.health),
        ]

    async def landing(self, request: Request) -> Response:
        """Three links for somebody who opened the box's address."""
        return self.render.page(request, "landing", self.box().language)

    async def proxy(self, request: Request) -> Response:
        """How a browser is sent through the box."""
        box = self.box()
        values = {
            "pac_url": f"http://{request.headers['host']}/proxy.pac",
            "proxy_host": guard.host_name(request.headers),
            "proxy_port": str(box.proxy_port),
            "about_url": ABOUT_URL,
        }
        return self.render.page(request, "proxy", box.language, 200, **values)

    async def proxy_pac(self, request: Request) -> Response:
        """The proxy auto-configuration file, naming the box as the browser itself reached it."""
        host = guard.host_name(request.headers)
        assert host is not None  # the guard let it through
        return Response(pac.script(host, self.box().proxy_port), media_type=pac.MEDIA_TYPE)

    def status_page(self, request: Request) -> Response:
        """The state of the box for a person."""
        view = self.status()
        return self.render.page(request, "status", self.box().language, view=view, told=told, number=number, when=when)

    def status_json(self, request: Request) -> Response:
        """The state of the box for a program: {"healthy": bool, "status": StatusView}."""
        view = self.status()
        return JSONResponse({"healthy": view.healthy, "status": plain(view)})

    def health(self, request: Request) -> Response:
        """200 when every process runs, 503 otherwise; nothing more is told."""
        healthy = self.status().healthy
        return JSONResponse({"healthy": healthy}, 200 if healthy else 503)


def told(words: Texts, key: str) -> str:
    """What a row of StatusView.blocks is called: the category's title, or that of the reason."""
    reason = f"reason.{key}.title"
    return words.say(reason) if reason in words.sentences else words.category(key).title


def number(value: int) -> str:
    """Digits in groups of three, the same in every language (ISO 80000-1)."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def when(at: datetime) -> str:
    """Local date and time to the minute."""
    return at.strftime("%Y-%m-%d %H:%M")


def plain(value: object) -> object:
    """A view as JSON has it: dataclasses as objects, enums by value, times in ISO 8601."""
    if is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
