"""From a request to a handler: who asks, may they, and does one of our own pages ask for it."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from assent.apps.studio.house import House
from assent.apps.studio.page import ROOT, Handler, Page, RawHandler, Visit, get
from assent.apps.web.reading import Body, read_body, see, status_of
from assent.kit.errors import AssentError, NotClearedError, NotFoundError

__all__ = ["endpoint", "error_response"]

_OTHERS_AT_ONCE = 16

Endpoint = Callable[[Request], Awaitable[Response]]


class Others:
    """Threads for what is no page: whoever waits for pictures keeps no page from being shown."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_OTHERS_AT_ONCE, "others")

    async def run(
        self, answer: Callable[[Request, Page], Response], request: Request, page: Page
    ) -> Response:
        """Have a request answered, once there is a thread for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, answer, request, page)

    def close(self) -> None:
        """Take no more requests."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class NobodyError(NotClearedError):
    """Nobody is signed in."""

    advice = "Sign in."


def endpoint(page: Page) -> Endpoint:
    """Return a page's endpoint."""

    async def serve(request: Request) -> Response:
        if page.method == "GET" and not page.raw:
            # Nothing is sent: who asks is found out and answered in one go.
            if page.shows:
                return await run_in_threadpool(_admit_and_answer, request, page)
            house: House = request.app.state.house
            return await house.services.get(Others, Others).run(_admit_and_answer, request, page)
        # Who asks is known before their body is read.
        visit = await run_in_threadpool(_admit, request, page)
        if page.raw:
            await run_in_threadpool(_check_change, visit, "")
            return await cast("RawHandler", page.handler)(visit)
        body: Body = await read_body(request)
        visit.form, visit.data = body.form, body.data
        return await run_in_threadpool(_answer, visit)

    return serve


def _admit_and_answer(request: Request, page: Page) -> Response:
    return _answer(_admit(request, page))


def _admit(request: Request, page: Page) -> Visit:
    """Return the visit; raises `NobodyError`, or `NotClearedError` if they may not.

    A project that they may not see is told apart from none by nothing.
    """
    house: House = request.app.state.house
    visit = Visit(house=house, request=request, page=page, session=house.sessions.find(request))
    if page.action is None:
        return visit
    if visit.session is None:
        raise NobodyError("you are not signed in")
    if page.of_project and not _may_know(visit):
        raise NotFoundError(f"no project '{visit.path('project')}'", advice="See your projects.")
    if not visit.may(page.action):
        raise NotClearedError(
            "your role does not allow this", advice="Ask a producer of the studio."
        )
    return visit


def _may_know(visit: Visit) -> bool:
    """Tell whether the project exists and they have any role in it."""
    try:
        return bool(visit.who.roles_in(visit.project.id))
    except NotFoundError:
        return False


def _answer(visit: Visit) -> Response:
    _check_change(visit, visit.field("csrf"))
    return cast("Handler", visit.page.handler)(visit)


def _check_change(visit: Visit, token: str) -> None:
    """Raise `NotClearedError` unless what changes something comes from one of our own pages."""
    if visit.page.method == "GET":
        return
    sessions, request = visit.house.sessions, visit.request
    if visit.session is None:
        sessions.check_same_site(request)
    else:
        sessions.check(request, visit.session, request.headers.get("x-csrf") or token)


async def error_response(request: Request, error: Exception) -> Response:
    """Tell an `AssentError` on a page, or as JSON to a script; who isn't signed in may do so."""
    if not isinstance(error, AssentError):
        raise error
    status = 401 if isinstance(error, NobodyError) else status_of(error)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": str(error), "advice": error.advice}, status)
    if status == 401 and request.method == "GET":
        return see(f"{ROOT}/signin?next={quote(request.url.path)}")
    return await run_in_threadpool(_show_error, request, error, status)


def _show_error(request: Request, error: AssentError, status: int) -> Response:
    house: House = request.app.state.house
    visit = Visit(
        house=house,
        request=request,
        # A path of its own: what was asked for may look like the pattern of a project's page.
        page=get("/error", _nothing, None),
        session=house.sessions.find(request),
    )
    return visit.show("error.html", status=status, said=str(error), advice=error.advice)


def _nothing(visit: Visit) -> Response:
    raise NotFoundError("there is no such page")
