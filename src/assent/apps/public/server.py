"""The server of the public pages: routes, the log's files, errors in words, and nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount

from assent.apps.public.checks import BusyError, Checks, Limits, TooLargeError, TooManyError
from assent.apps.public.guest import FRESH, NEVER, Corner, Guest, TooOftenError, guest_of
from assent.apps.public.pace import Pace
from assent.apps.public.pages import Pages, etag
from assent.apps.public.place import PublicPlace
from assent.apps.public.routes import routes
from assent.apps.public.shield import Shield
from assent.apps.public.source import Source
from assent.apps.web.log_site import build_log_site
from assent.apps.web.serving import serve_app
from assent.kit.errors import AssentError, InputError, NotFoundError, RefusedError
from assent.kit.store.studio import Studio
from assent.verify.apart import Lookup
from assent.verify.public import OWN

__all__ = ["build", "corner_of", "serve"]

_STATUS: tuple[tuple[type[AssentError], int], ...] = (
    (NotFoundError, 404),
    (TooLargeError, 413),
    (TooOftenError, 429),
    (TooManyError, 429),
    (BusyError, 503),
    (RefusedError, 403),
    (InputError, 400),
)
_FAULT, _MISSING = 500, 404
_TRIES, _TRY_EVERY_S = 10, 30.0
_KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "wasm": "application/wasm",
}


def corner_of(
    source: Source,
    place: PublicPlace,
    *,
    limits: Limits | None = None,
    studio: Studio | None = None,
    in_browser: bool = False,
) -> Corner:
    """Return the public corner of what `source` reads; `studio` is the open one, if there is."""
    limits = limits or Limits()

    def lookup() -> tuple[str, Lookup]:
        folder = str(source.log_folder.absolute())
        if source.vkey is None:
            return source.now().tag, Lookup(log=folder)
        return source.now().tag, Lookup(log=folder, vkey=source.vkey, key_from=OWN)

    return Corner(
        pages=Pages(place=place, source=source, largest=limits.largest, in_browser=in_browser),
        checks=Checks(lookup, limits=limits),
        pace=Pace(burst=_TRIES, every_s=_TRY_EVERY_S),
        studio=studio,
    )


def build(corner: Corner, *, checker: Callable[[], dict[str, bytes]] | None = None) -> Starlette:
    """Return the application; `checker` gives the files of the page that checks in a browser."""
    place = corner.pages.place
    made: list[BaseRoute] = [*routes(place.base)]
    made.append(Mount(f"{place.base}/log", build_log_site(corner.pages.source.log_folder)))
    if checker is not None:
        made.append(Mount(f"{place.base}/check", _Folder(checker)))
    app = Starlette(
        routes=made,
        middleware=[Middleware(Shield, place=place)],
        exception_handlers={AssentError: _told, HTTPException: _told},
        lifespan=_lifespan,
    )
    # A redirect would be made from what the request says of its host.
    app.router.redirect_slashes = False
    app.state.corner = corner
    return app


def serve(app: Starlette, *, host: str, port: int, behind_proxy: bool = False) -> None:
    """Serve until interrupted; behind a proxy on this machine its word on addresses is taken."""
    serve_app(
        app,
        host=host,
        port=port,
        at_once=1000,
        proxy_headers=behind_proxy,
        forwarded_allow_ips="127.0.0.1",
    )


class _Folder:
    """Serves files that are in memory, made anew when they change."""

    def __init__(self, files: Callable[[], dict[str, bytes]]) -> None:
        self._files = files

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        """Answer with a file, or "not found"."""
        request = Request(scope, receive)
        name = str(scope["path"]).removeprefix(str(scope.get("root_path", ""))).lstrip("/")
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        body = (await run_in_threadpool(self._files)).get(name or "index.html")
        if body is None:
            raise HTTPException(_MISSING)
        tag = etag(body)
        headers = {"Cache-Control": FRESH, "ETag": tag}
        asked = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
        if asked & {tag, f"W/{tag}"}:
            answer = Response(None, 304, headers)
        else:
            kind = _KINDS.get(Path(name or "index.html").suffix[1:], "application/octet-stream")
            answer = Response(body, 200, {**headers, "Content-Type": kind})
        await answer(scope, receive, send)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    app.state.corner.checks.close()


async def _told(request: Request, error: Exception) -> Response:
    """Tell an error in the words of the page, or as JSON to a script."""
    guest = guest_of(request)
    if isinstance(error, HTTPException):
        error = NotFoundError("there is no such page")
    if not isinstance(error, AssentError):
        raise error
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), _FAULT)
    if _from_script(request):
        body = {"error": str(error), "advice": error.advice, "code": type(error).__name__}
        made: Response = JSONResponse(body, status, {"Cache-Control": NEVER})
    else:
        made = await run_in_threadpool(_page_of, guest, error, status)
    after = getattr(error, "after_s", None)
    if after is not None:
        made.headers["Retry-After"] = str(after)
    return made


def _from_script(request: Request) -> bool:
    sending = request.method in ("POST", "PUT") and "/verify/" in request.url.path
    return sending or "application/json" in request.headers.get("accept", "")


def _page_of(guest: Guest, error: AssentError, status: int) -> Response:
    pages = guest.corner.pages
    if status == _MISSING:
        ticket = "/verify/" in guest.request.url.path
        asked = any(part in guest.request.url.path for part in ("/r/", "/find"))
        body = pages.missing(guest.language, asset=asked, gone=ticket)
        return guest.page(body, status=status, cache=NEVER if ticket else FRESH)
    body = pages.show(
        "error.html", guest.language, "/", status=status, fault=status >= _FAULT
    )  # fmt: skip
    return guest.page(body, status=status, cache=NEVER)
