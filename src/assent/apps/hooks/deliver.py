"""Telling: events become messages to each address that may hear of them, sent until they arrive.

A message is sent at least once, with the same `webhook-id` each time; receivers pass over what they
have seen. One that fails is sent again after ever longer; an address that takes nothing for three
days is told nothing any more, and that is an event, too.

A round ends in time, however many addresses are silent: those that took the last message come
first, all messages to one that doesn't answer wait, and what is left is due in the next round.
"""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from assent.apps.access.accounts import who_is
from assent.apps.access.who import HOLDER, Who
from assent.apps.hooks.webhooks import SEES, Webhook, keys_of, webhook_of
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, NotFoundError
from assent.kit.fetch.exchange import Post
from assent.kit.fetch.fetch import fetch_bytes
from assent.kit.fetch.wire import Fetch, Limits
from assent.kit.store.api_tables import DeliveryRow, EventRow, WebhookRow
from assent.kit.store.events import Event, events_since, note_event
from assent.kit.store.studio import Studio
from assent.kit.webhook import sign_message

__all__ = ["BACK_OFF", "GIVES_UP_AFTER", "TELLING", "deliver", "is_due", "payload_of"]

BACK_OFF = tuple(
    timedelta(seconds=each)
    for each in (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long after each failure a message is sent again."""
GIVES_UP_AFTER = timedelta(days=3)
"""How long an address may take nothing."""
KEPT_FOR = timedelta(days=30)
TELLING = "webhooks"
"""The kind of job that tells what is due."""
_LIMITS = Limits(size=64 << 10, seconds=10.0, silence=5.0, redirects=0)
_MOST_AT_ONCE = 200
_SILENT_FOR = timedelta(minutes=30)
_ROUND_S = 30.0
"""Seconds after which a round begins no further message."""


_WORK = func.coalesce(EventRow.ids["work"].as_string(), "")
_IS_NEWS = or_(EventRow.kind != "job.ended", _WORK != TELLING)
"""That somebody was told is not told: there would be no end of it."""


def is_due(studio: Studio) -> bool:
    """Tell whether there is anything to tell anybody now."""
    now = stamp(studio.clock())
    with studio.database.session() as session:
        behind = (
            select(func.count())
            .select_from(WebhookRow)
            .join(EventRow, EventRow.number > WebhookRow.heard)
            .where(WebhookRow.state == "active", _IS_NEWS)
        )
        waiting = (
            select(func.count())
            .select_from(DeliveryRow)
            .join(WebhookRow, WebhookRow.id == DeliveryRow.webhook_id)
            .where(
                DeliveryRow.state == "waiting",
                DeliveryRow.due <= now,
                WebhookRow.state == "active",
            )
        )
        return bool(session.scalar(behind)) or bool(session.scalar(waiting))


def deliver(
    studio: Studio, *, how: Fetch | None = None, monotonic: Callable[[], float] = time.monotonic
) -> dict[str, int]:
    """Tell every address what is due, and return how many messages arrived and how many didn't.

    After half a minute by `monotonic` no further one is begun; what is left stays due.
    """
    _spread(studio)
    counts = {"delivered": 0, "failed": 0}
    failing: set[str] = set()
    ends = monotonic() + _ROUND_S
    for webhook, row, event in _waiting(studio):
        if monotonic() >= ends:
            break
        # An address that doesn't answer holds nobody else up more than once.
        if webhook.id in failing:
            continue
        try:
            status: int | None = _send(studio, webhook, row, event, how)
            problem = None if 200 <= (status or 0) < 300 else f"it answered {status}"
        except AssentError as error:
            status, problem = None, str(error)
        if problem is None:
            _arrived(studio, row, status)
        else:
            failing.add(webhook.id)
            _failed(studio, row, status, problem)
        counts["delivered" if problem is None else "failed"] += 1
    return counts


def payload_of(event: Event) -> bytes:
    """Return the body of a message: kind, time, and ids."""
    told = {
        "type": event.kind,
        "timestamp": event.created,
        "data": {"event": event.number, "project": event.project_id, **event.ids},
    }
    return json.dumps(told, separators=(",", ":")).encode()


def _spread(studio: Studio) -> None:
    """Make a message of each new event for each address that may hear of it."""
    now = studio.clock()
    with studio.database.session() as session:
        for row in session.scalars(select(WebhookRow).where(WebhookRow.state == "active")):
            who = _owner(studio, row)
            if who is None:
                _disable(session, row, "whoever made it is gone", now)
                continue
            for event in events_since(session, row.heard):
                row.heard = event.number
                if _hears(webhook_of(row), who, event):
                    session.add(_message(row, event, now))
        old = stamp(now - KEPT_FOR)
        for done in session.scalars(select(DeliveryRow).where(DeliveryRow.created < old)):
            session.delete(done)


def _message(row: WebhookRow, event: Event, now: datetime) -> DeliveryRow:
    return DeliveryRow(
        # The same event has the same id for an address, however often it is sent.
        id=f"msg_{event.number}_{row.id[:16]}",
        webhook_id=row.id,
        event=event.number,
        state="waiting",
        due=stamp(now),
        created=stamp(now),
    )


def _owner(studio: Studio, row: WebhookRow) -> Who | None:
    try:
        return HOLDER if row.account_id is None else who_is(studio, row.account_id)
    except NotFoundError:
        return None


def _hears(webhook: Webhook, who: Who, event: Event) -> bool:
    if event.kind not in webhook.kinds or event.ids.get("work") == TELLING:
        return False
    if webhook.projects is not None and event.project_id not in webhook.projects:
        return False
    if event.kind == "webhook.disabled":
        return event.ids.get("owner") == webhook.owner
    return who.may(SEES[event.kind], event.project_id)


def _waiting(studio: Studio) -> list[tuple[Webhook, DeliveryRow, Event]]:
    with studio.database.session() as session:
        rows = session.execute(
            select(WebhookRow, DeliveryRow, EventRow)
            .join(DeliveryRow, DeliveryRow.webhook_id == WebhookRow.id)
            .join(EventRow, EventRow.number == DeliveryRow.event)
            .where(
                WebhookRow.state == "active",
                DeliveryRow.state == "waiting",
                DeliveryRow.due <= stamp(studio.clock()),
            )
            # Who takes what is sent doesn't wait behind who is silent.
            .order_by(WebhookRow.failing_since.is_not(None), DeliveryRow.due, DeliveryRow.event)
            .limit(_MOST_AT_ONCE)
        ).all()
    return [
        (
            webhook_of(hook),
            row,
            Event(
                number=event.number,
                kind=event.kind,
                project_id=event.project_id,
                ids=event.ids,
                created=event.created,
            ),
        )
        for hook, row, event in rows
    ]


def _send(
    studio: Studio, webhook: Webhook, row: DeliveryRow, event: Event, how: Fetch | None
) -> int:
    """Send a message, only where a stranger's address may lead; return the answer's status."""
    body = payload_of(event)
    at = int(studio.clock().timestamp())
    headers = sign_message(body, id=row.id, at=at, keys=keys_of(studio, webhook.id))
    post = Post(body=body, content_type="application/json", headers=tuple(headers.items()))
    chosen = how or Fetch(limits=_LIMITS)
    answer, _ = fetch_bytes(webhook.url, post=post, own=webhook.own, how=chosen)
    return answer.status


def _arrived(studio: Studio, row: DeliveryRow, status: int | None) -> None:
    with studio.database.session() as session:
        kept = session.get(DeliveryRow, row.id)
        if kept is None:
            return
        kept.state, kept.status, kept.problem = "delivered", status, None
        kept.attempts += 1
        session.get_one(WebhookRow, kept.webhook_id).failing_since = None


def _failed(studio: Studio, row: DeliveryRow, status: int | None, problem: str) -> None:
    now = studio.clock()
    with studio.database.session() as session:
        kept = session.get(DeliveryRow, row.id)
        if kept is None:
            return
        kept.status, kept.problem = status, problem[:300]
        kept.attempts += 1
        if kept.attempts > len(BACK_OFF):
            kept.state = "given-up"
        else:
            wait = BACK_OFF[kept.attempts - 1]
            kept.due = stamp(now + wait)
            if status is None:
                _let_wait(session, kept.webhook_id, stamp(now + min(wait, _SILENT_FOR)))
        hook = session.get_one(WebhookRow, kept.webhook_id)
        hook.failing_since = hook.failing_since or stamp(now)
        if status == 410:
            _disable(session, hook, "the address says that it is gone", now)
        elif hook.failing_since <= stamp(now - GIVES_UP_AFTER):
            _disable(session, hook, "it has taken nothing for three days", now)


def _let_wait(session: Session, webhook_id: str, until: str) -> None:
    """Have the messages to an address that doesn't answer wait: each would take as long again."""
    session.execute(
        update(DeliveryRow)
        .where(
            DeliveryRow.webhook_id == webhook_id,
            DeliveryRow.state == "waiting",
            DeliveryRow.due < until,
        )
        .values(due=until)
    )


def _disable(session: Session, hook: WebhookRow, reason: str, now: datetime) -> None:
    hook.state, hook.reason = "disabled", reason
    note_event(
        session, "webhook.disabled", moment=now, ids={"webhook": hook.id, "owner": hook.owner}
    )
