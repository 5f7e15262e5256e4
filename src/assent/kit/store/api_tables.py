"""The tables of what other programs see of the studio: events, tokens, answers, webhooks.

Times are RFC 3339 strings in UTC. No secret is in any of them: of tokens there is a hash, answers
are sealed, and the keys of webhooks lie with the studio's other secrets.
"""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from assent.kit.store.tables import Base

__all__ = ["AnswerRow", "Base", "DeliveryRow", "EventRow", "TokenRow", "WebhookRow"]


class EventRow(Base):
    """Something that happened; `once` keeps the same thing from being told twice."""

    __tablename__ = "event"
    __table_args__ = (Index("event_of", "project_id", "number"), {"sqlite_autoincrement": True})
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    kind: Mapped[str]
    project_id: Mapped[str | None]
    ids: Mapped[dict[str, Any]]
    created: Mapped[str]
    once: Mapped[str | None] = mapped_column(default=None, unique=True)


class TokenRow(Base):
    """A token by which a program acts for an account; the token itself isn't here."""

    __tablename__ = "token"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[str | None] = mapped_column(index=True)
    scopes: Mapped[list[str]]
    projects: Mapped[dict[str, Any] | None]
    created: Mapped[str]
    expires: Mapped[str]
    revoked: Mapped[str | None] = mapped_column(default=None)
    used: Mapped[str | None] = mapped_column(default=None)


class AnswerRow(Base):
    """What was answered to a request with an idempotency key; sealed, and gone once it `expires`.

    While `answer` is missing the request is being done, by whoever has it until `leased`.
    """

    __tablename__ = "answer"
    owner: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str]
    operation: Mapped[str]
    leased: Mapped[str]
    lease: Mapped[str]
    expires: Mapped[str] = mapped_column(index=True)
    answer: Mapped[str | None] = mapped_column(default=None)


class WebhookRow(Base):
    """An address that is told of events; `state` is active, paused or disabled.

    `heard` is the number of the last event that was looked at for it.
    """

    __tablename__ = "webhook"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    account_id: Mapped[str | None]
    url: Mapped[str]
    own: Mapped[bool]
    kinds: Mapped[list[str]]
    projects: Mapped[dict[str, Any] | None]
    state: Mapped[str]
    created: Mapped[str]
    heard: Mapped[int]
    reason: Mapped[str | None] = mapped_column(default=None)
    failing_since: Mapped[str | None] = mapped_column(default=None)


class DeliveryRow(Base):
    """An event on its way to an address; `state` is waiting, delivered or given-up."""

    __tablename__ = "delivery"
    __table_args__ = (Index("delivery_due", "state", "due"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    event: Mapped[int]
    state: Mapped[str]
    due: Mapped[str]
    created: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    status: Mapped[int | None] = mapped_column(default=None)
    problem: Mapped[str | None] = mapped_column(default=None)
