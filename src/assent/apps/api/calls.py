"""The address that platforms call: without a token, each call signed with its source's own secret.

What a call says is in `assent.monitor.watch.called`. The guard of the API bounds its body; this one
bounds how often a network may try.
"""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from assent.apps.api.call import Api
from assent.apps.api.guard import Pace
from assent.apps.api.problems import LimitError
from assent.monitor.watch.called import SIGNATURE, take_call

__all__ = ["CALLS", "call_route", "describe_calls"]

CALLS = "/monitor/calls/{source}"
_MOST, _A_SECOND = 120, 2.0


def call_route(api: Api, *, pace: Pace | None = None) -> Route:
    """Return the route; `pace` is of each network's calls."""
    counted = pace or Pace(most=_MOST, a_second=_A_SECOND)

    async def take(request: Request) -> Response:
        wait = counted.take(request.client.host if request.client else "")
        if wait:
            raise LimitError("too many calls from this address", retry_after=wait)
        body = await request.body()
        name = str(request.path_params["source"])
        signature = request.headers.get(SIGNATURE, "")
        new = await run_in_threadpool(take_call, api.studio, name, body, signature=signature)
        return JSONResponse({"new": new})

    return Route(CALLS, take, methods=["POST"])


def describe_calls() -> dict[str, Any]:
    """Return how the route is told in the description of the API."""
    item = {
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": {"type": "string", "format": "uri", "maxLength": 2000},
            "title": {"type": "string"},
            "page": {"type": "string"},
            "published": {"type": "string"},
            "views": {"type": "integer", "minimum": 0},
        },
    }
    body = {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "items": item}},
        "examples": [{"items": [{"url": "https://videos.example.org/1.mp4", "views": 12}]}],
    }
    told = {
        "type": "object",
        "required": ["new"],
        "properties": {"new": {"type": "integer", "minimum": 0}},
    }
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        "post": {
            "operationId": "call_monitor",
            "summary": "Name what a platform was sent or shows",
            "description": (
                "For platforms, without a token: `Assent-Signature: t=SECONDS,v1=HEX`, the "
                "HMAC-SHA256 of the seconds since 1970, a full stop and the body, with the secret "
                "of the source. A call counts for five minutes, and once: the same one again is "
                "answered with `new` 0. What is named is looked at in the monitor's next round."
            ),
            "tags": ["monitor"],
            "security": [{"signature": []}],
            "parameters": [
                {
                    "name": "source",
                    "in": "path",
                    "required": True,
                    "description": "The name or id of a source of the kind webhook.",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 60},
                }
            ],
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {
                "200": {
                    "description": "How many of the addresses are new.",
                    "content": {"application/json": {"schema": told}},
                },
                "4XX": {
                    "description": "What was wrong, and what to do next.",
                    "content": {"application/problem+json": problem},
                },
            },
        }
    }
