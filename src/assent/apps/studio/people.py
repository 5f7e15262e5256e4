"""Who is asked in a project, and how far each is: read from the rows, decided nowhere here."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.kit.clock import stamp
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, InvitationRow, PersonRow
from assent.purpose.projects import Project

__all__ = ["Asked", "asked_in"]

State = Literal["live", "ending", "waiting", "offered", "asked", "declined", "lapsed", "ended"]
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody who was asked in a project."""

    handle: str
    name: str
    state: State
    word: str
    kind: str
    """How the state is coloured."""
    told: str
    """What it means now, and what is next."""
    who: str
    """Who must do that."""
    record_id: str | None
    scope: dict[str, Any] | None
    has_key: bool
    attempts: int
    """Recordings that did not pass."""


def asked_in(studio: Studio, project: Project) -> tuple[Asked, ...]:
    """Return everyone who was asked for consent to a project, by name."""
    with studio.database.session() as session:
        records = _newest(session, project.id)
        links = {
            row.person_id: row
            for row in session.scalars(
                select(InvitationRow)
                .where(InvitationRow.project_id == project.id, InvitationRow.terms.is_not(None))
                .order_by(InvitationRow.created, InvitationRow.id)
            )
        }
        people = session.scalars(
            select(PersonRow)
            .where(PersonRow.id.in_({*records, *links}))
            .order_by(PersonRow.name, PersonRow.handle)
        ).all()
    now = stamp(studio.clock())
    today = studio.clock().date()
    return tuple(
        _asked(person, records.get(person.id), links.get(person.id), now=now, today=today)
        for person in people
    )


def _newest(session: Session, project_id: str) -> dict[str, ConsentRow]:
    """Return each person's record that counts: the one in force, or else the last."""
    rows = session.scalars(
        select(ConsentRow)
        .where(ConsentRow.project_id == project_id)
        .order_by(ConsentRow.created, ConsentRow.version)
    ).all()
    found: dict[str, ConsentRow] = {}
    for row in rows:
        known = found.get(row.person_id)
        if known is None or known.state != "live" or row.state in ("live", "waiting"):
            found[row.person_id] = row
    return found


def _asked(
    person: PersonRow,
    record: ConsentRow | None,
    link: InvitationRow | None,
    *,
    now: str,
    today: date,
) -> Asked:
    state, word, kind, told, who = _state(record, link, now=now, today=today)
    return Asked(
        handle=person.handle,
        name=person.name,
        state=state,
        word=word,
        kind=kind,
        told=told,
        who=who,
        record_id=None if record is None else record.record_id,
        scope=None if record is None else record.document["scope"],
        has_key=person.public_key is not None,
        attempts=0 if link is None else link.attempts,
    )


_Told = tuple[State, str, str, str, str]


def _state(
    record: ConsentRow | None, link: InvitationRow | None, *, now: str, today: date
) -> _Told:
    # A link that came after the record asks for another version; what is in force stays so.
    newer = link is not None and (record is None or link.created >= record.created)
    if record is not None and (record.state in ("live", "waiting") or not newer):
        return _of_record(record, today)
    return _of_link(link, now)


def _of_record(record: ConsentRow, today: date) -> _Told:
    ends = date.fromisoformat(record.document["scope"]["ends"])
    if record.state == "live" and ends < today:
        return "ended", "Run out", "bad", "The term is over.", "The producer asks again"
    if record.state == "live" and ends - today <= SOON:
        days = (ends - today).days
        return "ending", "Ends soon", "warn", f"{days} days are left.", "The producer asks again"
    found: dict[str, _Told] = {
        "live": ("live", "Agreed", "good", "", ""),
        "waiting": (
            "waiting", "To be looked at", "warn",
            "Signed. Somebody has to look at the recording.", "A reviewer",
        ),
        "offered": ("offered", "Being taken in", "warn", "Signed, not taken in yet.", "The studio"),
        "rejected": (
            "ended", "Recording rejected", "bad", "It was not good enough.",
            "The producer asks again",
        ),
        "withdrawn": (
            "ended", "Withdrawn", "bad",
            f"On {(record.withdrawn or record.created)[:10]}. The key is destroyed.", "",
        ),
        "expired": ("ended", "Run out", "bad", "The key is destroyed.", "The producer asks again"),
    }  # fmt: skip
    return found.get(record.state, found["offered"])


def _of_link(link: InvitationRow | None, now: str) -> _Told:
    if link is None or link.state == "declined":
        return "declined", "Declined", "bad", "They said no to all of it.", ""
    if link.state == "open" and link.expires > now:
        tries = f" {link.attempts} recordings did not pass." if link.attempts else ""
        return (
            "asked", "Asked", "", f"The link works until {link.expires[:16].replace('T', ', ')} "
            f"UTC.{tries}", "Who was asked",
        )  # fmt: skip
    return (
        "lapsed",
        "Not answered",
        "warn",
        "The link is no longer good.",
        "The producer asks again",
    )
