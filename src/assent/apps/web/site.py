"""What all pages share: the studio, sessions, words, and how a request becomes a `Visit`.

A handler is a plain function of a visit; it runs in a thread, so that reading the database or
checking a signature holds nobody else up.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from assent.apps.web.guard import Place, Turnstile
from assent.apps.web.reading import read_body, status_of
from assent.apps.web.recordings import Recordings
from assent.apps.web.sessions import Session, Sessions, SignIns
from assent.apps.web.words import Words, language_of, words_in
from assent.consent.challenge import Entropy
from assent.consent.clearance import Act
from assent.consent.invitations import Invitation, invitation_by_id
from assent.consent.notice import LANGUAGES, tell_authority, wording
from assent.consent.people import Person, person_by_id
from assent.kit.errors import AssentError, NotClearedError
from assent.kit.store.studio import Studio

__all__ = ["Handler", "Site", "Visit", "endpoint", "error_response"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that the pages work with."""

    studio: Studio
    place: Place
    sessions: Sessions
    sign_ins: SignIns
    recordings: Recordings
    turnstile: Turnstile
    templates: Environment
    entropy: Entropy

    @classmethod
    def of(cls, studio: Studio, place: Place, *, entropy: Entropy = os.urandom) -> "Site":
        """Return the site of a studio that is reached at `place`."""
        return cls(
            entropy=entropy,
            studio=studio,
            place=place,
            sessions=Sessions(place, studio.clock),
            sign_ins=SignIns(studio.clock),
            recordings=Recordings(studio),
            turnstile=Turnstile(),
            templates=Environment(
                loader=PackageLoader("assent.apps.web"),
                autoescape=True,
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
            ),
        )


@dataclass(kw_only=True)
class Visit:
    """One request, read."""

    site: Site
    request: Request
    form: Mapping[str, list[str]] = dataclasses.field(default_factory=dict)
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    fallback: str | None = None
    """The language to speak to who has no session and asked for none."""

    @property
    def studio(self) -> Studio:
        """Return the studio."""
        return self.site.studio

    @cached_property
    def session(self) -> Session:
        """Return who is here; raises `NotClearedError` if nobody is known to be."""
        return self.site.sessions.find(self.request)

    @cached_property
    def person(self) -> Person:
        """Return the person of the session."""
        return person_by_id(self.studio, self.session.person_id)

    @cached_property
    def invitation(self) -> Invitation:
        """Return the invitation of the session; raises `NotClearedError` once it is used up."""
        if self.session.invitation_id is None:
            raise NotClearedError(
                "you are not in a ceremony", advice="Open the link that the studio sent you."
            )
        return invitation_by_id(self.studio, self.session.invitation_id)

    def field(self, name: str) -> str:
        """Return the first value of a form's field, or nothing."""
        return next(iter(self.form.get(name, ())), "")

    def changing(self) -> None:
        """Raise `NotClearedError` unless the request may change something for its session."""
        token = self.request.headers.get("x-csrf") or self.field("csrf")
        self.session = self.site.sessions.check_origin(self.request, token)

    @property
    def language(self) -> str:
        """Return the language to speak."""
        wanted = self.request.query_params.get("lang")
        session = self.site.sessions.find_any(self.request)
        if wanted in LANGUAGES:
            if session is not None:
                session.language = wanted
            return wanted
        if session is not None:
            return session.language
        return self.fallback or language_of(self.request.headers.get("accept-language", ""))

    def show(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page."""
        language = self.language
        session = self.site.sessions.find_any(self.request)
        words = words_in(language)
        html = self.site.templates.get_template(template).render(
            t=words,
            notice=wording(language),
            language=language,
            languages=[(each, wording(each).name) for each in LANGUAGES],
            path=self.request.url.path,
            tell_authority=tell_authority,
            acts_in_order=lambda acts: [act for act in Act if act in acts],
            csrf=session.csrf if session else "",
            signed_in=session is not None,
            studio_name=self.studio.name,
            studio_contact=self.studio.contact,
            **values,
        )
        return HTMLResponse(html, status)

    def words(self) -> Words:
        """Return the words of the language to speak."""
        return words_in(self.language)


Handler = Callable[[Visit], Response]


def endpoint(handler: Handler) -> Callable[[Request], Any]:
    """Return a route's endpoint: it reads the body, small as the guard lets it be, and calls."""

    async def serve(request: Request) -> Response:
        visit = await read(request)
        return await run_in_threadpool(handler, visit)

    return serve


async def read(request: Request) -> Visit:
    """Return the visit of a request; raises `InputError` for a body that isn't what it says."""
    body = await read_body(request)
    return Visit(site=request.app.state.site, request=request, form=body.form, data=body.data)


async def error_response(request: Request, error: Exception) -> Response:
    """Tell an `AssentError` in the words of the page, or as JSON to a script."""
    if not isinstance(error, AssentError):
        raise error
    status = status_of(error)
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": str(error), "advice": error.advice}, status)
    visit = Visit(site=request.app.state.site, request=request)
    known = visit.words().of_error(error)
    return await run_in_threadpool(
        lambda: visit.show("error.html", status=status, known=known, detail=str(error))
    )
