"""Look at all of the vault: does each object open, does anyone need it, is anything missing?

It decrypts and throws away; nobody sees what is in an object, so nobody is asked. The log notes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from assent.consent.locker import Locker
from assent.consent.retention import REFERENCES
from assent.kit.canonical import canonical, parse_object
from assent.kit.clock import stamp
from assent.kit.progress import Progress, nothing
from assent.kit.store.openings import hash_opening
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, OpeningRow

__all__ = ["Inspection", "inspect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found. Ids of objects are SHA-256 of their ciphertext.

    Attributes:
        open: how many objects open.
        closed: objects whose people have ended their consent: nobody can open them.
        faults: what doesn't open and should, with the reason.
        orphaned: objects that nothing refers to; `assent consent expire` removes them in a day.
        missing: objects that something live refers to and that aren't there.
        keys: records that are live and have no key, and keys of no record.
        openings: openings that the log and the database don't agree on.
    """

    open: int
    closed: tuple[str, ...]
    faults: tuple[tuple[str, str], ...]
    orphaned: tuple[str, ...]
    missing: tuple[str, ...]
    keys: tuple[str, ...]
    openings: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether all is as it should be; what is closed or orphaned is."""
        return not (self.faults or self.missing or self.keys or self.openings)


@dataclass(slots=True)
class _Found:
    open: int = 0
    closed: list[str] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)


def inspect(studio: Studio, *, progress: Progress = nothing) -> Inspection:
    """Open every object of the vault and compare vault, keys, database and log."""
    locker = Locker(studio)
    known, needed = _references(studio)
    blobs = list(locker.ids())
    entry = {"kind": "vault.checked", "objects": len(blobs), "time": stamp(studio.clock())}
    studio.log.append([canonical(entry)])
    found = _Found()
    for done, blob in enumerate(blobs, start=1):
        _look(locker, studio, blob, found)
        progress("opening", done, len(blobs))
    there = set(blobs)
    return Inspection(
        open=found.open,
        closed=tuple(found.closed),
        faults=tuple(found.faults),
        orphaned=tuple(sorted(there - known)),
        missing=tuple(sorted(each for each in needed - there if not _ended(studio, each))),
        keys=tuple(_keys(studio)),
        openings=tuple(_openings(studio)),
    )


def _look(locker: Locker, studio: Studio, blob: str, found: _Found) -> None:
    owners = locker.owners(blob)
    if any(studio.keyring.was_destroyed(owner) for owner in owners):
        found.closed.append(blob)
        return
    problem = locker.test(blob)
    if problem is None:
        found.open += 1
    else:
        found.faults.append((blob, problem))


def _references(studio: Studio) -> tuple[set[str], set[str]]:
    """Return every object that a row names, and those that rows of live records need."""
    with studio.database.session() as session:
        known = {blob for column in REFERENCES for blob in session.scalars(select(column)) if blob}
        live = session.scalars(
            select(ConsentRow.enrolment_blob).where(ConsentRow.state == "live")
        ).all()
    return known, {blob for blob in live if blob}


def _ended(studio: Studio, blob: str) -> bool:
    """Tell whether a record that names the object has ended after all."""
    with studio.database.session() as session:
        record = session.scalar(
            select(ConsentRow.record_id).where(ConsentRow.enrolment_blob == blob)
        )
    return record is not None and studio.keyring.was_destroyed(record)


def _keys(studio: Studio) -> Iterable[str]:
    """Yield what is wrong with the records' keys."""
    with studio.database.session() as session:
        rows = session.execute(select(ConsentRow.record_id, ConsentRow.state)).all()
    records = {record for record, _ in rows}
    live = {record for record, state in rows if state == "live"}
    for record in sorted(live):
        if not studio.keyring.has(record):
            yield f"record {record} is live and has no key"
    for key_id in studio.keyring.ids():
        if key_id not in records and studio.keyring.has(key_id):
            yield f"the key {key_id} is of no record"


def _openings(studio: Studio) -> Iterable[str]:
    """Yield openings of which only the log knows, or of which the details were changed."""
    logged = {}
    for index, entry in studio.log.reader().entries():
        fields = parse_object(entry, name="a log entry")
        if fields.get("kind") == "vault.opened":
            logged[str(fields.get("opening"))] = index
    with studio.database.session() as session:
        rows = session.scalars(select(OpeningRow)).all()
    kept = {row.id for row in rows}
    for opening, index in logged.items():
        if opening not in kept:
            yield f"log entry {index}: what was opened is no longer in the database"
    for row in rows:
        if row.id in logged and hash_opening(row.details, row.salt) != row.id:
            yield f"log entry {logged[row.id]}: what was opened was changed in the database"
