"""Boxes and landmarks as plain arithmetic: overlap, the box of a face, how frontal it is.

>>> overlap((0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 10.0, 5.0))
0.5
"""

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Box",
    "Landmarks",
    "box_of_landmarks",
    "covered",
    "face_patch_matrix",
    "frontalness",
    "overlap",
    "plausible",
]

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the full frame; may reach past its edges."""

Landmarks = NDArray[np.float32]
"""[68, 2] pixels (x right, y down) in iBUG order."""

# Fitted on dlib's own boxes over the sample performers: width of the box and height of its centre
# above the mean landmark, both in units of the landmarks' root mean square distance to their mean.
_BOX_WIDTH = 2.75
_BOX_RISE = 0.17

_RIGHT_EYE = slice(36, 42)
_LEFT_EYE = slice(42, 48)
_NOSE_TIP = 30
_CHIN = 8


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    common = _common(a, b)
    return common / (_area(a) + _area(b) - common) if common else 0.0


def covered(box: Box, by: Box) -> float:
    """Share of a box that lies within another, 0 to 1."""
    common = _common(box, by)
    return common / _area(box) if common else 0.0


def _common(a: Box, b: Box) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def box_of_landmarks(landmarks: Landmarks) -> Box:
    """The square box that a HOG detector would draw around these landmarks."""
    middle = landmarks.mean(axis=0, dtype=np.float64)
    radius = _radius(landmarks)
    x, y, half = middle[0], middle[1] - _BOX_RISE * radius, _BOX_WIDTH * radius / 2
    return float(x - half), float(y - half), float(x + half), float(y + half)


def _radius(landmarks: Landmarks) -> float:
    spread = landmarks - landmarks.mean(axis=0, dtype=np.float64)
    return float(np.sqrt((spread**2).sum() / len(landmarks)))


def plausible(landmarks: Landmarks, box: Box) -> bool:
    """Whether the landmarks make an upright face about where and as large as the box says.

    A shape predictor always answers; without a face its answer shrinks, wanders or topples.
    """
    eyes = (landmarks[_RIGHT_EYE].mean(axis=0), landmarks[_LEFT_EYE].mean(axis=0))
    upright = landmarks[_CHIN, 1] > max(eyes[0][1], eyes[1][1]) and eyes[0][0] < eyes[1][0]
    return bool(upright) and overlap(box_of_landmarks(landmarks), box) > 0.4


def frontalness(landmarks: Landmarks) -> float:
    """How much the face looks at the camera: 1 = nose midway between the eyes, 0 = profile."""
    right, left = landmarks[_RIGHT_EYE].mean(axis=0), landmarks[_LEFT_EYE].mean(axis=0)
    line = left - right
    length = float(line @ line)
    if length == 0.0:
        return 0.0
    along = float((landmarks[_NOSE_TIP] - right) @ line) / length
    return max(0.0, 1.0 - 2.0 * abs(along - 0.5))


def face_patch_matrix(landmarks: Landmarks, side: int) -> NDArray[np.float64]:
    """[2, 3] similarity from frame pixels to a `side` x `side` patch of the upright inner face."""
    line = landmarks[_LEFT_EYE].mean(axis=0) - landmarks[_RIGHT_EYE].mean(axis=0)
    angle = float(np.arctan2(line[1], line[0]))
    scale = side / (2.0 * max(_radius(landmarks), 1e-6))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    middle = landmarks[17:].mean(axis=0, dtype=np.float64)
    turn = np.array([[cos, sin], [-sin, cos]])
    shift = np.full(2, side / 2) - turn @ middle
    return np.column_stack([turn, shift])
