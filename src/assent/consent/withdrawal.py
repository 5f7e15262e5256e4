"""Ending a consent: refused at once, its key destroyed, told to everyone, certified.

The order is what makes it safe to be interrupted anywhere; run again, it finishes:

1. The desk refuses.
2. What lies under the key is written down, while it can still be told.
3. The key is overwritten, here and in every escrow.
4. The status list and the log say so.
5. Sheets that show the person are removed; the certificate is signed, kept, and named in the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select, update

from assent.consent._rows import ENDED, rows_of, tell_event
from assent.consent.certificate import hash_certificate, sign_certificate
from assent.consent.holdings import Copy, find_previews, list_copies, list_objects
from assent.consent.status_list import note_published, publish
from assent.kit.canonical import canonical, parse_object
from assent.kit.clock import stamp
from assent.kit.store.escrow import destroy_everywhere, known_escrows
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, EndingRow
from assent.kit.tlog.receipt import SUFFIX

__all__ = ["Ending", "catch_up", "certify", "destroy", "find_ending", "tell_the_public", "withdraw"]

_SHEET = "sheet "


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A consent that has ended.

    `objects` are what the key had opened, `copies` what remains outside the vault. `pending` names
    the escrows that couldn't be reached: as long as there are any there is no `certificate`.
    """

    record_id: str
    rows: tuple[ConsentRow, ...]
    objects: tuple[dict[str, Any], ...]
    copies: tuple[Copy, ...]
    pending: tuple[str, ...]
    certificate: str | None

    @property
    def receipts(self) -> frozenset[str]:
        """Hashes of the receipts that have ended."""
        return frozenset(row.receipt_hash for row in self.rows if row.receipt_hash)

    @property
    def log_entries(self) -> list[int]:
        """Where the log says so."""
        return [
            row.withdrawal_log_index for row in self.rows if row.withdrawal_log_index is not None
        ]


def withdraw(studio: Studio, record_id: str) -> Ending:
    """End the consent whose id begins with `record_id`; raises `NotFoundError`.

    First the desk refuses, so that whatever happens next the use has ended.
    """
    now = stamp(studio.clock())
    with studio.database.session() as session:
        rows = rows_of(session, record_id)
        for row in rows:
            if row.state == "expired":
                # The log must say this too: a release of an expired consent stands, of a withdrawn
                # one it doesn't.
                row.withdrawal_log_index = None
            row.state = "withdrawn"
            row.withdrawn = row.withdrawn or now
        tell_event(session, rows[-1], moment=studio.clock())
    pending = destroy(studio, rows[0].record_id)
    tell_the_public(studio, [row for row in rows if row.withdrawal_log_index is None])
    return certify(studio, rows[0].record_id, how="withdrawn", pending=pending)


def destroy(studio: Studio, record_id: str) -> tuple[str, ...]:
    """Write down what the record's key opens, and destroy it; return escrows out of reach."""
    with studio.database.session() as session:
        known = session.get(EndingRow, record_id) is not None
    if not known:
        objects = [held.to_json() for held in list_objects(studio, record_id)]
        receipts = frozenset(_receipts(studio, record_id))
        for name, sha256 in find_previews(studio, receipts):
            objects.append({"what": f"{_SHEET}{name}", "sha256": sha256, "shared": 0})
        with studio.database.session() as session:
            session.add(
                EndingRow(
                    record_id=record_id,
                    time=stamp(studio.clock()),
                    key_file=studio.keyring.fingerprint(record_id),
                    objects=objects,
                )
            )
    return destroy_everywhere(studio, record_id)


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


def certify(
    studio: Studio,
    record_id: str,
    *,
    how: Literal["withdrawn", "expired"],
    pending: Sequence[str] = (),
) -> Ending:
    """Remove sheets of the person, and certify the deletion once nothing is pending."""
    with studio.database.session() as session:
        rows = tuple(rows_of(session, record_id))
        kept = session.get_one(EndingRow, record_id)
    for held in kept.objects:
        if held["what"].startswith(_SHEET):
            _remove_sheet(studio, held["what"].removeprefix(_SHEET))
    receipts = frozenset(row.receipt_hash for row in rows if row.receipt_hash)
    ending = Ending(
        record_id=record_id,
        rows=rows,
        objects=tuple(kept.objects),
        copies=list_copies(studio, receipts),
        pending=tuple(pending),
        certificate=kept.certificate,
    )
    if pending or kept.log_index is not None:
        return ending
    token = kept.certificate or sign_certificate(
        _fields(studio, ending, kept, how), studio.signing_key
    )
    # Kept before the log names it: there is one certificate of a deletion.
    _keep(studio, record_id, certificate=token)
    entry = {
        "kind": "consent.deleted",
        "certificate": hash_certificate(token),
        "time": stamp(studio.clock()),
    }
    (index,) = studio.log.append([canonical(entry)])
    _keep(studio, record_id, log_index=index)
    return find_ending(studio, record_id)


