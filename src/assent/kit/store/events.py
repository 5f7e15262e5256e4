"""What has happened in the studio, for those who want to be told: ids, and never a name.

An event is written in the session that makes the change, so that there is one exactly if the change
was made. Who tells others (webhooks, pages) reads on from the number that they read last.

>>> with database.session() as session:  # doctest: +SKIP
...     note_event(session, "release.made", moment=now, ids={"release": "0a"})
...     [(event.kind, event.ids) for event in events_since(session, 0)]
[('release.made', {'release': '0a'})]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assent.kit.clock import stamp
from assent.kit.store.api_tables import EventRow

__all__ = ["KINDS", "Event", "Kind", "events_since", "last_event", "note_event"]

Kind = Literal[
    "job.ended",
    "consent.given",
    "consent.declined",
    "consent.withdrawn",
    "consent.expiring",
    "consent.expired",
    "release.made",
    "case.opened",
    "case.changed",
    "sighting.found",
    "webhook.disabled",
]
KINDS: tuple[str, ...] = get_args(Kind)
"""All kinds of events that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a project, or in no project of its own."""

    number: int
    kind: str
    project_id: str | None
    ids: Mapping[str, str]
    created: str


def note_event(
    session: Session,
    kind: str,
    *,
    moment: datetime,
    ids: Mapping[str, str],
    project_id: str | None = None,
    once: str | None = None,
) -> None:
    """Write an event as part of `session`; with `once`, nothing if that was written before.

    `ids` holds opaque ids and states alone: it goes to other machines.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no kind of event '{kind}'")
    if once is not None and session.scalar(select(EventRow).where(EventRow.once == once)):
        return
    session.add(
        EventRow(kind=kind, project_id=project_id, ids=dict(ids), created=stamp(moment), once=once)
    )


def events_since(session: Session, number: int, *, limit: int = 500) -> tuple[Event, ...]:
    """Return the events after `number`, oldest first."""
    rows = session.scalars(
        select(EventRow).where(EventRow.number > number).order_by(EventRow.number).limit(limit)
    )
    return tuple(
        Event(
            number=row.number,
            kind=row.kind,
            project_id=row.project_id,
            ids=row.ids,
            created=row.created,
        )
        for row in rows
    )


def last_event(session: Session) -> int:
    """Return the number of the newest event; 0 if nothing has happened."""
    return session.scalar(select(func.max(EventRow.number))) or 0
