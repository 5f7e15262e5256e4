"""What every operation of the API shares: who asks, for which project, and whether they may.

An operation is a plain function of a `Call` and of what FastAPI reads from path, query and body; it
is listed with the action that it takes (`get`, `post`, ...), and nothing but `ApiRoute` decides who
comes through. It runs in a thread.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from assent.apps.access.permissions import Action
from assent.apps.access.tokens import Token, who_holds
from assent.apps.access.who import Who
from assent.apps.api.guard import Pace
from assent.apps.api.keys import Answer, Keys, Operation, hash_request
from assent.apps.api.problems import BusyError, InvalidError, LimitError, PermitError
from assent.kit.errors import AssentError, NotFoundError
from assent.kit.jobs.queue import Queue
from assent.kit.store.studio import Studio
from assent.purpose.projects import Project, Purpose, find_project, look_up

__all__ = [
    "Api",
    "ApiRoute",
    "Asked",
    "Call",
    "Operated",
    "Where",
    "delete",
    "get",
    "patch",
    "post",
]

_KEY = re.compile(r"[!-~]{8,200}", re.ASCII)
_WAITS_S, _LOOKS_S = 5.0, 0.05


class Where(Enum):
    """Where a role has to be held for an operation."""

    PROJECT = "project"
    """In the project of its path."""
    STUDIO = "studio"
    """In the studio, or wherever the table of permissions says that any project is enough."""
    ANY = "any"
    """In any project; what is told is of those projects alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Everything that the operations work with."""

    studio: Studio
    origin: str
    """Where subjects and other programs reach the server: scheme, host and port."""
    pace: Pace = field(default_factory=Pace)
    listening: dict[object, str] = field(default_factory=dict)
    """Streams of events that are open, each with the token that follows it."""

    @property
    def queue(self) -> Queue:
        """Return the studio's queue of jobs."""
        return Queue(self.studio.database, self.studio.clock)

    @property
    def keys(self) -> Keys:
        """Return the requests that were done."""
        return Keys(self.studio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of somebody who may make it."""

    api: Api
    token: Token
    who: Who
    project: Project | None
    operation: str
    """By this id what is made is named: the same when a request is sent again."""

    @property
    def studio(self) -> Studio:
        """Return the studio."""
        return self.api.studio

    @property
    def purpose(self) -> Purpose:
        """Return the path's project as the rules of today allow it; raises as `find_project`."""
        return find_project(self.studio, self.of.id)

    @property
    def of(self) -> Project:
        """Return the path's project, whatever the rules say of it."""
        if self.project is None:
            raise TypeError("this operation is not of a project")
        return self.project

    @property
    def owner(self) -> str:
        """Return who what this call makes belongs to: the account, or the holder of the studio."""
        return self.who.account_id or "holder"

    def may_in(self, action: Action, project_id: str | None) -> bool:
        """Tell whether they may do something in a project, or with what is of none."""
        return self.who.may(action, project_id)


def _call_of(request: Request) -> Call:
    call: Call = request.state.call
    return call


Asked = Annotated[Call, Depends(_call_of)]
"""The call, as operations take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operated:
    """An operation as it is listed."""

    method: str
    path: str
    function: Callable[..., Any]
    action: Action
    where: Where
    more: Mapping[str, Any]


def _listed(method: str, default: int) -> Callable[..., Operated]:
    def listed(
        path: str,
        function: Callable[..., Any],
        action: Action,
        *,
        where: Where | None = None,
        status: int = default,
        **more: Any,  # noqa: ANN401 - what FastAPI takes
    ) -> Operated:
        usual = Where.PROJECT if "{project}" in path else Where.STUDIO
        return Operated(
            method=method,
            path=path,
            function=function,
            action=action,
            where=where or usual,
            more={"status_code": status, **more},
        )

    return listed


get = _listed("GET", 200)
post = _listed("POST", 201)
patch = _listed("PATCH", 200)
delete = _listed("DELETE", 204)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ApiRoute(APIRoute):
    """Lets in who may come, does what has a key once, and answers "not modified"."""

    def get_route_handler(self) -> Handler:
        """Return what serves a request of this route."""
        inner = super().get_route_handler()
        extra = self.openapi_extra or {}
        action, where = Action(extra["x-action"]), Where(extra["x-where"])
        known = _query_names(self)

        async def serve(request: Request) -> Response:
            await run_in_threadpool(_admit, request, action, where)
            _check_query(request, known)
            if request.method == "GET":
                return _conditional(request, await inner(request))
            if request.method == "POST" and "idempotency-key" in request.headers:
                return await _once(request, inner)
            return await inner(request)

        return serve


def _query_names(route: APIRoute) -> frozenset[str]:
    names: set[str] = set()
    todo = [route.dependant]
    while todo:
        each = todo.pop()
        names.update(param.alias for param in each.query_params)
        todo.extend(each.dependencies)
    return frozenset(names)


def _check_query(request: Request, known: frozenset[str]) -> None:
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known or given.count(name) > 1:
            problem = {"field": f"query.{name[:80]}", "message": "not taken here, or given twice"}
            raise InvalidError("the query holds what isn't taken here", problems=(problem,))


def _admit(request: Request, action: Action, where: Where) -> None:
    """Put the `Call` into the request's state; raises unless who asks may."""
    api: Api = request.app.state.api
    token, who = who_holds(api.studio, _bearer(request))
    wait = api.pace.take(token.id)
    if wait:
        raise LimitError("this token asks too often", retry_after=wait)
    project = _project(api.studio, who, request.path_params.get("project"))
    _require(who, action, where, project)
    request.state.call = Call(
        api=api, token=token, who=who, project=project, operation=request.state.request_id
    )


def _bearer(request: Request) -> str:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _project(studio: Studio, who: Who, name: str | None) -> Project | None:
    """Return the project called `name`; one that they have no part in is as good as none."""
    if name is None:
        return None
    project = look_up(studio, name)
    if not who.roles_in(project.id):
        raise NotFoundError(f"no project '{name}'", advice="See `assent project list`.")
    return project


def _require(who: Who, action: Action, where: Where, project: Project | None) -> None:
    if where is Where.PROJECT and project is not None:
        allowed = who.may(action, project.id)
    elif where is Where.ANY:
        places = {each.project_id for each in who.memberships}
        allowed = any(who.may(action, place) for place in places)
    else:
        allowed = who.may(action)
    if not allowed:
        raise PermitError(f"this takes the scope '{action.value}', and an account that may")


def _conditional(request: Request, response: Response) -> Response:
    """Give a body its entity tag, and leave it out for who has it."""
    body = getattr(response, "body", None)
    if response.status_code != 200 or not isinstance(body, bytes):
        return response
    tag = response.headers.get("etag") or f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    known = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
    if known & {tag, f"W/{tag}", "*"}:
        return Response(None, 304, {"ETag": tag})
    return response


async def _once(request: Request, inner: Handler) -> Response:
    """Do a request with an idempotency key once, and answer it each time."""
    call: Call = request.state.call
    key = request.headers["idempotency-key"]
    if not _KEY.fullmatch(key):
        problem = {"field": "header.Idempotency-Key", "message": "8 to 200 visible characters"}
        raise InvalidError("the idempotency key can't be used", problems=(problem,))
    query = str(request.url.query)
    hashed = hash_request("POST", f"{request.url.path}?{query}", await request.body())
    begun = await _begin(call.api.keys, call.token.id, key, hashed)
    if isinstance(begun, Answer):
        headers = {**begun.headers, "Idempotency-Replayed": "true"}
        return Response(begun.body, begun.status, headers)
    request.state.call = Call(
        api=call.api, token=call.token, who=call.who, project=call.project, operation=begun.id
    )
    return await _finish(call.api.keys, begun, request, inner)


async def _finish(keys: Keys, operation: Operation, request: Request, inner: Handler) -> Response:
    try:
        response = await inner(request)
    except (AssentError, RequestValidationError):
        # Nothing was done. After any other error the lease runs out, and it is taken up again.
        await run_in_threadpool(keys.give_up, operation)
        raise
    kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
    answer = Answer(response.status_code, kept, bytes(response.body))
    await run_in_threadpool(keys.finish, operation, answer)
    return response


_KEPT = ("content-type", "location")


async def _begin(keys: Keys, owner: str, key: str, hashed: str) -> Operation | Answer:
    """Begin, or wait a little for whoever does the same."""
    ends = time.monotonic() + _WAITS_S
    while True:
        try:
            return await run_in_threadpool(keys.begin, owner, key, hashed)
        except BusyError:
            if time.monotonic() >= ends:
                raise
        await asyncio.sleep(_LOOKS_S)
