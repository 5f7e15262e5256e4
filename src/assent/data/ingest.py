"""Take footage in: every face must belong to someone who consented, or nothing is kept.

The clip is looked at once: who is where, is anything explicit, and crops of the faces are cut out
in memory. Only when all of it is in order do they and the clip go into the vault, encrypted under
the records of everyone in it.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from assent.consent.clearance import Act, Clearance, Modality, require_all
from assent.consent.desk import Need, clear_all
from assent.consent.enrolment import unpack_templates
from assent.consent.locker import Locker
from assent.consent.people import Person
from assent.data.clips import ClearedClip, clip_of
from assent.data.faces import FaceCutter
from assent.data.look import Tools, clock_time, look
from assent.data.tracks import PersonTrack, pack_tracks
from assent.kit.clock import stamp
from assent.kit.content.gate import ContentGate
from assent.kit.errors import InputError, MediaError, UnlistedFaceError
from assent.kit.faces.face_set import FaceSet
from assent.kit.faces.identity import assign
from assent.kit.faces.tracks import Track
from assent.kit.hashing import chunks_of, hash_file
from assent.kit.media.probe import Clip, probe, require_sdr
from assent.kit.media.read import read_pictures
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, FaceSetRow, FootageRow
from assent.purpose.projects import Purpose

__all__ = ["Ingested", "ingest", "needs_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What was taken in."""

    clip: ClearedClip
    faces: Mapping[str, int]
    """Aligned faces kept, by handle."""
    already: bool
    """True if the same file was in the project before."""


def needs_for(people: Iterable[Person], clip: Clip) -> tuple[Need, ...]:
    """Return what everyone in the frame must have agreed to before `clip` is taken in."""
    modalities = {Modality.FACE, Modality.VOICE} if clip.sound else {Modality.FACE}
    return tuple(
        Need(person_id=person.id, acts=frozenset({Act.INGEST}), modalities=frozenset(modalities))
        for person in people
    )


def ingest(
    studio: Studio,
    purpose: Purpose,
    path: Path,
    people: Sequence[Person],
    *,
    rights: str,
    gate: ContentGate | None = None,
    progress: Progress = nothing,
) -> Ingested:
    """Take the clip at `path` in, in which `people` and nobody else may be seen.

    Raises `NotClearedError` if one of them has not agreed, `UnlistedFaceError` with the time stamps
    if somebody else is in the frame, `ContentError` if anything is explicit, `MediaError` if the
    clip can't be used. Nothing is kept then.
    """
    if not people:
        raise InputError("nobody is named as being in the clip", advice="Name each --person.")
    if len(rights.strip()) < 3:
        raise InputError("say on what rights the footage is used", advice="Give --rights.")
    clip = probe(path, name=path.name)
    require_sdr(clip)
    needs = needs_for(people, clip)
    clearances = clear_all(studio, purpose, needs)
    with path.open("rb") as file:
        sha256 = hash_file(file)
    row = _known(studio, purpose, sha256)
    if row is not None:
        return _already(studio, row, people)
    gallery = _gallery(studio, people, clearances)
    tools, cutter = Tools(gate=gate or ContentGate()), FaceCutter()
    seen = look(read_pictures(path, name=path.name), clip, tools, cutter, progress)
    named = _account_for(seen.tracks, gallery, clip)
    faces = cutter.face_sets(named)
    # Looking can take long; nothing is stored unless all still agree.
    clearances = clear_all(studio, purpose, needs)
    require_all(
        clearances,
        [person.id for person in people],
        Act.INGEST,
        project_id=purpose.project_id,
        now=studio.clock(),
    )
    tracks = [PersonTrack.of(track, person) for person, track in named]
    return _store(
        studio, purpose, path, sha256, people, seen.frames, tracks, faces, clearances, rights
    )


def _known(studio: Studio, purpose: Purpose, sha256: str) -> FootageRow | None:
    with studio.database.session() as session:
        return session.scalar(
            select(FootageRow).where(
                FootageRow.project_id == purpose.project_id, FootageRow.sha256 == sha256
            )
        )


