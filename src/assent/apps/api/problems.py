"""Errors on the wire: problem details (RFC 9457) with the message, the advice and a stable code.

>>> problem_of(NotFoundError("no project 'x'"), request_id="7f")["code"]
'not-found'
"""

import re
from collections.abc import Mapping
from typing import Any

from assent.apps.access.tokens import TokenError
from assent.kit import errors
from assent.kit.errors import (
    AssentError,
    ConflictError,
    FetchError,
    InputError,
    NotFoundError,
    RefusedError,
    StorageError,
    TooOftenError,
)

__all__ = [
    "KNOWN",
    "BusyError",
    "ClashError",
    "InvalidError",
    "LimitError",
    "MethodError",
    "PermitError",
    "SlowError",
    "TooMuchError",
    "TypeOfBodyError",
    "code_of",
    "problem_of",
    "status_of",
]


class InvalidError(InputError):
    """A request that isn't what the description of the API says."""

    advice = "Compare the request with /api/v1/openapi.json."

    def __init__(self, message: str, *, problems: tuple[Mapping[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class PermitError(RefusedError):
    """The token, or its account, may not do this."""

    advice = "Use a token with the scope that the operation names, of an account that may."


class TooMuchError(InputError):
    """The body is longer than is taken."""

    advice = "Send large files as an upload, piece by piece."


class SlowError(InputError):
    """The body didn't come in time."""

    advice = "Send it again, in smaller pieces."


class TypeOfBodyError(InputError):
    """The body is of a type that isn't taken here."""

    advice = "Send JSON as application/json, and pieces of uploads as application/octet-stream."


class MethodError(InputError):
    """The resource has no such method."""

    advice = "See the Allow header."


class ClashError(InputError):
    """The idempotency key was used for another request."""

    advice = "Use a new key for a new request."


class BusyError(InputError):
    """The same request, with the same key, is being done at this moment."""

    advice = "Send it again in a moment; it is answered once."


class LimitError(TooOftenError):
    """More requests than are taken."""

    advice = "Wait as long as Retry-After says."

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


_STATUS: tuple[tuple[type[AssentError], int], ...] = (
    (InvalidError, 422),
    (TokenError, 401),
    (PermitError, 403),
    (TooMuchError, 413),
    (SlowError, 408),
    (TypeOfBodyError, 415),
    (MethodError, 405),
    (ClashError, 422),
    (BusyError, 409),
    (TooOftenError, 429),
    (ConflictError, 409),
    (NotFoundError, 404),
    (RefusedError, 403),
    (InputError, 422),
    (StorageError, 503),
    (FetchError, 502),
)
_CODES: dict[type[AssentError], str] = {
    TokenError: "unauthenticated",
    PermitError: "not-permitted",
    InvalidError: "invalid",
    TooMuchError: "too-large",
    SlowError: "too-slow",
    TypeOfBodyError: "type-of-body",
    MethodError: "method",
    ClashError: "idempotency-key-reused",
    BusyError: "idempotency-key-busy",
}


def code_of(error: AssentError) -> str:
    """Return the code of an error's kind: of the nearest class that has one."""
    for kind in type(error).__mro__:
        if kind in _CODES:
            return _CODES[kind]
        if kind.__name__ in errors.__all__:
            return _code(kind.__name__)
    raise TypeError(f"{type(error).__name__} is no error of Assent")


def _code(name: str) -> str:
    return re.sub(r"(?<=.)(?=[A-Z])", "-", name.removesuffix("Error")).lower()


KNOWN: Mapping[str, type[AssentError]] = {
    **{_code(name): getattr(errors, name) for name in errors.__all__},
    **{code: kind for kind, code in _CODES.items()},
    "too-often": LimitError,
}
"""Every code that there is, and the error that it stands for."""


def status_of(error: AssentError) -> int:
    """Return the HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem_of(error: AssentError, *, request_id: str) -> dict[str, Any]:
    """Return the problem details of an error."""
    code = code_of(error)
    told: dict[str, Any] = {
        "type": f"urn:assent:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status_of(error),
        "detail": str(error),
        "advice": error.advice,
        "code": code,
        "request_id": request_id,
    }
    if isinstance(error, InvalidError):
        told["problems"] = [dict(each) for each in error.problems]
    return told
