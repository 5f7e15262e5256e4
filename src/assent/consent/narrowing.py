"""The subject allows less than before: a new version of their record, signed by them.

It takes the place of the version before at once. Nothing is recorded anew: it is the same person,
with the same key, allowing less.
"""

import dataclasses

from assent.consent.ceremony import Accepted, add_offer, make_live, receipt_for
from assent.consent.desk import live_record
from assent.consent.people import Person, person_by_id
from assent.consent.receipt import hash_receipt, read_signed
from assent.consent.record import ConsentRecord
from assent.consent.terms import Choices, Terms, draw_up
from assent.kit.errors import InputError, IntegrityError, NotClearedError
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose

__all__ = ["choices_of", "narrow", "take_narrowed", "terms_of"]


def terms_of(record: ConsentRecord) -> Terms:
    """Return the terms of a record, from which less can be chosen."""
    scope = record.scope
    return Terms(
        acts=scope.acts,
        modalities=scope.modalities,
        use=scope.use,
        channels=scope.channels,
        territory=scope.territory,
        starts=scope.starts,
        ends=scope.ends,
        most_releases=scope.most_releases,
        compensation=scope.compensation,
        forbidden=record.forbidden,
        language=record.notice.language,
        final_approval=record.final_approval,
        authority=record.principal.authority,
        likeness_sha256=record.likeness_sha256,
    )


def choices_of(record: ConsentRecord) -> Choices:
    """Return what a record allows, as ticked."""
    scope = record.scope
    return Choices.model_validate(
        {
            "language": record.notice.language,
            "adult": True,
            "face_matching": True,
            "final_approval": record.final_approval,
            "acts": scope.acts,
            "modalities": scope.modalities,
            "channels": scope.channels,
            "forbidden": record.forbidden,
            "ends": scope.ends,
            "most_releases": scope.most_releases,
        }
    )


def narrow(studio: Studio, purpose: Purpose, person: Person, choices: Choices) -> ConsentRecord:
    """Return the next version of the person's live record with less in it, to be signed.

    Raises `NotClearedError` without a live record, `InputError` if nothing is less or anything
    more.
    """
    row, live = live_record(studio, purpose, person)
    before = terms_of(live)
    terms = choices.take_from(before)
    # Who kept the last word keeps it.
    terms = dataclasses.replace(terms, final_approval=before.final_approval | terms.final_approval)
    if dataclasses.replace(terms, language=before.language) == before:
        raise InputError("nothing was changed", advice="Untick what you no longer allow.")
    return draw_up(
        studio,
        purpose,
        person,
        terms,
        record_id=row.record_id,
        version=row.version + 1,
        evidence=live.evidence,
        key=person.key,
    )


def take_narrowed(studio: Studio, purpose: Purpose, record: ConsentRecord, signed: str) -> Accepted:
    """Let the new version take the place of the live one.

    Raises `IntegrityError` if the person did not sign just this, `NotClearedError` if the live
    version changed or ended meanwhile.
    """
    person = person_by_id(studio, record.principal.id)
    if read_signed(signed, person.key) != record:
        raise IntegrityError("what was signed is not what was shown", advice="Begin again.")
    live, _ = live_record(studio, purpose, person)
    if (live.record_id, live.version + 1) != (record.record_id, record.version):
        raise NotClearedError("your consent has changed since", advice="Load the page again.")
    with studio.database.session() as session:
        row = add_offer(studio, session, record)
        row.signed = signed
        row.receipt = receipt_for(studio, row, record, signed)
        row.receipt_hash = hash_receipt(row.receipt, row.salt)
        row.enrolment_blob = live.enrolment_blob
        row.statement_blob = live.statement_blob
    return make_live(studio, row)
