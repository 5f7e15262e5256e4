"""The tables of cases: what was reported, what runs, what was done, and how releases stand.

What a reporter wrote lies in columns named `sealed`, encrypted under the case's own key (`key`,
itself wrapped): once that is gone, nobody reads them.
"""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assent.kit.store.tables import Base

__all__ = [
    "ActRow",
    "CaseEventRow",
    "CaseMailRow",
    "CaseMarkRow",
    "CaseRow",
    "EvidenceRow",
    "HoldRow",
    "StandingRow",
]


class StandingRow(Base):
    """How a release stands: good, suspended, corrected, taken-down or revoked; its place in a list.

    `entered` says how many of its changes the log knows of.
    """

    __tablename__ = "standing"
    __table_args__ = (UniqueConstraint("status_list", "status_index"),)
    asset_id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    changed: Mapped[str]
    status_list: Mapped[int]
    status_index: Mapped[int]
    successor: Mapped[str | None] = mapped_column(default=None)
    file: Mapped[str | None] = mapped_column(default=None)
    told: Mapped[bool] = mapped_column(default=True)


class HoldRow(Base):
    """Work on a project that a case has stopped."""

    __tablename__ = "hold"
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    case_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    created: Mapped[str]


class CaseRow(Base):
    """A report and its clock; `state` is open, decided, complaint or closed.

    With `lead_id` it was joined to another case, whose state and clock count; `complained` is when
    its own reporter did, `reopened` when the first of all of them did.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("case_by_state", "state", "due"),
        Index("case_by_age", "opened"),
        Index("case_by_reporter", "reporter", "opened"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    pin_hash: Mapped[str]
    kind: Mapped[str]
    channel: Mapped[str]
    language: Mapped[str]
    severity: Mapped[int]
    state: Mapped[str]
    opened: Mapped[str]
    salt: Mapped[str]
    key: Mapped[str | None]
    sealed: Mapped[str | None]
    due: Mapped[str | None] = mapped_column(default=None)
    asset_id: Mapped[str | None] = mapped_column(default=None, index=True)
    project_id: Mapped[str | None] = mapped_column(default=None, index=True)
    lead_id: Mapped[str | None] = mapped_column(default=None, index=True)
    reporter: Mapped[str | None] = mapped_column(default=None)
    set_aside: Mapped[bool] = mapped_column(default=False)
    tries: Mapped[int] = mapped_column(default=0)
    tried: Mapped[str | None] = mapped_column(default=None)
    locked_until: Mapped[str | None] = mapped_column(default=None)
    log_index: Mapped[int | None] = mapped_column(default=None, index=True)
    decided: Mapped[str | None] = mapped_column(default=None)
    decided_by: Mapped[str | None] = mapped_column(default=None)
    outcome: Mapped[str | None] = mapped_column(default=None)
    statement: Mapped[str | None] = mapped_column(default=None)
    decision_index: Mapped[int | None] = mapped_column(default=None)
    complained: Mapped[str | None] = mapped_column(default=None)
    reopened: Mapped[str | None] = mapped_column(default=None)
    closed: Mapped[str | None] = mapped_column(default=None)
    keep_until: Mapped[str | None] = mapped_column(default=None)
    preserved: Mapped[bool] = mapped_column(default=False)
    retrospective: Mapped[str | None] = mapped_column(default=None)


class CaseMarkRow(Base):
    """By what a case is recognised as one of another: keyed hashes of file, place and release."""

    __tablename__ = "case_mark"
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    mark: Mapped[str] = mapped_column(primary_key=True, index=True)


class CaseEventRow(Base):
    """Something that happened in a case, in order; `sealed` is in words, for who may read them."""

    __tablename__ = "case_event"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    time: Mapped[str]
    kind: Mapped[str]
    by: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)
    sealed: Mapped[str | None] = mapped_column(default=None)


class EvidenceRow(Base):
    """Bytes that were frozen for a case; encrypted, in a file of that id, until `destroyed`."""

    __tablename__ = "evidence"
    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    created: Mapped[str]
    by: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    sealed: Mapped[str | None]
    destroyed: Mapped[str | None] = mapped_column(default=None)


class ActRow(Base):
    """An act of a case; `state` is proposed, done or undone. `approvals` are signatures.

    What was written for it, such as to whom and in which words, is `sealed`.
    """

    __tablename__ = "act"
    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    act: Mapped[str]
    state: Mapped[str]
    created: Mapped[str]
    by: Mapped[str]
    sealed: Mapped[str]
    approvals: Mapped[list[str]] = mapped_column(default_factory=list)
    done: Mapped[str | None] = mapped_column(default=None)
    undone: Mapped[str | None] = mapped_column(default=None)
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)
    log_index: Mapped[int | None] = mapped_column(default=None)


class CaseMailRow(Base):
    """A message that waits to be sent, or was; `state` is waiting, sent or given-up."""

    __tablename__ = "case_mail"
    id: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    purpose: Mapped[str]
    state: Mapped[str]
    created: Mapped[str]
    next_try: Mapped[str]
    sealed: Mapped[str | None]
    recipient: Mapped[str] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    sent: Mapped[str | None] = mapped_column(default=None)
    problem: Mapped[str | None] = mapped_column(default=None)
