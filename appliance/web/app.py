"""The two web apps of the box: `public` for devices behind the gate, `local` for the box's own address.

Both are given functions that return the views of the moment, so a change of configuration shows at once and nothing
here is global.
"""

from collections.abc import Callable, Collection

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from appliance.web.children import ChildrensPages
from appliance.web.guard import LOCAL_NAMES, PUBLIC_NAMES, Guard
from appliance.web.local import LocalPages
from appliance.web.render import Entry, Renderer
from appliance.web.views import BoxView, RecentBlocks, StatusView

_CHILDREN = (Entry("why", "/why"), Entry("help", "/help"), Entry("trust", "/trust"))
_PUBLIC_MENU = (Entry("home", "/about"), *_CHILDREN)
_LOCAL_MENU = (Entry("status", "/status"), Entry("proxy", "/proxy"), *_PUBLIC_MENU)


def public(recent: RecentBlocks, box: Callable[[], BoxView]) -> Starlette:
    """The children's pages at schoolgate.internal and help.schoolgate.internal.

    Serve it on a Unix socket that only the gate can open: it believes the headers of appliance.web.guard.
    """
    pages = ChildrensPages(recent, box, Renderer(_PUBLIC_MENU), through_gate=True)
    return _app(pages, [Route("/", pages.front), *pages.routes()], PUBLIC_NAMES)


def local(
    recent: RecentBlocks,
    box: Callable[[], BoxView],
    status: Callable[[], StatusView],
    names: Collection[str] = (),
) -> Starlette:
    """The children's pages, the status and the proxy set-up, on the box's own address.

    `names` are further names and addresses the box is asked at, beside localhost and those of `public`.
    """
    renderer = Renderer(_LOCAL_MENU)
    pages = ChildrensPages(recent, box, renderer, through_gate=False)
    own = LocalPages(status, box, renderer)
    return _app(pages, [*own.routes(), *pages.routes()], LOCAL_NAMES | frozenset(names))


def _app(pages: ChildrensPages, routes: list[Route], names: Collection[str]) -> Starlette:
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, names=names)],
        exception_handlers={404: pages.missing},
    )
