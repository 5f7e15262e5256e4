"""What a render is set up with: repairs, painter, and who must be where; and what it takes over.

A render with other repairs than one before changes some segments only. The others are taken over
as they are: verified, and signed again for the new draft.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import ColumnElement, select

from assent.consent.binding import check
from assent.consent.clearance import Clearance
from assent.consent.enrolment import read_enrolments
from assent.consent.locker import Locker
from assent.consent.people import person_by_id
from assent.create.composite import CompositeConfig
from assent.create.draft import bound_draft, bound_segment, load
from assent.create.gauge import Gauge
from assent.create.painters import Painter, painter_for
from assent.create.repair.changes import Reach, changed_segments
from assent.create.repair.document import Repairs, Settings
from assent.create.repair.mending import Mending
from assent.create.repair.store import Shot, Version, held, read_version, version_by_id
from assent.create.repair.whose import hold_whose
from assent.data.clips import ClearedClip
from assent.data.matching import Matching, match_faces
from assent.data.tracks import PersonTrack
from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotFoundError
from assent.kit.likeness.performance import AFRESH, AHEAD
from assent.kit.store.studio import Studio
from assent.kit.store.tables import DraftRow, SegmentRow
from assent.purpose.projects import Purpose
from assent.train.models import TrainedModel

__all__ = [
    "SEGMENT",
    "RenderStage",
    "Take",
    "check_repairs",
    "find_row",
    "mending_of",
    "new_row",
    "painting_config",
    "set_up",
    "take_of",
    "take_over",
]

SEGMENT: Final = 32
"""Frames a segment."""
_EARLIER: Final = 3
"""Renders before that are looked at for segments to take over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A shot as it is to be rendered."""

    shot: Shot
    version: Version
    repairs: Repairs
    config: CompositeConfig

    @property
    def model(self) -> TrainedModel:
        """The donor's face."""
        return self.shot.model

    @property
    def clip(self) -> ClearedClip:
        """The performance."""
        return self.shot.clip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RenderStage:
    """What frames pass through; `found` are the clip's tracks before any repair."""

    found: tuple[PersonTrack, ...]
    painter: Painter
    matching: Matching
    gauge: Gauge


def take_of(
    studio: Studio,
    purpose: Purpose,
    model: TrainedModel,
    clip: ClearedClip,
    clearances: Sequence[Clearance],
    *,
    config: CompositeConfig | None = None,
    version: Version | None = None,
) -> Take:
    """Return a shot with the repairs that hold, or those of a version."""
    shot = Shot(project_id=purpose.project_id, clip=clip, model=model)
    version = version or held(studio, shot)
    repairs = read_version(studio, shot, version, clearances)
    config = painting_config(config or CompositeConfig(), repairs.settings)
    return Take(shot=shot, version=version, repairs=repairs, config=config)


def painting_config(config: CompositeConfig, settings: Settings) -> CompositeConfig:
    """Return how faces are set in after what somebody has set."""
    return replace(
        config,
        colour=settings.colour or config.colour,
        strength=settings.strength / 1000,
        sharpen=settings.sharpen / 1000,
        wider=settings.grow / 1000,
        softer=settings.feather / 1000,
    )


def mending_of(studio: Studio, take: Take, found: Sequence[PersonTrack]) -> Mending:
    """Return a take's repairs applied to its tracks; raises `InputError` if they don't fit."""
    handles = {person_by_id(studio, person).handle: person for person in take.clip.people}
    return Mending(
        take.repairs, found, take.model.performer_id, people=handles, frames=take.clip.frames
    )


def check_repairs(
    studio: Studio,
    purpose: Purpose,
    shot: Shot,
    repairs: Repairs,
    clearances: Sequence[Clearance],
) -> None:
    """Check that repairs fit their shot, and that faces are whose they say.

    What is kept was checked, and is checked again when it is rendered. Raises as `render`.
    """
    if repairs.clip != shot.clip.sha256:
        raise InputError(
            f"these repairs are of another clip than {shot.clip.name}",
            advice="Repairs are of one clip; its hash stands in them.",
        )
    version = held(studio, shot)
    take = Take(shot=shot, version=version, repairs=repairs, config=CompositeConfig())
    found = shot.clip.tracks(Locker(studio), clearances)
    hold_whose(studio, purpose, shot.clip, mending_of(studio, take, found), clearances)


