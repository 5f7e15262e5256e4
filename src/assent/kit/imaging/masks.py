"""Soft edges for masks, and soft strokes."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["feather", "near_area", "near_line", "shrunk"]

_FINE: Final = 16  # parts of a pixel that lines are drawn with
_FAR: Final = 1 << 14  # pixels: farther out nothing is drawn


def feather(mask: NDArray[np.bool_], radius: float) -> NDArray[np.float32]:
    """Let a mask rise smoothly from its edge inwards.

    The soft edge lies wholly inside the mask, so nothing beyond it is touched.

    Args:
        mask: bool [H, W].
        radius: pixels from the edge to full strength; below 1 the edge stays hard.

    Returns:
        float32 [H, W], 0..1, with flat ends (a smooth step).
    """
    if radius < 1:
        return mask.astype(np.float32)
    # The picture's border isn't an edge of the face: a face cut off by it stays whole.
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return _smooth_step(np.asarray(depth, np.float64) / (radius + 1))


def shrunk(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Return what of a mask lies further than that many pixels from its edge."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.asarray(depth) > radius, np.bool_)


def near_line(
    points: NDArray[np.float64], shape: tuple[int, int], radius: float, soft: float
) -> NDArray[np.float32]:
    """How near each pixel is to a line through points: a soft brush's stroke.

    Args:
        points: [n, 2], x and y, pixels; one point makes a dot.
        shape: height and width.
        radius: pixels from the line to where the stroke ends.
        soft: 0..1, share of the radius over which it fades.

    Returns:
        float32 [H, W], 0..1.
    """
    away = np.ones(shape, np.uint8)
    # A line has two ends, be they one point.
    cv2.polylines(away, [_fine(points[[0, *range(len(points))]])], False, 0, 1, cv2.LINE_8, 4)
    return _faded(away, radius, soft)


def near_area(
    points: NDArray[np.float64], shape: tuple[int, int], radius: float, soft: float
) -> NDArray[np.float32]:
    """The same of the area inside a line, which fades outwards as a stroke does."""
    away = np.ones(shape, np.uint8)
    cv2.fillPoly(away, [_fine(points)], 0, cv2.LINE_8, 4)
    inside = (away == 0).astype(np.float32)
    return np.asarray(np.maximum(_faded(away, radius, soft), inside), np.float32)


def _fine(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(np.clip(points, -_FAR, _FAR) * _FINE).astype(np.int32)


def _faded(away: NDArray[np.uint8], radius: float, soft: float) -> NDArray[np.float32]:
    if away.all():
        return np.zeros(away.shape, np.float32)
    distance = np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
    fade = max(soft * radius, 1.0)
    return _smooth_step((radius - distance) / fade)


def _smooth_step(rise: NDArray[np.floating]) -> NDArray[np.float32]:
    rise = np.clip(rise, 0, 1)
    return np.asarray(rise * rise * (3 - 2 * rise), np.float32)
