"""What following a face leaves behind: points, frame by frame, and a few embeddings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.geometry import Box, Landmarks

__all__ = ["Track", "TrackPoint"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrackPoint:
    """One face in one frame."""

    index: int
    """Number of the frame in presentation order."""
    pts: int
    """Presentation time stamp in the clip's time base."""
    seconds: float
    box: Box
    landmarks: Landmarks
    score: float
    """The detector's score when the face was last confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """One face through consecutive frames of one shot (a frame may lack a point)."""

    id: int
    points: tuple[TrackPoint, ...]
    embeddings: NDArray[np.float32]
    """[n, 128], n >= 1, in order of time."""
    embedded_at: tuple[float, ...]
    """Seconds of the frame that each embedding was made from."""
