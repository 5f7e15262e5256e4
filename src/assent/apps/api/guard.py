"""What every request to the API meets first: bounds on its body and its pace, and an id.

Plain ASGI. Bodies of JSON are small, so they are read here, within a time, and looked through
before anything is made of them: depth, numbers, halves of characters, and names given twice. Pieces
of uploads pass through, bounded, and may not trickle.
"""

import asyncio
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assent.apps.api.problems import (
    InvalidError,
    LimitError,
    SlowError,
    TooMuchError,
    TypeOfBodyError,
    problem_of,
    status_of,
)
from assent.kit.errors import AssentError

__all__ = ["BYTES", "MOST_JSON", "MOST_PIECE", "ApiGuard", "Pace", "answer_problem", "read_json"]

MOST_JSON = 256 << 10
"""Bytes of a body of JSON."""
MOST_PIECE = 64 << 20
"""Bytes of one piece of an upload."""
BYTES = "application/octet-stream"
_DEEPEST = 32
_IDLE_S = 20.0
_SLOWEST = 4 << 10
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Pace:
    """How many requests each caller may make: a bucket that fills at a steady rate.

    Args:
        most: what may come at once.
        a_second: what is filled up in a second.
        clock: a monotonic clock.
        known: callers that are remembered; the one that was away longest is forgotten.
    """

    def __init__(
        self,
        *,
        most: int = 300,
        a_second: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        known: int = 10_000,
    ) -> None:
        self._most, self._rate, self._clock, self._known = most, a_second, clock, known
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: str, *, cost: float = 1.0) -> int:
        """Count a request, and return 0, or after how many seconds to come again."""
        now = self._clock()
        with self._lock:
            left, since = self._left.pop(caller, (float(self._most), now))
            left = min(float(self._most), left + (now - since) * self._rate)
            wait = (cost - left) / self._rate
            self._left[caller] = (left - cost if wait <= 0 else left, now)
            while len(self._left) > self._known:
                self._left.popitem(last=False)
        return 0 if wait <= 0 else max(1, round(wait + 0.5))


@dataclass(frozen=True, slots=True)
class ApiGuard:
    """Guards the API.

    Args:
        app: what is guarded.
        hosts: names by which it is reached; others are refused, so that no site can point its own
            name here. Empty: whoever serves it has looked.
        pace: of callers without a token, by address.
        idle_s: seconds that a body of JSON may take, and that an upload may be silent.
        tokens: attempts with tokens that are no tokens, by address.
    """

    app: ASGIApp
    hosts: frozenset[str] = frozenset()
    pace: Pace | None = None
    idle_s: float = _IDLE_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            taken = await self._admitted(scope, receive)
        except AssentError as error:
            await answer_problem(error, request_id)(scope, receive, guarded)
            return
        await self.app(scope, taken, guarded)

    async def _admitted(self, scope: Scope, receive: Receive) -> Receive:
        """Return what the body comes from; raises what is wrong with the request."""
        headers = Headers(scope=scope)
        if self.hosts and headers.get("host", "").lower() not in self.hosts:
            raise InvalidError("this host is not served here")
        client = scope.get("client") or ("", 0)
        wait = self.pace.take(client[0]) if self.pace else 0
        if wait:
            raise LimitError("too many requests from this address", retry_after=wait)
        if scope["method"] not in _WITH_BODY:
            return receive
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == BYTES and scope["method"] == "PATCH":
            _check_length(headers, MOST_PIECE)
            return _paced(receive, MOST_PIECE, self.idle_s)
        _check_length(headers, MOST_JSON)
        body = await _whole(receive, MOST_JSON, self.idle_s)
        if body and kind != "application/json":
            raise TypeOfBodyError(f"a body of type '{kind[:80]}' isn't taken here")
        if body:
            read_json(body)
        return _replayed(body, receive)


def answer_problem(error: AssentError, request_id: str) -> JSONResponse:
    """Return the response that tells an error."""
    headers = {}
    if isinstance(error, LimitError):
        headers["Retry-After"] = str(error.retry_after)
    status = status_of(error)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="assent"'
    if status == 409:
        headers["Retry-After"] = "1"
    body = problem_of(error, request_id=request_id)
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def read_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return what a body of JSON says; raises `InvalidError` for one that plays tricks."""
    try:
        text = body.decode("utf-8")
        _check_depth(text)
        value = json.loads(text, parse_constant=_no_number, object_pairs_hook=_once_each)
        if "\\u" in text:
            # An escape can spell half a character, which can be written nowhere.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidError("the body is not JSON as it is taken here") from error
    return value


def _check_depth(text: str) -> None:
    """Raise `ValueError` if values lie too deep in each other; brackets in texts don't count."""
    depth = 0
    inside = escaped = False
    for each in text:
        if inside:
            inside = each != '"' or escaped
            escaped = each == "\\" and not escaped
        elif each == '"':
            inside = True
        elif each in "[{":
            depth += 1
            if depth > _DEEPEST:
                raise ValueError("too deep")
        elif each in "]}":
            depth -= 1


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _check_length(headers: Headers, most: int) -> None:
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 15 or int(text) > most:
        raise TooMuchError(f"the body is longer than {most} bytes")


async def _next(receive: Receive, seconds: float) -> Message:
    try:
        coming: Awaitable[Message] = receive()
        return await asyncio.wait_for(coming, max(0.01, seconds))
    except TimeoutError as error:
        raise SlowError("the body didn't come in time") from error


async def _whole(receive: Receive, most: int, seconds: float) -> bytes:
    """Return a whole body; raises `TooMuchError` or `SlowError`."""
    ends = time.monotonic() + seconds
    body = bytearray()
    while True:
        message = await _next(receive, ends - time.monotonic())
        body += message.get("body", b"")
        if len(body) > most:
            raise TooMuchError(f"the body is longer than {most} bytes")
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    held = [body]

    async def again() -> Message:
        if held:
            return {"type": "http.request", "body": held.pop(), "more_body": False}
        return await receive()

    return again


def _paced(receive: Receive, most: int, idle_s: float) -> Receive:
    """Return `receive` that raises once too much came, or too little in the time."""
    began = time.monotonic()
    come = 0

    async def counted() -> Message:
        nonlocal come
        message = await _next(receive, idle_s)
        come += len(message.get("body", b""))
        if come > most:
            raise TooMuchError(f"the body is longer than {most} bytes")
        spent = time.monotonic() - began - idle_s
        if message.get("more_body", False) and spent > 0 and come < spent * _SLOWEST:
            raise SlowError("the body comes too slowly")
        return message

    return counted
