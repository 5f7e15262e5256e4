"""A platform calls: it says what it was sent or what it shows, and signs that with a shared secret.

    POST /api/v1/monitor/calls/NAME
    Assent-Signature: t=1764000000,v1=<hex of HMAC-SHA256 of "1764000000." and the body>

    {"items": [{"url": "https://...", "title": "...", "published": "...", "views": 12}]}

A call that is older than five minutes, or signed otherwise, is refused. The same call again changes
nothing, and is answered as one that named nothing new: a platform may repeat what got no answer.
"""

import hmac
import json
import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import delete

from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.store.studio import Studio
from assent.kit.store.watch_tables import CallRow
from assent.monitor.watch.finds import MOST, Find, is_fetchable, views_of
from assent.monitor.watch.rounds import keep_finds
from assent.monitor.watch.sources import Source, find_source, secret_name
from assent.verify.findings import plain

__all__ = ["LARGEST", "SIGNATURE", "sign_call", "take_call"]

SIGNATURE = "Assent-Signature"
LARGEST = 256 << 10
"""Bytes of a call's body."""
_PATIENCE_S = 300
_SEE = "Sign it with the source's secret, as docs/8-monitor.md says."
_SIGNED = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def sign_call(secret: bytes, body: bytes, *, at: int) -> str:
    """Return the signature of a call made `at` so many seconds since 1970."""
    mac = hmac.new(secret.strip(), b"%d." % at + body, sha256)
    return f"t={at},v1={mac.hexdigest()}"


def take_call(studio: Studio, name: str, body: bytes, *, signature: str) -> int:
    """Keep what a platform names, to be looked at in the next round; return how many are new.

    Raises `NotClearedError` for every call that isn't rightly signed, also for a source that there
    isn't, `InputError` for a body that can't be read.
    """
    source, secret = _known(studio, name)
    if len(body) > LARGEST:
        raise InputError("the call is too large", advice="Name fewer addresses at a time.")
    _check(secret, body, signature, now=int(studio.clock().timestamp()))
    if source is None or source.paused:
        raise NotClearedError("the call isn't signed as it has to be", advice=_SEE)
    finds = _finds(body)
    now = studio.clock()
    with studio.database.session() as session:
        old = stamp(now - 2 * timedelta(seconds=_PATIENCE_S))
        session.execute(delete(CallRow).where(CallRow.taken < old))
        if session.get(CallRow, (source.id, signature)) is not None:
            return 0
        session.add(CallRow(source_id=source.id, signature=signature, taken=stamp(now)))
        return keep_finds(session, source, finds, now)


def _known(studio: Studio, name: str) -> tuple[Source | None, bytes]:
    """Return the source and its secret; a secret that nobody has for one that there isn't."""
    try:
        source = find_source(studio, name)
    except NotFoundError:
        return None, studio.secrets.get("master")
    if source.kind != "webhook":
        return None, studio.secrets.get("master")
    return source, studio.secrets.get(secret_name(source.id))


def _check(secret: bytes, body: bytes, signature: str, *, now: int) -> None:
    found = _SIGNED.fullmatch(signature)
    at = int(found[1]) if found else 0
    if found is None or not hmac.compare_digest(sign_call(secret, body, at=at), signature):
        raise NotClearedError("the call isn't signed as it has to be", advice=_SEE)
    if abs(now - at) > _PATIENCE_S:
        raise NotClearedError("the call is too old", advice="Sign it anew and set your clock.")


def _finds(body: bytes) -> tuple[Find, ...]:
    try:
        items = json.loads(body)["items"]
        return tuple(_find(item) for item in items[:MOST])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError("the call holds no list of items with their addresses") from error


def _find(item: dict[str, Any]) -> Find:
    url = str(item["url"])
    if not is_fetchable(url):
        raise ValueError(url)
    context: dict[str, Any] = {
        name: plain(str(item[name]))[:300]
        for name in ("title", "page", "published")
        if item.get(name)
    }
    views = views_of(item.get("views"))
    if views is not None:
        context["views"] = views
    return Find(address=url, context=context)
