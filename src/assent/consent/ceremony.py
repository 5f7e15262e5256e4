"""Asking and agreeing: offer -> the subject signs -> accept.

Each step is stored before the next can begin, and each is safe to repeat.
"""

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.consent._rows import ENDED, rows_of
from assent.consent.clearance import Act, Modality
from assent.consent.enrolment import enrol_from_statement, pack_templates
from assent.consent.locker import Locker
from assent.consent.notice import EFFECT_OF_WITHDRAWAL, write_notice
from assent.consent.people import Person, person_by_id
from assent.consent.receipt import (
    countersign,
    hash_receipt,
    read_receipt,
    read_signed,
    signer_hint,
)
from assent.consent.record import (
    Biometrics,
    ConsentRecord,
    Controller,
    Evidence,
    Forbidden,
    Handling,
    Notice,
    Principal,
    ProjectReference,
    Scope,
    Withdrawal,
)
from assent.consent.status_list import allot, note_published, publish_missing
from assent.kit.canonical import canonical, digest
from assent.kit.clock import stamp
from assent.kit.errors import (
    BriefError,
    InputError,
    IntegrityError,
    NotClearedError,
)
from assent.kit.hashing import hash_file
from assent.kit.signing import thumbprint
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow
from assent.purpose.brief import describe_problems
from assent.purpose.projects import Purpose

