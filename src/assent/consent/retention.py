"""Keep no longer than was agreed: records that ran out lose their key, and left-overs go.

Nobody can use a record after its term anyway; this makes sure that nobody can ever open what lay
under it again.
"""

from sqlalchemy import select, update

from assent.consent._rows import rows_of, tell_event
from assent.consent.locker import Locker
from assent.consent.withdrawal import Ending, certify, destroy, tell_the_public
from assent.kit.store.repair_tables import RepairRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import (
    ConsentRow,
    DoubtRow,
    DraftRow,
    EndingRow,
    FaceSetRow,
    FootageRow,
    ModelRow,
    SegmentRow,
)

__all__ = ["REFERENCES", "end_expired", "sweep"]

REFERENCES = (
    ConsentRow.enrolment_blob,
    ConsentRow.statement_blob,
    FootageRow.blob,
    FootageRow.tracks_blob,
    FaceSetRow.blob,
    ModelRow.checkpoint_blob,
    ModelRow.model_blob,
    ModelRow.sheet_blob,
    DoubtRow.sheet_blob,
    DraftRow.model_blob,
    SegmentRow.blob,
    RepairRow.blob,
)


def end_expired(studio: Studio) -> tuple[Ending, ...]:
    """Destroy the key of every record whose last day is over, say so and certify it.

    Run again after an interruption, it finishes what it began.
    """
    today = studio.clock().date().isoformat()
    ends = ConsentRow.document["scope"]["ends"].as_string()
    with studio.database.session() as session:
        over = session.scalars(
            select(ConsentRow.record_id).where(ConsentRow.state == "live", ends < today)
        ).all()
    for record_id in over:
        with studio.database.session() as session:
            session.execute(
                # Whoever withdrew meanwhile has withdrawn.
                update(ConsentRow)
                .where(
                    ConsentRow.record_id == record_id,
                    ConsentRow.state.in_(("live", "superseded")),
                )
                .values(state="expired")
            )
            tell_event(session, rows_of(session, record_id)[-1], moment=studio.clock())
    ended = _uncertified(studio)
    pending = {record_id: destroy(studio, record_id) for record_id in ended}
    with studio.database.session() as session:
        untold = session.scalars(
            select(ConsentRow)
            .where(ConsentRow.state == "expired", ConsentRow.withdrawal_log_index.is_(None))
            .order_by(ConsentRow.created, ConsentRow.version)
        ).all()
    tell_the_public(studio, untold)
    return tuple(
        certify(studio, record_id, how="expired", pending=pending[record_id]) for record_id in ended
    )


def _uncertified(studio: Studio) -> list[str]:
    """Return the records that have expired and whose end isn't complete."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow.record_id)
            .outerjoin(EndingRow, EndingRow.record_id == ConsentRow.record_id)
            .where(ConsentRow.state == "expired", EndingRow.log_index.is_(None))
            .order_by(ConsentRow.created)
        )
        return list(dict.fromkeys(rows))


def sweep(studio: Studio) -> int:
    """Remove ciphertext that nobody can need, a day old or older; returns how many files.

    That is what nothing refers to, and what nobody can open since a key that it takes is destroyed.
    """
    locker = Locker(studio)
    with studio.database.session() as session:
        known = {blob for column in REFERENCES for blob in session.scalars(select(column)) if blob}
    gone = studio.keyring.was_destroyed
    return locker.sweep(
        {blob for blob in known if not any(gone(owner) for owner in locker.owners(blob))}
    )
