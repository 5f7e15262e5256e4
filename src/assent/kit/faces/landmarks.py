"""Place 68 landmarks on a found face.

The shape predictor answers in whole pixels and depends on the exact box, so one call on the frame
trembles. Here the face is first brought to a fixed size, three slightly different boxes are tried
and their answers averaged: the tremble halves (see `tests/unit/kit/faces/test_landmarks.py`).

Method: Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees,
CVPR 2014. The weights were trained on iBUG 300-W, which excludes commercial use: `docs/models.md`.
"""

from functools import cached_property
from pathlib import Path

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.geometry import Box, Landmarks, box_of_landmarks, overlap
from assent.kit.faces.models import load

__all__ = ["LandmarkFinder"]

_FACE = 256
"""Side in pixels of the face box in the crop that is searched."""

_MARGIN = 0.6
"""Share of the box that the crop adds on each side."""

_CLOSE = 0.85
"""Overlap of the given box and the one that the landmarks suggest, from which the fit stands."""

_REPEATS = 2

_BOXES = ((0.0, 0.0, 1.0), (0.03, 0.02, 1.04), (-0.03, -0.02, 0.96))
"""Shift x, shift y (shares of the side) and scale of each box tried."""


class LandmarkFinder:
    """dlib's 68-point predictor; loaded at first use.

    `shape_file` names other weights in dlib's format, trained for the same 68 points, that a studio
    has installed and answers for; without it the register's are used, their digest checked.
    """

    def __init__(self, shape_file: Path | None = None) -> None:
        self._shape_file = shape_file

    @cached_property
    def _predictor(self) -> dlib.shape_predictor:
        return load(dlib.shape_predictor, self._shape_file, "dlib-68-landmarks")

    def fit(self, rgb: NDArray[np.uint8], box: Box) -> Landmarks:
        """Landmarks float32 [68, 2], in pixels of the frame uint8 [H, W, 3], of the face in `box`.

        There is always an answer, whether or not the box holds a face. A box that turns out not to
        fit the face closely is replaced by the face's own and the search repeated, at most twice.
        """
        landmarks = self._fit_once(rgb, box)
        for _ in range(_REPEATS):
            own = box_of_landmarks(landmarks)
            if overlap(own, box) > _CLOSE:
                break
            landmarks, box = self._fit_once(rgb, own), own
        return landmarks

    def _fit_once(self, rgb: NDArray[np.uint8], box: Box) -> Landmarks:
        crop, scale, origin = _crop_face(rgb, box)
        shapes = [self._predictor(crop, _rectangle(*trial)) for trial in _BOXES]
        points = np.array([[(part.x, part.y) for part in shape.parts()] for shape in shapes])
        mean: NDArray[np.float64] = points.mean(axis=0, dtype=np.float64)
        return (mean / scale + origin).astype(np.float32)


def _crop_face(
    rgb: NDArray[np.uint8], box: Box
) -> tuple[NDArray[np.uint8], float, NDArray[np.float64]]:
    """Grey crop with the box at its fixed place, pixels of crop a pixel of frame, frame origin."""
    width = max(box[2] - box[0], box[3] - box[1], 1.0)
    scale = _FACE / width
    side = round(_FACE * (1 + 2 * _MARGIN))
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    origin = middle - side / scale / 2
    frame, rest, corner = _near_pixels(rgb, origin, side / scale, scale)
    matrix = np.column_stack([np.eye(2) * rest, (corner - origin) * scale])
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    crop = cv2.warpAffine(grey, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(crop, dtype=np.uint8), scale, origin


def _near_pixels(
    rgb: NDArray[np.uint8], origin: NDArray[np.float64], extent: float, scale: float
) -> tuple[NDArray[np.uint8], float, NDArray[np.float64]]:
    """The part of the frame that the crop covers, shrunk by averaging if the face is large."""
    height, width = rgb.shape[:2]
    x0, y0 = (int(v) for v in np.clip(np.floor(origin) - 1, 0, [width - 1, height - 1]))
    x1, y1 = (
        int(v) for v in np.clip(np.ceil(origin + extent) + 1, [x0 + 1, y0 + 1], [width, height])
    )
    part = rgb[y0:y1, x0:x1]
    shrink = int(1 / scale)
    if shrink >= 2 and min(part.shape[:2]) >= shrink:
        # Whole blocks only, so that block n starts at exactly n * shrink pixels.
        blocks = part.shape[1] // shrink, part.shape[0] // shrink
        part = part[: blocks[1] * shrink, : blocks[0] * shrink]
        small = cv2.resize(part, blocks, interpolation=cv2.INTER_AREA)
        part = np.asarray(small, dtype=np.uint8)
        scale *= shrink
    return part, scale, np.array([x0, y0], dtype=np.float64)


def _rectangle(right: float, down: float, scale: float) -> dlib.rectangle:
    middle = _FACE * (0.5 + _MARGIN)
    half = _FACE * scale / 2
    x, y = middle + right * _FACE, middle + down * _FACE
    return dlib.rectangle(
        round(x - half), round(y - half), round(x + half) - 1, round(y + half) - 1
    )
