"""A person at the studio decides about recordings that a machine could not pass.

Each decision is signed by who decides, has a reason, and stands in the log as a hash. Nobody
decides about themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import select

from assent.consent.ceremony import Accepted
from assent.consent.enrolment import enrol_from_statement, pack_templates
from assent.consent.ground import (
    check_decider,
    check_member,
    decide,
    decision_entry,
    decision_of,
    take_decision,
)
from assent.consent.invitations import invite_to_watch
from assent.consent.locker import Locker
from assent.consent.logged import find_entry
from assent.consent.people import Person
from assent.consent.record import ConsentRecord
from assent.consent.sitting import record_of, take_up
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.hashing import hash_file
from assent.kit.signing import SigningKey
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, PersonRow, ProjectRow

__all__ = [
    "Waiting",
    "approve_statement",
    "find_waiting",
    "link_to_watch",
    "list_waiting",
    "reject_statement",
    "watch_statement",
]

Proof = SigningKey | str
"""The key of who decides, or what they have signed with it in a browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A signed record whose recording waits for a decision."""

    record_id: str
    version: int
    handle: str
    project: str
    since: str
    findings: Mapping[str, Any]
    answers: str | None
    """What whoever signed is to the subject, if somebody answers for them."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def list_waiting(studio: Studio) -> tuple[Waiting, ...]:
    """Return what waits, oldest first."""
    with studio.database.session() as session:
        rows = session.execute(
            select(ConsentRow, PersonRow.handle, ProjectRow.slug)
            .join(PersonRow, PersonRow.id == ConsentRow.person_id)
            .join(ProjectRow, ProjectRow.id == ConsentRow.project_id)
            .where(ConsentRow.state == "waiting")
            .order_by(ConsentRow.created)
        ).all()
    return tuple(
        Waiting(
            record_id=row.record_id,
            version=row.version,
            handle=handle,
            project=slug,
            since=row.created,
            findings=row.findings or {},
            answers=_relation(row),
        )
        for row, handle, slug in rows
    )


def _relation(row: ConsentRow) -> str | None:
    authority = row.document["principal"]["authority"]
    return None if authority is None else f"{authority['kind']}: {authority['relation']}"


def find_waiting(studio: Studio, record_id: str) -> ConsentRow:
    """Return the waiting record whose id begins with `record_id`; raises `NotFoundError`."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow).where(
                ConsentRow.state == "waiting",
                ConsentRow.record_id.startswith(record_id, autoescape=True),
            )
        ).all()
    if not record_id or len(rows) != 1:
        raise NotFoundError(
            f"no record '{record_id}' waits for a decision", advice="See `assent consent review`."
        )
    return rows[0]


def link_to_watch(studio: Studio, record_id: str, member: Person, key: SigningKey) -> str:
    """Return the secret of a one-time link by which `member` looks at a recording.

    Raises `NotFoundError` if none waits, `RefusedError` or `IntegrityError` as `ground.vouch`.
    """
    row = find_waiting(studio, record_id)
    check_decider(record_of(row), member, key)
    return invite_to_watch(studio, member, row)


def watch_statement(studio: Studio, record_id: str, member: Person) -> bytes:
    """Return the recording of a record that waits; the vault notes in the log that it was opened.

    Raises `NotFoundError` once it was decided about, `RefusedError` unless `member` may decide.
    """
    row = find_waiting(studio, record_id)
    check_member(record_of(row), member)
    with Locker(studio).statement(row) as file:
        return file.read()


def approve_statement(
    studio: Studio,
    record_id: str,
    member: Person,
    key: Proof,
    *,
    reason: str = "",
    likeness: BinaryIO | None = None,
) -> Accepted | None:
    """Say that the recording is good, and take the record in; raises as `decide`.

    It is the subject's own; or, of a record by which somebody answers for the subject, it is theirs
    and they may: then `likeness` is the clip of the subject that the record names. Raises
    `InputError` or `IntegrityError` without it, `MediaError` if it shows no one face.

    `key` is the member's, or what they signed with it in a browser; the reason is in that.
    Returns None if no face can be enrolled from the recording: it goes on waiting.
    """
    begun = _begun(studio, record_id, "offered")
    if begun is not None:
        # Killed after the decision was kept: it is taken up as it was signed.
        check_decider(record_of(begun), member, key)
        return take_up(studio, begun)
    row = find_waiting(studio, record_id)
    record = record_of(row)
    ground = _decided(studio, record, member, key, approve=True, reason=reason)
    enrolled = _enrol_likeness(studio, record, likeness)
    with studio.database.session() as session:
        row = session.get_one(ConsentRow, row.id)
        row.ground = ground
        row.enrolment_blob = enrolled
        row.state = "offered"
    return take_up(studio, row)


def _decided(
    studio: Studio, record: ConsentRecord, member: Person, key: Proof, *, approve: bool, reason: str
) -> str:
    if isinstance(key, str):
        return take_decision(studio, record, member, key, approve=approve)
    return decide(studio, record, member, key, approve=approve, reason=reason)


def _enrol_likeness(studio: Studio, record: ConsentRecord, likeness: BinaryIO | None) -> str | None:
    """Enrol the face of somebody for whom another answers, from the clip that the record names."""
    if record.likeness_sha256 is None:
        return None
    if likeness is None:
        raise InputError(
            "the recording doesn't show the person whom the record is about",
            advice="Give the clip that does, as the offer named it: --likeness.",
        )
    if hash_file(likeness) != record.likeness_sha256:
        raise IntegrityError(
            "this is not the clip that the record names",
            advice="Give the file that the offer was made with.",
        )
    likeness.seek(0)
    templates = pack_templates(enrol_from_statement(likeness, name="the clip of the person"))
    return Locker(studio).deposit([templates], record.record_id)


def reject_statement(
    studio: Studio, record_id: str, member: Person, key: Proof, *, reason: str = ""
) -> ConsentRow:
    """Say that the recording is not good enough: it goes, and the record ends; raises as `decide`.

    What an earlier version of the record allows stays allowed.
    """
    row = _begun(studio, record_id, "rejected")
    resumed = row is not None
    if row is None:
        row = find_waiting(studio, record_id)
        record = record_of(row)
        ground = _decided(studio, record, member, key, approve=False, reason=reason)
        with studio.database.session() as session:
            row = session.get_one(ConsentRow, row.id)
            row.ground = ground
            row.state = "rejected"
    else:
        check_decider(record_of(row), member, key)
    with studio.database.session() as session:
        others = session.scalars(
            select(ConsentRow.id).where(
                ConsentRow.record_id == row.record_id, ConsentRow.state == "live"
            )
        ).all()
    if not others:
        studio.keyring.destroy(row.record_id)
    Locker(studio).forget(str(row.statement_blob))
    (entry,) = decision_entry(studio, row)
    told = find_entry(studio, "consent.decided", decision=decision_of(row)) if resumed else None
    index = studio.log.append([entry])[0] if told is None else told
    with studio.database.session() as session:
        session.get_one(ConsentRow, row.id).log_index = index
    row.log_index = index
    return row


def _begun(studio: Studio, record_id: str, state: str) -> ConsentRow | None:
    """Return a record that was decided about by somebody who didn't get to the end, or None."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow).where(
                ConsentRow.state == state,
                ConsentRow.ground.is_not(None),
                ConsentRow.statement_blob.is_not(None),
                ConsentRow.log_index.is_(None),
                ConsentRow.record_id.startswith(record_id, autoescape=True),
            )
        ).all()
    return rows[0] if record_id and len(rows) == 1 else None
