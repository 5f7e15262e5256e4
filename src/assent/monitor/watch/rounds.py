"""A round: ask the sources that are due, look at what is waiting, keep what was seen.

    with open_round(studio, polite) as rounds:
        result = rounds.run()

What a source names is kept before any of it is looked at, each as soon as it is done: a round that
was killed goes on where it stopped. What can't be fetched is tried again, later each time, up to a
day; so is what robots.txt or a guard refuses. What is gone, or no media, is left.
"""

import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from assent.kit.clock import stamp
from assent.kit.errors import AssentError, FaultError, InputError, RefusedError, StorageError
from assent.kit.fetch.exchange import Version
from assent.kit.fetch.urls import is_url
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.kit.store.watch_tables import FindRow
from assent.monitor.watch.asking import Asking, ask
from assent.monitor.watch.codes import open_indexes, take_missing
from assent.monitor.watch.finds import Find
from assent.monitor.watch.looking import Looker
from assent.monitor.watch.polite import LeftAloneError, Polite
from assent.monitor.watch.seen import Seen, keep_seen
from assent.monitor.watch.sources import Source, due, list_sources, note_look, secret_name
from assent.verify.apart import Bounds, Lookup
from assent.verify.findings import plain
from assent.verify.public import OWN, PublicLog, open_log
from assent.verify.remote import name_in

__all__ = ["Problem", "Result", "Round", "add_finds", "keep_finds", "open_round"]

