"""Take footage in: every face must belong to someone who consented, or nothing is kept.

The clip is looked at once: who is where, is anything explicit, and crops of the faces are cut out
in memory. Only when all of it is in order do they and the clip go into the vault, encrypted under
the records of everyone in it.
"""

import io
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from sqlalchemy import select

from assent.consent.binding import Bound
from assent.consent.clearance import Act, Clearance, Modality, require_all
from assent.consent.desk import Need, clear_all
from assent.consent.enrolment import read_enrolments
from assent.consent.locker import Locker
from assent.consent.people import Person
from assent.data.accounting import account_for, tell_doubts
from assent.data.bystanders import HidingPlan, find_bystanders, hide
from assent.data.clips import ClearedClip, bound_clip, bound_faces, clip_of
from assent.data.doubts import raise_doubt, rule
from assent.data.faces import FaceCutter
from assent.data.look import Tools, look
from assent.data.openable import Openable
from assent.data.tracks import PersonTrack, pack_tracks
from assent.kit.clock import stamp
from assent.kit.content.gate import ContentGate
from assent.kit.errors import InputError, MediaError, SignOffError
from assent.kit.faces.face_set import FaceSet
from assent.kit.hashing import chunks_of, hash_file
from assent.kit.media.probe import Clip, probe, require_sdr
from assent.kit.media.read import read_pictures
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.kit.store.tables import FaceSetRow, FootageRow
from assent.kit.vault.scratch import Scratch
from assent.purpose.projects import Purpose

__all__ = ["Bystanders", "Ingested", "ingest", "needs_for"]

_BUFFER = 1 << 20


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
    path: Openable,
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
    if somebody else is in the frame, `SignOffError` if a person must look at a face first,
    `ContentError` if anything is explicit, `MediaError` if the clip can't be used. Nothing is kept
    then, but crops of a face that a person must look at.
    """
    if not people:
        raise InputError("nobody is named as being in the clip", advice="Name each --person.")
    if len(rights.strip()) < 3:
        raise InputError("say on what rights the footage is used", advice="Give --rights.")
    with _opened(path) as file:
        clip = probe(file, name=path.name)
    require_sdr(clip)
    tools = Tools(gate=gate or ContentGate())
    needs = needs_for(people, clip)
    clearances = clear_all(studio, purpose, needs)
    with path.open("rb") as file:
        sha256 = hash_file(file)
    row = _known(studio, purpose, sha256)
    if row is not None:
        return _already(studio, row, people)
    gallery = read_enrolments(studio, clearances)
    ruling = rule(studio, purpose, sha256, clearances)
    with ExitStack() as stack:
        plan = None
        if bystanders is Bystanders.BLUR:
            plan = find_bystanders(path, clip, gallery, ruling, tools, progress)
        film = _film(studio, path, sha256, plan, clip, stack, progress)
        # What was hidden is looked at like any footage: nobody who can still be seen gets in.
        cutter = FaceCutter()
        seen = look(read_pictures(film, name=clip.name), clip, tools, cutter, progress)
        found = account_for(seen.tracks, gallery, clip.name, ruling)
        # Looking can take long; nothing is stored unless all still agree.
        clearances = clear_all(studio, purpose, needs)
        require_all(
            clearances,
            [person.id for person in people],
            Act.INGEST,
            project_id=purpose.project_id,
            now=studio.clock(),
        )
        if found.unsure:
            raise_doubt(
                studio, purpose, found.unsure, cutter, clearances, name=clip.name, sha256=sha256
            )
            raise SignOffError(
                tell_doubts(found.unsure, clip.name),
                advice="Somebody at the studio must look at it: `assent footage review`.",
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
            frames=seen.frames,
            hidden=plan.people if plan else 0,
            created=stamp(studio.clock()),
            binding="",
        )
        faces = cutter.face_sets(found.named)
        tracks = [PersonTrack.of(track, person) for person, track in found.named]
        film.seek(0)
        _store(studio, row, film, tracks, faces, clearances)
    handles = {person.id: person.handle for person in people}
    return Ingested(
        clip=clip_of(row),
        faces={handles[person]: len(own) for person, own in faces.items()},
        already=False,
    )


@contextmanager
def _opened(path: Openable) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise MediaError(
            f"{path.name} can't be read: {error.strerror or error}",
            advice="Check the spelling of the path, and that you may read the file.",
        ) from error
    with file:
        yield file


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


def _film(
    studio: Studio,
    path: Openable,
    sha256: str,
    plan: HidingPlan | None,
    clip: Clip,
    stack: ExitStack,
    progress: Progress,
) -> BinaryIO:
    """Return the film that is looked at and kept, in a scratch file that `stack` closes.

    What is looked at and what is kept must be one: the file at `path` may change meanwhile.
    """
    if plan is not None and plan.people:
        return stack.enter_context(hide(studio, path, clip, plan, progress))
    film = stack.enter_context(
        io.BufferedRandom(Scratch(studio.vault_folder, disk=studio.disk), _BUFFER)
    )
    with path.open("rb") as file:
        for chunk in chunks_of(file):
            film.write(chunk)
    film.flush()
    if hash_file(film) != sha256:
        raise MediaError(f"{path.name} changed while it was read", advice="Add it again.")
    return film


def _store(
    studio: Studio,
    row: FootageRow,
    film: BinaryIO,
    tracks: Sequence[PersonTrack],
    faces: Mapping[str, FaceSet],
    clearances: Sequence[Clearance],
) -> None:
    """Encrypt first, then let the database know: a kill in between leaves ciphertext alone."""
    locker = Locker(studio)
    of_person = {clearance.person_id: clearance for clearance in clearances}
    row.blob = locker.put(chunks_of(film), clearances)
    row.tracks_blob = locker.put([pack_tracks(tracks)], clearances)
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
        for person, face_set in faces.items()
    ]
    for each in sets:
        each.binding = _signed(locker, bound_faces(each, row), [of_person[each.person_id]])
    with studio.database.session() as session:
        session.add(row)
        session.flush()
        session.add_all(sets)


def _signed(locker: Locker, bound: Bound, clearances: Sequence[Clearance]) -> str:
    return locker.bind(bound.kind, bound.facts, clearances)
