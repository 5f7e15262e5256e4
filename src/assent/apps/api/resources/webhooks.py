"""Webhooks: which addresses are told of what happens; a key is told once."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field, StringConstraints
from sqlalchemy import select

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, Call, Where, delete, get, patch, post
from assent.apps.api.paging import Cursor, Limit, page_of
from assent.apps.api.problems import PermitError
from assent.apps.api.shapes import Id, Received, Told, example
from assent.apps.hooks.webhooks import (
    OVERLAP,
    SEES,
    Webhook,
    add_webhook,
    change_webhook,
    find_webhook,
    list_webhooks,
    remove_webhook,
    renew_key,
)
from assent.kit.errors import NotFoundError
from assent.kit.store.api_tables import DeliveryRow
from assent.kit.store.events import Kind
from assent.purpose.projects import look_up

__all__ = ["OPERATIONS"]

Url = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=2000)]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=20)]


class NewWebhook(Received):
    """An address on the internet, and what it is told of; `projects` are names or ids."""

    model_config = example(
        url="https://hooks.example.org/assent", kinds=["release.made", "consent.withdrawn"]
    )
    url: Url
    kinds: Kinds
    projects: list[Annotated[str, StringConstraints(min_length=1, max_length=60)]] | None = Field(
        default=None, min_length=1, max_length=200
    )


class WebhookChange(Received):
    """What is to be changed: the kinds of events, or whether it is told at all."""

    model_config = example(active=False)
    kinds: Kinds | None = None
    active: bool | None = Field(default=None, strict=True)


class WebhookTold(Told):
    """An address that is told; `state` is active, paused or disabled, with the `reason`."""

    id: str
    url: str
    kinds: list[str]
    projects: list[str] | None
    state: str
    reason: str | None
    failing_since: str | None
    created: str


class WebhookMade(WebhookTold):
    """A webhook, and the key that its messages are signed with: told this once."""

    key: str


class KeyMade(Told):
    """A new key; the old one is used besides for a while."""

    key: str
    overlap_hours: int


class Webhooks(Told):
    """The webhooks of the account."""

    items: list[WebhookTold]


class DeliveryTold(Told):
    """A message: the event that it tells of, and whether it arrived."""

    id: str
    event: int
    state: str
    attempts: int
    status: int | None
    problem: str | None
    due: str


class Deliveries(Told):
    """A page of messages, oldest first."""

    items: list[DeliveryTold]
    next: str | None


def add_hook(call: Asked, new: NewWebhook) -> WebhookMade:
    """Let an address be told of events, from now on. The key is in the answer, and nowhere else."""
    projects = _projects(call, new.projects)
    for kind in new.kinds:
        _require_sight(call, kind, projects)
    made, key = add_webhook(
        call.studio,
        account_id=call.who.account_id,
        url=new.url,
        kinds=new.kinds,
        projects=projects,
        webhook_id=call.operation,
    )
    return WebhookMade(key=key, **_told(made).model_dump())


def list_hooks(call: Asked) -> Webhooks:
    """The webhooks of the token's account."""
    found = list_webhooks(call.studio, call.owner)
    return Webhooks(items=[_told(each) for each in found if _is_within(call, each)])


def show_hook(call: Asked, webhook: Id) -> WebhookTold:
    """A webhook, and whether its address takes what it is told."""
    return _told(_found(call, webhook))


def change_hook(call: Asked, webhook: Id, change: WebhookChange) -> WebhookTold:
    """Change what an address is told of, pause it, or let a disabled one go on."""
    found = _found(call, webhook)
    for kind in change.kinds or ():
        _require_sight(call, kind, found.projects)
    changed = change_webhook(call.studio, found.id, kinds=change.kinds, active=change.active)
    return _told(changed)


def remove_hook(call: Asked, webhook: Id) -> None:
    """Tell an address nothing any more, and forget its key."""
    remove_webhook(call.studio, _found(call, webhook).id)


def renew_hook_key(call: Asked, webhook: Id) -> KeyMade:
    """Give a webhook a new key; for a day messages are signed with the old one, too."""
    key = renew_key(call.studio, _found(call, webhook).id)
    return KeyMade(key=key, overlap_hours=int(OVERLAP.total_seconds()) // 3600)


def list_deliveries(
    call: Asked,
    webhook: Id,
    state: Annotated[
        Literal["waiting", "delivered", "given-up"] | None, Query(description="Only these.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Deliveries:
    """The messages to an address within the last month, and how each fared."""
    chosen = select(DeliveryRow).where(DeliveryRow.webhook_id == _found(call, webhook).id)
    if state is not None:
        chosen = chosen.where(DeliveryRow.state == state)
    order = (DeliveryRow.created, DeliveryRow.id)
    rows, more = page_of(
        call.studio.database, chosen, order, kind="deliveries", cursor=cursor, limit=limit
    )
    return Deliveries(
        items=[
            DeliveryTold(
                id=row.id,
                event=row.event,
                state=row.state,
                attempts=row.attempts,
                status=row.status,
                problem=row.problem,
                due=row.due,
            )
            for row in rows
        ],
        next=more,
    )


def _projects(call: Call, named: list[str] | None) -> tuple[str, ...] | None:
    """Return the ids of the projects that a webhook is about: no more than the token's."""
    if named is None:
        return call.token.projects
    ids = []
    for name in named:
        project = look_up(call.studio, name)
        if not call.who.roles_in(project.id):
            raise NotFoundError(f"no project '{name}'", advice="See `assent project list`.")
        ids.append(project.id)
    return tuple(ids)


def _require_sight(call: Call, kind: str, projects: tuple[str, ...] | None) -> None:
    action = SEES[kind]
    if not all(call.may_in(action, each) for each in (projects or (None,))):
        raise PermitError(f"to be told of '{kind}' takes the scope '{action.value}'")


def _found(call: Call, webhook_id: str) -> Webhook:
    found = find_webhook(call.studio, webhook_id, owner=call.owner)
    if not _is_within(call, found):
        raise NotFoundError(
            f"there is no webhook '{webhook_id}'", advice="See `assent webhook list`."
        )
    return found


def _is_within(call: Call, webhook: Webhook) -> bool:
    """Tell whether a webhook is of the token's projects alone: one of others is as good as none."""
    mine = call.token.projects
    return mine is None or (webhook.projects is not None and set(webhook.projects) <= set(mine))


def _told(webhook: Webhook) -> WebhookTold:
    return WebhookTold(
        id=webhook.id,
        url=webhook.url,
        kinds=list(webhook.kinds),
        projects=None if webhook.projects is None else list(webhook.projects),
        state=webhook.state,
        reason=webhook.reason,
        failing_since=webhook.failing_since,
        created=webhook.created,
    )


_W = "/webhooks/{webhook}"
_ANY = Where.ANY
OPERATIONS = (
    get("/webhooks", list_hooks, Action.WEBHOOKS, where=_ANY, tags=["webhooks"]),
    post("/webhooks", add_hook, Action.WEBHOOKS, where=_ANY, tags=["webhooks"]),
    get(_W, show_hook, Action.WEBHOOKS, where=_ANY, tags=["webhooks"]),
    patch(_W, change_hook, Action.WEBHOOKS, where=_ANY, tags=["webhooks"]),
    delete(_W, remove_hook, Action.WEBHOOKS, where=_ANY, tags=["webhooks"]),
    post(f"{_W}/key", renew_hook_key, Action.WEBHOOKS, where=_ANY, tags=["webhooks"]),
    get(f"{_W}/deliveries", list_deliveries, Action.WEBHOOKS, where=_ANY, tags=["webhooks"]),
)
