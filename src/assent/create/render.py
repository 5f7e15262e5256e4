"""Render a performance with a trained face, as a draft that stays in the vault.

The clip is read once, a few frames ahead of the painter; each finished segment is put away
encrypted, so that memory is bounded, a killed render goes on with the next segment, and a
withdrawal stops it.
"""

import itertools
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from assent.consent.clearance import Act, AskAgain, Clearance, Modality, require_all
from assent.consent.desk import Need
from assent.consent.locker import Locker
from assent.create.composite import CompositeConfig, composite, cut, reach, smooth
from assent.create.draft import Draft, digest_of, load
from assent.create.engine import FaceEngine
from assent.create.looks import look_at, take_look
from assent.create.patches import Patch, apply, pack
from assent.create.patches import cut as cut_patch
from assent.data.clips import ClearedClip
from assent.data.tracks import PersonTrack, of_person
from assent.kit.ahead import ahead
from assent.kit.clock import stamp
from assent.kit.errors import InputError, MediaError
from assent.kit.media.picture import Picture
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, SegmentRow
from assent.purpose.projects import Purpose
from assent.train.models import TrainedModel

__all__ = ["render", "rendering_needs"]

SEGMENT = 32
"""Frames a segment."""
_BATCH = 8
"""Frames that are painted together; as many wait, decoded."""
# Chroma samples at the edge of what is changed reach a little beyond it.
_RIM = 4


def rendering_needs(model: TrainedModel, clip: ClearedClip) -> tuple[Need, ...]:
    """Return what must be asked of the donor and of everyone in the clip before a render."""
    donor = Need(
        person_id=model.donor_id,
        acts=frozenset({Act.PORTRAY}),
        modalities=frozenset({Modality.FACE}),
    )
    return donor, *clip.needs(Act.PERFORM)


def render(
    studio: Studio,
    purpose: Purpose,
    model: TrainedModel,
    clip: ClearedClip,
    clearances: Sequence[Clearance],
    *,
    ask_again: AskAgain,
    config: CompositeConfig | None = None,
    progress: Progress = nothing,
) -> Draft:
    """Put the model's donor's face onto its performer's performance in `clip`.

    A render of the same model and clip that was interrupted goes on; a complete one is returned.

    Raises `NotClearedError` as soon as someone is not cleared, `InputError` if the model's
    performer is not in the clip, `MediaError` if the clip can't be read.
    """
    if model.performer_id not in clip.people or model.donor_id in clip.people:
        raise InputError(
            f"model '{model.name}' doesn't fit {clip.name}: the clip must show its performer, "
            "and not its donor",
            advice="Choose footage of the performer the model was trained for.",
        )
    _require(studio, purpose, model, clip, clearances)
    row = _row(studio, purpose, model, clip)
    if row.state == "complete":
        return load(studio, row)
    locker = Locker(studio)
    tracks = of_person(clip.tracks(locker, clearances), model.performer_id)
    painter = _Painter(
        engine=FaceEngine(model.open(locker, clearances), threads=os.cpu_count() or 1),
        landmarks=_landmarks(tracks),
        config=config or CompositeConfig(),
    )
    done = _segments(studio, row)
    frames = sum(segment.frames for segment in done)
    with clip.open(locker, clearances) as footage:
        time_base = probe(footage, name=clip.name).time_base
        start = done[-1].last_pts + 1 if done else None
        decoded = read_pictures(footage, name=clip.name, start_pts=start)
        with ahead(decoded, depth=_BATCH) as pictures:
            painted = _painted(pictures, painter, frames, time_base)
            for number in itertools.count(len(done)):
                patches = list(itertools.islice(painted, SEGMENT))
                if not patches:
                    break
                fresh = ask_again()
                _require(studio, purpose, model, clip, fresh)
                _keep(studio, row, number, locker.put(pack(patches), fresh), patches)
                frames += len(patches)
                progress("rendering", frames, clip.frames)
    return _complete(studio, row, model, clip)


