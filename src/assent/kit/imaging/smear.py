"""Smear: what a shutter that stays open makes of things that move.

Along its way a moving face loses detail, across it none: how steep a picture is in the two
directions tells how long the way was.

>>> sharp = np.random.default_rng(0).integers(0, 255, (96, 96)).astype(np.float32)
>>> everywhere = np.ones((96, 96), bool)
>>> moved = smeared(sharp[..., None].repeat(3, 2), everywhere, np.array([9.0, 0.0]))[..., 0]
>>> unevenness(steepness(moved, everywhere), np.array([1.0, 0.0])) < -1
True
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.imaging.grain import noise_of

__all__ = ["smeared", "steepness", "unevenness"]

Floats = NDArray[np.float64]

_FINE, _COARSE = 1.0, 4.0  # px, between which detail is looked at
_LITTLE: Final = 0.02  # squared grey levels a pixel: less is flat


def steepness(grey: NDArray[np.floating] | NDArray[np.uint8], where: NDArray[np.bool_]) -> Floats:
    """How steep a picture's detail is in each direction: float64 [2, 2].

    For a unit vector u, `u @ steepness @ u` is the mean square of the slope along u, noise taken
    off.

    Args:
        grey: [H, W], 0..255.
        where: bool [H, W], the part to look at.
    """
    plain = np.asarray(grey, np.float32)
    right, down = (slope[where] for slope in _slopes(plain))
    count = max(len(right), 1)
    cross = float(right @ down) / count
    found = np.array([[right @ right / count, cross], [cross, down @ down / count]], np.float64)
    return found - np.eye(2) * noise_of(plain, where) ** 2 * _OF_NOISE


def unevenness(steep: Floats, way: Floats) -> float:
    """The logarithm of how steep a picture is along a way over across it; below 0: smeared.

    Args:
        steep: float64 [2, 2].
        way: float64 [2], right and down, not 0.
    """
    along = way / np.linalg.norm(way)
    across = np.array([-along[1], along[0]])
    here, there = (max(float(u @ steep @ u), _LITTLE) for u in (along, across))
    return float(np.log(here / there))


def smeared(
    patch: NDArray[np.float32], inside: NDArray[np.bool_], way: Floats
) -> NDArray[np.float32]:
    """A patch as if it had moved evenly while it was filmed; what lies outside doesn't bleed in.

    Args:
        patch: float32 [h, w] or [h, w, 3].
        inside: bool [h, w], where the patch is.
        way: float64 [2], pixels right and down from where it was to where it went.
    """
    kernel = _line(way)
    there = inside.astype(np.float32)
    weight = np.maximum(np.asarray(cv2.filter2D(there, -1, kernel)), 1e-3)
    if patch.ndim == 3:
        there, weight, inside = there[..., None], weight[..., None], inside[..., None]
    moved = np.asarray(cv2.filter2D(patch * there, -1, kernel)) / weight
    return np.where(inside, moved, patch).astype(np.float32)


def _line(way: Floats) -> NDArray[np.float32]:
    """A line through the middle of a kernel, its ends soft."""
    reach = int(np.ceil(np.abs(way).max() / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float64)
    count = max(2, round(4 * float(np.linalg.norm(way))))
    for share in (np.arange(count) + 0.5) / count - 0.5:
        x, y = reach + share * way
        left, top = int(x), int(y)
        right, down = x - left, y - top
        kernel[top : top + 2, left : left + 2] += np.outer((1 - down, down), (1 - right, right))
    return np.asarray(kernel / kernel.sum(), np.float32)


def _slopes(grey: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    narrow, wide = (cv2.GaussianBlur(grey, (0, 0), width) for width in (_FINE, _COARSE))
    detail = np.asarray(narrow - wide, np.float32)
    right, down = (
        np.asarray(cv2.Sobel(detail, cv2.CV_32F, *axes, ksize=3, scale=1 / 8), np.float32)
        for axes in ((1, 0), (0, 1))
    )
    return right, down


def _noise_passed() -> float:
    """Which share of white noise's energy a slope holds."""
    point = np.zeros((65, 65), np.float32)
    point[32, 32] = 1
    right, _ = _slopes(point)
    return float((right * right).sum())


_OF_NOISE: Final = _noise_passed()
