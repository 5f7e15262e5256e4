"""Render a performance with a trained face, as a draft that stays in the vault.

The clip is read once, a few frames ahead of the painter, which works on several frames at once;
each finished segment is put away encrypted, so that memory is bounded, a killed render goes on with
the next segment, and a withdrawal stops it.
"""

import itertools
import os
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlalchemy import select

from assent.consent.clearance import Act, AskAgain, Clearance, Modality, require_all
from assent.consent.desk import Need
from assent.consent.enrolment import read_enrolments
from assent.consent.locker import Locker
from assent.consent.people import person_by_id
from assent.create.composite import CompositeConfig
from assent.create.draft import Draft, bound_draft, bound_segment, digest_of, load
from assent.create.gauge import Gauge
from assent.create.looks import look_at, take_look
from assent.create.painters import Painter, painter_for
from assent.create.patches import Patch, apply, pack
from assent.create.quality import FrameNote, FrameQuality
from assent.data.clips import ClearedClip
from assent.data.matching import Matching, match_faces
from assent.data.tracks import PersonTrack, of_person
from assent.kit.ahead import ahead, side_by_side
from assent.kit.clock import stamp
from assent.kit.errors import InputError, MediaError
from assent.kit.faces.frame import PictureFrame
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
_WAITING = 4
"""Frames that wait between decoding, following the performer, and painting."""
_WORKERS = 4
"""Frames that are painted at once, at most: reading and following want cores as well."""
_FINISHED = 2
"""Painted frames that may wait for one before them."""


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

    A render of the same model and clip in the same colours that was interrupted goes on; a complete
    one is returned.

    The donor's pictures in the model and every face in the clip are matched with the enrolments
    again, as it goes.

    Raises `NotClearedError` as soon as someone is not cleared, `UnlistedFaceError` if a face is
    not whose it is said to be, `IntegrityError` if model, clip or what was rendered so far was
    altered, `InputError` if the model's performer is not in the clip, `MediaError` if the clip
    can't be read.
    """
    if model.performer_id not in clip.people or model.donor_id in clip.people:
        raise InputError(
            f"model '{model.name}' doesn't fit {clip.name}: the clip must show its performer, "
            "and not its donor",
            advice="Choose footage of the performer the model was trained for.",
        )
    _require(studio, purpose, model, clip, clearances)
    config = config or CompositeConfig()
    row = _row(studio, purpose, model, clip, config.colour)
    if row.state == "complete":
        return load(studio, row)
    locker = Locker(studio)
    everyone = clip.tracks(locker, clearances)
    tracks = of_person(everyone, model.performer_id)
    painter = painter_for(model.open(locker, clearances), tracks, config)
    matching = _match(studio, model, clip, everyone, painter, clearances)
    done = _segments(studio, row)
    for segment in done:
        locker.hold(bound_segment(segment), clearances)
    gauge = Gauge(tracks, painter.exemplars())
    frames = sum(segment.frames for segment in done)
    # The painter steadies what it does over frames before as well: it sees a segment again.
    again = done[-1].frames if len(done) > 1 else frames
    start = done[-2].last_pts + 1 if len(done) > 1 else None
    with clip.open(locker, clearances) as footage:
        time_base = probe(footage, name=clip.name).time_base
        decoded = read_pictures(footage, name=clip.name, start_pts=start)
        with (
            ahead(decoded, depth=_WAITING) as pictures,
            ahead(
                _matched(pictures, matching, frames - again, time_base), depth=_WAITING
            ) as matched,
            ahead(_seen(matched, painter), depth=_WAITING) as seen,
            _painted(seen, painter, frames) as painted,
            # Painting goes on while a segment is put away.
            ahead(_noted(painted, painter, gauge, time_base), depth=SEGMENT) as noted,
        ):
            for number in itertools.count(len(done)):
                patches = list(itertools.islice(noted, SEGMENT))
                if not patches:
                    break
                fresh = ask_again()
                _require(studio, purpose, model, clip, fresh)
                _keep(studio, row, number, locker, patches, fresh)
                frames += len(patches)
                progress("rendering", frames, clip.frames)
    return _complete(studio, row, model, clip, ask_again())


_Numbered = tuple[int, Picture]


def _match(
    studio: Studio,
    model: TrainedModel,
    clip: ClearedClip,
    tracks: Sequence[PersonTrack],
    painter: Painter,
    clearances: Sequence[Clearance],
) -> Matching:
    """Hold the donor's pictures in the model to the donor's enrolment; return what holds the clip.

    Raises `UnlistedFaceError` if the model is of somebody else.
    """
    gallery = read_enrolments(studio, clearances)
    handles = {person: person_by_id(studio, person).handle for person in gallery}
    if exemplars := painter.exemplars():
        match_faces(exemplars, model.donor_id, gallery, handles, name=f"model '{model.name}'")
    return Matching(clip.name, tracks, gallery, handles)


def _matched(
    pictures: Iterator[Picture], matching: Matching, first: int, time_base: Fraction
) -> Iterator[_Numbered]:
    """Number the pictures from `first` on, and match the faces in each again."""
    for number, picture in enumerate(pictures, first):
        matching.see(number, float(picture.pts * time_base), PictureFrame(picture))
        yield number, picture
    matching.finish()


def _seen(pictures: Iterator[_Numbered], painter: Painter) -> Iterator[_Numbered]:
    """Show the painter each picture, and pass it on once those around it were shown as well."""
    waiting: deque[_Numbered] = deque()
    for number, picture in pictures:
        painter.see(number, picture)
        waiting.append((number, picture))
        if len(waiting) > painter.ahead:
            yield waiting.popleft()
    yield from waiting


@dataclass(frozen=True, slots=True)
class _Painted:
    number: int
    picture: Picture
    patch: Patch
    quality: FrameQuality | None


def _painted(
    seen: Iterator[_Numbered], painter: Painter, first: int
) -> AbstractContextManager[Iterator[_Painted]]:
    """Paint each picture from number `first` on, several at once."""

    def paint(item: _Numbered) -> _Painted:
        return _Painted(*item, *painter.paint(*item))

    workers = min(_WORKERS, os.cpu_count() or 1)
    wanted = itertools.dropwhile(lambda item: item[0] < first, seen)
    return side_by_side(paint, wanted, workers=workers, depth=workers + _FINISHED)


def _noted(
    frames: Iterator[_Painted], painter: Painter, gauge: Gauge, time_base: Fraction
) -> Iterator[Patch]:
    """Yield the patch of each painted frame, with a note, some with a look."""
    since: float | None = None
    for here, following in _with_next(frames):
        painter.forget(here.number)
        time = float(here.picture.pts * time_base)
        note = FrameNote(
            seconds=time,
            painted=here.patch.planes is not None,
            quality=here.quality,
            measures=gauge.measure(here.number, here.picture, here.patch),
        )
        patch = replace(here.patch, note=note)
        after = float(following.picture.pts * time_base) if following is not None else None
        if look_at([time], since=since, following=after):
            patch = replace(patch, look=take_look(apply(patch, here.picture)))
            since = time
        yield patch


def _with_next(items: Iterator[_Painted]) -> Iterator[tuple[_Painted, _Painted | None]]:
    """Each item with the one that follows."""
    here = next(items, None)
    while here is not None:
        following = next(items, None)
        yield here, following
        here = following


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


def _row(
    studio: Studio, purpose: Purpose, model: TrainedModel, clip: ClearedClip, colour: str
) -> DraftRow:
    with studio.database.session() as session:
        row = session.scalar(
            select(DraftRow).where(
                DraftRow.project_id == purpose.project_id,
                DraftRow.footage_id == clip.id,
                DraftRow.model_blob == model.blob,
                DraftRow.colour == colour,
            )
        )
        if row is None:
            row = DraftRow(
                id=uuid.uuid4().hex,
                project_id=purpose.project_id,
                model_id=model.id,
                footage_id=clip.id,
                model_blob=model.blob,
                colour=colour,
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


def _keep(
    studio: Studio,
    row: DraftRow,
    number: int,
    locker: Locker,
    patches: Sequence[Patch],
    clearances: Sequence[Clearance],
) -> None:
    segment = SegmentRow(
        draft_id=row.id,
        number=number,
        blob=locker.put(pack(patches), clearances),
        frames=len(patches),
        replaced=sum(patch.planes is not None for patch in patches),
        last_pts=patches[-1].pts,
        binding="",
    )
    bound = bound_segment(segment)
    segment.binding = locker.bind(bound.kind, bound.facts, clearances)
    with studio.database.session() as session:
        session.add(segment)


def _complete(
    studio: Studio,
    row: DraftRow,
    model: TrainedModel,
    clip: ClearedClip,
    clearances: Sequence[Clearance],
) -> Draft:
    segments = _segments(studio, row)
    replaced = sum(segment.replaced for segment in segments)
    if replaced == 0:
        raise MediaError(f"no face was replaced in {clip.name}")
    row.frames = sum(segment.frames for segment in segments)
    row.replaced = replaced
    row.digest = digest_of(row, model.donor_id, clip, [each.blob for each in segments])
    row.state = "complete"
    bound = bound_draft(row)
    row.binding = Locker(studio).bind(bound.kind, bound.facts, clearances)
    with studio.database.session() as session:
        session.merge(row)
    return load(studio, row)
