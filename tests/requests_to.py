"""Requests to the subjects' pages without a network: a browser's manners, and none of its rules.

site = Requests(scene.studio)
answer = site.get("/c/some-secret")
answer.status, answer.headers, answer.text
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from assent.apps.web.guard import place_at
from assent.apps.web.server import build
from assent.apps.web.site import Site
from assent.kit.store.studio import Studio

__all__ = ["Answer", "Requests", "Visitor"]

ORIGIN = "https://consent.example.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON values
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(kw_only=True)
class Visitor:
    """Somebody who keeps cookies, and the token of the page that they saw last."""

    site: Site
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    def get(self, path: str, **headers: str) -> Answer:
        """Load a page."""
        return self.request("GET", path, headers=headers)

    def post(
        self,
        path: str,
        data: object | None = None,
        *,
        form: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> Answer:
        """Send JSON, or a form, as the pages do: with their origin and token."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"origin": ORIGIN, "x-csrf": self.csrf, **changed}
        if form is not None:
            sent["content-type"] = "application/x-www-form-urlencoded"
            return self.request("POST", path, urlencode(form, doseq=True).encode(), headers=sent)
        sent.setdefault("accept", "application/json")
        sent["content-type"] = "application/json"
        return self.request("POST", path, json.dumps(data or {}).encode(), headers=sent)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] = b"",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send anything at all; a header of "" is left out."""
        answer = asyncio.run(self._talk(method, path, body, headers or {}))
        for cookie in answer.cookies:
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0].strip('"')
        token = re.search(r'name="csrf"[^>]*(?:value|content)="([^"]+)"', answer.text)
        self.csrf = token[1] if token else self.csrf
        return answer

    async def _talk(
        self, method: str, path: str, body: bytes | Iterator[bytes], headers: Mapping[str, str]
    ) -> Answer:
        target, _, query = path.partition("?")
        sent = {"host": self.site.place.host, **headers}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if isinstance(body, bytes):
            sent.setdefault("content-length", str(len(body)))
        pieces = iter([body]) if isinstance(body, bytes) else body
        came: list[dict[str, Any]] = []
        held: list[bytes] = [next(pieces, b"")]

        async def receive() -> dict[str, Any]:
            piece = held.pop()
            held.append(next(pieces, b""))
            return {"type": "http.request", "body": piece, "more_body": held[0] != b""}

        async def send(message: dict[str, Any]) -> None:
            came.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "https", "path": target, "raw_path": quote(target).encode(),
            "query_string": query.encode(), "root_path": "", "client": ("192.0.2.1", 5000),
            "server": (self.site.place.host, 443),
            "headers": [
                (name.lower().encode(), value.encode("latin-1"))
                for name, value in sent.items() if value
            ],
        }  # fmt: skip
        await build(self.site)(scope, receive, send)  # type: ignore[arg-type]
        start = next(message for message in came if message["type"] == "http.response.start")
        got = [(name.decode().lower(), value.decode()) for name, value in start["headers"]]
        return Answer(
            status=start["status"],
            headers=dict(got),
            body=b"".join(message.get("body", b"") for message in came),
            cookies=tuple(value for name, value in got if name == "set-cookie"),
        )


class Requests(Visitor):
    """The pages of a studio, and the first visitor."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(site=Site.of(studio, place_at(ORIGIN)))

    def another(self) -> Visitor:
        """Somebody else, with a browser of their own."""
        return Visitor(site=self.site)
