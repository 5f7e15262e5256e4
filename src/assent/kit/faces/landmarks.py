"""Place 68 landmarks on a found face: those of the face mesh that lie where iBUG's do.

>>> import numpy as np
>>> LandmarkFinder().fit(np.zeros((90, 160, 3), np.uint8), (40.0, 20.0, 90.0, 70.0)).shape
(68, 2)
"""

from assent.kit.faces.frame import Image
from assent.kit.faces.geometry import Box, Landmarks
from assent.kit.faces.mesh import MeshFinder, landmarks_of

__all__ = ["LandmarkFinder"]


class LandmarkFinder:
    """Landmarks where no mesh is wanted; `finder` is a mesh finder to share."""

    def __init__(self, finder: MeshFinder | None = None) -> None:
        self._finder = finder or MeshFinder()

    def fit(self, image: Image, box: Box) -> Landmarks:
        """Landmarks float32 [68, 2], in pixels of the frame, of the face in `box`.

        There is always an answer, whether or not the box holds a face.
        """
        return landmarks_of(self._finder.fit(image, box).points)
