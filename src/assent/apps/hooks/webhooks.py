"""Webhooks: which addresses are told of what, with which key; the keys lie sealed in `keys/`.

A webhook hears of no more than whoever made it may see, at the time that an event is sent. A new
key takes the old one's place after an overlap, in which messages carry both signatures.
"""

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select

from assent.apps.access.permissions import Action
from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotFoundError
from assent.kit.fetch.urls import check_url
from assent.kit.store.api_tables import DeliveryRow, WebhookRow
from assent.kit.store.events import KINDS, last_event
from assent.kit.store.studio import Studio
from assent.kit.webhook import new_key

__all__ = [
    "OVERLAP",
    "SEES",
    "Webhook",
    "add_webhook",
    "change_webhook",
    "find_webhook",
    "keys_of",
    "list_webhooks",
    "remove_webhook",
    "renew_key",
    "webhook_of",
]

OVERLAP = timedelta(hours=24)
_MOST = 50

SEES: Mapping[str, Action] = {
    "job.ended": Action.READ_JOBS,
    "consent.given": Action.READ_PEOPLE,
    "consent.declined": Action.READ_PEOPLE,
    "consent.withdrawn": Action.READ_PEOPLE,
    "consent.expiring": Action.READ_PEOPLE,
    "consent.expired": Action.READ_PEOPLE,
    "release.made": Action.READ_RELEASES,
    "case.opened": Action.READ_CASES,
    "case.changed": Action.READ_CASES,
    "sighting.found": Action.READ_MONITOR,
    "webhook.disabled": Action.WEBHOOKS,
}
"""What one must be allowed to read to be told of a kind of event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that is told of events; `projects` are ids, None for all that its owner sees."""

    id: str
    owner: str
    account_id: str | None
    url: str
    own: bool
    kinds: tuple[str, ...]
    projects: tuple[str, ...] | None
    state: str
    reason: str | None
    created: str
    failing_since: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def add_webhook(
    studio: Studio,
    *,
    account_id: str | None,
    url: str,
    kinds: Collection[str],
    projects: Collection[str] | None = None,
    own: bool = False,
    webhook_id: str | None = None,
) -> tuple[Webhook, str]:
    """Let an address be told from now on, and return its key, which is told this once.

    `own` says that the studio's owner named the address at the studio's machine: it may then lie
    in a private network. Raises `InputError` for an address or a kind that is none, or too many.
    """
    check_url(url)
    _check_kinds(kinds)
    owner = account_id or "holder"
    wanted = webhook_id or uuid.uuid4().hex
    with studio.database.session() as session:
        known = session.get(WebhookRow, wanted)
        if known is None and len(session.scalars(_of(owner)).all()) >= _MOST:
            raise InputError(f"there are {_MOST} webhooks already", advice="Remove one first.")
    key = new_key()
    _put_keys(studio, wanted, [{"key": key, "until": None}])
    if known is not None:
        return webhook_of(known), key
    row = WebhookRow(
        id=wanted,
        owner=owner,
        account_id=account_id,
        url=url,
        own=own,
        kinds=sorted(set(kinds)),
        projects=None if projects is None else {"ids": sorted(set(projects))},
        state="active",
        created=stamp(studio.clock()),
        heard=0,
    )
    with studio.database.session() as session:
        row.heard = last_event(session)
        session.add(row)
    return webhook_of(row), key


def list_webhooks(studio: Studio, owner: str | None = None) -> tuple[Webhook, ...]:
    """Return the webhooks of an owner, or all, oldest first."""
    with studio.database.session() as session:
        return tuple(webhook_of(row) for row in session.scalars(_of(owner)))


def find_webhook(studio: Studio, webhook_id: str, *, owner: str | None = None) -> Webhook:
    """Return a webhook, of that owner if one is named; raises `NotFoundError`."""
    with studio.database.session() as session:
        row = session.get(WebhookRow, webhook_id)
    if row is None or (owner is not None and row.owner != owner):
        raise NotFoundError(f"there is no webhook '{webhook_id}'", advice=_SEE)
    return webhook_of(row)


_SEE = "See `assent webhook list`."


def change_webhook(
    studio: Studio,
    webhook_id: str,
    *,
    kinds: Collection[str] | None = None,
    active: bool | None = None,
) -> Webhook:
    """Change what a webhook is told of, pause it, or let a disabled one go on from now."""
    if kinds is not None:
        _check_kinds(kinds)
    with studio.database.session() as session:
        row = session.get_one(WebhookRow, webhook_id)
        if kinds is not None:
            row.kinds = sorted(set(kinds))
        if active is not None and active != (row.state == "active"):
            row.state = "active" if active else "paused"
            row.reason = row.failing_since = None
            row.heard = last_event(session)
    return webhook_of(row)


def remove_webhook(studio: Studio, webhook_id: str) -> None:
    """Tell an address nothing any more, and forget its key; again, it changes nothing."""
    with studio.database.session() as session:
        session.execute(delete(DeliveryRow).where(DeliveryRow.webhook_id == webhook_id))
        session.execute(delete(WebhookRow).where(WebhookRow.id == webhook_id))
    studio.secrets.forget(_name(webhook_id))


def renew_key(studio: Studio, webhook_id: str, *, overlap: timedelta = OVERLAP) -> str:
    """Return a new key; for as long as `overlap` messages are signed with the old one, too."""
    now = studio.clock()
    until = stamp(now + overlap)
    kept = [each for each in _read_keys(studio, webhook_id) if _holds(each, stamp(now))]
    key = new_key()
    older = [{"key": each["key"], "until": each["until"] or until} for each in kept[:1]]
    _put_keys(studio, webhook_id, [{"key": key, "until": None}, *older])
    return key


def keys_of(studio: Studio, webhook_id: str) -> tuple[str, ...]:
    """Return the keys that messages are signed with now, the newest first."""
    now = stamp(studio.clock())
    return tuple(str(each["key"]) for each in _read_keys(studio, webhook_id) if _holds(each, now))


def webhook_of(row: WebhookRow) -> Webhook:
    """Return the webhook that `row` stands for."""
    return Webhook(
        id=row.id,
        owner=row.owner,
        account_id=row.account_id,
        url=row.url,
        own=row.own,
        kinds=tuple(row.kinds),
        projects=None if row.projects is None else tuple(row.projects["ids"]),
        state=row.state,
        reason=row.reason,
        created=row.created,
        failing_since=row.failing_since,
    )


def _of(owner: str | None) -> Any:  # noqa: ANN401 - a select
    chosen = select(WebhookRow).order_by(WebhookRow.created, WebhookRow.id)
    return chosen if owner is None else chosen.where(WebhookRow.owner == owner)


def _check_kinds(kinds: Collection[str]) -> None:
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown or not kinds:
        raise InputError(
            f"there is no kind of event '{unknown[0]}'" if unknown else "no kind of event is named",
            advice=f"There are {', '.join(KINDS)}.",
        )


def _name(webhook_id: str) -> str:
    return f"webhook-{webhook_id}"


def _holds(kept: Mapping[str, str | None], now: str) -> bool:
    until = kept["until"]
    return until is None or until > now


def _put_keys(studio: Studio, webhook_id: str, keys: list[dict[str, str | None]]) -> None:
    studio.secrets.put(_name(webhook_id), json.dumps(keys).encode())


def _read_keys(studio: Studio, webhook_id: str) -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = json.loads(studio.secrets.get(_name(webhook_id)))
    return found
