"""Alignment: bring a face into a square crop, upright and of one size, and back.

A similarity (turn, one scale, shift; no shear) is fitted in the least-squares sense between 51
landmarks of the inner face and those of a mean face, so that every crop of every person holds eyes,
nose and mouth in the same place. The jaw's 17 points are left out of the fit: they move with the
mouth and slide with the turn of the head.

>>> crop_from_frame = align(MEAN_FACE * 100 + 200, size=128, coverage=0.5)
>>> transform(np.array([[200.0, 200.0]]), crop_from_frame).round(3).tolist()
[[64.0, 64.0]]
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError

__all__ = ["INNER", "MEAN_FACE", "align", "hull_mask", "invert", "scale_of", "transform", "warp"]

# A 2x3 affine that maps frame pixels to crop pixels.
Matrix = NDArray[np.float64]

INNER: Final = slice(17, 68)
"""Brows, nose, eyes and mouth of the 68 iBUG landmarks."""

_BROW, _CHIN = slice(17, 27), 8

_JAW: Final = [
    (-0.4748, -0.2903), (-0.4702, -0.1662), (-0.4553, -0.0415), (-0.4334, 0.0834),
    (-0.3926, 0.2044), (-0.3242, 0.3131), (-0.2330, 0.4064), (-0.1249, 0.4786),
    (0.0000, 0.5000),
    (0.1249, 0.4786), (0.2330, 0.4064), (0.3242, 0.3131), (0.3926, 0.2044),
    (0.4334, 0.0834), (0.4553, -0.0415), (0.4702, -0.1662), (0.4748, -0.2903),
]  # fmt: skip
_BROWS: Final = [
    (-0.3849, -0.4175), (-0.3281, -0.4778), (-0.2460, -0.5000), (-0.1597, -0.4968),
    (-0.0800, -0.4660),
    (0.0800, -0.4660), (0.1597, -0.4968), (0.2460, -0.5000), (0.3281, -0.4778),
    (0.3849, -0.4175),
]  # fmt: skip
_NOSE: Final = [
    (0.0000, -0.3443), (0.0000, -0.2695), (0.0000, -0.1955), (0.0000, -0.1176),
    (-0.1010, -0.0398), (-0.0518, -0.0261), (0.0000, -0.0132), (0.0518, -0.0261),
    (0.1010, -0.0398),
]  # fmt: skip
_EYES: Final = [
    (-0.2982, -0.3114), (-0.2462, -0.3412), (-0.1823, -0.3402), (-0.1276, -0.3004),
    (-0.1867, -0.2857), (-0.2503, -0.2856),
    (0.1276, -0.3004), (0.1823, -0.3402), (0.2462, -0.3412), (0.2982, -0.3114),
    (0.2503, -0.2856), (0.1867, -0.2857),
]  # fmt: skip
_MOUTH: Final = [
    (-0.1938, 0.1575), (-0.1256, 0.1126), (-0.0497, 0.0883), (0.0000, 0.1001),
    (0.0497, 0.0883), (0.1256, 0.1126), (0.1938, 0.1575), (0.1295, 0.2428),
    (0.0550, 0.2768), (0.0000, 0.2823), (-0.0550, 0.2768), (-0.1295, 0.2428),
    (-0.1618, 0.1616), (-0.0500, 0.1426), (0.0000, 0.1460), (0.0500, 0.1426),
    (0.1618, 0.1616), (0.0516, 0.2025), (0.0000, 0.2094), (-0.0516, 0.2025),
]  # fmt: skip

MEAN_FACE: Final[NDArray[np.float64]] = np.array(_JAW + _BROWS + _NOSE + _EYES + _MOUTH)
"""The mean face, float64 [68, 2]: centred on 0, chin to brow is 1 (x right, y down).

