"""Render a performance with a trained face, as a draft that stays in the vault.

The clip is read once, a few frames ahead of the painter, which works on several frames at once;
each finished segment is put away encrypted, so that memory is bounded, a killed render goes on with
the next segment, and a withdrawal stops it.
"""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlalchemy import select

from assent.consent.clearance import Act, AskAgain, Clearance, Modality, require_all
from assent.consent.desk import Need
from assent.consent.locker import Locker
from assent.create.composite import CompositeConfig
from assent.create.draft import Draft, bound_draft, bound_segment, digest_of, load
from assent.create.gauge import Gauge
from assent.create.looks import look_at, take_look
from assent.create.painters import Painter
from assent.create.patches import Patch, apply, pack
from assent.create.quality import FrameNote, FrameQuality
from assent.create.repair.store import Version
from assent.create.staging import (
    SEGMENT,
    RenderStage,
    find_row,
    new_row,
    set_up,
    take_of,
    take_over,
)
from assent.data.clips import ClearedClip
from assent.data.matching import Matching
from assent.kit.ahead import ahead, side_by_side
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

__all__ = ["SEGMENT", "render", "rendering_needs"]

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
    version: Version | None = None,
    progress: Progress = nothing,
) -> Draft:
    """Put the model's donor's face onto its performer's performance in `clip`.

    What was corrected by hand in that clip for that model is heeded: the version that holds, or
    another that is named. A render of the same in the same colours that was interrupted goes on; a
    complete one is returned. Of one with other repairs, all segments are taken over that they don't
    change.

    The donor's pictures in the model and every face in the clip are matched with the enrolments
    again, as it goes.

    Raises `NotClearedError` as soon as someone is not cleared, `UnlistedFaceError` if a face is
    not whose it is said to be, `SignOffError` if somebody must decide whose it is, `IntegrityError`
    if model, clip, repairs or what was rendered so far was altered, `InputError` if the model's
    performer is not in the clip or the repairs don't fit, `MediaError` if the clip can't be read.
    """
    if model.performer_id not in clip.people or model.donor_id in clip.people:
        raise InputError(
            f"model '{model.name}' doesn't fit {clip.name}: the clip must show its performer, "
            "and not its donor",
            advice="Choose footage of the performer the model was trained for.",
        )
    _require(studio, purpose, model, clip, clearances)
    take = take_of(studio, purpose, model, clip, clearances, config=config, version=version)
    row = find_row(studio, purpose, take)
    if row is not None and row.state == "complete":
        return load(studio, row)
    stage = set_up(studio, purpose, take, clearances)
    row = row or new_row(studio, purpose, take)
    done = take_over(studio, purpose, take, row, stage.found, clearances)
    locker = Locker(studio)
    for segment in done.values():
        locker.hold(bound_segment(segment), clearances)

    def keep(number: int, patches: Sequence[Patch]) -> SegmentRow:
        fresh = ask_again()
        _require(studio, purpose, model, clip, fresh)
        segment = _keep(studio, row, number, locker, patches, fresh)
        done[number] = segment
        progress("rendering", sum(each.frames for each in done.values()), clip.frames)
        return segment

    with clip.open(locker, clearances) as footage:
        time_base = probe(footage, name=clip.name).time_base
        for first, end in _gaps(done, -(-clip.frames // SEGMENT)):
            begin = max(0, first - 1)
            start = done[begin - 1].last_pts + 1 if begin else None
            footage.seek(0)
            decoded = read_pictures(footage, name=clip.name, start_pts=start)
            run = _Run(first=first, end=end, begin=begin, time_base=time_base)
            _render_run(run, decoded, stage, keep)
    return _complete(studio, row, model, clip, ask_again())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Segments that are rendered one after another.

    From `first` up to before `end`, or to the film's end; frames are shown to the painter from
    segment `begin` on.
    """

    first: int
    end: int | None
    begin: int
    time_base: Fraction

    def wanted(self, number: int) -> bool:
        """Tell whether a frame is to be painted: the one after the last tells when that ends."""
        return number >= self.first * SEGMENT and (self.end is None or number <= self.end * SEGMENT)

    def shown(self, pictures: Iterator[Picture], ahead: int) -> Iterator[Picture]:
        """Yield the pictures that the painter must see."""
        if self.end is None:
            return pictures
        count = (self.end - self.begin) * SEGMENT + 1 + ahead
        return itertools.islice(pictures, count)


def _gaps(done: Mapping[int, object], segments: int) -> Iterator[tuple[int, int | None]]:
    """Yield the runs of segments that are missing: the first, the one after the last (if any)."""
    missing = [number for number in range(segments) if number not in done]
    for _, run in itertools.groupby(enumerate(missing), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        last = numbers[-1] + 1
        yield numbers[0], last if last < segments else None


def _render_run(
    run: _Run,
    decoded: Iterator[Picture],
    stage: RenderStage,
    keep: Callable[[int, Sequence[Patch]], object],
) -> None:
    """Render the segments of one run, and have each kept."""
    painter = stage.painter
    shown = run.shown(decoded, painter.ahead)
    with (
        ahead(shown, depth=_WAITING) as pictures,
        ahead(
            _matched(pictures, stage.matching, run.begin * SEGMENT, run.time_base), depth=_WAITING
        ) as matched,
        ahead(_seen(matched, painter), depth=_WAITING) as seen,
        _painted(seen, painter, run) as painted,
        # Painting goes on while a segment is put away.
        ahead(_noted(painted, painter, stage.gauge, run.time_base), depth=SEGMENT) as noted,
    ):
        for number in itertools.count(run.first):
            patches = list(itertools.islice(noted, SEGMENT))
            # To the very end: what was seen last is matched last.
            if not patches or number == run.end:
                break
            keep(number, patches)
        for _ in noted:
            pass


_Numbered = tuple[int, Picture]


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
    seen: Iterator[_Numbered], painter: Painter, run: _Run
) -> AbstractContextManager[Iterator[_Painted]]:
    """Paint each picture that is wanted, several at once."""

    def paint(item: _Numbered) -> _Painted:
        return _Painted(*item, *painter.paint(*item))

    workers = min(_WORKERS, os.cpu_count() or 1)
    wanted = (item for item in seen if run.wanted(item[0]))
    return side_by_side(paint, wanted, workers=workers, depth=workers + _FINISHED)


def _noted(
    frames: Iterator[_Painted], painter: Painter, gauge: Gauge, time_base: Fraction
) -> Iterator[Patch]:
    """Yield the patch of each painted frame, with a note, some with a look."""
    since: float | None = None
    for here, following in _with_next(frames):
        painter.forget(here.number)
        if here.number % SEGMENT == 0:
            # Each segment shows itself to a review, whatever stands before it.
            since = None
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
) -> SegmentRow:
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
    return segment


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