_AGAIN = timedelta(minutes=10)
_DAY = timedelta(days=1)
_MOST = 2000  # looked at in one round
_LOCAL = ("folder", "adapter")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that went wrong at a place, in words, and what to do."""

    place: str
    says: str
    advice: str


@dataclass(slots=True, kw_only=True)
class Result:
    """What a round did: how many were named and looked at, what was seen, what went wrong."""

    named: int = 0
    looked: int = 0
    unchanged: int = 0
    seen: list[Seen] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "named": self.named,
            "looked": self.looked,
            "unchanged": self.unchanged,
            "seen": [each.to_json() for each in self.seen],
            "problems": [
                {"place": p.place, "says": p.says, "advice": p.advice} for p in self.problems
            ],
        }


@contextmanager
def open_round(
    studio: Studio,
    polite: Polite,
    *,
    bounds: Bounds | None = None,
    quick: bool = False,
    progress: Progress = nothing,
) -> Iterator["Round"]:
    """Yield a round with its index and its process apart; releases without codes get theirs."""
    take_missing(studio, progress=progress)
    vkey = studio.log_verifier.vkey
    log = open_log(studio.log_folder, vkey=vkey, key_from=OWN)
    lookup = Lookup(
        log=str(studio.log_folder), vkey=vkey, key_from=OWN, detectors=False,
        secret=studio.secrets.get("watermark-secret").hex(),
    )  # fmt: skip
    with (
        open_indexes(studio) as indexes,
        Looker(lookup, indexes, bounds=bounds, quick=quick) as looker,
    ):
        yield Round(studio, polite, looker, log, progress)


class Round:
    """One round over the sources; see `open_round`."""

    def __init__(
        self, studio: Studio, polite: Polite, looker: Looker, log: PublicLog, progress: Progress
    ) -> None:
        self._studio = studio
        self._polite = polite
        self._looker = looker
        self._log = log
        self._progress = progress

    def run(self, names: Sequence[str] = ()) -> Result:
        """Ask the sources that are due, or those named, and look at all that is waiting."""
        result = Result()
        for source in due(self._studio, self._studio.clock(), names):
            self._ask(source, result)
        sources = {source.id: source for source in list_sources(self._studio)}
        waiting = self._waiting()
        for number, row in enumerate(waiting, start=1):
            self._progress("looking", number, len(waiting))
            self._look(row, sources[row.source_id], result)
        return result

    def _ask(self, source: Source, result: Result) -> None:
        name = secret_name(source.id)
        secret = self._studio.secrets.get(name) if name in self._studio.secrets.names() else None
        asking = Asking(polite=self._polite, secret=secret, trust=self._polite.how.trust)
        try:
            asked = ask(source, asking)
        except AssentError as error:
            result.problems.append(_problem(source.name, error))
            note_look(self._studio, source, problem=plain(str(error)), state=source.state)
            return
        result.named += add_finds(self._studio, source, asked.finds)
        note_look(self._studio, source, problem=None, state=asked.state)

    def _waiting(self) -> Sequence[FindRow]:
        now = stamp(self._studio.clock())
        with self._studio.database.session() as session:
            return session.scalars(
                select(FindRow)
                .where(FindRow.state != "gone", FindRow.next <= now)
                # What fails each time comes last, so that it is in nobody's way.
                .order_by(FindRow.tries, FindRow.next, FindRow.created, FindRow.id)
                .limit(_MOST)
            ).all()

    def _look(self, row: FindRow, source: Source, result: Result) -> None:
        find = Find(address=row.address, context=row.context)
        try:
            changes = self._looked(row, find, source, result)
        except StorageError:
            # A full disk is the studio's own trouble: nothing else would fare better.
            raise
        except AssentError as error:
            result.problems.append(_problem(row.address, error))
            changes = self._failed(row, error)
        with self._studio.database.session() as session:
            kept = session.get(FindRow, row.id)
            for name, value in changes.items():
                setattr(kept, name, value)

    def _looked(
        self, row: FindRow, find: Find, source: Source, result: Result
    ) -> Mapping[str, Any]:
        now = self._studio.clock()
        later = {"next": stamp(now + timedelta(seconds=max(source.every, _DAY.total_seconds())))}
        with self._opened(row, find, source) as (path, version):
            if path is None:
                result.unchanged += 1
                return later
            look = self._looker.look(path, name=name_in(find.address) or "file")
        result.looked += 1
        for copy in look.copies:
            ended = self._log.ended.get(copy.asset_id)
            revoked = f"the release was {ended.how}" if ended else None
            seen = keep_seen(self._studio, source, find, look, copy, revoked=revoked)
            result.seen.append(seen)
        return {
            **later, "state": "looked", "tries": 0, "problem": None, "looked": stamp(now),
            "version": version, "sha256": look.findings.get("sha256"),
        }  # fmt: skip

    @contextmanager
    def _opened(
        self, row: FindRow, find: Find, source: Source
    ) -> Iterator[tuple[Path | None, dict[str, Any]]]:
        """Yield a path to the bytes, None if they are those that were looked at before."""
        if not is_url(find.address):
            if source.kind not in _LOCAL:
                raise RefusedError(f"a {source.kind} may name addresses on the web alone")
            with _local(find.address, row.version) as opened:
                yield opened
            return
        known = Version(
            etag=str(row.version.get("etag", "")), modified=str(row.version.get("modified", ""))
        )
        with self._studio.disk.scratch(Path(tempfile.gettempdir())) as file:
            sink: BinaryIO = file
            url = str(find.context.get("media") or find.address)
            answer = self._polite.get(url, sink, own=source.owns(url), newer_than=known)
            if answer is None:
                yield None, {}
                return
            version = {"etag": answer.version.etag, "modified": answer.version.modified}
            # By way of this process, so that the one apart can open it too.
            yield Path(f"/proc/{_own_id()}/fd/{file.fileno()}"), version

    def _failed(self, row: FindRow, error: AssentError) -> Mapping[str, Any]:
        now = self._studio.clock()
        if isinstance(error, LeftAloneError):
            # To wait for a host is no try of what lies there.
            return {"next": stamp(error.until)}
        changes = {"problem": plain(str(error)), "tries": row.tries + 1, "looked": stamp(now)}
        if isinstance(error, FaultError):
            wait = min(_DAY, _AGAIN * 2 ** min(row.tries, 8))
            return {**changes, "state": "failed", "next": stamp(now + wait)}
        if isinstance(error, RefusedError):
            return {**changes, "state": "refused", "next": stamp(now + _DAY)}
        return {**changes, "state": "gone"}


def add_finds(studio: Studio, source: Source, finds: Sequence[Find]) -> int:
    """Keep what a source named, to be looked at; return how many are new."""
    with studio.database.session() as session:
        return keep_finds(session, source, finds, studio.clock())


def keep_finds(session: Session, source: Source, finds: Sequence[Find], now: datetime) -> int:
    """Keep what a source named, within a session; return how many are new."""
    asked = select(FindRow).where(FindRow.source_id == source.id)
    known = {row.address: row for row in session.scalars(asked)}
    new = 0
    for find in finds:
        row = known.get(find.address)
        if row is not None:
            row.context = {**row.context, **find.context}
            continue
        row = FindRow(
            id=uuid.uuid4().hex, source_id=source.id, address=find.address, state="waiting",
            context=dict(find.context), created=stamp(now), next=stamp(now),
        )  # fmt: skip
        session.add(row)
        known[find.address] = row
        new += 1
    return new


@contextmanager
def _local(place: str, known: Mapping[str, Any]) -> Iterator[tuple[Path | None, dict[str, Any]]]:
    path = Path(place)
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"{path.name} is no longer there") from error
    version = {"size": state.st_size, "changed": state.st_mtime_ns}
    yield (None if dict(known) == version else path), version


def _problem(place: str, error: AssentError) -> Problem:
    return Problem(place=plain(place), says=plain(str(error)), advice=plain(error.advice))


def _own_id() -> str:
    return Path("/proc/self").readlink().name
