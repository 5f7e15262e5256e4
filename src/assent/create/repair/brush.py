"""Strokes as a field over the face: what is painted is 1, what is erased -1, the rest 0."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.create.repair.between import between, strength_at
from assent.create.repair.document import MaskKey, MaskRepair, Mode, Stroke
from assent.kit.imaging.masks import near_area, near_line

__all__ = ["Field", "corrected", "drawn", "field_at", "strokes_at"]

Field = NDArray[np.float32]

_PLACES: Final = 10_000
_GOALS: Final = {Mode.PAINT: 1.0, Mode.ERASE: -1.0, Mode.CLEAR: 0.0}


def field_at(repair: MaskRepair, frame: int, size: int) -> Field | None:
    """Return a repair's field in a frame, float32 [size, size], -1..1; None where it has none.

    Where the strokes of two keyframes correspond, they move from one to the other; otherwise one
    fades into the other.
    """
    strength = strength_at(repair, repair.ease, frame)
    if strength == 0:
        return None
    field = sum(
        (part * drawn(strokes, size) for strokes, part in strokes_at(repair, frame)),
        np.zeros((size, size), np.float32),
    )
    field = np.asarray(field * np.float32(strength), np.float32)
    return field if field.any() else None


def corrected(share: Field, most: Field, field: Field) -> Field:
    """Return how much of a face shows after painting and erasing.

    Args:
        share: float32 [h, w], 0..1, how much does without.
        most: the same, how much may at most.
        field: the same, -1 (erased) to 1 (painted).
    """
    erased = share * (1 + np.minimum(field, 0))
    painted = np.maximum(field, 0) * np.maximum(most - erased, 0)
    return np.asarray(erased + painted, np.float32)


def strokes_at(repair: MaskRepair, frame: int) -> list[tuple[Sequence[Stroke], float]]:
    """Return the strokes that count in a frame, and how much: one set, or two that cross-fade."""
    before, after, share = between(repair.frames(), frame, repair.blend)
    first, second = repair.keys[before], repair.keys[after]
    if share == 0:
        return [(first.strokes, 1.0)]
    if _correspond(first, second):
        pairs = zip(first.strokes, second.strokes, strict=True)
        return [([_mixed(one, other, share) for one, other in pairs], 1.0)]
    return [(first.strokes, 1 - share), (second.strokes, share)]


def drawn(strokes: Sequence[Stroke], size: int) -> Field:
    """Draw strokes one over the other: float32 [size, size], -1..1."""
    field = np.zeros((size, size), np.float32)
    for stroke in strokes:
        points = np.array(stroke.points, np.float64) * ((size - 1) / _PLACES)
        radius = stroke.size * size / 1000
        near = near_area if stroke.fill else near_line
        share = near(points, (size, size), radius, stroke.soft / 1000)
        field += share * (np.float32(_GOALS[stroke.mode]) - field)
    return field


def _correspond(one: MaskKey, other: MaskKey) -> bool:
    return len(one.strokes) == len(other.strokes) and all(
        a.like(b) for a, b in zip(one.strokes, other.strokes, strict=True)
    )


def _mixed(one: Stroke, other: Stroke, share: float) -> Stroke:
    def mix(a: int, b: int) -> int:
        return round(a + share * (b - a))

    return one.model_copy(
        update={
            "points": [
                [mix(a, b) for a, b in zip(here, there, strict=True)]
                for here, there in zip(one.points, other.points, strict=True)
            ],
            "size": mix(one.size, other.size),
            "soft": mix(one.soft, other.soft),
        }
    )
