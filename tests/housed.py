"""The studio's pages without a network: somebody with a cookie, and what they ask for.

visitor = Housed(studio).holder()
visitor.get("/p/lesson").status_code
visitor.post("/new", {"title": "..."})        # with the session's token, as a form
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from argon2 import PasswordHasher
from asgi import Told
from starlette.responses import Response
from starlette.types import ASGIApp

from assent.apps.access.accounts import add_account, set_password
from assent.apps.access.passwords import Passwords
from assent.apps.access.permissions import Role
from assent.apps.access.signin import Entrance
from assent.apps.access.who import Membership
from assent.apps.studio.house import House
from assent.apps.studio.page import ROOT, Page
from assent.apps.studio.routes import PAGES
from assent.apps.studio.server import build
from assent.apps.web.guard import place_at
from assent.kit.store.access_tables import SessionRow
from assent.kit.store.studio import Studio

__all__ = ["PASSWORD", "PLACE", "Housed", "Visitor", "cheap_passwords"]

PLACE = place_at("https://studio.example")
PASSWORD = "correct battery horse"  # noqa: S105 - of accounts in tests


def cheap_passwords() -> Passwords:
    """Argon2 with the least it can do, so that tests are quick."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass
class Visitor:
    """A browser: it keeps cookies and knows its session's token."""

    app: ASGIApp
    cookies: dict[str, str] = field(default_factory=dict)
    csrf: str = ""
    address: str = "192.0.2.1"

    def get(self, path: str, **headers: str) -> Told:
        """Ask for a page of the studio, by its path without `/studio`."""
        return self.send("GET", f"{ROOT}{path}", headers=headers)

    def post(
        self,
        path: str,
        form: Mapping[str, str | Sequence[str]] | None = None,
        *,
        data: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        """Send a form, or JSON, from one of the studio's own pages."""
        if data is not None:
            body, kind = json.dumps(data).encode(), "application/json"
        else:
            fields = {"csrf": self.csrf, **(form or {})}
            body, kind = urlencode(fields, doseq=True).encode(), "application/x-www-form-urlencoded"
        sent = {
            "content-type": kind,
            "origin": PLACE.origin,
            "x-csrf": self.csrf,
            **(headers or {}),
        }
        return self.send("POST", f"{ROOT}{path}", body, sent)

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Told:
        """Send anything at all, by its whole path."""
        told = asyncio.run(self._talk(method, path, body, headers or {}))
        self._keep(told)
        return told

    def _keep(self, told: Told) -> None:
        found = re.search(r'<meta name="csrf" content="([^"]+)">', told.content.decode("latin-1"))
        if found:
            self.csrf = found.group(1)

    async def _talk(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Told:
        plain, _, query = path.partition("?")
        sent = {
            "host": PLACE.host,
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "content-length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "https", "path": plain, "raw_path": plain.encode(),
            "query_string": query.encode(), "root_path": "", "client": (self.address, 5000),
            "server": (PLACE.host, 443),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }  # fmt: skip
        came: list[Any] = []
        coming = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(coming, {"type": "http.disconnect"})

        async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's own
            came.append(message)

        await self.app(scope, receive, send)
        start = next(each for each in came if each["type"] == "http.response.start")
        for name, value in start["headers"]:
            if name.lower() == b"set-cookie":
                cookie, _, rest = value.decode().partition("=")
                self.cookies[cookie] = rest.partition(";")[0].strip('"')
        return Told(
            status_code=start["status"],
            headers={name.decode().lower(): value.decode() for name, value in start["headers"]},
            content=b"".join(each.get("body", b"") for each in came),
        )


class Housed:
    """A studio whose pages are there, with accounts or without."""

    def __init__(
        self, studio: Studio, *, team: bool = False, pages: Sequence[Page] = PAGES
    ) -> None:
        self.studio = studio
        self.house = House.of(
            studio,
            PLACE,
            team=team,
            paths=[page.path for page in pages],
            entrance=Entrance.of(studio, PLACE, passwords=cheap_passwords()),
        )
        self.app = build(self.house, pages)

    def stranger(self) -> Visitor:
        """Somebody who is not signed in."""
        return Visitor(self.app)

    def holder(self) -> Visitor:
        """Who opened the printed link, and has seen a page."""
        visitor = self.stranger()
        assert visitor.get(f"/enter?token={self.house.token}").status_code == 303
        assert visitor.get("/you").status_code == 200
        return visitor

    def account(self, handle: str, *roles: Membership, person_id: str | None = None) -> Visitor:
        """Somebody with an account, signed in; a producer of the whole studio unless told."""
        account, secret = add_account(
            self.studio,
            handle=handle,
            name=handle.capitalize(),
            memberships=roles or [Membership(Role.PRODUCER)],
            person_id=person_id,
        )
        hashed = self.house.entrance.passwords.hash(PASSWORD, handle=handle)
        set_password(self.studio, account.id, hashed, welcome=secret)
        return self.signed_in(handle)

    def with_session(
        self, handle: str, *roles: Membership, person_id: str | None = None
    ) -> Visitor:
        """Somebody with an account and a session that nobody signed in for."""
        account, _ = add_account(
            self.studio,
            handle=handle,
            name=handle.capitalize(),
            memberships=roles,
            person_id=person_id,
        )
        response = Response()
        self.house.sessions.begin(response, account_id=account.id)
        cookie, _, rest = response.headers["set-cookie"].partition("=")
        visitor = self.stranger()
        visitor.cookies[cookie] = rest.partition(";")[0]
        with self.studio.database.session() as session:
            visitor.csrf = session.query(SessionRow).filter_by(account_id=account.id).one().csrf
        return visitor

    def signed_in(self, handle: str) -> Visitor:
        """Somebody who has just signed in."""
        visitor = self.stranger()
        told = visitor.post("/signin", {"handle": handle, "password": PASSWORD})
        assert told.status_code == 303, told.text
        assert visitor.get("/you").status_code == 200
        return visitor
