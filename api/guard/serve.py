"""Serves a guarded application over HTTP."""

import uvicorn
from starlette.types import ASGIApp

_GOODBYE_SECONDS = 5  # that open websockets may delay the end


def serve(app: ASGIApp, host: str, port: int) -> None:
    """Serve a guarded application until SIGTERM.

    The addresses of connections are believed, and no header about them: the guard needs to know
    who its neighbor is.
    """
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
