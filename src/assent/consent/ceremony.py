"""Asking and agreeing: offer -> the subject signs -> accept.

Each step is stored before the next can begin, and each is safe to repeat.
"""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.consent._rows import ENDED, rows_of, tell_event
from assent.consent.enrolment import enrol_from_statement, pack_templates
from assent.consent.ground import check_ground, decision_entry
from assent.consent.locker import Locker
from assent.consent.logged import find_entry
from assent.consent.people import Person, person_by_id
from assent.consent.receipt import (
    countersign,
    hash_receipt,
    read_receipt,
    read_signed,
    signer_hint,
)
from assent.consent.record import ConsentRecord, Evidence
from assent.consent.status_list import (
    Place,
    Published,
    allot,
    credential_status,
    note_published,
    publish_missing,
)
from assent.consent.terms import Terms, draw_up
from assent.consent.versions import note_version
from assent.kit.canonical import canonical, digest
from assent.kit.clock import stamp
from assent.kit.errors import IntegrityError, NotClearedError
from assent.kit.hashing import hash_file
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow
from assent.purpose.projects import Purpose

__all__ = [
    "Accepted",
    "Terms",
    "accept",
    "add_offer",
    "make_live",
    "next_version",
    "offer",
    "receipt_for",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A consent that is live, with the receipt for its subject."""

    record: ConsentRecord
    receipt: str
    salt: str
    receipt_hash: str
    log_index: int


def offer(
    studio: Studio, purpose: Purpose, person: Person, terms: Terms, *, statement_sha256: str
) -> ConsentRecord:
    """Draw up a record for `person` to sign, with a statement that the studio was given.

    A second offer for the same project is the next version of the same record; after a withdrawal
    or the end of the term it is a new record, under a new key. Raises `BriefError` if the terms
    make no sense, `InputError` if they outlast the project.
    """
    with studio.database.session() as session:
        record_id, version = next_version(studio, session, purpose, person)
        record = draw_up(
            studio,
            purpose,
            person,
            terms,
            record_id=record_id,
            version=version,
            evidence=(Evidence(kind="statement", sha256=statement_sha256),),
            key=person.key,
        )
        add_offer(studio, session, record)
    return record


def next_version(
    studio: Studio, session: Session, purpose: Purpose, person: Person
) -> tuple[str, int]:
    """Return the record id and the version that an offer made now has."""
    last = session.scalar(
        select(ConsentRow)
        .where(
            ConsentRow.project_id == purpose.project_id,
            ConsentRow.person_id == person.id,
            ConsentRow.state.not_in(ENDED),
        )
        .order_by(ConsentRow.version.desc())
    )
    # The term of the version before may have ended since, and the record's key with it.
    if last is None or studio.keyring.was_destroyed(last.record_id):
        return str(uuid.uuid4()), 1
    return last.record_id, last.version + 1


def add_offer(studio: Studio, session: Session, record: ConsentRecord) -> ConsentRow:
    """Put a record that is to be signed into the register, as part of `session`."""
    place = allot(session)
    row = ConsentRow(
        id=uuid.uuid4().hex,
        record_id=record.record_id,
        version=record.version,
        project_id=record.project.id,
        person_id=record.principal.id,
        state="offered",
        document=record.to_json(),
        salt=secrets.token_hex(32),
        created=stamp(studio.clock()),
        status_list=place.number,
        status_index=place.index,
    )
    session.add(row)
    return row


def accept(
    studio: Studio, signed: str, *, statement: BinaryIO, name: str, ground: str | None = None
) -> Accepted:
    """Take a signed record in: check it, enrol the face of the statement, countersign, log.

    `ground` is why the statement is taken for the subject's own, if the register doesn't hold that
    already. Raises `NotClearedError` without one, or if the record was changed, superseded or
    withdrawn or has expired, `IntegrityError` if the signature is not the subject's, `MediaError`
    if the statement shows no one face.
    """
    row = _offered_row(studio, signer_hint(signed), signed)
    resumed = row.receipt is not None
    person = person_by_id(studio, row.person_id)
    record = read_signed(signed, person.key)
    if digest(row.document) != record.digest():
        raise NotClearedError(
            "what was signed is not what was offered",
            advice="Send the subject the offer again, unchanged.",
        )
    if hash_file(statement) != record.evidence[0].sha256:
        raise IntegrityError(
            f"{name} is not the statement that the record names",
            advice="Give the file that the offer was made with.",
        )
    if row.receipt is None:
        ground = ground or row.ground
        check_ground(studio, record, ground)
        # Of who recorded the statement, unless a clip of the subject was enrolled already.
        enrolled = row.enrolment_blob or _enrol(studio, record, statement, name=name)
        receipt = receipt_for(studio, row, record, signed)
        with studio.database.session() as session:
            row = _unless_ended(session, row)
            row.ground = ground
            row.receipt = receipt
            row.receipt_hash = hash_receipt(receipt, row.salt)
            row.enrolment_blob = enrolled
    return make_live(studio, row, resumed=resumed)


def _enrol(studio: Studio, record: ConsentRecord, statement: BinaryIO, *, name: str) -> str:
    if record.likeness_sha256 is not None:
        raise NotClearedError(
            "the statement doesn't show the person whom the record is about",
            advice="Somebody decides, with the clip that does: `assent consent review`.",
        )
    enrolment = enrol_from_statement(statement, name=name)
    # An earlier version or an interrupted run has made it already.
    if not studio.keyring.has(record.record_id):
        studio.keyring.create(record.record_id)
    return Locker(studio).deposit([pack_templates(enrolment)], record.record_id)


def receipt_for(studio: Studio, row: ConsentRow, record: ConsentRecord, signed: str) -> str:
    """Return the studio's countersignature, which says where the record's status is."""
    place = Place(number=row.status_list or 1, index=row.status_index or 0)
    return countersign(
        signed,
        record,
        studio.signing_key,
        moment=stamp(studio.clock()),
        status=credential_status(studio.id, place),
    )


def _tell_granted(studio: Studio, row: ConsentRow, published: Sequence[Published]) -> int:
    """Log the receipt, the lists that it needs, and who decided; return the receipt's index."""
    entry = {
        "kind": "consent.granted",
        "receipt": row.receipt_hash,
        "time": stamp(studio.clock()),
    }
    index, *_ = studio.log.append(
        [
            *(canonical(each) for each in (entry, *(new.entry for new in published))),
            *decision_entry(studio, row),
        ]
    )
    return index


def _unless_ended(session: Session, row: ConsentRow) -> ConsentRow:
    """Return the row as it is now: someone may have withdrawn while it was worked on."""
    now = session.get_one(ConsentRow, row.id)
    _check_not_ended(now)
    return now


def _check_not_ended(row: ConsentRow) -> None:
    if row.state == "withdrawn":
        raise NotClearedError("this record was withdrawn; it can't be signed any more")
    if row.state == "rejected":
        raise NotClearedError("a person at the studio rejected this record's statement")
    if row.state == "expired":
        raise NotClearedError("this record expired; it can't be signed any more")


def _offered_row(studio: Studio, record_id: str, signed: str) -> ConsentRow:
    with studio.database.session() as session:
        newest = rows_of(session, record_id)[-1]
    _check_not_ended(newest)
    if newest.state == "live" and (newest.receipt is None or not _same(studio, newest, signed)):
        raise NotClearedError("a newer version of this record is already signed")
    return newest


def _same(studio: Studio, row: ConsentRow, signed: str) -> bool:
    """Tell whether `signed` is the signature that the live receipt already holds."""
    person = person_by_id(studio, row.person_id)
    receipt = read_receipt(str(row.receipt), subject=person.key, studio=studio.signing_key)
    return receipt.record == read_signed(signed, person.key)


def make_live(studio: Studio, row: ConsentRow, *, resumed: bool = False) -> Accepted:
    """Log the receipt and let the desk see it; what is `resumed` looks what was done already."""
    if row.log_index is None:
        published = publish_missing(studio, row.status_list or 1)
        told = find_entry(studio, "consent.granted", receipt=row.receipt_hash) if resumed else None
        index = _tell_granted(studio, row, published) if told is None else told
        note_version(studio, row.record_id, row.version)
        with studio.database.session() as session:
            note_published(session, published)
            for older in rows_of(session, row.record_id):
                if older.version < row.version and older.state not in (*ENDED, "rejected"):
                    older.state = "superseded"
            row = _unless_ended(session, row)
            row.log_index = index
            row.state = "live"
            tell_event(session, row, moment=studio.clock())
    person = person_by_id(studio, row.person_id)
    receipt = read_receipt(str(row.receipt), subject=person.key, studio=studio.signing_key)
    return Accepted(
        record=receipt.record,
        receipt=str(row.receipt),
        salt=row.salt,
        receipt_hash=str(row.receipt_hash),
        log_index=int(row.log_index or 0),
    )