Source: generalised Procrustes mean (Gower, Psychometrika 40, 1975) of the landmarks that dlib finds
in the near-frontal frames of the sample performers (faces made with ICT-FaceKit), made symmetric.
"""
MEAN_FACE.setflags(write=False)


def align(landmarks: NDArray[np.floating], size: int = 128, coverage: float = 0.8) -> Matrix:
    """Fit the similarity that brings a face into a square crop.

    Umeyama's closed form ("Least-squares estimation of transformation parameters between two point
    patterns", IEEE PAMI 13(4), 1991), written for the plane with complex numbers.

    Args:
        landmarks: [68, 2] pixels, iBUG order.
        size: side of the crop in pixels.
        coverage: share of the crop's side that the mean face, chin to brow, takes up.

    Returns:
        float64 [2, 3], frame pixels to crop pixels.

    Raises:
        InputError: the landmarks are not finite or all lie in one point.
    """
    points = np.asarray(landmarks, np.float64)[INNER]
    goal = MEAN_FACE[INNER] * (coverage * size) + size / 2
    here, there = points @ (1, 1j), goal @ (1, 1j)
    spread = here - here.mean()
    power = float((spread * spread.conj()).real.sum())
    if not np.isfinite(power) or power < 1e-6:
        raise InputError("these landmarks don't make a face", advice="Detect the face again.")
    turn = complex((spread.conj() * (there - there.mean())).sum() / power)
    shift = complex(there.mean() - turn * here.mean())
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def scale_of(matrix: Matrix) -> float:
    """Crop pixels per frame pixel of a similarity."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def transform(points: NDArray[np.floating], matrix: Matrix) -> NDArray[np.float32]:
    """Map points [..., 2] through a 2x3 affine; float32 of the same shape."""
    moved = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return moved.astype(np.float32)


def invert(matrix: Matrix) -> Matrix:
    """The affine that undoes `matrix`; float64 [2, 3]."""
    back = np.linalg.inv(matrix[:, :2])
    return np.concatenate([back, -(back @ matrix[:, 2:])], axis=1)


def warp(rgb: NDArray[np.uint8], matrix: Matrix, size: int) -> NDArray[np.uint8]:
    """Cut the crop that `matrix` describes out of a picture.

    Beyond the picture's edge its border pixels go on. A face much larger than the crop is averaged
    down, not sampled, so that large footage does not flicker.

    Args:
        rgb: uint8 [H, W, 3].
        matrix: float64 [2, 3], frame pixels to crop pixels.
        size: side of the crop in pixels.

    Returns:
        uint8 [size, size, 3].
    """
    factor = max(1, round(1 / scale_of(matrix)))
    # Centres of pixels, not their corners, must stay in place when the grid is refined.
    fine = matrix * factor
    fine[:, 2] += (factor - 1) / 2
    side = size * factor
    crop = cv2.warpAffine(
        rgb, fine, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if factor > 1:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(crop, np.uint8)


def hull_mask(
    landmarks: NDArray[np.floating], shape: tuple[int, int], grow: float, forehead: float = 0.0
) -> NDArray[np.float32]:
    """Fill the hull of the landmarks, grown on all sides.

    Args:
        landmarks: [P, 2] pixels; all 68 if there is to be a forehead.
        shape: (height, width) of the mask.
        grow: how far beyond the hull, as a share of the landmarks' larger extent (0 or more).
        forehead: how far above the brows, as a share of the same; landmarks end at the brows.

    Returns:
        float32 [H, W]: 1 inside, 0 outside.
    """
    points = np.asarray(landmarks, np.float32)
    extent = float(np.ptp(points, axis=0).max())
    reach = extent * grow
    if forehead > 0:
        up = points[_BROW].mean(axis=0) - points[_CHIN]
        lift = up * (forehead * extent / max(float(np.linalg.norm(up)), 1e-6))
        points = np.concatenate([points, points[_BROW] + lift])
    mask = np.zeros(shape, np.uint8)
    hull = np.round(cv2.convexHull(points)).astype(np.int32)
    cv2.fillConvexPoly(mask, hull, 1)
    if reach >= 0.5:
        # A thick outline with round joints is the hull's dilation by a disc, without its cost.
        cv2.polylines(mask, [hull], True, 1, thickness=max(1, round(2 * reach)))
    return mask.astype(np.float32)
