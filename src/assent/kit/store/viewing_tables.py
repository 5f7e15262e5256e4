"""The table of viewings: who opened what to look at it.

Times are RFC 3339 strings in UTC.
"""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from assent.kit.store.tables import Base

__all__ = ["Base", "ViewingRow"]


class ViewingRow(Base):
    """A viewing of a draft, a clip or a model; `id` is what its pictures are marked with."""

    __tablename__ = "viewing"
    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), index=True)
    kind: Mapped[str]
    of: Mapped[str]
    account: Mapped[str]
    salt: Mapped[str]
    created: Mapped[str]
    log_index: Mapped[int | None] = mapped_column(default=None)
