"""Every address of the public pages, in one table.

A page is at its path, in the language that the browser asks for, and at `/en`, `/de`, `/es` before
it; with a slash at the end or without.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assent.apps.public import report, send, show
from assent.apps.public.guest import Handler, read
from assent.apps.public.words import LANGUAGES

__all__ = ["PAGES", "Page", "page", "post", "routes"]

_FORM = 64 << 10
_ASSET = "{asset:asset}"
_LANGUAGE = "/{language:language}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An address without base and language, and who answers; `largest` is of what is posted."""

    path: str
    handler: Handler
    method: str = "GET"
    largest: int = _FORM


def page(path: str, handler: Handler) -> Page:
    """Return a page that is shown."""
    return Page(path=path, handler=handler)


def post(path: str, handler: Handler, *, largest: int = _FORM) -> Page:
    """Return an address that a form or a script posts to."""
    return Page(path=path, handler=handler, method="POST", largest=largest)


PAGES: tuple[Page, ...] = (
    page("/", show.home_page),
    page("/verify", show.verify_page),
    page("/verify/{ticket:ticket}", send.answer_page),
    page(f"/r/{_ASSET}", show.record_page),
    page(f"/r/{_ASSET}/card", show.card_page),
    page("/report", report.report_page),
    post("/report", report.report_send),
    page("/report/state", report.state_page),
    post("/report/state", report.state_look),
    post("/report/reply", report.write_more),
    post("/report/complain", report.complain_now),
    page("/find", show.find),
)
"""Pages in all languages."""

_FILES: tuple[Page, ...] = (
    page("/static/{name}", show.static),
    page(f"/r/{_ASSET}.json", show.record_json),
    page(f"/r/{_ASSET}/qr.{{form:form}}", show.code),
    page(f"/r/{_ASSET}/{{index:index}}.tlog-proof", show.proof),
    page("/verify/{ticket:ticket}/state", send.state),
    page("/verify/{ticket:ticket}/result.json", send.answer_json),
    post("/verify/seat", send.seat),
)
"""What has no language."""


def routes(base: str) -> list[Route]:
    """Return the routes below the path of the public address."""
    made = [
        Route(path, _answer(each), methods=[each.method])
        for each in PAGES
        for before in (base, f"{base}{_LANGUAGE}")
        for path in {f"{before}{each.path}".rstrip("/"), f"{before}{each.path.rstrip('/')}/"}
        if path
    ]
    # The log's own folder has this name, so its page is found with its language alone.
    made += [
        Route(f"{base}{_LANGUAGE}/log{end}", _answer(page("/log", show.log_page)), methods=["GET"])
        for end in ("", "/")
    ]
    made += [Route(f"{base}{each.path}", _answer(each), methods=[each.method]) for each in _FILES]
    made.append(Route(f"{base}/verify/{{ticket:ticket}}/file", send.send_file, methods=["PUT"]))
    return made


def _answer(known: Page) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        guest = await read(request, largest=known.largest)
        return await run_in_threadpool(known.handler, guest)

    return serve


class _Pattern(Convertor[str]):
    """A part of a path that must look just so."""

    def convert(self, value: str) -> str:
        """Return the part as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Return the part as it is."""
        return value


for _name, _regex in {
    "asset": "[0-9a-f]{16}",
    "language": "|".join(LANGUAGES),
    "ticket": "[A-Za-z0-9_-]{32}",
    "form": "svg|png",
    "index": "0|[1-9][0-9]{0,9}",
}.items():
    register_url_convertor(_name, type(_name, (_Pattern,), {"regex": _regex})())
