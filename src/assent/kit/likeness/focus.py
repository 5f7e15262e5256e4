"""How softly a face was filmed, and a painted one made as soft.

Out of focus, in motion, or worn by compression: what shows in the performer's face shows in the
donor's. People differ as well: stubble is finer than make-up. So a portrait knows how fine the two
people's own pictures are; a small difference is taken for theirs and stays, a large one is their
footage's.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.align import scale_of, transform, warp
from assent.kit.imaging.focus import fineness, softened, softening
from assent.kit.imaging.smear import smeared, steepness, unevenness
from assent.kit.likeness.geometry import Floats
from assent.kit.likeness.painting import Painted

__all__ = ["Filmed", "Sight", "in_focus", "look_at", "wanted"]

_CORE: Final = 0.8  # of the face's width, what is looked at: no outline, no background
_PEOPLE: Final = 0.3  # one deviation of how far people's own detail differs
_SEEN: Final = 0.3  # px of blur that nobody sees
_STILL: Final = 2.0  # px of the crop from frame to frame that smear nothing
_UNSURE: Final = 0.3  # how much two faces' unevenness differs without any smear
_OPEN: Final = (0.25, 0.5, 0.75, 1.0)  # shares of the time that a shutter may be open


@dataclass(frozen=True, slots=True)
class Sight:
    """What a crop tells of how softly it was filmed.

    Attributes:
        fineness: `imaging.focus.fineness` of the face.
        steep: float64 [2, 2], `imaging.smear.steepness` of the face.
    """

    fineness: float
    steep: Floats


@dataclass(frozen=True, slots=True)
class Filmed:
    """How softly the performer was filmed in one frame.

    Attributes:
        fineness: how fine the donor's detail may be (`wanted`).
        steep: as seen (`Sight`).
        way: float64 [2], pixels of the frame that the face goes from this frame to the next.
        matrix: float64 [2, 3], frame pixels to those of the crop that was looked at.
        size: the crop's side.
    """

    fineness: float
    steep: Floats
    way: Floats
    matrix: Floats
    size: int


def look_at(crop: NDArray[np.uint8], mesh: NDArray[np.floating]) -> Sight:
    """Look at how softly a face was filmed.

    Args:
        crop: uint8 [S, S, 3].
        mesh: [P, 2 or 3], pixels of the crop.
    """
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)
    where = _core(mesh, crop.shape[0])
    return Sight(fineness(grey, where), steepness(grey, where))


def wanted(seen: float, finer: float) -> float:
    """How fine the donor's face may be where the performer's is `seen` to be.

    Args:
        seen: the performer's fineness in the scene.
        finer: how much finer the performer's own pictures are than the donor's.
    """
    return seen - finer * float(np.exp(-((finer / _PEOPLE) ** 2)))


def in_focus(painted: Painted, mesh: Floats, filmed: Filmed) -> Painted:
    """A painted face, smeared and softened as the performer's is; never sharpened.

    Args:
        painted: into a frame.
        mesh: [P, 3], the face's, pixels of the frame.
        filmed: how the performer was.
    """
    near = filmed.matrix.copy()
    near[:, 2] += filmed.matrix[:, :2] @ (painted.x, painted.y)
    # Through the same interpolation as the performer's face was looked at.
    grey = np.asarray(cv2.cvtColor(painted.rgb, cv2.COLOR_RGB2GRAY)).astype(np.uint8)
    seen = warp(grey, near, filmed.size).astype(np.float32)
    shown = warp((painted.alpha > 0.5).astype(np.uint8), near, filmed.size) > 0
    where = _core(transform(mesh[:, :2], filmed.matrix), filmed.size) & shown
    rgb, inside = painted.rgb, np.asarray(painted.rgb.any(axis=2), np.bool_)
    way = filmed.matrix[:, :2] @ filmed.way
    opened = _open_for(seen, where, way, filmed.steep)
    if opened > 0:
        rgb = smeared(rgb, inside, opened * filmed.way)
        seen = smeared(seen, shown, opened * way)
    deviation = softening(seen, where, filmed.fineness) / scale_of(filmed.matrix)
    if deviation >= _SEEN:
        rgb = softened(rgb, inside, deviation)
    return replace(painted, rgb=rgb)


def _open_for(
    grey: NDArray[np.float32], where: NDArray[np.bool_], way: Floats, steep: Floats
) -> float:
    """Which share of a face's way makes it as smeared as another one is, 0..1."""
    if float(np.linalg.norm(way)) < _STILL:
        return 0.0
    goal = unevenness(steep, way) + _UNSURE
    before, last = 0.0, unevenness(steepness(grey, where), way)
    for share in _OPEN:
        if last <= goal:
            return before
        now = unevenness(steepness(smeared(grey, where, share * way), where), way)
        if now <= goal:
            return before + (share - before) * (last - goal) / max(last - now, 1e-6)
        before, last = share, now
    return before


def _core(mesh: NDArray[np.floating], size: int) -> NDArray[np.bool_]:
    """The middle of a face in a crop of that side: bool [size, size]."""
    points = np.asarray(mesh[:, :2], np.float64)
    inner = points.mean(0) + _CORE * (points - points.mean(0))
    mask = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(inner).astype(np.int32)), 1)
    return np.asarray(mask > 0, np.bool_)