__all__ = ["Accepted", "Terms", "accept", "offer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the studio asks for; the subject may refuse, or ask for other terms."""

    acts: frozenset[Act]
    modalities: frozenset[Modality]
    use: str
    channels: frozenset[str]
    territory: str = "worldwide"
    starts: date
    ends: date
    most_releases: int = 10
    compensation: str = "as agreed in the contract"
    forbidden: frozenset[Forbidden] = frozenset()
    language: str = "en"


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
    """Draw up a record for `person` to sign.

    A second offer for the same project is the next version of the same record; after a withdrawal
    or the end of the term it is a new record, under a new key. Raises `BriefError` if the terms
    make no sense, `InputError` if they outlast the project.
    """
    with studio.database.session() as session:
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
        if last is not None and studio.keyring.was_destroyed(last.record_id):
            last = None
        record = _draw_up(
            studio,
            purpose,
            person,
            terms,
            record_id=last.record_id if last else str(uuid.uuid4()),
            version=last.version + 1 if last else 1,
            statement_sha256=statement_sha256,
        )
        place = allot(session)
        session.add(
            ConsentRow(
                id=uuid.uuid4().hex,
                record_id=record.record_id,
                version=record.version,
                project_id=purpose.project_id,
                person_id=person.id,
                state="offered",
                document=record.to_json(),
                salt=secrets.token_hex(32),
                created=stamp(studio.clock()),
                status_list=place.number,
                status_index=place.index,
            )
        )
    return record


def accept(studio: Studio, signed: str, *, statement: BinaryIO, name: str) -> Accepted:
    """Take a signed record in: check it, enrol the face of the statement, countersign, log.

    Raises `NotClearedError` if the record was changed, superseded or withdrawn or has expired,
    `IntegrityError` if the signature is not the subject's, `MediaError` if the statement shows no
    one face.
    """
    row = _offered_row(studio, signer_hint(signed), signed)
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
        enrolment = enrol_from_statement(statement, name=name)
        receipt = countersign(signed, record, studio.signing_key, moment=stamp(studio.clock()))
        # An earlier version or an interrupted run has made it already.
        if not studio.keyring.has(record.record_id):
            studio.keyring.create(record.record_id)
        blob = Locker(studio).deposit([pack_templates(enrolment)], record.record_id)
        with studio.database.session() as session:
            row = _unless_ended(session, row)
            row.receipt = receipt
            row.receipt_hash = hash_receipt(receipt, row.salt)
            row.enrolment_blob = blob
    return _make_live(studio, row)


def _unless_ended(session: Session, row: ConsentRow) -> ConsentRow:
    """Return the row as it is now: someone may have withdrawn while it was worked on."""
    now = session.get_one(ConsentRow, row.id)
    _check_not_ended(now)
    return now


def _check_not_ended(row: ConsentRow) -> None:
    if row.state == "withdrawn":
        raise NotClearedError("this record was withdrawn; it can't be signed any more")
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


def _make_live(studio: Studio, row: ConsentRow) -> Accepted:
    """Log the receipt and let the desk see it; a repeat finds both done."""
    if row.log_index is None:
        entry = {
            "kind": "consent.granted",
            "receipt": row.receipt_hash,
            "time": stamp(studio.clock()),
        }
        published = publish_missing(studio, row.status_list or 1)
        index, *_ = studio.log.append(
            [canonical(each) for each in (entry, *(new.entry for new in published))]
        )
        with studio.database.session() as session:
            note_published(session, published)
            for older in rows_of(session, row.record_id):
                if older.version < row.version and older.state not in ENDED:
                    older.state = "superseded"
            row = _unless_ended(session, row)
            row.log_index = index
            row.state = "live"
    person = person_by_id(studio, row.person_id)
    receipt = read_receipt(str(row.receipt), subject=person.key, studio=studio.signing_key)
    return Accepted(
        record=receipt.record,
        receipt=str(row.receipt),
        salt=row.salt,
        receipt_hash=str(row.receipt_hash),
        log_index=int(row.log_index or 0),
    )


def _draw_up(
    studio: Studio,
    purpose: Purpose,
    person: Person,
    terms: Terms,
    *,
    record_id: str,
    version: int,
    statement_sha256: str,
) -> ConsentRecord:
    if terms.ends > purpose.brief.ends:
        raise InputError(
            f"the consent would last until {terms.ends}, the project ends on {purpose.brief.ends}",
            advice="Ask for no longer than the project's term.",
        )
    try:
        return ConsentRecord(
            record_id=record_id,
            version=version,
            nonce=secrets.token_hex(32),
            project=ProjectReference(
                id=purpose.project_id,
                name=purpose.slug,
                title=purpose.brief.title,
                brief_sha256=digest(purpose.brief.to_json()),
            ),
            principal=Principal(
                id=person.id,
                handle=person.handle,
                key_thumbprint=thumbprint(person.key),
                adult=True,
            ),
            controller=Controller(id=studio.id, name=studio.name, contact=studio.contact),
            notice=Notice(
                language=terms.language,
                text=write_notice(
                    studio=studio.name,
                    project=purpose.brief.title,
                    use=terms.use,
                    acts=terms.acts,
                    modalities=terms.modalities,
                ),
            ),
            scope=Scope(
                use=terms.use,
                modalities=terms.modalities,
                acts=terms.acts,
                channels=terms.channels,
                territory=terms.territory,
                starts=terms.starts,
                ends=terms.ends,
                most_releases=terms.most_releases,
                compensation=terms.compensation,
            ),
            forbidden=terms.forbidden,
            handling=_handling(terms.modalities),
            biometrics=Biometrics(
                face_matching=True,
                purpose="to make sure that footage shows only people who agreed",
                retention="until withdrawal or the end of the term",
            ),
            withdrawal=Withdrawal(contact=studio.contact, effect=EFFECT_OF_WITHDRAWAL),
            evidence=(Evidence(kind="statement", sha256=statement_sha256),),
        )
    except ValidationError as error:
        raise BriefError(f"the terms can't be offered: {describe_problems(error)}") from error


def _handling(modalities: Iterable[Modality]) -> Handling:
    return Handling(
        kinds=("footage", *sorted(modality.value for modality in modalities), "face template"),
        storage="encrypted in the studio's vault under a key made for this record alone",
        retention="until withdrawal or the end of the term",
        recipients="none; releases go to the channels named in the scope",
    )
