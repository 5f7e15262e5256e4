"""Who is at the other end: sessions in memory, known by a cookie of which only a hash is kept.

A restart forgets them all; the link, or a key, opens a new one.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

from assent.apps.web.guard import Place
from assent.consent.record import ConsentRecord
from assent.kit.clock import Clock
from assent.kit.errors import NotClearedError
from assent.kit.signing import VerifyKey

__all__ = ["Session", "Sessions", "SignIn", "SignIns"]

LIFETIME = timedelta(hours=2)
_MOST = 10_000


@dataclass(slots=True, kw_only=True)
class Session:
    """One browser at work for one person."""

    person_id: str
    language: str
    expires: datetime
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    invitation_id: str | None = None
    """In the ceremony of this invitation; None in the subject's own place."""
    watching: str | None = None
    """A member of the studio looks at the recording of this record."""
    challenge: bytes | None = None
    """For a passkey that is being made, or to sign in."""
    key: VerifyKey | None = None
    record: ConsentRecord | None = None
    signing: str | None = None
    """What the browser was asked to sign; whatever comes back is held to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in that was begun: the challenge, and with a key file whose and the text to sign."""

    challenge: bytes
    expires: datetime
    key: VerifyKey | None = None
    text: str = ""


class SignIns:
    """Sign-ins that were begun; each is answered once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, SignIn] = {}
        self._lock = Lock()

    def begin(self, sign_in: SignIn) -> None:
        """Hold a sign-in until it is answered; old ones go."""
        now = self._clock()
        with self._lock:
            self._held = {
                nonce: held
                for nonce, held in list(self._held.items())[-_MOST:]
                if now < held.expires
            }
            self._held[sign_in.challenge.hex()] = sign_in

    def take(self, nonce: str) -> SignIn:
        """Return the sign-in that is answered; raises `NotClearedError` if there is none."""
        with self._lock:
            found = self._held.pop(nonce, None)
        if found is None or self._clock() >= found.expires:
            raise NotClearedError("this page is too old", advice="Load the page again.")
        return found


class Sessions:
    """All sessions of this process."""

    def __init__(self, place: Place, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        self._held: dict[str, Session] = {}
        self._lock = Lock()
        # Cookies with this prefix can't be set for us by a neighbouring site.
        self._cookie = "__Host-assent" if place.secure else "assent"

    def begin(
        self,
        response: Response,
        *,
        person_id: str,
        language: str,
        invitation_id: str | None = None,
    ) -> Session:
        """Begin a session and set its cookie; another of the same ceremony ends."""
        secret = secrets.token_urlsafe(32)
        session = Session(
            person_id=person_id,
            language=language,
            invitation_id=invitation_id,
            expires=self._clock() + LIFETIME,
        )
        with self._lock:
            self._sweep(invitation_id)
            self._held[_hash(secret)] = session
        response.set_cookie(
            self._cookie,
            secret,
            max_age=int(LIFETIME.total_seconds()),
            secure=self._place.secure,
            httponly=True,
            samesite="strict",
        )
        return session

    def find(self, request: Request) -> Session:
        """Return the session of a request; raises `NotClearedError`."""
        session = self.find_any(request)
        if session is None:
            raise NotClearedError(
                "you are not signed in", advice="Open the link that the studio sent you."
            )
        return session

    def find_any(self, request: Request) -> Session | None:
        """Return the session of a request, if it has one."""
        secret = request.cookies.get(self._cookie, "")
        with self._lock:
            session = self._held.get(_hash(secret))
        return session if session is not None and self._clock() < session.expires else None

    def end(self, request: Request, response: Response) -> None:
        """End the session of a request."""
        secret = request.cookies.get(self._cookie, "")
        with self._lock:
            self._held.pop(_hash(secret), None)
        response.delete_cookie(self._cookie, secure=self._place.secure, httponly=True)

    def check_origin(self, request: Request, token: str) -> Session:
        """Return the session of a request that changes something; raises `NotClearedError`.

        It must come from these pages (`Origin`) and carry the session's own token.
        """
        session = self.find(request)
        self.check_same_site(request)
        if not hmac.compare_digest(token.encode(), session.csrf.encode()):
            raise NotClearedError(
                "this page is too old, or the request came from elsewhere",
                advice="Load the page again.",
            )
        return session

    def check_same_site(self, request: Request) -> None:
        """Raise `NotClearedError` unless the request comes from one of these pages."""
        if request.headers.get("origin") != self._place.origin:
            raise NotClearedError("the request came from elsewhere", advice="Load the page again.")

    def _sweep(self, invitation_id: str | None) -> None:
        now = self._clock()
        self._held = {
            key: held
            for key, held in list(self._held.items())[-_MOST:]
            if now < held.expires and (invitation_id is None or held.invitation_id != invitation_id)
        }


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
