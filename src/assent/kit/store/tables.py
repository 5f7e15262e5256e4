"""The tables of `studio.db`, one class each; ids are opaque strings, documents are JSON.

Times are RFC 3339 strings in UTC, which sort as text. Nothing here decides anything.
"""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

__all__ = [
    "Base",
    "ChallengeRow",
    "ConsentRow",
    "DoubtRow",
    "DraftRow",
    "EndingRow",
    "ExportRow",
    "FaceSetRow",
    "FinalRow",
    "FootageRow",
    "InvitationRow",
    "ModelRow",
    "OpeningRow",
    "PersonRow",
    "PreviewRow",
    "ProjectRow",
    "PublisherRow",
    "ReleaseRow",
    "ReviewRow",
    "RulePackRow",
    "SegmentRow",
    "SightingRow",
    "SignOffRow",
    "StatusListRow",
    "TickRow",
]


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """Base of all rows."""

    type_annotation_map = {dict[str, Any]: JSON, list[str]: JSON, list[float]: JSON}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute


class ProjectRow(Base):
    """A project and its brief."""

    __tablename__ = "project"
    id: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    brief: Mapped[dict[str, Any]]
    created: Mapped[str]


class PersonRow(Base):
    """Someone who can be asked for consent, or who reviews; without a key until they made one."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created: Mapped[str]
    public_key: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    key_thumbprint: Mapped[str | None] = mapped_column(default=None, unique=True)
    credential_id: Mapped[str | None] = mapped_column(default=None, index=True)
    staff: Mapped[bool] = mapped_column(default=False)


class InvitationRow(Base):
    """A one-time link; `state` is open, declined, used or replaced. The link itself isn't here.

    With `terms` it invites to the ceremony of one record, without to the subject's own place.
    """

    __tablename__ = "invitation"
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    created: Mapped[str]
    expires: Mapped[str]
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"), default=None)
    record_id: Mapped[str | None] = mapped_column(default=None, index=True)
    version: Mapped[int | None] = mapped_column(default=None)
    terms: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    choices: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    challenge: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    attempts: Mapped[int] = mapped_column(default=0)


class ConsentRow(Base):
    """One version of one consent record; `state` says how far it is.

    offered, waiting (signed, and a person must look at the statement), live, superseded, rejected,
    withdrawn, or expired (its term ran out and its key is destroyed).
    """

    __tablename__ = "consent"
    __table_args__ = (
        UniqueConstraint("record_id", "version"),
        UniqueConstraint("status_list", "status_index"),
        Index("consent_of", "project_id", "person_id"),
        Index("consent_by_age", "created", "version"),
        Index("consent_ended", "status_list", "state", "status_index"),
        Index("consent_by_state", "state"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(index=True)
    version: Mapped[int]
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str]
    document: Mapped[dict[str, Any]]
    salt: Mapped[str]
    created: Mapped[str]
    receipt: Mapped[str | None] = mapped_column(default=None)
    receipt_hash: Mapped[str | None] = mapped_column(default=None, index=True)
    enrolment_blob: Mapped[str | None] = mapped_column(default=None)
    statement_blob: Mapped[str | None] = mapped_column(default=None)
    signed: Mapped[str | None] = mapped_column(default=None)
    ground: Mapped[str | None] = mapped_column(default=None)
    findings: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    withdrawn: Mapped[str | None] = mapped_column(default=None)
    log_index: Mapped[int | None] = mapped_column(default=None)
    withdrawal_log_index: Mapped[int | None] = mapped_column(default=None)
    status_list: Mapped[int | None] = mapped_column(default=None)
    status_index: Mapped[int | None] = mapped_column(default=None)


class EndingRow(Base):
    """The end of a record: what was there before its key was destroyed, and the certificate."""

    __tablename__ = "ending"
    record_id: Mapped[str] = mapped_column(primary_key=True)
    time: Mapped[str]
    key_file: Mapped[str | None]
    objects: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    certificate: Mapped[str | None] = mapped_column(default=None)
    log_index: Mapped[int | None] = mapped_column(default=None)


class ExportRow(Base):
    """A backup that was made: where it was written, and where the copies of its keys are."""

    __tablename__ = "export"
    id: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[str]
    place: Mapped[str]
    sha256: Mapped[str]
    escrow: Mapped[str | None] = mapped_column(default=None)


class OpeningRow(Base):
    """Objects of the vault that were opened: what the log has the salted hash (`id`) of."""

    __tablename__ = "opening"
    id: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[str]
    details: Mapped[dict[str, Any]]


class StatusListRow(Base):
    """A public list of receipts that have ended: the newest version that the log knows."""

    __tablename__ = "status_list"
    number: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]


class ChallengeRow(Base):
    """A challenge drawn for a record; `state` is asked, begun, used or void."""

    __tablename__ = "challenge"
    nonce: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(index=True)
    document: Mapped[dict[str, Any]]
    state: Mapped[str]
    issued: Mapped[str]
    begun: Mapped[str | None] = mapped_column(default=None)


class FootageRow(Base):
    """A clip in the vault, with everyone in it accounted for."""

    __tablename__ = "footage"
    __table_args__ = (UniqueConstraint("project_id", "sha256"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    sha256: Mapped[str]
    rights: Mapped[str]
    people: Mapped[list[str]]
    keep_sound: Mapped[bool]
    blob: Mapped[str]
    tracks_blob: Mapped[str]
    frames: Mapped[int]
    created: Mapped[str]
    binding: Mapped[str]
    hidden: Mapped[int] = mapped_column(default=0)


class FaceSetRow(Base):
    """One person's aligned faces from one clip."""

    __tablename__ = "face_set"
    id: Mapped[str] = mapped_column(primary_key=True)
    footage_id: Mapped[str] = mapped_column(ForeignKey("footage.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    blob: Mapped[str]
    faces: Mapped[int]
    binding: Mapped[str]


class DoubtRow(Base):
    """Faces of a clip that a person must look at; `state` is waiting, approved or rejected.

    `decision` is a JWS by who decided.
    """

    __tablename__ = "doubt"
    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    sha256: Mapped[str]
    people: Mapped[list[str]]
    receipts: Mapped[list[str]]
    spans: Mapped[dict[str, Any]]
    state: Mapped[str]
    created: Mapped[str]
    salt: Mapped[str]
    binding: Mapped[str]
    sheet_blob: Mapped[str | None] = mapped_column(default=None)
    decision: Mapped[str | None] = mapped_column(default=None)
    decided_by: Mapped[str | None] = mapped_column(default=None)
    log_index: Mapped[int | None] = mapped_column(default=None)


class ModelRow(Base):
    """A face model of two people; `state` is training or ready."""

    __tablename__ = "model"
    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), index=True)
    name: Mapped[str]
    donor_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    performer_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    state: Mapped[str]
    config: Mapped[dict[str, Any]]
    created: Mapped[str]
    iterations: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    checkpoint_blob: Mapped[str | None] = mapped_column(default=None)
    model_blob: Mapped[str | None] = mapped_column(default=None)
    sheet_blob: Mapped[str | None] = mapped_column(default=None)
    losses: Mapped[list[float]] = mapped_column(default_factory=list)
    sources: Mapped[list[str]] = mapped_column(default_factory=list)
    binding: Mapped[str | None] = mapped_column(default=None)


