"""What a studio tells the public about a project in its own words."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from assent.kit.store.tables import Base

__all__ = ["PublicWordsRow"]


class PublicWordsRow(Base):
    """A sentence or two about a project's purpose, in one language; names nobody."""

    __tablename__ = "public_words"
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    words: Mapped[str]
    created: Mapped[str]
