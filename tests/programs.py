"""Programs that use the API without a network, each with a token of its own.

api = Served(scene.studio)
program = api.program([Action.READ_PROJECT])
program.get("/projects").json
"""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from assent.apps.access.accounts import add_account
from assent.apps.access.permissions import Action, Role
from assent.apps.access.tokens import issue
from assent.apps.access.who import Membership
from assent.apps.api.app import build_api
from assent.apps.api.call import Api
from assent.apps.api.guard import Pace
from assent.kit.store.studio import Studio

__all__ = ["ORIGIN", "Program", "Said", "Served"]

ORIGIN = "https://studio.example.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the API answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        told = self.json
        assert told["status"] == self.status
        assert told["detail"]
        assert told["advice"]
        return str(told["code"])


@dataclass(kw_only=True)
class Program:
    """Somebody's program."""

    app: FastAPI
    secret: str = ""
    address: str = "192.0.2.1"

    def get(self, path: str, **headers: str) -> Said:
        """Ask for something."""
        return self.request("GET", path, headers=headers)

    def post(self, path: str, data: object = None, **headers: str) -> Said:
        """Send JSON; `key` is the idempotency key."""
        return self.send("POST", path, data, headers)

    def patch(self, path: str, data: object = None, **headers: str) -> Said:
        """Change something."""
        return self.send("PATCH", path, data, headers)

    def delete(self, path: str, **headers: str) -> Said:
        """Remove something."""
        return self.request("DELETE", path, headers=headers)

    def send(self, method: str, path: str, data: object, headers: Mapping[str, str]) -> Said:
        """Send JSON with any method."""
        sent = {"content-type": "application/json", **headers}
        if "key" in sent:
            sent["idempotency-key"] = sent.pop("key")
        body = b"" if data is None else json.dumps(data).encode()
        return self.request(method, path, [body], headers=sent)

    def request(
        self,
        method: str,
        path: str,
        pieces: Sequence[bytes] = (),
        *,
        headers: Mapping[str, str] | None = None,
        pause: float = 0.0,
    ) -> Said:
        """Send anything at all; `pause` is between the pieces."""
        return asyncio.run(self.talk(method, path, pieces, headers=headers, pause=pause))

    async def talk(
        self,
        method: str,
        path: str,
        pieces: Sequence[bytes] = (),
        *,
        headers: Mapping[str, str] | None = None,
        pause: float = 0.0,
    ) -> Said:
        """Send anything at all, beside others."""
        target, _, query = path.partition("?")
        sent = {"host": "studio.example.org", **(headers or {})}
        if self.secret:
            sent.setdefault("authorization", f"Bearer {self.secret}")
        left = list(pieces) or [b""]
        over = asyncio.Event()
        came: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if pause:
                await asyncio.sleep(pause)
            if not left:
                # Nobody hangs up before everything has come.
                await over.wait()
                return {"type": "http.disconnect"}
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left)}

        async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's own
            came.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                over.set()

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "https", "path": target, "raw_path": target.encode(),
            "query_string": query.encode(), "root_path": "", "client": (self.address, 5000),
            "server": ("studio.example.org", 443), "state": {},
            "headers": [
                (name.replace("_", "-").lower().encode(), value.encode("latin-1"))
                for name, value in sent.items() if value
            ],
        }  # fmt: skip
        await self.app(scope, receive, send)
        start = next(each for each in came if each["type"] == "http.response.start")
        got = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        assert len(got["x-request-id"]) == 16
        return Said(
            status=start["status"],
            headers=got,
            body=b"".join(each.get("body", b"") for each in came),
        )


@dataclass
class Served:
    """The API of a studio."""

    studio: Studio
    pace: Pace = field(default_factory=lambda: Pace(most=100_000))
    origin: str = ORIGIN

    def __post_init__(self) -> None:
        self.app = build_api(Api(studio=self.studio, origin=self.origin, pace=self.pace))

    def stranger(self) -> Program:
        """Somebody without a token."""
        return Program(app=self.app)

    def program(
        self,
        scopes: Collection[Action] = tuple(Action),
        *,
        account: str | None = None,
        projects: Collection[str] | None = None,
        lifetime: timedelta = timedelta(days=1),
    ) -> Program:
        """A program of who holds the studio, or of an account."""
        _, secret = issue(
            self.studio, account, name="a program", scopes=scopes, projects=projects,
            lifetime=lifetime,
        )  # fmt: skip
        return Program(app=self.app, secret=secret)

    def member(
        self, role: Role, project_id: str | None = None, scopes: Collection[Action] = tuple(Action)
    ) -> Program:
        """A program of somebody with one role, in one project or the whole studio."""
        handle = f"{role.value}-{'all' if project_id is None else project_id[:6]}"
        person = None
        if role is Role.SUBJECT:
            from assent.consent.people import find_person

            person = find_person(self.studio, "ada").id
        account, _ = add_account(
            self.studio, handle=handle, name=handle, memberships=[Membership(role, project_id)],
            person_id=person,
        )  # fmt: skip
        return self.program(scopes, account=account.id)
