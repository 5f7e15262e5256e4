"""Repairs kept: versions in the vault, under the keys of everyone in the clip and of the donor.

Nothing is overwritten. A version has the one before it as its parent; which version holds is a
pointer that undo and redo move. Whoever saves says which version they changed: if another holds by
then, nothing is saved.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from assent.consent.binding import Bound
from assent.consent.clearance import Clearance
from assent.consent.locker import Locker
from assent.create.repair.document import Repairs, parse_repairs
from assent.data.clips import ClearedClip
from assent.kit.clock import stamp
from assent.kit.errors import ConflictError, InputError, IntegrityError, NotFoundError
from assent.kit.store.repair_tables import RepairHeadRow, RepairRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow
from assent.train.models import TrainedModel

__all__ = [
    "Shot",
    "Version",
    "held",
    "history",
    "keep",
    "read_version",
    "redo",
    "undo",
    "version_by_id",
]

_MOST = 500
"""Versions that are kept of a clip and model, besides those that a draft was rendered with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A clip to be rendered with a model: what repairs are of."""

    project_id: str
    clip: ClearedClip
    model: TrainedModel

    @property
    def id(self) -> str:
        """What it is known by."""
        return f"{self.clip.id}.{self.model.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a shot's repairs; `sha256` is empty where nothing is corrected."""

    id: str | None
    number: int
    parent: int
    sha256: str
    created: str
    saved_by: str
    blob: str | None
    bound: Bound | None


_NOTHING = Version(
    id=None, number=0, parent=0, sha256="", created="", saved_by="", blob=None, bound=None
)


