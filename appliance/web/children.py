"""The children's pages. No login, no cookie, no record: asking for one of these leaves nothing anywhere in the box."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from appliance.notice import help as offer
from appliance.notice.page import reason_key
from appliance.web import guard, render
from appliance.web.views import BoxView, RecentBlocks

HELP_HOST = "help.schoolgate.internal"

LINKS = (
    ("take_it_down", offer.TAKE_IT_DOWN),
    (
        "report_remove",
        "https://www.childline.org.uk/info-advice/bullying-abuse-safety/online-mobile-safety/report-remove/",
    ),
    ("stop_ncii", "https://stopncii.org/"),
    ("child_helplines", "https://childhelplineinternational.org/helplines/"),
    ("find_helpline", "https://findahelpline.com/"),
)
"""Services on the help page. All of them stand on the protected list, a test sees to that."""

SYSTEMS = (
    ("Android", "android"),
    ("iPhone, iPad", "ios"),
    ("Windows", "windows"),
    ("macOS", "macos"),
    ("ChromeOS", "chromeos"),
    ("Linux", "linux"),
    ("Firefox", "firefox"),
)


@dataclass(frozen=True, slots=True)
class ChildrensPages:
    """Handlers of one app."""

    recent: RecentBlocks
    box: Callable[[], BoxView]
    render: render.Renderer
    through_gate: bool
    """whether requests come over the gate's socket, so that its headers may be believed"""

    def routes(self) -> list[Route]:
        """Everything but "/", which the apps give different answers to."""
        return [
            Route("/about", self.about),
            Route("/why", self.why),
            Route("/why/forget", self.forget, methods=["POST"]),
            Route("/help", self.help),
            Route("/leave", self.leave),
            Route("/trust", self.trust),
            Route("/trusted", self.trusted),
            Route("/ca.crt", self.certificate_der),
            Route("/ca.pem", self.certificate_pem),
            Route("/style.css", stylesheet),
            Route("/leave.js", script),
        ]

    async def front(self, request: Request) -> Response:
        """ "/" through the proxy: help at the help name, the notice elsewhere."""
        if guard.host_name(request.headers) == HELP_HOST:
            return await self.help(request)
        return await self.about(request)

    async def about(self, request: Request) -> Response:
        """The notice that filtering exists: what is closed, what is written down, who can look (R16)."""
        return self._page(request, "about")

    async def why(self, request: Request) -> Response:
        """This device's last refusals, newest first."""
        client = guard.client_of(request, self.through_gate)
        blocks = self.recent.for_client(client) if client else []
        return self._page(request, "why", blocks=blocks, known=client is not None, reason_key=reason_key)

    async def forget(self, request: Request) -> Response:
        """Empty the list of the device that asks: on a shared device the next child sees nothing of it."""
        client = guard.client_of(request, self.through_gate)
        if client:
            self.recent.forget(client)
        query = request.url.query
        return RedirectResponse(f"/why?{query}" if query else "/why", 303)

    async def help(self, request: Request) -> Response:
        """Help, complete without the Internet."""
        return self._page(request, "help", offer=offer, links=LINKS)

    async def leave(self, request: Request) -> Response:
        """A page that at once gives way to another place and does not stay in the history itself."""
        return self._page(request, "leave")

    async def trust(self, request: Request) -> Response:
        """What the certificate means for a child, and how to install it."""
        return self._page(request, "trust", systems=SYSTEMS)

    async def trusted(self, request: Request) -> Response:
        """The check without TLS: it proves nothing. Over TLS an inspect worker sends notice.page.trusted_page."""
        return self._page(request, "trusted")

    async def certificate_der(self, request: Request) -> Response:
        """The certificate as devices install it."""
        certificate = self.box().certificate
        if certificate is None:
            return self.missing(request)
        return Response(certificate.der, media_type="application/x-x509-ca-cert")

    async def certificate_pem(self, request: Request) -> Response:
        """The certificate as text."""
        certificate = self.box().certificate
        if certificate is None:
            return self.missing(request)
        return Response(certificate.pem, media_type="application/x-pem-file")

    def missing(self, request: Request, _: Exception | None = None) -> HTMLResponse:
        """The answer to a path that the box does not have."""
        return self._page(request, "missing", status=404)

    def _page(
        self, request: Request, template: str, box: BoxView | None = None, status: int = 200, **values: object
    ) -> HTMLResponse:
        view = box or self.box()
        return self.render.page(request, template, view.language, status, box=view, **values)


async def stylesheet(_: Request) -> Response:
    """The one style sheet."""
    return Response(render.stylesheet(), media_type="text/css")


async def script(_: Request) -> Response:
    """The one script."""
    return Response(render.script(), media_type="text/javascript")
