"""The sources that a studio has looked at: kept in its database, secrets in its secret store."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotFoundError
from assent.kit.fetch.urls import is_url
from assent.kit.store.studio import Studio
from assent.kit.store.watch_tables import WatchSourceRow

__all__ = [
    "KINDS",
    "SHORTEST_WAIT",
    "Source",
    "add_source",
    "due",
    "find_source",
    "list_sources",
    "note_look",
    "remove_source",
    "secret_name",
    "set_paused",
]

KINDS = {
    "folder": "a folder on this machine, or one that is mounted",
    "feed": "an RSS or Atom feed",
    "sitemap": "a sitemap, or an index of sitemaps",
    "list": "a list of addresses: a text file here or at an address",
    "mail": "an e-mail box to which people forward addresses (IMAP)",
    "webhook": "a platform that calls the studio, signed",
    "site": "a page of a platform, by yt-dlp, where its user may download",
    "adapter": "an installed adapter of your own",
}
"""What a source may be, in words."""

_NAMED_SECRETS = frozenset({"mail", "webhook"})
_ON_THE_WEB = frozenset({"feed", "sitemap", "site"})
SHORTEST_WAIT = timedelta(minutes=5)
"""How often a source may be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place that is looked at.

    Attributes:
        id, name: its own.
        kind: one of `KINDS`.
        address: where it is: a folder, a URL, `imaps://user@host/box`, or an adapter's name.
        channel, territory: what a release must be allowed for to be shown there; empty means that
            nobody has agreed to anything there.
        settings: of its kind. `own` says that the host is the studio's; `permission` is what gives
            the user the right to download from a site.
        every: seconds from one look to the next.
        next: when it is due.
        paused: whether it waits for somebody to let it go on.
        failures, problem: looks that failed one after the other, and the last one's reason.
        looked: when it was last looked at.
        state: what it remembers from one look to the next.
    """

    id: str
    name: str
    kind: str
    address: str
    channel: str
    territory: str
    settings: Mapping[str, Any]
    every: int
    next: str
    paused: bool
    failures: int
    problem: str | None
    looked: str | None
    state: Mapping[str, Any]

    def owns(self, url: str) -> bool:
        """Tell whether an address is on the host that the owner named as their own.

        What a feed says may lead anywhere; only of a list on this machine did the owner write every
        line.
        """
        if not self.settings.get("own"):
            return False
        if self.kind == "list" and not is_url(self.address):
            return True
        return _origin(url) == _origin(self.address)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, without what it remembers."""
        return {
            name: getattr(self, name)
            for name in self.__slots__
            if name not in ("state", "settings")
        } | {"settings": dict(self.settings)}


def add_source(
    studio: Studio,
    *,
    name: str,
    kind: str,
    address: str,
    channel: str = "",
    territory: str = "",
    every: timedelta = timedelta(hours=6),
    settings: Mapping[str, Any] | None = None,
    secret: bytes | None = None,
) -> Source:
    """Keep a new source; `secret` is a mail box's password or what a platform signs with.

    Raises `InputError` for a name that is taken and for what makes no source.
    """
    settings = dict(settings or {})
    _check(name, kind, address, settings, secret)
    if every < SHORTEST_WAIT:
        raise InputError("a source can't be looked at more often than every 5 minutes")
    now = stamp(studio.clock())
    row = WatchSourceRow(
        id=uuid.uuid4().hex,
        name=name,
        kind=kind,
        address=address,
        channel=channel.strip(),
        territory=territory.strip(),
        settings=settings,
        every=round(every.total_seconds()),
        created=now,
        next=now,
    )
    with studio.database.session() as session:
        if session.scalar(select(WatchSourceRow).where(WatchSourceRow.name == name)):
            raise InputError(f"there is a source {name} already", advice="Choose another name.")
        session.add(row)
    if secret is not None:
        studio.secrets.put(secret_name(row.id), secret)
    return _source(row)


