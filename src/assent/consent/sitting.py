"""The ceremony in the browser: the final record is prepared, signed, and taken in.

Nothing is kept of a person before they sign: until then the recording lies in scratch, encrypted
under a key that only the process has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.consent.ceremony import Accepted, accept, add_offer, make_live, next_version
from assent.consent.ground import say_passed
from assent.consent.invitations import Invitation, use_up
from assent.consent.locker import Locker
from assent.consent.people import bind_key, check_key_is_free
from assent.consent.receipt import read_signed
from assent.consent.record import ConsentRecord, Evidence, parse_record
from assent.consent.terms import draw_up
from assent.kit.errors import InputError, IntegrityError, MediaError, NotClearedError
from assent.kit.hashing import chunks_of, hash_file
from assent.kit.signing import VerifyKey
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow
from assent.purpose.projects import Purpose, find_project

__all__ = ["Checked", "conclude", "finish", "prepare", "purpose_of", "take_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the check of a recording found. If it did not pass, a person must look at it."""

    passed: bool
    findings: Mapping[str, Any]


def purpose_of(studio: Studio, invitation: Invitation) -> Purpose:
    """Return the project that an invitation is for; raises `ForbiddenPurposeError` if refused."""
    return find_project(studio, str(invitation.project_id))


def prepare(
    studio: Studio, invitation: Invitation, *, key: VerifyKey, statement_sha256: str
) -> ConsentRecord:
    """Return the record that the subject signs, of what they chose and recorded.

    Raises `NotClearedError` if they have not chosen yet, `InputError` if `key` can't be theirs.
    """
    if invitation.terms is None or invitation.choices is None:
        raise NotClearedError("nothing was chosen yet", advice="Choose first what you allow.")
    person = invitation.person
    if person.known_key is not None and person.key_id != key.thumbprint():
        raise InputError(
            f"{person.handle} has another key", advice="Sign with the key that you made before."
        )
    check_key_is_free(studio, person, key)
    terms = invitation.choices.take_from(invitation.terms)
    evidence = [Evidence(kind="recording", sha256=statement_sha256)]
    if terms.likeness_sha256 is not None:
        evidence.append(Evidence(kind="likeness", sha256=terms.likeness_sha256))
    return draw_up(
        studio,
        purpose_of(studio, invitation),
        person,
        terms,
        record_id=str(invitation.record_id),
        version=int(invitation.version or 1),
        evidence=tuple(evidence),
        key=key,
    )


def conclude(
    studio: Studio,
    invitation: Invitation,
    record: ConsentRecord,
    signed: str,
    *,
    key: VerifyKey,
    statement: BinaryIO,
    checked: Checked,
) -> Accepted | None:
    """Take in what the subject signed; the link is used up.

    The consent is live at once if the recording passed its checks and shows the subject, and
    returned; if not, None: a person at the studio must decide first.

    Raises `IntegrityError` if the signature is not by `key` or over another record or recording,
    `NotClearedError` if the link was used meanwhile, `InputError` if the key became somebody's.
    """
    if read_signed(signed, key) != record:
        raise IntegrityError("what was signed is not what was shown", advice="Begin again.")
    if hash_file(statement) != record.evidence[0].sha256:
        raise IntegrityError("the recording is not the one that the record names")
    # No machine can tell whether somebody may answer for somebody else.
    passed = checked.passed and record.principal.authority is None
    if not studio.keyring.has(record.record_id):
        studio.keyring.create(record.record_id)
    # Ciphertext first: if the process is killed here, it is swept away some day.
    blob = Locker(studio).deposit(chunks_of(statement), record.record_id)
    with studio.database.session() as session:
        use_up(session, invitation.id)
        _check_still_next(studio, session, invitation)
        bind_key(studio, session, invitation.person.id, key)
        row = add_offer(studio, session, record)
        row.signed = signed
        row.statement_blob = blob
        row.findings = dict(checked.findings)
        if passed:
            row.ground = say_passed(studio, record, checked.findings)
        else:
            row.state = "waiting"
    return take_up(studio, row) if passed else None


def take_up(studio: Studio, row: ConsentRow) -> Accepted | None:
    """Accept a record that was signed in the ceremony, now that there is ground for it.

    Returns None if no face can be enrolled from the recording after all: a person must look then.
    """
    try:
        with Locker(studio).statement(row) as statement:
            return accept(studio, str(row.signed), statement=statement, name="the recording")
    except MediaError as error:
        with studio.database.session() as session:
            kept = session.get_one(ConsentRow, row.id)
            kept.state = "waiting"
            kept.findings = {**(kept.findings or {}), "enrolment": str(error)}
        return None


def finish(studio: Studio) -> int:
    """Take up what was signed when a process was killed; returns how many records that were."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow).where(
                ConsentRow.state == "offered",
                ConsentRow.signed.is_not(None),
                ConsentRow.ground.is_not(None) | ConsentRow.receipt.is_not(None),
            )
        ).all()
    return sum(_finish(studio, row) is not None for row in rows)


def _finish(studio: Studio, row: ConsentRow) -> Accepted | None:
    # What has its receipt already, such as a version that allows less, is taken as it is.
    return make_live(studio, row, resumed=True) if row.receipt is not None else take_up(studio, row)


def _check_still_next(studio: Studio, session: Session, invitation: Invitation) -> None:
    """Raise `NotClearedError` if another version was offered since the link was made."""
    purpose = purpose_of(studio, invitation)
    record_id, version = next_version(studio, session, purpose, invitation.person)
    if version != invitation.version or (version > 1 and record_id != invitation.record_id):
        raise NotClearedError(
            "the studio has made another offer since", advice="Ask the studio for a new link."
        )


def record_of(row: ConsentRow) -> ConsentRecord:
    """Return the record that a row holds; raises `BriefError` if it was altered."""
    return parse_record(row.document)
