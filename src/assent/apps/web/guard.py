"""What every request meets first: the right host, a bounded body, headers that give nothing away.

Plain ASGI, so that a body is refused while it arrives and not once it lies in memory.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assent.kit.errors import InputError

__all__ = ["FORM", "Guard", "Place", "TooLargeError", "TooSlowError", "Turnstile", "place_at"]

FORM = 64 << 10
"""Bytes of a form or of JSON."""
GRACE_S = 30.0
"""Seconds that any body may take."""
SLOWEST = 1 << 10
"""Bytes a second that a body has to come with after that."""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
_PERMISSIONS = ", ".join(
    (
        "camera=(self)",
        "microphone=(self)",
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
        "display-capture=()",
        "geolocation=()",
        "payment=()",
        "usb=()",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": _PERMISSIONS,
    # Not "no-referrer": browsers would then hide the origin of forms, which is checked.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
_HSTS = "max-age=31536000"
_STATIC = ("/static/", "/studio/static/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the pages are reached, as browsers see it."""

    origin: str
    """Scheme, host and port."""
    rp_id: str
    """The host alone: to whom passkeys belong."""

    @property
    def host(self) -> str:
        """Return what a browser sends as `Host`."""
        return urlsplit(self.origin).netloc

    @property
    def secure(self) -> bool:
        """Tell whether it is reached by HTTPS."""
        return self.origin.startswith("https://")


def place_at(url: str) -> Place:
    """Return the place of a public URL; raises `InputError` unless a browser would trust it.

    Cameras and keys work on HTTPS or on the same machine alone.
    """
    parts = urlsplit(url.rstrip("/"))
    host = parts.hostname or ""
    local = host in ("localhost", "127.0.0.1")
    clean = f"{parts.scheme}://{parts.netloc}" == url.rstrip("/") and "@" not in parts.netloc
    if not (clean and host and (parts.scheme == "https" or (parts.scheme == "http" and local))):
        raise InputError(
            f"'{url}' can't be where the pages are",
            advice="Give a scheme and a host, such as https://consent.example.org; without HTTPS "
            "browsers give neither camera nor keys, except on localhost.",
        )
    return Place(origin=f"{parts.scheme}://{parts.netloc.lower()}", rp_id=host)


class TooLargeError(InputError):
    """The body is longer than is taken."""

    advice = "Record a shorter clip."


class TooSlowError(InputError):
    """The body trickles in; whoever sends it so may only want to hold a place."""

    advice = "Try again over a better connection."


class Guard:
    """Checks the host, bounds the body, sets the headers.

    Args:
        app: what is guarded.
        place: where it is reached; other names of the machine are refused, so that no other site
            can point its own name here (DNS rebinding).
        largest: returns how many bytes a body may have by path; forms have `FORM`.
        clock: a monotonic clock.
        grace: seconds that any body may take.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        place: Place,
        largest: Callable[[str], int],
        clock: Callable[[], float] = time.monotonic,
        grace: float = GRACE_S,
    ) -> None:
        self._app = app
        self._place = place
        self._largest = largest
        self._clock = clock
        self._grace = grace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._set_headers(scope, message)
            await send(message)

        headers = Headers(scope=scope)
        if headers.get("host", "").lower() != self._place.host:
            await PlainTextResponse("Not here.", 421)(scope, receive, guarded)
            return
        limit = self._largest(scope["path"])
        if _declared(headers) > limit:
            await PlainTextResponse("Too large.", 413)(scope, receive, guarded)
            return
        await self._app(scope, self._bounded(receive, limit), guarded)

    def _set_headers(self, scope: Scope, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in _HEADERS.items():
            headers[name] = value
        if self._place.secure:
            headers["Strict-Transport-Security"] = _HSTS
        static = scope["path"].startswith(_STATIC)
        headers["Cache-Control"] = "public, max-age=3600" if static else "no-store"

    def _bounded(self, receive: Receive, limit: int) -> Receive:
        """Return `receive` that raises once too much has come, or too little in its time."""
        come, begun, whole = 0, self._clock(), False

        async def counted() -> Message:
            nonlocal come, whole
            # What waits for the other end to hang up waits as long as it likes.
            left = self._grace + come / SLOWEST - (self._clock() - begun)
            try:
                async with asyncio.timeout(None if whole else max(0.0, left)):
                    message = await receive()
            except TimeoutError as error:
                raise TooSlowError("what was sent came too slowly") from error
            come += len(message.get("body", b""))
            whole = whole or not message.get("more_body", False)
            if come > limit:
                raise TooLargeError("what was sent is too large")
            return message

        return counted


def _declared(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() else 1 << 62


class Turnstile:
    """Lets each address try a few times in a while; for links and sign-in that could be guessed.

    Args:
        tries: how often, in `seconds`.
        seconds: how long a try counts.
        clock: a monotonic clock.
        most: addresses that are remembered; the oldest are forgotten first.
    """

    def __init__(
        self,
        *,
        tries: int = 20,
        seconds: float = 600,
        clock: Callable[[], float] = time.monotonic,
        most: int = 10_000,
    ) -> None:
        self._tries = tries
        self._seconds = seconds
        self._clock = clock
        self._most = most
        self._seen: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = Lock()

    def is_open(self, address: str) -> bool:
        """Tell whether this address may try (again)."""
        with self._lock:
            return len(self._recent(address)) < self._tries

    def failed(self, address: str) -> None:
        """Note a try that came to nothing."""
        with self._lock:
            self._seen[address] = [*self._recent(address), self._clock()]
            self._seen.move_to_end(address)
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)

    def _recent(self, address: str) -> list[float]:
        since = self._clock() - self._seconds
        return [moment for moment in self._seen.get(address, ()) if moment > since]
