"""What every answer of the public pages carries, whoever asked: headers that allow no more than is
needed. Plain ASGI; nothing here looks at what a request says of itself.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assent.apps.public.place import PublicPlace

__all__ = ["Shield", "headers_of", "policy_of"]

_OWN = (
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
_PAGE = (*_OWN, "script-src 'self'", "require-trusted-types-for 'script'", "trusted-types 'none'")
# The page that checks in the visitor's own browser reads credentials with WebAssembly.
_CHECKER = (*_OWN, "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self'")
_NONE = ("default-src 'none'", "sandbox")
_HSTS = "max-age=31536000"
_PERMISSIONS = "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"


def policy_of(path: str) -> str:
    """Return the content security policy of what lies at `path`, which is without the base.

    >>> policy_of("/log/checkpoint")
    "default-src 'none'; sandbox"
    """
    if path.startswith("/log/"):
        return "; ".join(_NONE)
    return "; ".join(_CHECKER if path.startswith("/check/") else _PAGE)


def headers_of(path: str, *, secure: bool) -> dict[str, str]:
    """Return the headers of what lies at `path`, which is without the base."""
    headers = {
        "Content-Security-Policy": policy_of(path),
        "Permissions-Policy": _PERMISSIONS,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return {**headers, "Strict-Transport-Security": _HSTS} if secure else headers


class Shield:
    """Sets the headers of every answer; those that it has already stay."""

    def __init__(self, app: ASGIApp, *, place: PublicPlace) -> None:
        self._app = app
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix(self._place.base)

        async def shielded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in headers_of(path, secure=self._place.secure).items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, shielded)
