"""One-time links: to the ceremony of one record, or to the subject's own place.

A link is 256 random bits that only its holder has; the studio keeps a hash. It belongs to one
person, one project and one record, ends at a set time and with the first completion, and a new one
puts an end to the one before.
"""

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from assent.consent.ceremony import next_version
from assent.consent.people import Person, person_by_id
from assent.consent.record import Evidence
from assent.consent.terms import Choices, Terms, draw_up, terms_from_json, terms_to_json
from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotClearedError
from assent.kit.signing import VerifyKey, public_of
from assent.kit.store.events import note_event
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, InvitationRow, PersonRow, ProjectRow
from assent.purpose.projects import Purpose

__all__ = [
    "OFFER_LIFETIME",
    "WATCH_LIFETIME",
    "Invitation",
    "Listed",
    "choose",
    "decline",
    "find_invitation",
    "invitation_by_id",
    "invite",
    "invite_home",
    "invite_to_watch",
    "list_invitations",
    "use_up",
]

OFFER_LIFETIME = timedelta(hours=48)
HOME_LIFETIME = timedelta(hours=1)
WATCH_LIFETIME = timedelta(minutes=10)
LONGEST_LIFETIME = timedelta(days=30)

_GONE = "this link does not work"
_GONE_ADVICE = "It may have been used, replaced or too old. Ask the studio for a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link that is open; only one to a ceremony has `terms`."""

    id: str
    person: Person
    project_id: str | None
    record_id: str | None
    version: int | None
    terms: Terms | None
    choices: Choices | None
    attempts: int

    @property
    def leads_to(self) -> Literal["ceremony", "recording", "home"]:
        """Tell what the link is for."""
        if self.terms is not None:
            return "ceremony"
        return "home" if self.record_id is None else "recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A link as the studio sees it: never the link itself."""

    id: str
    handle: str
    project: str | None
    state: str
    expires: str
    declined: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def invite(
    studio: Studio,
    purpose: Purpose,
    person: Person,
    terms: Terms,
    *,
    lifetime: timedelta = OFFER_LIFETIME,
) -> str:
    """Draw up an offer and return the secret of a link to its ceremony.

    Raises as `ceremony.offer`, and `InputError` if the link would last too long.
    """
    if (terms.authority is None) != (terms.likeness_sha256 is None):
        raise InputError(
            "who answers for somebody else needs a clip of that person, and nobody else does",
            advice="Give --likeness together with --estate or --guardian.",
        )
    with studio.database.session() as session:
        record_id, version = next_version(studio, session, purpose, person)
        # Terms that make no sense are told now, not to the subject.
        draw_up(
            studio,
            purpose,
            person,
            terms,
            record_id=record_id,
            version=version,
            evidence=(Evidence(kind="recording", sha256="0" * 64),),
            key=_any_key(studio, person),
        )
        session.execute(
            update(InvitationRow)
            .where(
                InvitationRow.person_id == person.id,
                InvitationRow.project_id == purpose.project_id,
                InvitationRow.state == "open",
            )
            .values(state="replaced")
        )
        return _add(
            studio,
            session,
            person,
            lifetime,
            project_id=purpose.project_id,
            record_id=record_id,
            version=version,
            terms=terms_to_json(terms),
        )


def invite_home(studio: Studio, person: Person, *, lifetime: timedelta = HOME_LIFETIME) -> str:
    """Return the secret of a link to the subject's own place."""
    with studio.database.session() as session:
        session.execute(
            update(InvitationRow)
            .where(
                InvitationRow.person_id == person.id,
                InvitationRow.terms.is_(None),
                InvitationRow.record_id.is_(None),
                InvitationRow.state == "open",
            )
            .values(state="replaced")
        )
        return _add(studio, session, person, lifetime)


def invite_to_watch(studio: Studio, member: Person, row: ConsentRow) -> str:
    """Return the secret of a link by which a member of the studio looks at a recording, once."""
    with studio.database.session() as session:
        return _add(
            studio,
            session,
            member,
            WATCH_LIFETIME,
            project_id=row.project_id,
            record_id=row.record_id,
            version=row.version,
        )


def find_invitation(studio: Studio, secret: str) -> Invitation:
    """Return the invitation of a link; raises `NotClearedError`, the same for whatever reason."""
    with studio.database.session() as session:
        row = session.scalar(select(InvitationRow).where(InvitationRow.token_hash == _hash(secret)))
    return _open(studio, row)


