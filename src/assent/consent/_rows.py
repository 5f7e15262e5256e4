"""A consent record's rows in the database, found by the beginning of its id."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.kit.errors import NotFoundError
from assent.kit.store.events import note_event
from assent.kit.store.tables import ConsentRow

__all__ = ["ENDED", "rows_of", "tell_event"]

ENDED = ("withdrawn", "expired")
"""States that a record never leaves."""

_EVENTS = {
    "live": "consent.given",
    "withdrawn": "consent.withdrawn",
    "expired": "consent.expired",
}
_LAST = chr(0x10FFFF)


def rows_of(session: Session, record_id: str) -> list[ConsentRow]:
    """Return every version of the one record whose id begins so; raises `NotFoundError`."""
    rows = list(
        session.scalars(
            select(ConsentRow)
            # A range, since no index helps with a pattern.
            .where(ConsentRow.record_id >= record_id, ConsentRow.record_id < record_id + _LAST)
            .order_by(ConsentRow.version)
        )
    )
    if not record_id or len({row.record_id for row in rows}) != 1:
        raise NotFoundError(f"no consent record '{record_id}'", advice="See `assent consent list`.")
    return rows


def tell_event(session: Session, row: ConsentRow, *, moment: datetime) -> None:
    """Note, as part of `session`, that a version of a record came into the state that it is in."""
    kind = _EVENTS.get(row.state)
    if kind is None:
        return
    note_event(
        session,
        kind,
        moment=moment,
        project_id=row.project_id,
        ids={"consent": row.record_id, "person": row.person_id},
        once=f"{kind}:{row.record_id}:{row.version}",
    )
