"""Which segments of a render change with its repairs; the others are taken over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from assent.create.repair.between import strength_at
from assent.create.repair.brush import strokes_at
from assent.create.repair.document import MaskRepair, Repairs, ShapeRepair, Span
from assent.create.repair.shape import moved_at
from assent.data.tracks import PersonTrack

__all__ = ["Reach", "changed_segments"]

_MOST: Final = 1_000_000  # evaluations; beyond them whole spans count as changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far around a frame a painter is told of it.

    Attributes:
        segment: frames a segment.
        ahead: frames before and after a painted one that it looks at.
        afresh: at frames whose number this divides, it forgets all that went before.
    """

    segment: int
    ahead: int
    afresh: int

    def painted(self, frame: int) -> range:
        """The segments that change where a frame alone is painted otherwise."""
        return range(frame // self.segment, frame // self.segment + 1)

    def seen(self, frame: int) -> range:
        """The segments that change where a frame is seen otherwise."""
        last = (frame // self.afresh + 1) * self.afresh - 1 + self.ahead
        return range(max(0, frame - self.ahead) // self.segment, last // self.segment + 1)


def changed_segments(
    old: Repairs, new: Repairs, tracks: Sequence[PersonTrack], reach: Reach, *, segments: int
) -> frozenset[int]:
    """Return the numbers of the segments that another document changes.

    Args:
        old: what was rendered.
        new: what is to be.
        tracks: of the clip, as they were found.
        reach: of the painter.
        segments: of the clip.
    """
    everything = frozenset(range(segments))
    # The label is burnt in where frames are shown and sealed: no segment holds it.
    if old.settings != new.settings.model_copy(update={"label": old.settings.label}):
        return everything
    touched: set[int] = set()
    for frame in _differing(old.shapes, new.shapes) | _owned(old, new, tracks):
        touched.update(reach.seen(frame))
    for frame in _differing(old.masks, new.masks) | _skipped(old, new):
        touched.update(reach.painted(frame))
    return everything & touched


_Keyed = ShapeRepair | MaskRepair


def _differing(old: Sequence[_Keyed], new: Sequence[_Keyed]) -> set[int]:
    """The frames in which repairs of one kind do something else."""
    kept = [repair for repair in old if repair in new]
    moved = kept != [repair for repair in new if repair in old]
    frames = {
        n
        for repairs, others in ((old, new), (new, old))
        for repair in repairs
        if moved or repair not in others
        for n in _frames(repair)
    }
    if len(frames) * (len(old) + len(new)) > _MOST:
        return frames
    return {n for n in frames if _states(old, n) != _states(new, n)}


def _states(repairs: Iterable[_Keyed], frame: int) -> list[object]:
    """All that repairs do in a frame, as values that can be compared."""
    found: list[object] = []
    for repair in repairs:
        strength = strength_at(repair, repair.ease, frame)
        if strength == 0:
            continue
        if isinstance(repair, ShapeRepair):
            found += [moved] if (moved := moved_at(repair, frame)) is not None else []
        else:
            shown = [(strokes, part) for strokes, part in strokes_at(repair, frame) if strokes]
            found += [(strength, shown)] if shown else []
    return found


def _skipped(old: Repairs, new: Repairs) -> set[int]:
    before = {n for span in old.skips for n in _frames(span)}
    after = {n for span in new.skips for n in _frames(span)}
    return before ^ after


def _owned(old: Repairs, new: Repairs, tracks: Sequence[PersonTrack]) -> set[int]:
    """The frames of tracks that were given to somebody else: a whole run is steadied together."""
    if old.owners == new.owners:
        return set()
    numbers = {owner.track for owner in (*old.owners, *new.owners)}
    return {n for track in numbers if track < len(tracks) for n in tracks[track].index.tolist()}


def _frames(span: Span) -> range:
    return range(span.first, span.last + 1)
