"""What there is of one person under one consent record: in the vault, and outside of it.

The vault's objects are those whose header names the record's key; it takes no key to read that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from assent.consent.locker import Locker
from assent.kit.canonical import parse_object
from assent.kit.hashing import hash_file
from assent.kit.store.repair_tables import RepairRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import (
    ConsentRow,
    DoubtRow,
    DraftRow,
    ExportRow,
    FaceSetRow,
    FootageRow,
    ModelRow,
    ReleaseRow,
    SegmentRow,
    SightingRow,
)

__all__ = ["Copy", "Held", "find_previews", "list_copies", "list_objects"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An object of the vault under the record's key, by the SHA-256 of its ciphertext.

    `shared` tells how many other records' keys it takes as well: it closes for them too.
    """

    what: str
    sha256: str
    shared: int

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Something outside the vault that shows the person, or was made from what it held."""

    what: str
    where: str
    sha256: str
    why: str
    """Why it is still there."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def list_objects(studio: Studio, record_id: str) -> tuple[Held, ...]:
    """Return every object of the vault under the record's key, each once."""
    locker = Locker(studio)
    found: dict[str, Held] = {}
    with studio.database.session() as session:
        rows = session.scalars(select(ConsentRow).where(ConsentRow.record_id == record_id)).all()
        for what, blob in _candidates(session, rows[0].project_id, rows[0].person_id):
            owners = locker.owners(blob) if blob is not None and blob not in found else ()
            if blob is not None and record_id in owners:
                found[blob] = Held(what=what, sha256=blob, shared=len(owners) - 1)
    return tuple(sorted(found.values(), key=lambda held: (held.what, held.sha256)))


def _candidates(
    session: Session, project_id: str, person_id: str
) -> Iterator[tuple[str, str | None]]:
    """Yield what a project holds that may show a person: kind and blob."""
    own = select(ConsentRow.enrolment_blob, ConsentRow.statement_blob).where(
        ConsentRow.project_id == project_id, ConsentRow.person_id == person_id
    )
    for enrolment, statement in session.execute(own):
        yield from (("face templates", enrolment), ("recorded statement", statement))
    clips = select(FootageRow.blob, FootageRow.tracks_blob).where(
        FootageRow.project_id == project_id
    )
    for blob, tracks in session.execute(clips):
        yield from (("footage", blob), ("tracks", tracks))
    sets = (
        select(FaceSetRow.blob)
        .join(FootageRow, FootageRow.id == FaceSetRow.footage_id)
        .where(FootageRow.project_id == project_id, FaceSetRow.person_id == person_id)
    )
    for blob in session.scalars(sets):
        yield "face set", blob
    doubts = select(DoubtRow.sheet_blob).where(DoubtRow.project_id == project_id)
    yield from (("faces in doubt", sheet) for sheet in session.scalars(doubts))
    # Others may be in the frame of a draft than the two whose model it is.
    yield from _made_from(session, ModelRow.project_id == project_id)


def _made_from(session: Session, models: ColumnElement[bool]) -> Iterator[tuple[str, str | None]]:
    """Yield what was made with the models: kind and blob."""
    for row in session.scalars(select(ModelRow).where(models)):
        yield from (
            ("checkpoint", row.checkpoint_blob),
            ("model", row.model_blob),
            ("preview of a model", row.sheet_blob),
        )
    drafts = select(DraftRow.model_blob).join(ModelRow, ModelRow.id == DraftRow.model_id)
    for blob in session.scalars(drafts.where(models)):
        yield "model", blob
    segments = (
        select(SegmentRow.blob)
        .join(DraftRow, DraftRow.id == SegmentRow.draft_id)
        .join(ModelRow, ModelRow.id == DraftRow.model_id)
        .where(models)
    )
    for blob in session.scalars(segments):
        yield "draft", blob
    repairs = select(RepairRow.blob).join(ModelRow, ModelRow.id == RepairRow.model_id)
    yield from (("repairs", document) for document in session.scalars(repairs.where(models)))


def list_copies(studio: Studio, receipts: frozenset[str]) -> tuple[Copy, ...]:
    """Return what is outside the vault and rests on any of these receipts: releases and sightings.

    Backups are named too: they hold everything, but no key.
    """
    copies = []
    with studio.database.session() as session:
        for row in session.scalars(select(ReleaseRow).order_by(ReleaseRow.created)):
            if row.state == "released" and receipts & set(row.receipts):
                copies.append(_release(row))
                sightings = select(SightingRow).where(SightingRow.asset_id == row.asset_id)
                copies += [_sighting(each) for each in session.scalars(sightings)]
        exports = session.scalars(select(ExportRow).order_by(ExportRow.created)).all()
    return (*copies, *(_export(row) for row in exports))


def _release(row: ReleaseRow) -> Copy:
    return Copy(
        what=f"release {row.asset_id}",
        where=f"releases/{row.name}",
        sha256=str(row.sha256),
        why="published; it can't be called back, but whoever verifies it is told",
    )


def _sighting(row: SightingRow) -> Copy:
    return Copy(
        what=f"sighting of {row.asset_id}",
        where=row.place,
        sha256=row.sha256,
        why=f"seen on {row.seen[:10]}; ask for it to be taken down",
    )


def _export(row: ExportRow) -> Copy:
    kept = "its escrow copy is destroyed too" if row.escrow else "it never held one"
    return Copy(
        what="backup",
        where=row.place,
        sha256=row.sha256,
        why=f"made on {row.created[:10]}; ciphertext without a usable key: {kept}",
    )


def find_previews(studio: Studio, receipts: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return name and SHA-256 of each sheet in the previews folder that rests on a receipt."""
    names = studio.disk.names(studio.previews_folder)
    if not names:
        return ()
    resting = set()
    for _, entry in studio.log.reader().entries():
        fields = parse_object(entry, name="a log entry")
        named = fields.get("receipts")
        if fields.get("media") == "still" and isinstance(named, list) and receipts & set(named):
            resting.add(str(fields.get("sha256")))
    found = []
    for name in names:
        file = studio.disk.reader(studio.previews_folder / name)
        if file is not None:
            with file:
                digest = hash_file(file)
            if digest in resting:
                found.append((name, digest))
    return tuple(found)
