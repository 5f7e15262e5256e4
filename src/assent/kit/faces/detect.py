"""Find faces in a frame.

>>> import numpy as np
>>> DlibDetector().find(np.zeros((90, 160, 3), np.uint8))
[]

A score of 0 is dlib's own border between face and not; on textures, text and shapes without faces
nothing scored above -0.05, and faces in plain view score 0.5 to 2. Scores below 0 are worth only a
second look at a face that is already known: ask for them with `weakest`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.geometry import Box, covered

__all__ = ["CERTAIN", "FACE_IN_FACE", "Detection", "DlibDetector", "FaceDetector"]

CERTAIN = 0.0
"""Lowest score of a detection that counts as a face on its own."""

FACE_IN_FACE = 0.5
"""Share of a detection that lies within a better one, from which it is a part of that face.

An open mouth with the nose above it can score up to 0.7 as a small face of its own.
"""

_TEMPLATE = 80
"""Side in pixels of dlib's HOG template: the smallest face that it can see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A face found in a frame: its box in pixels of that frame, and how sure the detector is."""

    box: Box
    score: float


class FaceDetector(Protocol):
    """Anything that finds faces."""

    def find(self, rgb: NDArray[np.uint8], *, weakest: float = CERTAIN) -> list[Detection]:
        """Faces in an RGB frame [H, W, 3] that score at least `weakest`, best first."""


class DlibDetector:
    """dlib's frontal HOG detector on a suitably scaled grey copy of the frame.

    `smallest` is the side in pixels of the smallest face to look for; `longest` bounds the longer
    side of the copy and so the time (640: about 35 ms for a square frame, 20 ms for 16:9; time
    grows with the square). Where the two disagree `longest` wins: in a frame 1920 wide and
    `longest` 640 the smallest face found is 240 pixels. Use a second detector with a larger
    `longest` where small faces in the background matter.
    """

    def __init__(self, *, smallest: float = 48.0, longest: int = 640) -> None:
        self._zoom = _TEMPLATE / smallest
        self._longest = longest

    @cached_property
    def _hog(self) -> dlib.fhog_object_detector:
        return dlib.get_frontal_face_detector()

    def find(self, rgb: NDArray[np.uint8], *, weakest: float = CERTAIN) -> list[Detection]:
        """Faces in an RGB frame uint8 [H, W, 3] that score at least `weakest`, best first."""
        scale = min(self._zoom, self._longest / max(rgb.shape[:2]))
        grey = _scaled_grey(rgb, scale)
        rectangles, scores, _ = self._hog.run(grey, 0, weakest)
        across, down = rgb.shape[1] / grey.shape[1], rgb.shape[0] / grey.shape[0]
        found = [
            Detection(
                box=(
                    rectangle.left() * across,
                    rectangle.top() * down,
                    (rectangle.right() + 1) * across,
                    (rectangle.bottom() + 1) * down,
                ),
                score=float(score),
            )
            for rectangle, score in zip(rectangles, scores, strict=True)
        ]
        return _whole_faces(sorted(found, key=lambda detection: -detection.score))


def _whole_faces(ranked: list[Detection]) -> list[Detection]:
    kept: list[Detection] = []
    for detection in ranked:
        if all(covered(detection.box, better.box) < FACE_IN_FACE for better in kept):
            kept.append(detection)
    return kept


def _scaled_grey(rgb: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Shrinking first keeps the colour conversion of a large frame cheap.
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(rgb, size, interpolation=filter_)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
