"""A page: where it is, who answers, who may ask. And a visit: one request to it, read.

    def footage_page(visit: Visit) -> Response:
        return visit.show("footage.html", clips=...)

    PAGES = (get("/p/{project}/footage", footage_page, Action.READ_FOOTAGE),)

A handler is called once it is known who asks, that they may, and, for what changes something, that
one of the studio's own pages asks for it.
"""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from assent.apps.access.permissions import Action
from assent.apps.access.sessions import Session
from assent.apps.access.who import Who
from assent.apps.studio.house import House
from assent.apps.studio.links import LINKS
from assent.apps.studio.steps import Step, steps_of
from assent.apps.web.guard import FORM
from assent.apps.web.reading import see
from assent.kit.errors import NotClearedError, NotFoundError
from assent.kit.store.studio import Studio
from assent.purpose.projects import Project, Purpose, find_project, look_up

__all__ = ["ROOT", "Handler", "Page", "RawHandler", "Visit", "get", "post"]

ROOT = "/studio"
"""Where the studio's pages lie; paths of pages are given without it."""


@dataclass(kw_only=True)
class Visit:
    """One request of somebody who may ask."""

    house: House
    request: Request
    page: "Page"
    session: Session | None = None
    form: Mapping[str, list[str]] = dataclasses.field(default_factory=dict)
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def studio(self) -> Studio:
        """Return the studio."""
        return self.house.studio

    @property
    def who(self) -> Who:
        """Return who asks; raises `NotClearedError` on the pages for everybody."""
        if self.session is None:
            raise NotClearedError("you are not signed in", advice="Sign in.")
        return self.session.who

    @property
    def address(self) -> str:
        """Return the address that the request comes from."""
        return self.request.client.host if self.request.client else ""

    @cached_property
    def project(self) -> Project:
        """Return the project of the path; raises `NotFoundError`."""
        return look_up(self.studio, self.path("project"))

    @cached_property
    def purpose(self) -> Purpose:
        """Return the same as the rules of today allow it; raises `ForbiddenPurposeError`."""
        return find_project(self.studio, self.path("project"))

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def field(self, name: str) -> str:
        """Return the first value of a form's field, or nothing."""
        return next(iter(self.form.get(name, ())), "")

    def fields(self, name: str) -> tuple[str, ...]:
        """Return every value of a form's field."""
        return tuple(self.form.get(name, ()))

    def may(self, action: Action, project: Project | Purpose | None = None) -> bool:
        """Tell whether who asks may do something, in the project of the path if there is one."""
        project_id = None
        if isinstance(project, Purpose):
            project_id = project.project_id
        elif project is not None or self.page.of_project:
            project_id = (project or self.project).id
        return self.session is not None and self.who.may(action, project_id)

    def must_be_of_project(self, project_id: str | None) -> None:
        """Raise `NotFoundError` unless that is the project of the path.

        Whatever has an id of its own is asked this: who may see one project's drafts could name
        another's.
        """
        if project_id != self.project.id:
            raise NotFoundError("there is no such thing in this project", advice="Go back.")

    def show(self, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page."""
        notice = self.house.sessions.take(self.session) if self.session else None
        html = self.house.templates.get_template(template).render(
            visit=self,
            root=ROOT,
            studio_name=self.studio.name,
            csrf=self.session.csrf if self.session else "",
            notice=notice,
            may=self.may,
            Action=Action,
            links=[each for each in LINKS if self._leads_to(each.path, each.action)],
            steps=self._steps(),
            **values,
        )
        return HTMLResponse(html, status)

    def _leads_to(self, path: str, action: Action) -> bool:
        # Who is alone has nobody to let in.
        found = path in self.house.paths and (self.house.team or path != "/accounts")
        return found and self.session is not None and self.who.may(action)

    def _steps(self) -> tuple[Step, ...]:
        if not self.page.of_project or self.session is None:
            return ()
        steps = steps_of(self.studio, self.project)
        known = [each if each.path in self.house.paths else each.without_page() for each in steps]
        return tuple(known)

    def see(self, path: str, *, notice: str = "") -> Response:
        """Return a redirect to one of the studio's pages, which shows the notice."""
        if notice and self.session is not None:
            self.house.sessions.leave(self.session, notice)
        return see(f"{ROOT}{path}")


Handler = Callable[[Visit], Response]
RawHandler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A route of the studio."""

    method: str
    path: str
    handler: Handler | RawHandler
    action: Action | None
    """What it does; None is for everybody, signed in or not."""
    raw: bool = False
    """The handler is asynchronous and reads the body itself."""
    largest: int = FORM
    """Bytes that its body may have."""
    shows: bool = True
    """It is a page for people: no picture, no file, nothing for a script."""

    @property
    def of_project(self) -> bool:
        """Tell whether it belongs to one project."""
        return "{project}" in self.path


def get(
    path: str,
    handler: Handler | RawHandler,
    action: Action | None,
    *,
    raw: bool = False,
    shows: bool = True,
) -> Page:
    """Return a page that is looked at; `shows=False` for a picture, a file or a script's data."""
    return Page(
        method="GET", path=path, handler=handler, action=action, raw=raw, shows=shows and not raw
    )


def post(
    path: str,
    handler: Handler | RawHandler,
    action: Action | None,
    *,
    raw: bool = False,
    largest: int = FORM,
) -> Page:
    """Return something that changes something."""
    return Page(method="POST", path=path, handler=handler, action=action, raw=raw, largest=largest)
