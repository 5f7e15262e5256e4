"""Requests to any ASGI application, without a network.

answer = Client(app).get("checkpoint")
answer.status_code, answer.headers, answer.text
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp

__all__ = ["Client", "Told"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the application answered."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode()


@dataclass(frozen=True, slots=True)
class Client:
    """Asks `app`."""

    app: ASGIApp

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Told:
        """Ask for a file."""
        return self.request("GET", path, headers=headers or {})

    def head(self, path: str) -> Told:
        """Ask for a file's headers."""
        return self.request("HEAD", path)

    def post(self, path: str, content: bytes | str | Iterator[bytes] = b"") -> Told:
        """Send something."""
        body = content.encode() if isinstance(content, str) else content
        return self.request("POST", path, iter([body]) if isinstance(body, bytes) else body)

    def request(
        self,
        method: str,
        path: str,
        pieces: Iterator[bytes] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        """Send anything at all; `path` is percent-encoded as on the wire."""
        return asyncio.run(
            self._talk(method, f"/{path.removeprefix('/')}", pieces or iter(()), headers or {})
        )

    async def _talk(
        self, method: str, path: str, pieces: Iterator[bytes], headers: Mapping[str, str]
    ) -> Told:
        came: list[Any] = []
        path, _, query = path.partition("?")

        async def receive() -> dict[str, Any]:
            piece = next(pieces, None)
            return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

        async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's own
            came.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "client": ("192.0.2.1", 5000), "server": ("log.example", 80),
            "headers": [(b"host", b"log.example")]
            + [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        await self.app(scope, receive, send)
        start = next(each for each in came if each["type"] == "http.response.start")
        return Told(
            status_code=start["status"],
            headers={name.decode().lower(): value.decode() for name, value in start["headers"]},
            content=b"".join(each.get("body", b"") for each in came),
        )
