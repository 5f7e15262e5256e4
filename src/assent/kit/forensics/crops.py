"""Faces as the forensic network looks at them, and what it can't judge.

>>> import numpy as np
>>> list(faces_in(np.zeros((90, 160, 3), np.uint8), Finder()))
[]

A face is cut out upright with what is around it, since what gives a replacement away is often the
border, or that the skin inside and the neck outside went through different hands.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.faces.align import INNER, align, hull_mask, scale_of, transform, warp
from assent.kit.faces.detect import DlibDetector, FaceDetector
from assent.kit.faces.mesh import MeshFinder, landmarks_of
from assent.kit.faces.track import MeshFitter

__all__ = ["COVERAGE", "SIDE", "FaceCrop", "Finder", "cut", "faces_in"]

SIDE: Final = 160
"""Side of a crop in pixels."""
COVERAGE: Final = 0.58
"""Share of the crop's side that the mean face takes up, chin to brow."""

_SMALLEST: Final = 64.0  # px from chin to brow in the film
_SHARPEST: Final = 12.0  # variance of the crop's Laplacian: less is too blurred to say anything
_MESH: Final = 0.6  # least score of the mesh
_OUTSIDE: Final = 0.06  # share of the crop that may lie outside the picture
_GROW: Final = 0.03
_FOREHEAD: Final = 0.2
_SOFT: Final = 5.0  # px


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """What finds faces; loaded at first use."""

    detector: FaceDetector = field(default_factory=DlibDetector)
    fitter: MeshFitter = field(default_factory=MeshFinder)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceCrop:
    """One face of a picture.

    Attributes:
        rgb: uint8 [SIDE, SIDE, 3], upright.
        inner: float32 [SIDE, SIDE], 1 within the face, soft at its border.
        matrix: float64 [2, 3], pixels of the picture to pixels of the crop.
        why_not: why nothing can be said about it; empty if something can.
    """

    rgb: NDArray[np.uint8]
    inner: NDArray[np.float32]
    matrix: NDArray[np.float64]
    why_not: str = ""


def faces_in(rgb: NDArray[np.uint8], finder: Finder) -> Iterator[FaceCrop]:
    """Yield the faces of a picture, RGB uint8 [H, W, 3], the surest first."""
    for found in finder.detector.find(rgb):
        fit = finder.fitter.fit(rgb, found.box)
        try:
            crop = cut(rgb, landmarks_of(fit.points))
        except InputError:
            continue
        yield crop if fit.score >= _MESH else _unsure(crop)


def cut(rgb: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> FaceCrop:
    """Cut the face with these landmarks [68, 2] out of a picture.

    Raises `InputError` if the landmarks make no face.
    """
    matrix = align(landmarks, SIDE, COVERAGE)
    crop = warp(rgb, matrix, SIDE)
    own = transform(landmarks, matrix)
    hull = hull_mask(own, (SIDE, SIDE), _GROW, _FOREHEAD)
    inner = np.asarray(cv2.GaussianBlur(hull, (0, 0), _SOFT), np.float32)
    return FaceCrop(
        rgb=crop, inner=inner, matrix=matrix, why_not=_why_not(rgb, crop, landmarks, matrix)
    )


def _why_not(
    rgb: NDArray[np.uint8],
    crop: NDArray[np.uint8],
    landmarks: NDArray[np.floating],
    matrix: NDArray[np.float64],
) -> str:
    if COVERAGE * SIDE / scale_of(matrix) < _SMALLEST:
        return "the face is too small"
    height, width = rgb.shape[:2]
    face = np.asarray(landmarks)[INNER]
    slack = _OUTSIDE * float(np.ptp(face, axis=0).max())
    if (face < -slack).any() or (face > np.array([width, height]) + slack).any():
        return "the face is cut off"
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    if float(cv2.Laplacian(grey, cv2.CV_32F).var()) < _SHARPEST:
        return "the face is too blurred"
    return ""


def _unsure(crop: FaceCrop) -> FaceCrop:
    return FaceCrop(
        rgb=crop.rgb,
        inner=crop.inner,
        matrix=crop.matrix,
        why_not=crop.why_not or "it may be no face",
    )
