"""Make a face unrecognisable for good: what is put in its place knows nothing of it.

    head = Oval(x=320, y=180, across=60, down=80)
    shown = anonymise(picture, [Hidden(oval=head)])

A blur can be sharpened again, and a mosaic that a face moves under can be averaged to a sharp
picture: both keep some of the face in every frame. Here nothing is kept. The inside of each oval is
computed from the pixels around it alone, like a membrane stretched over a hole, and then broken up
into tiles so that everybody sees that something was hidden. Two pictures that differ only inside
their ovals come out the same, bit for bit; there is nothing left to restore.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.media.picture import Picture

__all__ = ["Hidden", "Oval", "anonymise"]

_SOFT: Final = 0.16  # width of the soft edge, which lies outside, as a share of the oval
_AROUND: Final = 0.5  # how far around an oval the filling looks, as a share of it
_TILES: Final = 9  # across an oval
_UNEVEN: Final = 0.02  # how much the tiles differ in brightness, as a share of the range
_PATTERN: Final = 64  # tiles after which that begins again

_Plane = NDArray[Any]
_Floats = NDArray[np.float32]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Oval:
    """An ellipse in pixels of the upright frame; `turn` is in radians, clockwise as seen."""

    x: float
    y: float
    across: float
    """Half its width before it is turned."""
    down: float
    """Half its height before it is turned."""
    turn: float = 0.0

    def grown(self, by: float) -> "Oval":
        """Return it `by` times as large."""
        return replace(self, across=self.across * by, down=self.down * by)

    def scaled(self, across: int, down: int) -> "Oval":
        """Return it in samples of a plane with fewer of them."""
        # Between the two directions a turned oval would become oblique; it is given the larger one.
        less = min(across, down)
        return replace(
            self, x=self.x / across, y=self.y / down, across=self.across / less,
            down=self.down / less,
        )  # fmt: skip

    def covers(self, columns: _Floats, rows: _Floats) -> _Flags:
        """Whether points lie inside."""
        right, below = self.places(columns, rows)
        return np.asarray(right**2 + below**2 <= 1)

    def places(self, columns: _Floats, rows: _Floats) -> tuple[_Floats, _Floats]:
        """Where points lie, in the oval's own directions; 1 is its rim."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        x, y = columns - self.x, rows - self.y
        across, down = max(self.across, 1e-3), max(self.down, 1e-3)
        right, below = (x * cos + y * sin) / across, (y * cos - x * sin) / down
        return np.asarray(right, np.float32), np.asarray(below, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """A head to hide, and the face in it, if it is known where exactly that is.

    The oval gives way to those who may be seen; the face doesn't.
    """

    oval: Oval
    face: Oval | None = None


def anonymise(picture: Picture, hidden: Sequence[Hidden], spared: Sequence[Oval] = ()) -> Picture:
    """Return the picture with everything in the ovals replaced.

    Args:
        picture: the frame.
        hidden: what to hide; what overlaps is hidden together.
        spared: the faces of those who may be seen; where `Hidden.face` is None, nobody is spared.
    """
    if not hidden:
        return picture
    across, down = picture.subsampling
    depth = (1 << picture.bits) - 1
    whole, less = [(each, spared) for each in hidden], _scaled(hidden, spared, across, down)
    return replace(
        picture,
        y=_hide(picture.y, whole, depth, _UNEVEN * depth),
        u=_hide(picture.u, less, depth, 0.0),
        v=_hide(picture.v, less, depth, 0.0),
    )


_Holes = list[tuple[Hidden, Sequence[Oval]]]


def _scaled(hidden: Sequence[Hidden], spared: Sequence[Oval], across: int, down: int) -> _Holes:
    smaller = [oval.scaled(across, down) for oval in spared]
    return [
        (
            Hidden(
                oval=each.oval.scaled(across, down),
                face=each.face.scaled(across, down) if each.face else None,
            ),
            smaller,
        )
        for each in hidden
    ]


def _hide(plane: _Plane, holes: _Holes, depth: int, uneven: float) -> _Plane:
    made = plane.copy()
    for hidden, _ in holes:
        box = _box(hidden.oval, plane.shape)
        if box is None:
            continue
        x0, y0, x1, y1 = box
        columns = np.arange(x0, x1, dtype=np.float32)[None, :]
        rows = np.arange(y0, y1, dtype=np.float32)[:, None]
        hole = np.zeros((y1 - y0, x1 - x0), np.bool_)
        for each, spared in holes:
            hole |= _hole(each, spared, columns, rows)
        part = plane[y0:y1, x0:x1]
        filled = _tiled(_membrane(part, hole, depth), hidden.oval, columns, rows, uneven)
        # What it shares with another is filled from both sides, and whoever comes last wins.
        near = hidden.oval.grown(1 + _SOFT).covers(columns, rows)
        share = np.where(near, _soft(hole, hidden.oval), 0)
        mixed = made[y0:y1, x0:x1] * (1 - share) + filled * share
        filled = np.where(hole & near, filled, mixed)
        made[y0:y1, x0:x1] = np.clip(np.round(filled), 0, depth).astype(plane.dtype)
    return made


def _hole(hidden: Hidden, spared: Sequence[Oval], columns: _Floats, rows: _Floats) -> _Flags:
    inside = hidden.oval.covers(columns, rows)
    if hidden.face is None:
        return inside
    for oval in spared:
        inside &= ~oval.covers(columns, rows)
    return inside | hidden.face.covers(columns, rows)


def _box(oval: Oval, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """The part of a plane that an oval and what surrounds it lie in; None outside of it."""
    reach = (1 + _AROUND) * max(oval.across, oval.down) + 2
    x0, y0 = max(0, int(oval.x - reach)), max(0, int(oval.y - reach))
    x1, y1 = min(shape[1], int(oval.x + reach) + 1), min(shape[0], int(oval.y + reach) + 1)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _membrane(plane: _Plane, hole: _Flags, depth: int) -> _Floats:
    """The plane with its hole filled smoothly from around it (pull and push on a pyramid)."""
    if hole.all():
        return np.full(plane.shape, depth / 2, np.float32)
    weight = (~hole).astype(np.float32)
    levels = [(np.where(hole, 0, plane).astype(np.float32), weight)]
    while max(levels[-1][1].shape) > 1:
        total, weight = (np.asarray(cv2.pyrDown(each), np.float32) for each in levels[-1])
        levels.append((total, weight))
    total, weight = levels.pop()
    filled = total / np.maximum(weight, 1e-6)
    for total, weight in reversed(levels):
        wide = cv2.pyrUp(filled, dstsize=weight.shape[::-1])
        filled = total + (1 - weight) * wide
    return np.asarray(filled, np.float32)


def _tiled(filled: _Floats, oval: Oval, columns: _Floats, rows: _Floats, uneven: float) -> _Floats:
    """The same in tiles that move with the oval, each a little brighter or darker than it was."""
    right, below = oval.places(columns, rows)
    x = np.floor(right * _TILES / 2).astype(np.int64) % _PATTERN
    y = (
        np.floor(below * _TILES / 2 * oval.down / max(oval.across, 1e-3)).astype(np.int64)
        % _PATTERN
    )
    tile = x * _PATTERN + y
    count = np.bincount(tile.ravel(), minlength=_PATTERN**2)
    total = np.bincount(tile.ravel(), filled.ravel(), minlength=_PATTERN**2)
    shift = np.random.default_rng(0).normal(0, uneven, _PATTERN**2)
    return np.asarray((total / np.maximum(count, 1) + shift)[tile], np.float32)


def _soft(hole: _Flags, oval: Oval) -> _Floats:
    """How much is replaced: 1 in the hole, falling to 0 a little outside of it."""
    width = max(1.0, _SOFT * min(oval.across, oval.down))
    outside = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3)
    share = np.clip(1 - outside / width, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
