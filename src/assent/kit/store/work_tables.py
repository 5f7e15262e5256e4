"""The tables of work in progress: jobs, what they hold, and uploads.

Nothing in here outlives its use: a studio that loses these rows has to ask for the work again.
"""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from assent.kit.store.tables import Base

__all__ = ["JobClockRow", "JobHoldRow", "JobRow", "UploadRow"]


class JobRow(Base):
    """A piece of work to be done by a worker; see `kit.jobs.job` for what the fields say.

    `changed` is the number of its latest change, `attempt` that of its latest claim: who claimed it
    before can't change it any more. `deaths` counts workers that ended while at it.
    """

    __tablename__ = "job"
    __table_args__ = (Index("job_in_order", "state", "priority", "place"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"), index=True)
    account: Mapped[str | None]
    arguments: Mapped[dict[str, Any]]
    key: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str]
    priority: Mapped[int]
    place: Mapped[float]
    created: Mapped[str]
    changed: Mapped[int] = mapped_column(index=True)
    not_before: Mapped[str | None] = mapped_column(default=None)
    started: Mapped[str | None] = mapped_column(default=None)
    ended: Mapped[str | None] = mapped_column(default=None)
    wish: Mapped[str | None] = mapped_column(default=None)
    worker: Mapped[str | None] = mapped_column(default=None)
    lease: Mapped[str | None] = mapped_column(default=None)
    attempt: Mapped[int] = mapped_column(default=0)
    deaths: Mapped[int] = mapped_column(default=0)
    best: Mapped[float] = mapped_column(default=0.0)
    share: Mapped[float | None] = mapped_column(default=None)
    rate: Mapped[float | None] = mapped_column(default=None)
    seconds_left: Mapped[float | None] = mapped_column(default=None)
    message: Mapped[str] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    error: Mapped[str | None] = mapped_column(default=None)
    advice: Mapped[str | None] = mapped_column(default=None)
    code: Mapped[int | None] = mapped_column(default=None)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)


class JobHoldRow(Base):
    """Something that one running job has to itself: a slot of a device, or what it works on."""

    __tablename__ = "job_hold"
    name: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id"), index=True)


class JobClockRow(Base):
    """One row: the number of the queue's latest change. Who changes the queue locks it first."""

    __tablename__ = "job_clock"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]


class UploadRow(Base):
    """A file on its way into the studio; its bytes lie encrypted beside the vault.

    How far it is, that file tells; its key is one of the studio's secrets.
    """

    __tablename__ = "upload"
    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"), index=True)
    account: Mapped[str | None]
    name: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str | None]
    created: Mapped[str]
    touched: Mapped[str] = mapped_column(index=True)
    job_id: Mapped[str | None] = mapped_column(default=None)
