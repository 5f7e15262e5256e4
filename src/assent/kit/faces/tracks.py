"""What following a face leaves behind: points, frame by frame, and a few embeddings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.geometry import Box, Landmarks
from assent.kit.faces.mesh import Mesh, landmarks_of
from assent.kit.faces.packed import PackedMesh

__all__ = ["Track", "TrackPoint"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrackPoint:
    """One face in one frame."""

    index: int
    """Number of the frame in presentation order."""
    run: int
    """Number of the run of frames in which the face was followed; later it may turn out that a run
    holds two people one after the other, and so several tracks."""
    pts: int
    """Presentation time stamp in the clip's time base."""
    seconds: float
    box: Box
    packed: PackedMesh
    score: float
    """The detector's score when the face was last confirmed."""

    @property
    def mesh(self) -> Mesh:
        """The mesh float32 [478, 3] in pixels of the frame."""
        return self.packed.points

    @property
    def landmarks(self) -> Landmarks:
        """The landmarks float32 [68, 2], read off the mesh."""
        return landmarks_of(self.mesh)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """One face through consecutive frames of one shot (a frame may lack a point)."""

    id: int
    points: tuple[TrackPoint, ...]
    embeddings: NDArray[np.float32]
    """[n, 128], n >= 1, in order of time."""
    embedded_at: tuple[float, ...]
    """Seconds of the frame that each embedding was made from."""
