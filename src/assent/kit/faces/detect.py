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

import dlib

from assent.kit.faces.frame import Image, frame_of
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

    def find(self, image: Image, *, weakest: float = CERTAIN) -> list[Detection]:
        """Faces in a frame, or in RGB [H, W, 3], that score at least `weakest`, best first."""


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

    def find(self, image: Image, *, weakest: float = CERTAIN) -> list[Detection]:
        """Faces in a frame, or in RGB uint8 [H, W, 3], that score at least `weakest`, best first.

        Other threads run meanwhile.
        """
        frame = frame_of(image)
        scale = min(self._zoom, self._longest / max(frame.width, frame.height))
        size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        rectangles, scores, _ = self._hog.run(frame.grey(*size), 0, weakest)
        across, down = frame.width / size[0], frame.height / size[1]
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
