"""How a request's body becomes a form or an object, and an error a status."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse

from assent.apps.web.guard import TooLargeError, TooSlowError
from assent.kit.errors import (
    AssentError,
    ConflictError,
    InputError,
    NotFoundError,
    RefusedError,
    TooOftenError,
)

__all__ = ["Body", "read_body", "read_form", "read_object", "see", "status_of"]

_SEE_OTHER = 303
_MOST_FIELDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What came with a request: the fields of a form, or an object in JSON."""

    form: Mapping[str, list[str]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


async def read_body(request: Request) -> Body:
    """Return the body of a request; raises `InputError` for one that isn't what it says."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return Body(form=read_form(await request.body()))
    if kind == "application/json":
        return Body(data=read_object(await request.body()))
    return Body()


def read_form(body: bytes) -> Mapping[str, list[str]]:
    """Return the fields of a form; raises `InputError`."""
    try:
        return parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise InputError("this is not a form") from error


def read_object(body: bytes) -> dict[str, Any]:
    """Return an object of JSON; raises `InputError`."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("this is not JSON") from error
    if not isinstance(data, dict):
        raise InputError("this is not a JSON object")
    return data


def status_of(error: AssentError) -> int:
    """Return the HTTP status that tells of an error."""
    for kind, status in (
        (TooLargeError, 413),
        (TooSlowError, 408),
        (NotFoundError, 404),
        (TooOftenError, 429),
        (ConflictError, 409),
        (RefusedError, 403),
        (InputError, 400),
    ):
        if isinstance(error, kind):
            return status
    return 500


def see(path: str) -> RedirectResponse:
    """Return a redirect to be followed with GET."""
    return RedirectResponse(path, _SEE_OTHER)