def set_up(
    studio: Studio, purpose: Purpose, take: Take, clearances: Sequence[Clearance]
) -> RenderStage:
    """Open model and tracks, apply the repairs, and hold whose faces they say are whose."""
    locker, model, clip = Locker(studio), take.model, take.clip
    found = clip.tracks(locker, clearances)
    mending = mending_of(studio, take, found)
    decided = hold_whose(studio, purpose, clip, mending, clearances)
    painter = painter_for(model.open(locker, clearances), mending.own, take.config, mending)
    gallery = read_enrolments(studio, clearances)
    handles = {person: person_by_id(studio, person).handle for person in gallery}
    if exemplars := painter.exemplars():
        match_faces(exemplars, model.donor_id, gallery, handles, name=f"model '{model.name}'")
    return RenderStage(
        found=found,
        painter=painter,
        matching=Matching(
            clip.name, [piece.track for piece in mending.pieces], gallery, handles, decided=decided
        ),
        gauge=Gauge(mending.own, painter.exemplars()),
    )


def find_row(studio: Studio, purpose: Purpose, take: Take) -> DraftRow | None:
    """Return the draft of a take, if it was begun."""
    with studio.database.session() as session:
        return session.scalar(
            select(DraftRow).where(*_same(purpose, take), DraftRow.repairs == take.repairs.sha256)
        )


def new_row(studio: Studio, purpose: Purpose, take: Take) -> DraftRow:
    """Begin a draft of a take."""
    row = DraftRow(
        id=uuid.uuid4().hex,
        project_id=purpose.project_id,
        model_id=take.model.id,
        footage_id=take.clip.id,
        model_blob=take.model.blob,
        colour=take.config.colour,
        repairs=take.repairs.sha256,
        repair_id=take.version.id,
        label=take.repairs.settings.label.value,
        state="rendering",
        created=stamp(studio.clock()),
    )
    with studio.database.session() as session:
        session.add(row)
    return row


def take_over(
    studio: Studio,
    purpose: Purpose,
    take: Take,
    row: DraftRow,
    found: Sequence[PersonTrack],
    clearances: Sequence[Clearance],
) -> dict[int, SegmentRow]:
    """Return the segments that a draft has, by number; an empty one is given what fits of others.

    Segments of earlier renders of the same shot that the repairs leave as they are become its own.
    """
    with studio.database.session() as session:
        own = session.scalars(select(SegmentRow).where(SegmentRow.draft_id == row.id)).all()
    if own:
        return {segment.number: segment for segment in own}
    kept: list[SegmentRow] = []
    for earlier in _earlier(studio, purpose, take):
        unchanged = _unchanged(studio, take, earlier, found, clearances)
        kept = unchanged if len(unchanged) > len(kept) else kept
    locker = Locker(studio)
    copies = [_copied(locker, segment, row, clearances) for segment in kept]
    with studio.database.session() as session:
        session.add_all(copies)
    return {segment.number: segment for segment in copies}


def _same(purpose: Purpose, take: Take) -> tuple[ColumnElement[bool], ...]:
    return (
        DraftRow.project_id == purpose.project_id,
        DraftRow.footage_id == take.clip.id,
        DraftRow.model_blob == take.model.blob,
        DraftRow.colour == take.config.colour,
    )


def _earlier(studio: Studio, purpose: Purpose, take: Take) -> Sequence[DraftRow]:
    """The newest complete renders of the same shot with other repairs."""
    with studio.database.session() as session:
        return session.scalars(
            select(DraftRow)
            .where(
                *_same(purpose, take),
                DraftRow.state == "complete",
                DraftRow.repairs != take.repairs.sha256,
            )
            .order_by(DraftRow.created.desc(), DraftRow.id)
            .limit(_EARLIER)
        ).all()


def _unchanged(
    studio: Studio,
    take: Take,
    earlier: DraftRow,
    found: Sequence[PersonTrack],
    clearances: Sequence[Clearance],
) -> list[SegmentRow]:
    """The segments of an earlier draft that this take leaves as they are; held to its binding."""
    load(studio, earlier)
    check(studio, bound_draft(earlier))
    try:
        version = version_by_id(studio, take.shot, earlier.repair_id)
    except NotFoundError:
        return []
    before = read_version(studio, take.shot, version, clearances)
    with studio.database.session() as session:
        rows = session.scalars(select(SegmentRow).where(SegmentRow.draft_id == earlier.id)).all()
    reach = Reach(segment=SEGMENT, ahead=AHEAD, afresh=AFRESH)
    changed = changed_segments(before, take.repairs, found, reach, segments=len(rows))
    locker = Locker(studio)
    for segment in rows:
        locker.hold(bound_segment(segment), clearances)
    return [segment for segment in rows if segment.number not in changed]


def _copied(
    locker: Locker, segment: SegmentRow, row: DraftRow, clearances: Sequence[Clearance]
) -> SegmentRow:
    copy = SegmentRow(
        draft_id=row.id,
        number=segment.number,
        blob=segment.blob,
        frames=segment.frames,
        replaced=segment.replaced,
        last_pts=segment.last_pts,
        binding="",
    )
    bound = bound_segment(copy)
    copy.binding = locker.bind(bound.kind, bound.facts, clearances)
    return copy
