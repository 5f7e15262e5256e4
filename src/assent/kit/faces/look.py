"""The coarse look of a face: enough to notice that it became another's between two frames.

Sixteen mean colours of the upright inner face hardly change from frame to frame while a person
speaks and turns (by at most 8 grey levels in the sample performances), and change at once (by at
least 20) when another face takes its place in the same picture. A hand or a shadow changes them
too, so a sudden change is a reason to ask who it is, not an answer.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.frame import Image, frame_of
from assent.kit.faces.geometry import Landmarks, face_patch_matrix

__all__ = ["coarse_look", "is_sudden"]

_PATCH = 96
_GRID = 4
_SUDDEN = 0.1
"""Mean change, as a share of the mean level, from which a face may be another's."""

_DARK = 30.0
"""Mean level under which a change is measured as if the face were this bright."""


def coarse_look(image: Image, landmarks: Landmarks) -> NDArray[np.float32]:
    """Mean colours float32 [4, 4, 3] of the face with these landmarks."""
    matrix = face_patch_matrix(landmarks, _PATCH)
    patch = frame_of(image).cut(matrix, _PATCH)
    small = cv2.resize(patch, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


def is_sudden(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether two looks [4, 4, 3] of successive frames differ more than one person's do."""
    level = max(float(before.mean()), _DARK)
    return float(np.abs(after - before).mean()) > _SUDDEN * level