class DraftRow(Base):
    """A render, in colours by some method; `state` is rendering or complete.

    `repairs` is the hash of what was corrected by hand, and `repair_id` where that is kept; `label`
    is the corner that its label lies in.
    """

    __tablename__ = "draft"
    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), index=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"), index=True)
    footage_id: Mapped[str] = mapped_column(ForeignKey("footage.id"))
    model_blob: Mapped[str]
    state: Mapped[str]
    created: Mapped[str]
    colour: Mapped[str] = mapped_column(default="touch")
    repairs: Mapped[str] = mapped_column(default="")
    repair_id: Mapped[str | None] = mapped_column(default=None)
    label: Mapped[str] = mapped_column(default="top-right")
    frames: Mapped[int] = mapped_column(default=0)
    replaced: Mapped[int] = mapped_column(default=0)
    digest: Mapped[str | None] = mapped_column(default=None)
    binding: Mapped[str | None] = mapped_column(default=None)


class SegmentRow(Base):
    """A run of rendered frames of a draft, in the vault."""

    __tablename__ = "segment"
    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    blob: Mapped[str]
    frames: Mapped[int]
    replaced: Mapped[int]
    last_pts: Mapped[int]
    binding: Mapped[str]


class ReviewRow(Base):
    """What review found: a JWS over the draft's digest."""

    __tablename__ = "review"
    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id"), primary_key=True)
    created: Mapped[str]
    decision: Mapped[str]


class SignOffRow(Base):
    """A reviewer's signature for a draft: a JWS over its digest."""

    __tablename__ = "sign_off"
    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    token: Mapped[str]
    created: Mapped[str]


class TickRow(Base):
    """A reviewer's tick at a claim of a brief: a JWS over the claim's hash."""

    __tablename__ = "tick"
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    claim: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    token: Mapped[str]
    created: Mapped[str]


class PublisherRow(Base):
    """Whose rule packs the studio takes: a JWS of the studio over the publisher's key."""

    __tablename__ = "publisher"
    key_id: Mapped[str] = mapped_column(primary_key=True)
    statement: Mapped[str]
    log_index: Mapped[int | None] = mapped_column(default=None)


class RulePackRow(Base):
    """An installed rule pack, as its publisher signed it."""

    __tablename__ = "rule_pack"
    name: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str]
    key_id: Mapped[str] = mapped_column(ForeignKey("publisher.key_id"))
    log_index: Mapped[int]


class FinalRow(Base):
    """What a subject who kept the last word said of a draft; a token over the draft's digest."""

    __tablename__ = "final"
    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    token: Mapped[str]
    created: Mapped[str]


class PreviewRow(Base):
    """A sealed sheet of a draft, in the previews folder."""

    __tablename__ = "preview"
    asset_id: Mapped[str] = mapped_column(primary_key=True)
    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id"), index=True)
    name: Mapped[str]
    sha256: Mapped[str]
    log_index: Mapped[int]
    created: Mapped[str]


class ReleaseRow(Base):
    """A sealed file that left; `state` is sealing or released."""

    __tablename__ = "release"
    asset_id: Mapped[str] = mapped_column(primary_key=True)
    draft_id: Mapped[str] = mapped_column(ForeignKey("draft.id"), unique=True)
    state: Mapped[str]
    created: Mapped[str]
    name: Mapped[str | None] = mapped_column(default=None)
    sha256: Mapped[str | None] = mapped_column(default=None)
    fingerprint: Mapped[str | None] = mapped_column(default=None)
    log_index: Mapped[int | None] = mapped_column(default=None)
    receipts: Mapped[list[str]] = mapped_column(default_factory=list)


class SightingRow(Base):
    """A copy of a release that was found somewhere."""

    __tablename__ = "sighting"
    asset_id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    seen: Mapped[str]
