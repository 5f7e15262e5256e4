"""Take footage in: every face must belong to someone who consented, or nothing is kept.

The clip is looked at once: who is where, is anything explicit, and crops of the faces are cut out
in memory. Only when all of it is in order do they and the clip go into the vault, encrypted under
the records of everyone in it.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select

from assent.consent.binding import Bound
from assent.consent.clearance import Act, Clearance, Modality, require_all
from assent.consent.desk import Need, clear_all
from assent.consent.enrolment import read_enrolments
from assent.consent.locker import Locker
from assent.consent.people import Person
from assent.data.accounting import account_for
from assent.data.bystanders import find_bystanders, hide
from assent.data.clips import ClearedClip, bound_clip, bound_faces, clip_of
from assent.data.faces import FaceCutter
from assent.data.look import Tools, look
from assent.data.tracks import PersonTrack, pack_tracks
from assent.kit.clock import stamp
from assent.kit.content.gate import ContentGate
from assent.kit.errors import InputError
from assent.kit.faces.face_set import FaceSet
from assent.kit.faces.identity import Gallery
from assent.kit.hashing import chunks_of, hash_file
from assent.kit.media.probe import Clip, probe, require_sdr
from assent.kit.media.read import read_pictures
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.kit.store.tables import FaceSetRow, FootageRow
from assent.purpose.projects import Purpose

__all__ = ["Bystanders", "Ingested", "ingest", "needs_for"]


class Bystanders(Enum):
    """What happens to faces of people who were not named."""

    REFUSE = "refuse"
    """The clip isn't taken in."""
    BLUR = "blur"
    """They are made unrecognisable before the clip is kept."""


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
    bystanders: Bystanders = Bystanders.REFUSE,
    gate: ContentGate | None = None,
    progress: Progress = nothing,
) -> Ingested:
    """Take the clip at `path` in, in which `people` and nobody else may be seen.

    The faces of others are a reason to refuse it, or are hidden for good: then the clip that is
    kept doesn't show them any more, and the one at `path` isn't kept.

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
    gallery = read_enrolments(studio, clearances)
    with ExitStack() as stack:
        taken = _look_through(
            studio, path, clip, gallery, bystanders, gate or ContentGate(), stack, progress
        )
        # Looking can take long; nothing is stored unless all still agree.
        clearances = clear_all(studio, purpose, needs)
        require_all(
            clearances,
            [person.id for person in people],
            Act.INGEST,
            project_id=purpose.project_id,
            now=studio.clock(),
        )
        row = FootageRow(
            id=uuid.uuid4().hex,
            project_id=purpose.project_id,
            name=path.name,
            sha256=sha256,
            rights=rights.strip(),
            people=[person.id for person in people],
            keep_sound=any(Modality.VOICE in c.modalities for c in clearances),
            blob="",
            tracks_blob="",
            frames=taken.frames,
            hidden=taken.hidden,
            created=stamp(studio.clock()),
            binding="",
        )
        _store(studio, row, taken, clearances)
    handles = {person.id: person.handle for person in people}
    return Ingested(
        clip=clip_of(row),
        faces={handles[person]: len(faces) for person, faces in taken.faces.items()},
        already=False,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What was found in a clip, and what is to be kept of it."""

    film: BinaryIO
    frames: int
    tracks: Sequence[PersonTrack]
    faces: Mapping[str, FaceSet]
    hidden: int


def _look_through(
    studio: Studio,
    path: Path,
    clip: Clip,
    gallery: Gallery,
    bystanders: Bystanders,
    gate: ContentGate,
    stack: ExitStack,
    progress: Progress,
) -> _Taken:
    """Find everyone, and hide bystanders first if that is asked for; `stack` closes the film."""
    tools, hidden = Tools(gate=gate), 0
    film: BinaryIO | None = None
    if bystanders is Bystanders.BLUR:
        plan = find_bystanders(path, clip, gallery, tools, progress)
        if hidden := plan.people:
            film = stack.enter_context(hide(studio, path, clip, plan, progress))
    film = film or stack.enter_context(path.open("rb"))
    # What was hidden is looked at like any footage: nobody who can still be seen gets in.
    cutter = FaceCutter()
    seen = look(read_pictures(film, name=clip.name), clip, tools, cutter, progress)
    named = account_for(seen.tracks, gallery, clip.name)
    film.seek(0)
    return _Taken(
        film=film,
        frames=seen.frames,
        tracks=[PersonTrack.of(track, person) for person, track in named],
        faces=cutter.face_sets(named),
        hidden=hidden,
    )


def _store(studio: Studio, row: FootageRow, taken: _Taken, clearances: Sequence[Clearance]) -> None:
    """Encrypt first, then let the database know: a kill in between leaves ciphertext alone."""
    locker = Locker(studio)
    of_person = {clearance.person_id: clearance for clearance in clearances}
    row.blob = locker.put(chunks_of(taken.film), clearances)
    row.tracks_blob = locker.put([pack_tracks(taken.tracks)], clearances)
    row.binding = _signed(locker, bound_clip(row), clearances)
    sets = [
        FaceSetRow(
            id=uuid.uuid4().hex,
            footage_id=row.id,
            person_id=person,
            blob=locker.put([face_set.to_bytes()], [of_person[person]]),
            faces=len(face_set),
            binding="",
        )
        for person, face_set in taken.faces.items()
    ]
    for each in sets:
        each.binding = _signed(locker, bound_faces(each, row), [of_person[each.person_id]])
    with studio.database.session() as session:
        session.add(row)
        session.flush()
        session.add_all(sets)


def _signed(locker: Locker, bound: Bound, clearances: Sequence[Clearance]) -> str:
    return locker.bind(bound.kind, bound.facts, clearances)