def _painted(
    pictures: Iterator[Picture], painter: "_Painter", first: int, time_base: Fraction
) -> Iterator[Patch]:
    """Yield the patch of each picture, some with a look; `first` is the first one's number."""
    batch = list(itertools.islice(pictures, _BATCH))
    since = None
    while batch:
        patches = painter.paint(batch, first)
        following = next(pictures, None)
        times = [float(picture.pts * time_base) for picture in batch]
        after = float(following.pts * time_base) if following is not None else None
        for n in look_at(times, since=since, following=after):
            look = take_look(apply(patches[n], batch[n]))
            patches[n] = replace(patches[n], look=look)
            since = times[n]
        yield from patches
        first += len(batch)
        more = itertools.islice(pictures, _BATCH - 1)
        batch = [following, *more] if following is not None else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Painter:
    """Paints the donor's face into frames, by their number in the clip."""

    engine: FaceEngine
    landmarks: Mapping[int, NDArray[np.float32]]
    config: CompositeConfig

    def paint(self, pictures: Sequence[Picture], first: int) -> list[Patch]:
        """Return the patch of each frame; frames without the face stay as they are."""
        patches = [Patch(pts=picture.pts) for picture in pictures]
        spots = [n for n in range(len(pictures)) if first + n in self.landmarks]
        if not spots:
            return patches
        size, coverage = self.engine.size, self.engine.coverage
        crops = [cut(pictures[n], self.landmarks[first + n], size, coverage) for n in spots]
        swapped = self.engine.swap(np.stack(crops))
        for n, face, mask in zip(spots, swapped.faces, swapped.masks, strict=True):
            points = self.landmarks[first + n]
            painted = composite(
                pictures[n], points, face, mask, coverage=coverage, config=self.config
            )
            x0, y0, x1, y1 = reach(points, self.config)
            patches[n] = cut_patch(painted, (x0 - _RIM, y0 - _RIM, x1 + _RIM, y1 + _RIM))
        return patches


def _require(
    studio: Studio,
    purpose: Purpose,
    model: TrainedModel,
    clip: ClearedClip,
    clearances: Sequence[Clearance],
) -> None:
    now = studio.clock()
    require_all(clearances, [model.donor_id], Act.PORTRAY, project_id=purpose.project_id, now=now)
    require_all(clearances, clip.people, Act.PERFORM, project_id=purpose.project_id, now=now)


def _row(studio: Studio, purpose: Purpose, model: TrainedModel, clip: ClearedClip) -> DraftRow:
    with studio.database.session() as session:
        row = session.scalar(
            select(DraftRow).where(
                DraftRow.project_id == purpose.project_id,
                DraftRow.footage_id == clip.id,
                DraftRow.model_blob == model.blob,
            )
        )
        if row is None:
            row = DraftRow(
                id=uuid.uuid4().hex,
                project_id=purpose.project_id,
                model_id=model.id,
                footage_id=clip.id,
                model_blob=model.blob,
                state="rendering",
                created=stamp(studio.clock()),
            )
            session.add(row)
    return row


def _segments(studio: Studio, row: DraftRow) -> Sequence[SegmentRow]:
    with studio.database.session() as session:
        return session.scalars(
            select(SegmentRow).where(SegmentRow.draft_id == row.id).order_by(SegmentRow.number)
        ).all()


def _landmarks(tracks: Sequence[PersonTrack]) -> dict[int, NDArray[np.float32]]:
    """Return the performer's steadied landmarks by frame number."""
    return {
        int(index): points
        for track in tracks
        for index, points in zip(track.index, smooth(track.landmarks), strict=True)
    }


def _keep(studio: Studio, row: DraftRow, number: int, blob: str, patches: Sequence[Patch]) -> None:
    with studio.database.session() as session:
        session.add(
            SegmentRow(
                draft_id=row.id,
                number=number,
                blob=blob,
                frames=len(patches),
                replaced=sum(patch.planes is not None for patch in patches),
                last_pts=patches[-1].pts,
            )
        )


def _complete(studio: Studio, row: DraftRow, model: TrainedModel, clip: ClearedClip) -> Draft:
    segments = _segments(studio, row)
    replaced = sum(segment.replaced for segment in segments)
    if replaced == 0:
        raise MediaError(f"no face was replaced in {clip.name}")
    row.frames = sum(segment.frames for segment in segments)
    row.replaced = replaced
    row.digest = digest_of(row, model.donor_id, clip, [each.blob for each in segments])
    row.state = "complete"
    with studio.database.session() as session:
        session.merge(row)
    return load(studio, row)
