"""The application of the API: every operation, its errors, and its description.

Mounted at `/api/v1` of the studio's server; `describe()` is what lies in docs/reference.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assent import __version__
from assent.apps.api.call import Api, ApiRoute, Operated
from assent.apps.api.calls import CALLS, call_route, describe_calls
from assent.apps.api.guard import ApiGuard, Pace, answer_problem
from assent.apps.api.problems import InvalidError, MethodError
from assent.apps.api.resources import (
    cases,
    footage,
    jobs,
    log,
    making,
    people,
    projects,
    releases,
    safeguards,
    sightings,
    studio,
    verifying,
    webhooks,
)
from assent.apps.api.shapes import Problem
from assent.kit.errors import AssentError, FaultError, NotFoundError
from assent.monitor.watch.called import SIGNATURE

__all__ = ["OPERATIONS", "PREFIX", "build_api", "describe"]

PREFIX = "/api/v1"

OPERATIONS: tuple[Operated, ...] = (
    *studio.OPERATIONS,
    *projects.OPERATIONS,
    *people.OPERATIONS,
    *footage.OPERATIONS,
    *making.OPERATIONS,
    *safeguards.OPERATIONS,
    *releases.OPERATIONS,
    *verifying.OPERATIONS,
    *log.OPERATIONS,
    *jobs.OPERATIONS,
    *webhooks.OPERATIONS,
    *cases.OPERATIONS,
    *sightings.OPERATIONS,
)
"""Every operation of the API, with the action that it takes."""

_MOST_PROBLEMS = 20
_PROBLEM_TYPE = "application/problem+json"
_ABOUT = """\
The story of Assent for programs: from a brief to a release, in the same steps and under the same
rules as everywhere. What people must sign is signed by them, with keys that never come here.

Every request carries a token (`Authorization: Bearer assent_…`), made by `assent token create`.
Long work is a job: the answer is 202 and the job, whose end is told by `/jobs/{job}`, by
`/jobs/events`, or by a webhook. Send an `Idempotency-Key` with every POST: sent again, it is
answered again and done once. Errors are problem details (RFC 9457) with a stable `code`.
"""
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Of your making, new for each new request; sent again, it's answered again.",
    "schema": {"type": "string", "pattern": "^[!-~]{8,200}$"},
}


def build_api(api: Api, operations: Sequence[Operated] = OPERATIONS) -> FastAPI:
    """Return the application for a studio."""
    app = FastAPI(
        title="Assent",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(
                ApiGuard,
                hosts=frozenset({urlsplit(api.origin).netloc}),
                pace=Pace(most=600, a_second=50.0),
            )
        ],
        exception_handlers={
            AssentError: _tell,
            RequestValidationError: _tell_invalid,
            HTTPException: _tell_http,
            Exception: _tell_fault,
        },
    )
    app.state.api = api
    for each in operations:
        _add(app, each)
    app.router.routes.append(call_route(api))
    document = _document(app)
    app.router.routes.append(Route("/openapi.json", lambda request: JSONResponse(document)))
    return app


def describe(operations: Sequence[Operated] = OPERATIONS) -> dict[str, Any]:
    """Return the OpenAPI description; it is the same for every studio."""
    app = FastAPI(title="Assent", version=__version__)
    for each in operations:
        _add(app, each)
    return _document(app)


def _add(app: FastAPI, each: Operated) -> None:
    more = dict(each.more)
    extra = dict(more.pop("openapi_extra", {}))
    extra |= {"x-action": each.action.value, "x-where": each.where.value}
    if each.method == "POST":
        extra["parameters"] = [_KEY]
    first, _, _ = (each.function.__doc__ or "").strip().partition("\n")
    responses = {
        **more.pop("responses", {}),
        "4XX": {"model": Problem, "description": "What was wrong, and what to do next."},
    }
    app.router.add_api_route(
        each.path,
        each.function,
        methods=[each.method],
        route_class_override=ApiRoute,
        openapi_extra=extra,
        operation_id=each.function.__name__,
        summary=first.rstrip("."),
        responses=responses,
        **more,
    )


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="Assent",
        version=__version__,
        openapi_version="3.1.0",
        description=_ABOUT,
        routes=app.routes,
        servers=[{"url": PREFIX}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`assent token create`"}
    }
    document["security"] = [{"token": []}]
    for path in document["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            # It is told as any other problem.
            responses.pop("422", None)
            content = responses["4XX"]["content"]
            content[_PROBLEM_TYPE] = content.pop("application/json")
    document["paths"][CALLS] = describe_calls()
    document["components"]["securitySchemes"]["signature"] = {
        "type": "apiKey", "in": "header", "name": SIGNATURE, "description": "see the operation",
    }  # fmt: skip
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    return document


def _id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))


async def _tell(request: Request, error: Exception) -> Response:
    assert isinstance(error, AssentError)  # noqa: S101 - as registered
    return answer_problem(error, _id(request))


async def _tell_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as registered
    problems = tuple(
        {"field": ".".join(map(str, each["loc"]))[:200], "message": str(each["msg"])[:300]}
        for each in error.errors()[:_MOST_PROBLEMS]
    )
    told = InvalidError("the request isn't what is asked for here", problems=problems)
    return answer_problem(told, _id(request))


async def _tell_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as registered
    if error.status_code == 405:
        response = answer_problem(MethodError("there is no such method here"), _id(request))
        response.headers.update(dict(error.headers or {}))
        return response
    if error.status_code == 404:
        unknown = NotFoundError("there is nothing here", advice="See /api/v1/openapi.json.")
        return answer_problem(unknown, _id(request))
    return answer_problem(InvalidError("the request can't be read"), _id(request))


async def _tell_fault(request: Request, error: Exception) -> Response:
    """Tell that there is a mistake in the program; what it is stands on the server's terminal."""
    fault = FaultError(
        "something went wrong inside Assent",
        advice="Nothing was lost. Tell who runs the studio, with the request's id.",
    )
    return answer_problem(fault, _id(request))
