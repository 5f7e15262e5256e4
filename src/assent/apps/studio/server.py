"""The server of the studio: its pages, the subjects' pages and the API in one process."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, compile_path

from assent.apps.api.app import PREFIX, build_api
from assent.apps.api.call import Api
from assent.apps.studio.answering import endpoint, error_response
from assent.apps.studio.house import House
from assent.apps.studio.page import ROOT, Page
from assent.apps.studio.routes import PAGES
from assent.apps.web.assets import Assets
from assent.apps.web.guard import FORM, Guard, Place
from assent.apps.web.reading import see
from assent.apps.web.server import build as build_ceremony
from assent.apps.web.serving import serve_app
from assent.apps.web.site import Site
from assent.kit.errors import AssentError, FaultError, NotFoundError
from assent.kit.store.studio import Studio

__all__ = ["build", "house_of", "serve"]

_TENDED_EVERY_S = 5
_SWITCH_S = 0.001


def house_of(studio: Studio, place: Place, *, team: bool) -> House:
    """Return the house of a studio, with every page that there is."""
    return House.of(studio, place, team=team, paths=[page.path for page in PAGES])


def build(house: House, pages: Sequence[Page] = PAGES) -> Starlette:
    """Return the application: the studio under `/studio`, the subjects' pages beside it."""
    ceremony = build_ceremony(Site.of(house.studio, house.place))
    own = build_pages(house, pages)
    parts = [own, ceremony]
    api = build_api(Api(studio=house.studio, origin=house.place.origin))
    routes: list[BaseRoute] = [
        Route(ROOT, _to_the_start),
        # Outside of everything else, so that what went wrong inside has its headers too.
        Mount(ROOT, Guard(own, place=house.place, largest=_largest_of(pages))),
        Mount(PREFIX, api),
        Mount("/", ceremony),
    ]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in parts:
                await stack.enter_async_context(part.router.lifespan_context(part))
            tending = asyncio.create_task(_tend(house))
            yield
            tending.cancel()
        house.services.close()

    return Starlette(routes=routes, lifespan=lifespan)


async def _tend(house: House) -> None:
    """Have what pages hold let go of in time, also when nobody asks for anything."""
    while True:
        await asyncio.sleep(_TENDED_EVERY_S)
        await run_in_threadpool(house.services.tend)


def build_pages(house: House, pages: Sequence[Page]) -> Starlette:
    """Return the studio's own pages."""
    app = Starlette(
        routes=[
            *(Route(page.path, endpoint(page), methods=[page.method]) for page in pages),
            Mount("/static", Assets("assent.apps.studio")),
        ],
        exception_handlers={
            AssentError: error_response,
            HTTPException: _not_here,
            Exception: _went_wrong,
        },
    )
    app.state.house = house
    return app


def serve(house: House, *, host: str, port: int) -> None:
    """Serve until interrupted."""
    # A page that is being made waits this long at most for a thread that computes.
    sys.setswitchinterval(_SWITCH_S)
    serve_app(
        build(house),
        host=host,
        port=port,
        at_once=400,
        head=32 << 10,
        # Pages that follow jobs would keep it waiting for ever.
        timeout_graceful_shutdown=3,
    )


def _largest_of(pages: Sequence[Page]) -> Callable[[str], int]:
    large = [
        (compile_path(f"{ROOT}{page.path}")[0], page.largest)
        for page in pages
        if page.largest > FORM
    ]

    def largest(path: str) -> int:
        return next((size for pattern, size in large if re.match(pattern, path)), FORM)

    return largest


async def _to_the_start(request: Request) -> Response:
    return see(f"{ROOT}/")


async def _not_here(request: Request, error: Exception) -> Response:
    """Tell what no route knows."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as registered
    return await error_response(request, NotFoundError("there is no such page", advice="Go back."))


async def _went_wrong(request: Request, error: Exception) -> Response:
    """Tell that there is a mistake in the program; what it is stands on the server's terminal."""
    fault = FaultError(
        "something went wrong inside Assent", advice="Nothing was lost. Tell who runs the studio."
    )
    return await error_response(request, fault)
