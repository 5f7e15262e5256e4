"""Keep no longer than was agreed: records that ran out lose their key, and left-overs go.

Nobody can use a record after its term anyway; this makes sure that nobody can ever open what lay
under it again.
"""

from sqlalchemy import select, update

from assent.consent.locker import Locker
from assent.consent.withdrawal import tell_the_public
from assent.kit.store.studio import Studio
from assent.kit.store.tables import (
    ConsentRow,
    DraftRow,
    FaceSetRow,
    FootageRow,
    ModelRow,
    SegmentRow,
)

__all__ = ["end_expired", "sweep"]

_REFERENCES = (
    ConsentRow.enrolment_blob,
    ConsentRow.statement_blob,
    FootageRow.blob,
    FootageRow.tracks_blob,
    FaceSetRow.blob,
    ModelRow.checkpoint_blob,
    ModelRow.model_blob,
    ModelRow.sheet_blob,
    DraftRow.model_blob,
    SegmentRow.blob,
)


def end_expired(studio: Studio) -> tuple[str, ...]:
    """Destroy the key of every record whose last day is over, and say so; returns the record ids.

    Run again after an interruption, it finishes what it began.
    """
    today = studio.clock().date().isoformat()
    with studio.database.session() as session:
        over = [
            row
            for row in session.scalars(select(ConsentRow).where(ConsentRow.state == "live"))
            if row.document["scope"]["ends"] < today
        ]
    for row in over:
        studio.keyring.destroy(row.record_id)
        with studio.database.session() as session:
            session.execute(
                # Whoever withdrew meanwhile has withdrawn.
                update(ConsentRow)
                .where(
                    ConsentRow.record_id == row.record_id,
                    ConsentRow.state.in_(("live", "superseded")),
                )
                .values(state="expired")
            )
    with studio.database.session() as session:
        untold = session.scalars(
            select(ConsentRow)
            .where(ConsentRow.state == "expired", ConsentRow.withdrawal_log_index.is_(None))
            .order_by(ConsentRow.created, ConsentRow.version)
        ).all()
    tell_the_public(studio, untold)
    return tuple(dict.fromkeys(row.record_id for row in untold))


def sweep(studio: Studio) -> int:
    """Remove ciphertext that nothing refers to, a day old or older; returns how many files."""
    with studio.database.session() as session:
        keep = {blob for column in _REFERENCES for blob in session.scalars(select(column)) if blob}
    return Locker(studio).sweep(keep)
