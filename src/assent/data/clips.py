"""Footage that has been taken in: found by id, opened under clearances."""

from collections.abc import Collection
from dataclasses import dataclass
from io import BufferedReader

from sqlalchemy import select

from assent.consent.clearance import Act, Clearance, Modality
from assent.consent.desk import Need
from assent.consent.locker import Locker
from assent.data.tracks import PersonTrack, unpack_tracks
from assent.kit.errors import NotFoundError
from assent.kit.faces.face_set import FaceSet
from assent.kit.store.studio import Studio
from assent.kit.store.tables import FaceSetRow, FootageRow
from assent.purpose.projects import Purpose

__all__ = ["ClearedClip", "clip_of", "find_clip", "list_clips", "load_faces"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedClip:
    """A clip in the vault whose every face belongs to someone who consented."""

    id: str
    project_id: str
    name: str
    sha256: str
    people: tuple[str, ...]
    sound: bool
    frames: int
    blob: str
    tracks_blob: str

    def needs(self, *acts: Act) -> tuple[Need, ...]:
        """Return what must be asked of everyone in the frame before `acts`."""
        modalities = {Modality.FACE, Modality.VOICE} if self.sound else {Modality.FACE}
        return tuple(
            Need(person_id=person, acts=frozenset(acts), modalities=frozenset(modalities))
            for person in self.people
        )

    def open(self, locker: Locker, clearances: Collection[Clearance]) -> BufferedReader:
        """Open the clip's bytes; raises `NotClearedError` unless all in the frame are cleared."""
        return locker.open(self.blob, clearances)

    def tracks(self, locker: Locker, clearances: Collection[Clearance]) -> tuple[PersonTrack, ...]:
        """Read who is where; raises as `open`."""
        return unpack_tracks(locker.read(self.tracks_blob, clearances))


def find_clip(studio: Studio, purpose: Purpose, name: str) -> ClearedClip:
    """Return the project's clip with that id or file name; raises `NotFoundError`."""
    for clip in reversed(list_clips(studio, purpose)):
        if name in (clip.id, clip.name):
            return clip
    raise NotFoundError(
        f"no footage '{name}' in '{purpose.slug}'", advice="See `assent footage list`."
    )


def list_clips(studio: Studio, purpose: Purpose) -> tuple[ClearedClip, ...]:
    """Return the project's footage, oldest first."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(FootageRow)
            .where(FootageRow.project_id == purpose.project_id)
            .order_by(FootageRow.created, FootageRow.id)
        ).all()
    return tuple(clip_of(row) for row in rows)


def load_faces(
    studio: Studio,
    purpose: Purpose,
    locker: Locker,
    person_id: str,
    clearances: Collection[Clearance],
) -> tuple[FaceSet, ...]:
    """Return one person's face sets of the project, from the vault.

    Raises `NotFoundError` if no footage of them was added, `NotClearedError` as the locker does.
    """
    with studio.database.session() as session:
        rows = session.scalars(
            select(FaceSetRow)
            .join(FootageRow, FootageRow.id == FaceSetRow.footage_id)
            .where(FootageRow.project_id == purpose.project_id, FaceSetRow.person_id == person_id)
            .order_by(FootageRow.created, FaceSetRow.id)
        ).all()
    if not rows:
        raise NotFoundError(
            "there are no faces of this person in the project",
            advice="Add footage of them: `assent footage add`.",
        )
    return tuple(FaceSet.from_bytes(locker.read(row.blob, clearances)) for row in rows)


def clip_of(row: FootageRow) -> ClearedClip:
    """Return the clip that `row` stands for."""
    return ClearedClip(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        sha256=row.sha256,
        people=tuple(row.people),
        sound=row.keep_sound,
        frames=row.frames,
        blob=row.blob,
        tracks_blob=row.tracks_blob,
    )
