"""How the apps are served: uvicorn with everything off that would write down who asked for what.

No access log (a line of it would be a record of somebody looking for help), no forwarded headers (only
appliance.web.guard decides whom to believe), no server name. Signals are the daemon's.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette


class _Server(uvicorn.Server):
    """Several may run in one process, so none of them takes the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(app: Starlette) -> uvicorn.Server:
    """A server for one app: `await it.serve(sockets=[listener])`, which closes the listener; should_exit ends it.

    A listener is a bound socket, TCP or Unix.
    """
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=200,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
    )
    return _Server(config)
