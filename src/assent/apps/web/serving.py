"""Serve an application with what all of Assent's servers have in common."""

from typing import Any

from starlette.types import ASGIApp

__all__ = ["serve_app"]


def serve_app(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    at_once: int,
    head: int = 16 << 10,
    **more: Any,  # noqa: ANN401 - settings of uvicorn
) -> None:
    """Serve until interrupted, `at_once` connections at the most.

    Nothing is written down of who asked for what: paths may hold the secrets of links. `head` is
    the longest line of a request with its headers, in bytes; `more` are further settings of
    uvicorn.
    """
    # Only who serves pays for it.
    import uvicorn

    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=15,
        limit_concurrency=at_once,
        h11_max_incomplete_event_size=head,
        **more,
    )
