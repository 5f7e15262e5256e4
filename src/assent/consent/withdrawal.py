"""Ending a consent: the desk refuses, the key is destroyed, the list and the log say so."""

from collections.abc import Sequence

from assent.consent._rows import rows_of
from assent.consent.status_list import note_published, publish
from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow

__all__ = ["tell_the_public", "withdraw"]


def withdraw(studio: Studio, record_id: str) -> tuple[ConsentRow, ...]:
    """End the consent whose id begins with `record_id`: the key is destroyed, the log says so.

    First the desk refuses, so that whatever happens next the use has ended; run again, it
    finishes.
    Returns the record's rows. Raises `NotFoundError`.
    """
    now = stamp(studio.clock())
    with studio.database.session() as session:
        rows = rows_of(session, record_id)
        for row in rows:
            row.state = "withdrawn"
            row.withdrawn = row.withdrawn or now
    studio.keyring.destroy(rows[0].record_id)
    tell_the_public(studio, [row for row in rows if row.withdrawal_log_index is None])
    return tuple(rows)


def tell_the_public(studio: Studio, rows: Sequence[ConsentRow]) -> None:
    """Publish that these ended: their bits in the status list, and an entry of the log for each.

    What was never live has no receipt that anyone could look up. The rows are marked as told.
    """
    known = [row for row in rows if row.receipt_hash is not None]
    if not known:
        return
    published = [
        publish(studio, number)
        for number in sorted({row.status_list for row in known if row.status_list is not None})
    ]
    endings = [
        {
            "kind": f"consent.{row.state}",
            "receipt": row.receipt_hash,
            "time": row.withdrawn or stamp(studio.clock()),
        }
        for row in known
    ]
    indices = studio.log.append(
        [canonical(entry) for entry in [*endings, *(each.entry for each in published)]]
    )
    with studio.database.session() as session:
        note_published(session, published)
        for row, index in zip(known, indices, strict=False):
            session.merge(row).withdrawal_log_index = index
            row.withdrawal_log_index = index