def invitation_by_id(studio: Studio, invitation_id: str) -> Invitation:
    """Return an invitation that is still open; raises `NotClearedError`."""
    with studio.database.session() as session:
        row = session.get(InvitationRow, invitation_id)
    return _open(studio, row)


def choose(studio: Studio, invitation: Invitation, choices: Choices) -> Terms:
    """Keep what the subject chose, and return the terms that come of it; raises as `take_from`."""
    asked = _asked(invitation)
    chosen = choices.take_from(asked)
    _keep(studio, invitation, choices=choices.to_json())
    return chosen


def decline(studio: Studio, invitation: Invitation) -> None:
    """Say no to all of it: the link ends, nothing else is kept."""
    with studio.database.session() as session:
        use_up(session, invitation.id, state="declined")
        note_event(
            session,
            "consent.declined",
            moment=studio.clock(),
            project_id=invitation.project_id,
            ids={"invitation": invitation.id, "person": invitation.person.id},
        )


def use_up(session: Session, invitation_id: str, *, state: str = "used") -> None:
    """End a link as part of `session`: of several who try at once, one succeeds."""
    changed = session.scalars(
        update(InvitationRow)
        .where(InvitationRow.id == invitation_id, InvitationRow.state == "open")
        .values(state=state)
        .returning(InvitationRow.id)
    ).all()
    if not changed:
        raise NotClearedError(_GONE, advice=_GONE_ADVICE)


def count_attempt(studio: Studio, invitation: Invitation) -> None:
    """Note that a recording of this invitation did not pass."""
    _keep(studio, invitation, attempts=invitation.attempts + 1)


def list_invitations(studio: Studio) -> tuple[Listed, ...]:
    """Return every link that was made, oldest first, and what was declined in it."""
    now = stamp(studio.clock())
    with studio.database.session() as session:
        rows = session.execute(
            select(InvitationRow, PersonRow.handle, ProjectRow.slug)
            .join(PersonRow, PersonRow.id == InvitationRow.person_id)
            .outerjoin(ProjectRow, ProjectRow.id == InvitationRow.project_id)
            .order_by(InvitationRow.created, InvitationRow.id)
        ).all()
    return tuple(
        Listed(
            id=row.id,
            handle=handle,
            project=slug,
            state="expired" if row.state == "open" and row.expires <= now else row.state,
            expires=row.expires,
            declined=_declined(row.terms, row.choices) if row.state == "used" else (),
        )
        for row, handle, slug in rows
    )


def _declined(
    terms: Mapping[str, Any] | None, choices: Mapping[str, Any] | None
) -> tuple[str, ...]:
    if terms is None or choices is None:
        return ()
    return tuple(
        each
        for part in ("modalities", "acts", "channels")
        for each in terms[part]
        if each not in choices[part]
    )


def _open(studio: Studio, row: InvitationRow | None) -> Invitation:
    now = stamp(studio.clock())
    if row is None or row.state != "open" or not row.created <= now < row.expires:
        raise NotClearedError(_GONE, advice=_GONE_ADVICE)
    return Invitation(
        id=row.id,
        person=person_by_id(studio, row.person_id),
        project_id=row.project_id,
        record_id=row.record_id,
        version=row.version,
        terms=terms_from_json(row.terms) if row.terms else None,
        choices=Choices.model_validate(row.choices) if row.choices else None,
        attempts=row.attempts,
    )


def _asked(invitation: Invitation) -> Terms:
    if invitation.terms is None:
        raise NotClearedError("this link leads to no ceremony")
    return invitation.terms


def _keep(studio: Studio, invitation: Invitation, **values: object) -> None:
    with studio.database.session() as session:
        session.execute(
            update(InvitationRow)
            .where(InvitationRow.id == invitation.id, InvitationRow.state == "open")
            .values(**values)
        )


def _add(
    studio: Studio,
    session: Session,
    person: Person,
    lifetime: timedelta,
    **values: Any,  # noqa: ANN401 - columns of the row
) -> str:
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise InputError(f"a link lasts at most {LONGEST_LIFETIME.days} days")
    secret = secrets.token_urlsafe(32)
    now: datetime = studio.clock()
    session.add(
        InvitationRow(
            id=uuid.uuid4().hex,
            person_id=person.id,
            token_hash=_hash(secret),
            state="open",
            created=stamp(now),
            expires=stamp(now + lifetime),
            **values,
        )
    )
    return secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _any_key(studio: Studio, person: Person) -> VerifyKey:
    """Return a key to try terms with: the person may have none yet."""
    return person.known_key or public_of(studio.signing_key)
