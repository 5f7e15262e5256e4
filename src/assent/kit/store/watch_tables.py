"""The tables of the monitor: releases' codes, where is looked, what was found there.

Titles and addresses are those that strangers published; nothing here says who published them.
"""

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assent.kit.store.tables import Base

__all__ = ["CallRow", "CodesRow", "FindRow", "SeenRow", "WatchSourceRow"]


class CodesRow(Base):
    """The codes of a release's pictures and sound; `digest` is of both."""

    __tablename__ = "release_codes"
    asset_id: Mapped[str] = mapped_column(primary_key=True)
    pictures: Mapped[bytes]
    sound: Mapped[bytes]
    digest: Mapped[str]
    seconds: Mapped[float]
    created: Mapped[str]


class WatchSourceRow(Base):
    """A place that is looked at every so many seconds; `state` is what it remembers of itself.

    `channel` and `territory` say what a release would have to be allowed for to be shown there.
    """

    __tablename__ = "watch_source"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    address: Mapped[str]
    channel: Mapped[str]
    territory: Mapped[str]
    settings: Mapped[dict[str, Any]]
    every: Mapped[int]
    created: Mapped[str]
    next: Mapped[str]
    state: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    paused: Mapped[bool] = mapped_column(default=False)
    failures: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None] = mapped_column(default=None)
    looked: Mapped[str | None] = mapped_column(default=None)


class FindRow(Base):
    """Something that a source named; `state` is waiting, looked, refused or failed.

    What failed is tried again at `next`; `version` is what its server called its state.
    """

    __tablename__ = "watch_find"
    __table_args__ = (
        UniqueConstraint("source_id", "address"),
        Index("find_due", "state", "next"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("watch_source.id", ondelete="CASCADE"))
    address: Mapped[str]
    state: Mapped[str]
    context: Mapped[dict[str, Any]]
    created: Mapped[str]
    next: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    version: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    sha256: Mapped[str | None] = mapped_column(default=None)
    problem: Mapped[str | None] = mapped_column(default=None)
    looked: Mapped[str | None] = mapped_column(default=None)


class CallRow(Base):
    """A call of a platform that was taken, by its signature, as long as it could come again."""

    __tablename__ = "watch_call"
    source_id: Mapped[str] = mapped_column(
        ForeignKey("watch_source.id", ondelete="CASCADE"), primary_key=True
    )
    signature: Mapped[str] = mapped_column(primary_key=True)
    taken: Mapped[str] = mapped_column(index=True)


class SeenRow(Base):
    """What is known of a copy that was seen: which part, what is left, how it stands.

    `standing` is allowed, own, scope, ended, unlabelled or unsure; `label` is seen, partly,
    missing or unknown. `reach` is how many views its place tells, if it does.
    """

    __tablename__ = "seen"
    __table_args__ = (Index("seen_by_standing", "standing", "first"),)
    asset_id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    project_id: Mapped[str | None]
    first: Mapped[str]
    last: Mapped[str]
    sha256: Mapped[str]
    standing: Mapped[str]
    reasons: Mapped[list[str]]
    verdict: Mapped[str]
    label: Mapped[str]
    layers: Mapped[dict[str, Any]]
    parts: Mapped[dict[str, Any]]
    context: Mapped[dict[str, Any]]
    confirmed: Mapped[bool]
    reach: Mapped[int | None] = mapped_column(default=None)
    case_number: Mapped[str | None] = mapped_column(default=None)
    told: Mapped[str | None] = mapped_column(default=None)