def history(studio: Studio, shot: Shot) -> tuple[Version, ...]:
    """Return all versions of a shot's repairs, oldest first; the first is that of none."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(RepairRow)
            .where(RepairRow.footage_id == shot.clip.id, RepairRow.model_id == shot.model.id)
            .order_by(RepairRow.number)
        ).all()
    return (_NOTHING, *(_version_of(row, shot) for row in rows))


def held(studio: Studio, shot: Shot) -> Version:
    """Return the version that holds."""
    with studio.database.session() as session:
        number = _head(session, shot)
        row = _row(session, shot, number)
    return _NOTHING if row is None else _version_of(row, shot)


def read_version(
    studio: Studio, shot: Shot, version: Version, clearances: Collection[Clearance]
) -> Repairs:
    """Return what a version holds.

    Raises `NotClearedError` unless everyone is cleared under the records that it was saved under,
    `IntegrityError` if it was altered.
    """
    if version.blob is None or version.bound is None:
        return Repairs(clip=shot.clip.sha256)
    locker = Locker(studio)
    locker.hold(version.bound, clearances)
    repairs = parse_repairs(locker.read(version.blob, clearances))
    if repairs.sha256 != version.sha256 or repairs.clip != shot.clip.sha256:
        raise IntegrityError(f"version {version.number} of the repairs is not what was saved")
    return repairs


def version_by_id(studio: Studio, shot: Shot, repair_id: str | None) -> Version:
    """Return the version that a draft was rendered with; raises `NotFoundError`."""
    if repair_id is None:
        return _NOTHING
    with studio.database.session() as session:
        row = session.get(RepairRow, repair_id)
    if row is None or (row.footage_id, row.model_id) != (shot.clip.id, shot.model.id):
        raise NotFoundError("the repairs that this draft was rendered with are gone")
    return _version_of(row, shot)


def keep(
    studio: Studio,
    shot: Shot,
    repairs: Repairs,
    clearances: Collection[Clearance],
    *,
    expected: int,
    saved_by: str = "",
) -> Version:
    """Keep repairs as the version that holds, after version number `expected`.

    Saving what holds already changes nothing. Raises `ConflictError` if another version holds,
    `InputError` if the document is of another clip, `NotClearedError` unless everyone is cleared.
    """
    if repairs.clip != shot.clip.sha256:
        raise InputError(
            f"these repairs are of another clip than {shot.clip.name}",
            advice="Repairs are of one clip; its hash stands in them.",
        )
    before = held(studio, shot)
    _expect(before.number, expected)
    if repairs.sha256 == before.sha256:
        return before
    locker = Locker(studio)
    row = RepairRow(
        id=secrets.token_hex(16),
        project_id=shot.project_id,
        footage_id=shot.clip.id,
        model_id=shot.model.id,
        number=max(version.number for version in history(studio, shot)) + 1,
        parent=expected,
        sha256=repairs.sha256,
        created=stamp(studio.clock()),
        saved_by=saved_by,
        binding="",
        blob=None if repairs.empty else locker.put([repairs.to_bytes()], clearances),
    )
    bound = _bound(row, shot)
    row.binding = locker.bind(bound.kind, bound.facts, clearances)
    with studio.database.session() as session:
        _move_head(session, shot, expected, row.number)
        session.add(row)
    _forget_oldest(studio, locker, shot)
    return _version_of(row, shot)


def undo(studio: Studio, shot: Shot, *, expected: int) -> Version:
    """Go back to the version before; raises `InputError` if there is none, `ConflictError`."""
    here = held(studio, shot)
    _expect(here.number, expected)
    if here.number == 0:
        raise InputError("there is nothing to undo")
    known = {version.number for version in history(studio, shot)}
    return _go(studio, shot, expected, here.parent if here.parent in known else 0)


def redo(studio: Studio, shot: Shot, *, expected: int) -> Version:
    """Go on to the newest version made from this one; raises as `undo`."""
    here = held(studio, shot)
    _expect(here.number, expected)
    later = [v.number for v in history(studio, shot) if v.number and v.parent == here.number]
    if not later:
        raise InputError("there is nothing to redo")
    return _go(studio, shot, expected, max(later))


def _go(studio: Studio, shot: Shot, expected: int, number: int) -> Version:
    with studio.database.session() as session:
        _move_head(session, shot, expected, number)
    return held(studio, shot)


def _expect(number: int, expected: int) -> None:
    if number != expected:
        raise ConflictError(
            f"somebody else saved version {number} of these repairs; yours began at {expected}",
            advice="Load the newest version, and make your change again.",
        )


def _move_head(session: Session, shot: Shot, expected: int, number: int) -> None:
    """Make another version hold, if the expected one still does."""
    head = session.get(RepairHeadRow, (shot.clip.id, shot.model.id))
    if head is None:
        _expect(0, expected)
        session.add(RepairHeadRow(footage_id=shot.clip.id, model_id=shot.model.id, number=number))
        return
    moved = session.execute(
        update(RepairHeadRow)
        .where(
            RepairHeadRow.footage_id == shot.clip.id,
            RepairHeadRow.model_id == shot.model.id,
            RepairHeadRow.number == expected,
        )
        .values(number=number)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        _expect(_head(session, shot), expected)


def _head(session: Session, shot: Shot) -> int:
    number = session.scalar(
        select(RepairHeadRow.number).where(
            RepairHeadRow.footage_id == shot.clip.id, RepairHeadRow.model_id == shot.model.id
        )
    )
    return number or 0


def _row(session: Session, shot: Shot, number: int) -> RepairRow | None:
    return session.scalar(
        select(RepairRow).where(
            RepairRow.footage_id == shot.clip.id,
            RepairRow.model_id == shot.model.id,
            RepairRow.number == number,
        )
    )


def _forget_oldest(studio: Studio, locker: Locker, shot: Shot) -> None:
    """Let go of the oldest versions beyond those that are kept."""
    versions: Sequence[Version] = history(studio, shot)[1:]
    with studio.database.session() as session:
        used = set(session.scalars(select(DraftRow.repair_id)))
        here = _head(session, shot)
        old = [v for v in versions[:-_MOST] if v.id not in used and v.number != here]
        session.execute(delete(RepairRow).where(RepairRow.id.in_([each.id for each in old])))
    for version in old:
        if version.blob is not None:
            locker.forget(version.blob)


def _version_of(row: RepairRow, shot: Shot) -> Version:
    return Version(
        id=row.id,
        number=row.number,
        parent=row.parent,
        sha256=row.sha256,
        created=row.created,
        saved_by=row.saved_by,
        blob=row.blob,
        bound=_bound(row, shot),
    )


def _bound(row: RepairRow, shot: Shot) -> Bound:
    return Bound(
        kind="repairs",
        name=f"version {row.number} of the repairs of {shot.clip.name}",
        facts={
            "id": row.id,
            "project": row.project_id,
            "footage": [row.footage_id, shot.clip.sha256, shot.clip.tracks_blob],
            "model": row.model_id,
            "number": row.number,
            "parent": row.parent,
            "sha256": row.sha256,
            "blob": row.blob,
        },
        token=row.binding,
    )