def _already(studio: Studio, row: FootageRow, people: Sequence[Person]) -> Ingested:
    if set(row.people) != {person.id for person in people}:
        raise InputError(
            f"{row.name} is in the project already, with other people named",
            advice="Add the clip under the people who are in it.",
        )
    handles = {person.id: person.handle for person in people}
    with studio.database.session() as session:
        sets = session.scalars(select(FaceSetRow).where(FaceSetRow.footage_id == row.id)).all()
    return Ingested(
        clip=clip_of(row), faces={handles[s.person_id]: s.faces for s in sets}, already=True
    )


def _gallery(
    studio: Studio, people: Sequence[Person], clearances: Sequence[Clearance]
) -> dict[str, NDArray[np.float32]]:
    """Return each person's enrolment templates, by person id."""
    locker = Locker(studio)
    gallery = {}
    for person, clearance in zip(people, clearances, strict=True):
        with studio.database.session() as session:
            row = session.scalar(
                select(ConsentRow).where(ConsentRow.receipt_hash == clearance.receipt_hash)
            )
        blob = row.enrolment_blob if row else None
        gallery[person.id] = unpack_templates(locker.read(str(blob), [clearance]))
    return gallery


def _account_for(
    tracks: Sequence[Track], gallery: Mapping[str, NDArray[np.float32]], clip: Clip
) -> list[tuple[str, Track]]:
    """Return every track with its person; raises `UnlistedFaceError` if one has none."""
    if not tracks:
        raise MediaError(
            f"{clip.name} shows no face",
            advice="Use footage in which the face is seen from the front for a while.",
        )
    assignment = assign(tracks, gallery)
    if assignment.unlisted:
        spans = _spans(tracks, {identity.track for identity in assignment.unlisted})
        raise UnlistedFaceError(f"{clip.name} shows someone who has not consented, at {spans}")
    return [(str(assignment.names[track.id]), track) for track in tracks]


def _spans(tracks: Sequence[Track], wanted: Collection[int]) -> str:
    """Say when the wanted are seen: who overlap are told together, with how many they are."""
    runs = sorted(
        (track.points[0].seconds, track.points[-1].seconds)
        for track in tracks
        if track.id in wanted
    )
    spans: list[tuple[float, float, int]] = []
    for begins, ends in runs:
        if spans and begins <= spans[-1][1]:
            since, until, faces = spans[-1]
            spans[-1] = since, max(until, ends), faces + 1
        else:
            spans.append((begins, ends, 1))
    told = [
        f"{clock_time(begins)} to {clock_time(ends)}" + (f" ({faces} faces)" if faces > 1 else "")
        for begins, ends, faces in spans
    ]
    shown = ", ".join(told[:5])
    return shown if len(told) <= 5 else f"{shown} and {len(told) - 5} more"


def _store(
    studio: Studio,
    purpose: Purpose,
    path: Path,
    sha256: str,
    people: Sequence[Person],
    frames: int,
    tracks: Sequence[PersonTrack],
    faces: Mapping[str, FaceSet],
    clearances: Sequence[Clearance],
    rights: str,
) -> Ingested:
    """Encrypt first, then let the database know: a kill in between leaves ciphertext alone."""
    locker = Locker(studio)
    of_person = {clearance.person_id: clearance for clearance in clearances}
    with path.open("rb") as file:
        blob = locker.put(chunks_of(file), clearances)
    row = FootageRow(
        id=uuid.uuid4().hex,
        project_id=purpose.project_id,
        name=path.name,
        sha256=sha256,
        rights=rights.strip(),
        people=[person.id for person in people],
        keep_sound=any(Modality.VOICE in c.modalities for c in clearances),
        blob=blob,
        tracks_blob=locker.put([pack_tracks(tracks)], clearances),
        frames=frames,
        created=stamp(studio.clock()),
    )
    sets = [
        FaceSetRow(
            id=uuid.uuid4().hex,
            footage_id=row.id,
            person_id=person,
            blob=locker.put([face_set.to_bytes()], [of_person[person]]),
            faces=len(face_set),
        )
        for person, face_set in faces.items()
    ]
    with studio.database.session() as session:
        session.add(row)
        session.flush()
        session.add_all(sets)
    handles = {person.id: person.handle for person in people}
    return Ingested(
        clip=clip_of(row),
        faces={handles[person]: len(face_set) for person, face_set in faces.items()},
        already=False,
    )
