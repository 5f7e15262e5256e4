"""The tables of what was corrected by hand: versions, and which of them holds."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assent.kit.store.tables import Base

__all__ = ["RepairHeadRow", "RepairRow"]


class RepairRow(Base):
    """One version of the repairs of a clip for a model, in the vault; `blob` is None for none."""

    __tablename__ = "repair"
    __table_args__ = (
        UniqueConstraint("footage_id", "model_id", "number"),
        Index("repair_of", "project_id"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    footage_id: Mapped[str] = mapped_column(ForeignKey("footage.id"))
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"))
    number: Mapped[int]
    parent: Mapped[int]
    sha256: Mapped[str]
    created: Mapped[str]
    saved_by: Mapped[str]
    binding: Mapped[str]
    blob: Mapped[str | None] = mapped_column(default=None)


class RepairHeadRow(Base):
    """Which version of the repairs of a clip for a model holds now; 0 is none."""

    __tablename__ = "repair_head"
    footage_id: Mapped[str] = mapped_column(ForeignKey("footage.id"), primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"), primary_key=True)
    number: Mapped[int]