def _check(
    name: str, kind: str, address: str, settings: Mapping[str, Any], secret: bytes | None
) -> None:
    if not name or len(name) > 60 or not name.isprintable():
        raise InputError("a source needs a name of up to 60 characters")
    if kind not in KINDS:
        raise InputError(
            f"there is no kind of source {kind!r}", advice=f"One of {', '.join(KINDS)}."
        )
    if kind in _ON_THE_WEB and not is_url(address):
        raise InputError(f"a {kind} is at an address that begins with http:// or https://")
    if kind == "mail" and not address.startswith("imaps://"):
        raise InputError("a mail box is at imaps://user@host/box", advice="Only encrypted ones.")
    if kind in _NAMED_SECRETS and not secret:
        raise InputError(f"a {kind} needs its secret", advice="Give a file with --secret-file.")
    if kind == "site" and not str(settings.get("permission", "")).strip():
        raise InputError(
            "nobody said what gives the right to download there",
            advice="Give it in your own words with --permission: your own account, say.",
        )


def list_sources(studio: Studio) -> tuple[Source, ...]:
    """Return the sources by name."""
    with studio.database.session() as session:
        rows = session.scalars(select(WatchSourceRow).order_by(WatchSourceRow.name)).all()
    return tuple(_source(row) for row in rows)


def find_source(studio: Studio, name: str) -> Source:
    """Return the source of a name or id, or raise `NotFoundError`."""
    for source in list_sources(studio):
        if name in (source.name, source.id):
            return source
    raise NotFoundError(
        f"there is no source {name[:60]!r}", advice="See `assent monitor source list`."
    )


def remove_source(studio: Studio, name: str) -> None:
    """Look there no longer; what was seen there stays known."""
    source = find_source(studio, name)
    with studio.database.session() as session:
        session.delete(session.get_one(WatchSourceRow, source.id))
    if secret_name(source.id) in studio.secrets.names():
        studio.secrets.forget(secret_name(source.id))


def set_paused(studio: Studio, name: str, *, paused: bool) -> Source:
    """Let a source wait, or go on at once."""
    source = find_source(studio, name)
    with studio.database.session() as session:
        row = session.get_one(WatchSourceRow, source.id)
        row.paused = paused
        if not paused:
            row.next = stamp(studio.clock())
        return _source(row)


def due(studio: Studio, now: datetime, names: Sequence[str] = ()) -> tuple[Source, ...]:
    """Return the sources to look at now: those named, or those whose time has come."""
    if names:
        return tuple(find_source(studio, name) for name in names)
    moment = stamp(now)
    return tuple(s for s in list_sources(studio) if not s.paused and s.next <= moment)


def note_look(
    studio: Studio, source: Source, *, problem: str | None, state: Mapping[str, Any]
) -> None:
    """Keep how a look went; after failures the next one waits longer, up to a day."""
    now = studio.clock()
    with studio.database.session() as session:
        row = session.get_one(WatchSourceRow, source.id)
        row.failures = row.failures + 1 if problem else 0
        row.problem, row.looked, row.state = problem, stamp(now), dict(state)
        wait = timedelta(seconds=row.every)
        if problem:
            wait = min(max(wait, timedelta(days=1)), wait * 2 ** min(row.failures, 8))
        row.next = stamp(now + wait)


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError("the address can't be read", advice="Copy it again.") from error
    return parts.scheme.lower(), parts.netloc.lower()


def secret_name(source_id: str) -> str:
    """Return under which name the studio's secret store has a source's secret."""
    return f"watch.{source_id}"


def _source(row: WatchSourceRow) -> Source:
    return Source(
        id=row.id,
        name=row.name,
        kind=row.kind,
        address=row.address,
        channel=row.channel,
        territory=row.territory,
        settings=dict(row.settings),
        every=row.every,
        next=row.next,
        paused=row.paused,
        failures=row.failures,
        problem=row.problem,
        looked=row.looked,
        state=dict(row.state),
    )
