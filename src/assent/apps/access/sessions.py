"""Sessions of the studio: in the database, known by a cookie of which only a hash is kept.

They end when nothing has been done for a while, and after half a day whatever was done; at once
when the account is removed, reset, or gets another password.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_
from starlette.requests import Request
from starlette.responses import Response

from assent.apps.access.accounts import who_is
from assent.apps.access.who import HOLDER, Who
from assent.apps.web.guard import Place
from assent.kit.clock import stamp
from assent.kit.errors import NotClearedError, NotFoundError
from assent.kit.store.access_tables import SessionRow
from assent.kit.store.studio import Studio

__all__ = ["ABSOLUTE", "IDLE", "Session", "StudioSessions"]

IDLE = timedelta(hours=1)
ABSOLUTE = timedelta(hours=12)
_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that is signed in."""

    id: str
    who: Who
    csrf: str


class StudioSessions:
    """All sessions of a studio.

    Args:
        run: names this run of a studio without accounts; its holder's sessions end with it.
            None: the studio has accounts, and no session is without one.
    """

    def __init__(self, studio: Studio, place: Place, *, run: str | None) -> None:
        self._studio = studio
        self._place = place
        self._run = run
        # Cookies with this prefix can't be set for us by a neighbouring site.
        self._cookie = "__Host-assent-studio" if place.secure else _plain_name(place)

    def begin(self, response: Response, *, account_id: str | None) -> None:
        """Begin a session, always with a new secret, and set its cookie."""
        secret = secrets.token_urlsafe(32)
        now = self._studio.clock()
        with self._studio.database.session() as session:
            session.execute(delete(SessionRow).where(self._ended(now)))
            session.add(
                SessionRow(
                    id=_hash(secret),
                    account_id=account_id,
                    csrf=secrets.token_urlsafe(32),
                    begun=stamp(now),
                    seen=stamp(now),
                    run=None if account_id else self._run,
                )
            )
        response.set_cookie(
            self._cookie,
            secret,
            max_age=int(ABSOLUTE.total_seconds()),
            secure=self._place.secure,
            httponly=True,
            # Not "strict": a link in a mail leads to a page and not to the sign-in. Nothing is
            # changed by GET, and what changes something carries the session's own token.
            samesite="lax",
        )

    def find(self, request: Request) -> Session | None:
        """Return the session of a request, if it has one that has not ended."""
        secret = request.cookies.get(self._cookie)
        if secret is None:
            return None
        now = self._studio.clock()
        with self._studio.database.session() as session:
            row = session.get(SessionRow, _hash(secret))
            if row is None or self._is_over(row, now):
                return None
            if row.seen < stamp(now - _NOTED_EVERY):
                row.seen = stamp(now)
            known = (row.id, row.account_id, row.csrf)
        return self._session(*known)

    def end(self, request: Request, response: Response) -> None:
        """End the session of a request."""
        with self._studio.database.session() as session:
            secret = request.cookies.get(self._cookie, "")
            session.execute(delete(SessionRow).where(SessionRow.id == _hash(secret)))
        response.delete_cookie(self._cookie, secure=self._place.secure, httponly=True)

    def check(self, request: Request, session: Session, token: str) -> None:
        """Raise `NotClearedError` unless a request that changes something is the session's own.

        It must come from these pages (`Origin`) and carry the session's token.
        """
        self.check_same_site(request)
        if not hmac.compare_digest(token.encode(), session.csrf.encode()):
            raise NotClearedError(
                "this page is too old, or the request came from elsewhere",
                advice="Load the page again.",
            )

    def check_same_site(self, request: Request) -> None:
        """Raise `NotClearedError` unless the request comes from one of these pages."""
        if request.headers.get("origin") != self._place.origin:
            raise NotClearedError("the request came from elsewhere", advice="Load the page again.")

    def leave(self, session: Session, notice: str) -> None:
        """Keep a line for the next page that this browser is shown."""
        with self._studio.database.session() as database:
            row = database.get(SessionRow, session.id)
            if row is not None:
                row.notice = notice

    def take(self, session: Session) -> str | None:
        """Return the line that was left, once."""
        with self._studio.database.session() as database:
            row = database.get(SessionRow, session.id)
            if row is None or row.notice is None:
                return None
            notice, row.notice = row.notice, None
            return notice

    def _session(self, row_id: str, account_id: str | None, csrf: str) -> Session | None:
        if account_id is None:
            return Session(id=row_id, who=HOLDER, csrf=csrf)
        try:
            return Session(id=row_id, who=who_is(self._studio, account_id), csrf=csrf)
        except NotFoundError:
            return None

    def _is_over(self, row: SessionRow, now: datetime) -> bool:
        if row.account_id is None and (self._run is None or row.run != self._run):
            return True
        return row.seen <= stamp(now - IDLE) or row.begun <= stamp(now - ABSOLUTE)

    def _ended(self, now: datetime) -> ColumnElement[bool]:
        return or_(SessionRow.seen <= stamp(now - IDLE), SessionRow.begun <= stamp(now - ABSOLUTE))


def _plain_name(place: Place) -> str:
    """Return a name of its own for each port: cookies know no ports."""
    return f"assent-studio-{place.host.rpartition(':')[2]}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
