"""The public log over HTTP: the files of its folder, and nothing else (c2sp.org/tlog-tiles).

Tiles and bundles never change, so that caches may keep them for a year; but one is served only once
the checkpoint covers it, since what a torn append left is overwritten. Everything else is fresh for
a few seconds.
"""

import re
from hashlib import sha256
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from assent.apps.web.serving import serve_app
from assent.kit.disk import Disk
from assent.kit.errors import AssentError
from assent.kit.tlog.checkpoint import read_body
from assent.kit.tlog.note import split_note
from assent.kit.tlog.tiles import WIDTH, level_count

__all__ = ["build_log_site", "serve_log"]

_TILE = re.compile(
    r"tile/(?P<level>[0-9]|[1-5][0-9]|6[0-3]|entries)"
    r"/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_SMALL = (
    (re.compile(r"checkpoint|cosigned|vkey|policy", re.ASCII), _TEXT),
    (re.compile(r"status/[0-9]{1,9}\.jwt", re.ASCII), "application/jwt"),
    (re.compile(r"anchors/[0-9]{1,19}/[\w-][\w.-]{0,79}", re.ASCII), _BYTES),
)
_FOREVER = "public, max-age=31536000, immutable"
_FRESH = "public, max-age=5, must-revalidate"
_HEADERS = {
    # Public data that other sites' pages may check; nothing here depends on who asks.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def build_log_site(folder: Path, *, disk: Disk | None = None) -> Starlette:
    """Return the application that publishes the log in `folder`."""
    site = _LogSite(folder, disk or Disk())
    return Starlette(routes=[Route("/{path:path}", site.answer, methods=["GET", "HEAD"])])


def serve_log(folder: Path, *, host: str, port: int) -> None:
    """Serve until interrupted."""
    serve_app(build_log_site(folder), host=host, port=port, at_once=200)


class _LogSite:
    """Answers from one log's folder."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk

    async def answer(self, request: Request) -> Response:
        """Answer with a file, "not modified", or "not found"."""
        try:
            return await run_in_threadpool(self._find, request)
        except AssentError:
            return PlainTextResponse("this log can't be read now\n", 500, _HEADERS)

    def _find(self, request: Request) -> Response:
        path = request.path_params["path"]
        tile = _TILE.fullmatch(path)
        kind = _BYTES if tile else next((k for form, k in _SMALL if form.fullmatch(path)), None)
        found = kind is not None and (tile is None or self._covered(tile))
        data = self._disk.read(self._folder / path) if found else None
        if data is None:
            return PlainTextResponse("not found\n", 404, {**_HEADERS, "Cache-Control": _FRESH})
        tag = f'"{sha256(data).hexdigest()[:32]}"'
        headers = {**_HEADERS, "Cache-Control": _FOREVER if tile else _FRESH, "ETag": tag}
        known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
        if known & {tag, f"W/{tag}", "*"}:
            return Response(None, 304, headers)
        return Response(data, 200, headers, media_type=kind)

    def _covered(self, tile: "re.Match[str]") -> bool:
        """Tell whether the published checkpoint vouches for a tile or bundle."""
        data = self._disk.read(self._folder / "checkpoint")
        try:
            state, _ = read_body(split_note((data or b"").decode())[0])
        except (AssentError, ValueError):
            return False
        index = int(re.sub(r"[x/]", "", tile["index"]))
        width = int(tile["width"] or WIDTH)
        level = 0 if tile["level"] == "entries" else int(tile["level"])
        whole = tile["width"] is None or width < WIDTH
        return whole and index * WIDTH + width <= level_count(state.size, level)