def catch_up(studio: Studio) -> tuple[Ending, ...]:
    """End what the log says has ended: for a studio restored from an earlier backup."""
    told: dict[str, tuple[str, str, int]] = {}
    for index, entry in studio.log.reader().entries():
        fields = parse_object(entry, name="a log entry")
        if fields.get("kind") in ("consent.withdrawn", "consent.expired"):
            state = str(fields["kind"]).removeprefix("consent.")
            told[str(fields.get("receipt"))] = (state, str(fields.get("time")), index)
    ended: dict[str, str] = {}
    with studio.database.session() as session:
        rows = session.execute(
            select(ConsentRow.id, ConsentRow.receipt_hash).where(ConsentRow.state.not_in(ENDED))
        ).all()
        for row_id, receipt in rows:
            if receipt in told:
                row = session.get_one(ConsentRow, row_id)
                row.state, row.withdrawn, row.withdrawal_log_index = told[receipt]
                ended[row.record_id] = row.state
    return tuple(
        certify(
            studio,
            record_id,
            how="withdrawn" if state == "withdrawn" else "expired",
            pending=destroy(studio, record_id),
        )
        for record_id, state in ended.items()
    )


def find_ending(studio: Studio, record_id: str) -> Ending:
    """Return what is known of an ended consent whose id begins so; raises `NotFoundError`."""
    with studio.database.session() as session:
        rows = tuple(rows_of(session, record_id))
        kept = session.get(EndingRow, rows[0].record_id)
    receipts = frozenset(row.receipt_hash for row in rows if row.receipt_hash)
    return Ending(
        record_id=rows[0].record_id,
        rows=rows,
        objects=tuple(kept.objects) if kept else (),
        copies=list_copies(studio, receipts),
        pending=(),
        certificate=kept.certificate if kept else None,
    )


def _fields(studio: Studio, ending: Ending, kept: EndingRow, how: str) -> dict[str, Any]:
    """Return what the certificate says."""
    sheets = [held for held in kept.objects if held["what"].startswith(_SHEET)]
    escrows = [escrow.place for escrow in known_escrows(studio)]
    overwritten = "overwritten in place, written through, and closed by a tombstone"
    destroyed = [
        {"what": "wrapped key of the record", "sha256": kept.key_file or "", "how": overwritten},
        *(
            {"what": f"escrow key in {place}", "sha256": "", "how": overwritten}
            for place in escrows
        ),
        *({"what": s["what"], "sha256": s["sha256"], "how": "removed"} for s in sheets),
    ]
    ended = next((row.withdrawn for row in ending.rows if row.withdrawn), None) or kept.time
    return {
        "studio": {"id": studio.id, "name": studio.name, "contact": studio.contact},
        "record": ending.record_id,
        "receipts": sorted(ending.receipts),
        "ended": {"how": how, "time": ended, "log_entries": ending.log_entries},
        "destroyed": destroyed,
        "closed": [held for held in kept.objects if held not in sheets],
        "remains": [*(copy.to_json() for copy in ending.copies), *_RECORDS],
        "issued": stamp(studio.clock()),
    }


_RECORDS = (
    {
        "what": "record and receipt",
        "where": "studio.db",
        "sha256": "",
        "why": "to show what was agreed and when it ended; name, handle and public key are in it",
    },
    {
        "what": "log entries",
        "where": "log/",
        "sha256": "",
        "why": "public and unchangeable; salted hashes, no name",
    },
)


def _receipts(studio: Studio, record_id: str) -> list[str]:
    with studio.database.session() as session:
        hashes = session.scalars(
            select(ConsentRow.receipt_hash).where(ConsentRow.record_id == record_id)
        )
        return [each for each in hashes if each is not None]


def _remove_sheet(studio: Studio, name: str) -> None:
    path = studio.previews_folder / name
    studio.disk.remove(path)
    studio.disk.remove(path.with_suffix(SUFFIX))


def _keep(studio: Studio, record_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    with studio.database.session() as session:
        session.execute(update(EndingRow).where(EndingRow.record_id == record_id).values(**values))
