"""The tables of who may come in: accounts, what they may do, their passkeys and sessions.

No password and no secret is here, only what tells whether one is right.
"""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from assent.kit.store.tables import Base

__all__ = ["AccountPasskeyRow", "AccountRow", "MembershipRow", "SessionRow"]


class AccountRow(Base):
    """Somebody who signs in; `password` is an argon2id hash, `welcome` the hash of a link.

    `disabled` says since when nobody gets in with it.
    """

    __tablename__ = "account"
    id: Mapped[str] = mapped_column(primary_key=True)
    handle: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created: Mapped[str]
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"), default=None)
    password: Mapped[str | None] = mapped_column(default=None)
    welcome: Mapped[str | None] = mapped_column(default=None, unique=True)
    welcome_expires: Mapped[str | None] = mapped_column(default=None)
    disabled: Mapped[str | None] = mapped_column(default=None)


class MembershipRow(Base):
    """A role of an account, in one project or, without one, in the whole studio."""

    __tablename__ = "membership"
    __table_args__ = (Index("membership_of", "account_id"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    role: Mapped[str]
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"), default=None)


class AccountPasskeyRow(Base):
    """A passkey with which an account signs in."""

    __tablename__ = "account_passkey"
    credential_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    document: Mapped[dict[str, Any]]
    created: Mapped[str]


class SessionRow(Base):
    """A browser that is signed in; the id is the hash of its cookie.

    Without an account it is the holder of the link that the studio printed when it began.
    """

    __tablename__ = "session"
    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), index=True)
    csrf: Mapped[str]
    begun: Mapped[str]
    seen: Mapped[str]
    run: Mapped[str | None] = mapped_column(default=None)
    notice: Mapped[str | None] = mapped_column(default=None)
