"""One request of somebody unknown, read: no session, no cookie, nothing kept of who they are.

A handler is a plain function of a guest and runs in a thread.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from assent.apps.public.checks import Checks, TooLargeError
from assent.apps.public.pace import Pace, neighbourhood
from assent.apps.public.pages import Pages, etag
from assent.apps.public.taking import Reports
from assent.apps.public.words import LANGUAGES, Words, language_of, words_in
from assent.apps.web.reading import read_form, read_object
from assent.kit.errors import InputError, RefusedError
from assent.kit.store.studio import Studio

__all__ = ["FOREVER", "FRESH", "NEVER", "Corner", "Guest", "Handler", "TooOftenError", "read"]

FRESH = "public, max-age=30, must-revalidate"
"""Of what changes when a consent ends: anybody may keep it, for half a minute."""
FOREVER = "public, max-age=31536000, immutable"
"""Of what never changes under its name."""
NEVER = "no-store"
"""Of what is one visitor's own."""

_SEE_OTHER = 303
_NOT_MODIFIED = 304
_FORM_S = 10.0
"""Seconds in which a form must have come."""


class TooOftenError(RefusedError):
    """An address asks too often; `after_s` says when it may again."""

    advice = "Wait a little."

    def __init__(self, message: str, *, after_s: int) -> None:
        super().__init__(message)
        self.after_s = after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """Everything that the public pages work with; `studio` is None where no keys are."""

    pages: Pages
    checks: Checks
    pace: Pace
    studio: Studio | None = None
    reports: Reports = field(default_factory=Reports)


@dataclass(kw_only=True)
class Guest:
    """One request.

    `fixed` says that the language is part of the address; else it was taken from what the browser
    asks for, and caches are told so.
    """

    corner: Corner
    request: Request
    language: str
    fixed: bool
    form: Mapping[str, list[str]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def studio(self) -> Studio | None:
        """Return the open studio, or None where only what is public is served."""
        return self.corner.studio

    @property
    def t(self) -> Words:
        """Return the words of the page's language."""
        return words_in(self.language)

    @property
    def address(self) -> str:
        """Return by what this visitor is counted, and nothing else."""
        return neighbourhood(self.request.client.host if self.request.client else None)

    def query(self, name: str) -> str:
        """Return a value of the address's query, or nothing."""
        return str(self.request.query_params.get(name, ""))

    def field(self, name: str) -> str:
        """Return the first value of a form's field, or nothing."""
        return next(iter(self.form.get(name, ())), "")

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def limit(self) -> None:
        """Raise `TooOftenError` if this address asks for costly things too often."""
        wait = self.corner.pace.wait(self.address)
        if wait:
            raise TooOftenError("that was asked too often", after_s=int(wait) + 1)

    def show(
        self, template: str, path: str, *, status: int = 200, cache: str = NEVER, **values: object
    ) -> Response:
        """Return a page of this name; `path` is its own, without the language."""
        body = self.corner.pages.show(template, self.language, path, **values)
        return self.page(body, status=status, cache=cache)

    def page(self, body: bytes, *, status: int = 200, cache: str = FRESH) -> Response:
        """Return a page that was made."""
        made = self.send(body, "text/html; charset=utf-8", status=status, cache=cache)
        made.headers["Content-Language"] = self.language
        if not self.fixed:
            made.headers["Vary"] = "Accept-Language"
        return made

    def send(self, body: bytes, kind: str, *, status: int = 200, cache: str = FRESH) -> Response:
        """Return bytes with what caches need; "not modified" to who has them."""
        headers = {"Cache-Control": cache}
        if status == 200 and cache != NEVER:
            headers["ETag"] = tag = etag(body)
            asked = self.request.headers.get("if-none-match", "").split(",")
            if {each.strip() for each in asked} & {tag, f"W/{tag}", "*"}:
                return Response(None, _NOT_MODIFIED, headers)
        # Here and not as an argument: Starlette would add a charset to every kind of text.
        return Response(body, status, {**headers, "Content-Type": kind})

    def see(self, path: str) -> Response:
        """Send the visitor to another of these pages, in their language; never elsewhere."""
        where = f"{self.corner.pages.place.base}/{self.language}{path}"
        return RedirectResponse(where, _SEE_OTHER, {"Cache-Control": NEVER})


Handler = Callable[[Guest], Response]


async def read(request: Request, *, largest: int) -> Guest:
    """Return the guest of a request; raises `InputError` for a body that isn't what it says."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    form: Mapping[str, list[str]] = {}
    data: Mapping[str, Any] = {}
    if request.method == "POST":
        _check_origin(request)
        body = await _body(request, largest)
        if kind == "application/x-www-form-urlencoded":
            form = read_form(body)
        elif kind == "application/json":
            data = read_object(body)
    return guest_of(request, form=form, data=data)


def guest_of(
    request: Request,
    *,
    form: Mapping[str, list[str]] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Guest:
    """Return the guest of a request whose body is not looked at."""
    corner: Corner = request.app.state.corner
    given = request.path_params.get("language")
    fixed = given in LANGUAGES
    asked = language_of(request.headers.get("accept-language", "") or corner.pages.place.language)
    return Guest(
        corner=corner,
        request=request,
        language=str(given) if fixed else asked,
        fixed=fixed,
        form=form or {},
        data=data or {},
    )


def _check_origin(request: Request) -> None:
    """Raise `RefusedError` for what another site's page lets its visitors send here."""
    place = request.app.state.corner.pages.place
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none") or (origin is not None and origin != place.origin):
        raise RefusedError("the request came from elsewhere", advice="Open the page itself.")


async def _body(request: Request, largest: int) -> bytes:
    came = bytearray()
    try:
        async with asyncio.timeout(_FORM_S):
            async for chunk in request.stream():
                came += chunk
                if len(came) > largest:
                    raise TooLargeError("what was sent is too large")
    except (ClientDisconnect, TimeoutError) as error:
        raise InputError("what was sent did not come whole, or too slowly") from error
    return bytes(came)
