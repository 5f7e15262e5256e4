"""Footage that has been taken in: found by id, opened under clearances."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from io import BufferedReader

from sqlalchemy import select

from assent.consent.binding import Bound
from assent.consent.clearance import Act, Clearance, Modality
from assent.consent.desk import Need
from assent.consent.locker import Locker
from assent.data.tracks import PersonTrack, unpack_tracks
from assent.kit.errors import NotFoundError
from assent.kit.faces.face_set import FaceSet
from assent.kit.store.studio import Studio
from assent.kit.store.tables import FaceSetRow, FootageRow
from assent.purpose.projects import Purpose

__all__ = [
    "ClearedClip",
    "bound_clip",
    "bound_faces",
    "clip_of",
    "faces_of_clip",
    "find_clip",
    "list_clips",
    "load_faces",
    "sources",
]


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
    hidden: int
    """Runs of bystanders' faces that were hidden before the clip was kept."""
    bound: Bound

    def needs(self, *acts: Act) -> tuple[Need, ...]:
        """Return what must be asked of everyone in the frame before `acts`."""
        modalities = {Modality.FACE, Modality.VOICE} if self.sound else {Modality.FACE}
        return tuple(
            Need(person_id=person, acts=frozenset(acts), modalities=frozenset(modalities))
            for person in self.people
        )

    def open(self, locker: Locker, clearances: Collection[Clearance]) -> BufferedReader:
        """Open the clip's bytes.

        Raises `NotClearedError` unless all in the frame are cleared under the records that the clip
        was taken in under, `IntegrityError` if clip or row were altered since.
        """
        locker.hold(self.bound, clearances)
        return locker.open(self.blob, clearances)

    def tracks(self, locker: Locker, clearances: Collection[Clearance]) -> tuple[PersonTrack, ...]:
        """Read who is where; raises as `open`."""
        locker.hold(self.bound, clearances)
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

    Raises `NotFoundError` if no footage of them was added, `NotClearedError` unless they are
    cleared, `IntegrityError` if a set is another than was cut out of that footage.
    """
    rows = _face_rows(studio, purpose, person_id)
    if not rows:
        raise NotFoundError(
            "there are no faces of this person in the project",
            advice="Add footage of them: `assent footage add`.",
        )
    own = [clearance for clearance in clearances if clearance.person_id == person_id]
    for faces, footage in rows:
        locker.hold(bound_faces(faces, footage), own)
    return tuple(FaceSet.from_bytes(locker.read(faces.blob, own)) for faces, _ in rows)


def faces_of_clip(
    studio: Studio,
    purpose: Purpose,
    locker: Locker,
    clip: ClearedClip,
    person_id: str,
    clearances: Collection[Clearance],
) -> FaceSet | None:
    """Return one person's faces that were cut out of a clip, if any; raises as `load_faces`."""
    own = [clearance for clearance in clearances if clearance.person_id == person_id]
    for faces, footage in _face_rows(studio, purpose, person_id):
        if footage.id == clip.id:
            locker.hold(bound_faces(faces, footage), own)
            return FaceSet.from_bytes(locker.read(faces.blob, own))
    return None


def sources(studio: Studio, purpose: Purpose, people: Iterable[str]) -> list[str]:
    """Return the blobs of the face sets that `load_faces` would read for `people`, sorted."""
    return sorted(
        faces.blob for person in people for faces, _ in _face_rows(studio, purpose, person)
    )


def _face_rows(
    studio: Studio, purpose: Purpose, person_id: str
) -> Sequence[tuple[FaceSetRow, FootageRow]]:
    with studio.database.session() as session:
        rows = session.execute(
            select(FaceSetRow, FootageRow)
            .join(FootageRow, FootageRow.id == FaceSetRow.footage_id)
            .where(FootageRow.project_id == purpose.project_id, FaceSetRow.person_id == person_id)
            .order_by(FootageRow.created, FaceSetRow.id)
        ).all()
    return [(row[0], row[1]) for row in rows]


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
        hidden=row.hidden,
        bound=bound_clip(row),
    )


def bound_clip(row: FootageRow) -> Bound:
    """Return what `row` says of its clip, and what was signed of it."""
    return Bound(
        kind="footage",
        name=row.name,
        facts={
            "id": row.id,
            "project": row.project_id,
            "name": row.name,
            "sha256": row.sha256,
            "rights": row.rights,
            "people": sorted(row.people),
            "sound": row.keep_sound,
            "blob": row.blob,
            "tracks": row.tracks_blob,
            "frames": row.frames,
            "hidden": row.hidden,
        },
        token=row.binding,
    )


def bound_faces(row: FaceSetRow, footage: FootageRow) -> Bound:
    """Return what `row` says of a face set cut out of `footage`, and what was signed of it."""
    return Bound(
        kind="faces",
        name=f"a face set of {footage.name}",
        facts={
            "footage": [row.footage_id, footage.project_id, footage.sha256],
            "person": row.person_id,
            "blob": row.blob,
            "faces": row.faces,
        },
        token=row.binding,
    )
