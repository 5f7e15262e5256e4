"""Lay a mesh of 478 points over a face: 468 of its surface, and five of each iris.

    finder = MeshFinder()
    fit = finder.fit(rgb, detection.box)
    while fit.score > LOST:
        fit = finder.fit(next_rgb, fit.points)

The network looks at an upright square around the face and answers in that square, so it is asked
anew for each frame at the place where the face was in the last one.

Network: Kartynnik and others, Real-time Facial Surface Geometry from Monocular Video on Mobile
GPUs, CVPR Workshop 2019; Grishchenko and others, Attention Mesh, CVPR Workshop 2020. Weights and
the choice of the square are MediaPipe's (`docs/models.md`, `tools/convert_face_mesh.py`).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf

from assent.kit.faces.align import invert
from assent.kit.faces.frame import Image, frame_of
from assent.kit.faces.geometry import Box, Landmarks, box_of_landmarks
from assent.kit.faces.models import load

__all__ = [
    "LANDMARKS", "LOST", "POINTS", "SIDE", "Mesh", "MeshFinder", "MeshFit", "Region", "cut_square",
    "landmarks_of", "region_around",
]  # fmt: skip

Mesh = NDArray[np.float32]
"""[478, 3] pixels of the frame: x right, y down, z away from the camera on the same scale."""

POINTS: Final = 478

SIDE: Final = 192
"""Side in pixels of the square that the network looks at."""

LOST: Final = 0.5
"""Score under which there is no face; MediaPipe's own choice."""

_UNREADABLE = (Fail, InvalidGraph, InvalidProtobuf)

_ROOM = 1.5
"""Side of the square in units of the mesh's larger extent."""

# Measured on dlib's boxes over the sample performers: the square that the mesh then asks for.
_BOX_ROOM = 1.7
_BOX_DROP = 0.02

_PASSES = 2
"""Fits from a box: the second looks at the square that the first asks for."""

_EYE_CORNERS = (33, 263)
"""Outer corner of the eye on the picture's left and right."""

# The vertices nearest to the iBUG landmarks by their anatomy; where several are as near, those that
# lie nearest to the true landmarks of the sample scene.
_JAW = (127, 234, 93, 132, 172, 150, 149, 148, 152, 377, 378, 379, 397, 361, 323, 454, 356)
_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
_NOSE = (168, 6, 195, 4, 240, 97, 2, 326, 460)
_EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
_LIPS = (61, 39, 37, 0, 267, 269, 291, 321, 405, 17, 181, 91)
_INNER_LIPS = (78, 81, 13, 311, 308, 402, 14, 178)
LANDMARKS: Final = np.array(_JAW + _BROWS + _NOSE + _EYES + _LIPS + _INNER_LIPS)
"""Number of the mesh's point at each of the 68 landmarks, in iBUG order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeshFit:
    """What the network says of one square."""

    points: Mesh
    """float32 [478, 3], pixels of the frame; z on the same scale, smaller is nearer."""
    score: float
    """0 to 1: how sure it is that the square holds a face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A turned square of the frame: what the network looks at. Pixels, radians clockwise."""

    x: float
    y: float
    side: float
    angle: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """float64 [2, 3]: pixels of the network's square to pixels of the frame."""
        scale = self.side / SIDE
        cos, sin = scale * np.cos(self.angle), scale * np.sin(self.angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        shift = np.array([self.x, self.y]) - turn @ np.full(2, SIDE / 2)
        return np.column_stack([turn, shift])


class MeshFinder:
    """MediaPipe's Face Mesh with attention, on the processor; loaded at first use.

    About 4 ms a face on one core; `threads` is how many cores it may use. `network_file` names
    other weights for the same input and outputs, which a studio has installed and answers for;
    without it the register's are used, their digest checked.
    """

    def __init__(self, threads: int = 1, network_file: Path | None = None) -> None:
        self._threads = threads
        self._network_file = network_file

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401 - onnxruntime has no types
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1

        def read(path: str) -> Any:  # noqa: ANN401 - onnxruntime has no types
            return onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])

        return load(read, self._network_file, "mediapipe-face-mesh", _UNREADABLE)

    def fit(self, image: Image, around: Box | Landmarks | Mesh) -> MeshFit:
        """The mesh of the face at a place of a frame, or of RGB uint8 [H, W, 3].

        `around` is the mesh [478, 3] or the landmarks [68, 2] of the frame before, or a box in
        which a detector found the face. There is always an answer; look at its score.
        """
        fit = self.fit_square(cut_square(image, region := region_around(around)), region)
        for _ in range(0 if _is_mesh(around) else _PASSES - 1):
            region = region_around(fit.points)
            fit = self.fit_square(cut_square(image, region), region)
        return fit

    def fit_square(self, square: NDArray[np.uint8], region: Region) -> MeshFit:
        """The mesh, in pixels of the frame, from the square uint8 [192, 192, 3] of that region."""
        points, score = self._session.run(None, {"image": square[None]})
        matrix = region.matrix
        found = np.empty((POINTS, 3), np.float32)
        found[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        found[:, 2] = points[:, 2] * (region.side / SIDE)
        return MeshFit(points=found, score=float(score[0]))


def region_around(around: Box | Landmarks | Mesh) -> Region:
    """The square to look at for the face that was at a place; see `MeshFinder.fit`.

    A mesh's square is as MediaPipe has it: 1.5 times the larger extent of all points, and turned so
    that the line from one outer eye corner to the other lies level.
    """
    if isinstance(around, tuple):
        return _region_of_box(around, 0.0)
    if not _is_mesh(around):
        eyes = around[42:48].mean(axis=0) - around[36:42].mean(axis=0)
        return _region_of_box(box_of_landmarks(around), float(np.arctan2(eyes[1], eyes[0])))
    low, high = around[:, :2].min(axis=0), around[:, :2].max(axis=0)
    first, second = around[_EYE_CORNERS, :2]
    middle = (low + high) / 2
    return Region(
        x=float(middle[0]),
        y=float(middle[1]),
        side=_ROOM * max(float((high - low).max()), 1.0),
        angle=float(np.arctan2(second[1] - first[1], second[0] - first[0])),
    )


def _region_of_box(box: Box, angle: float) -> Region:
    size = max(box[2] - box[0], box[3] - box[1], 1.0)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + _BOX_DROP * size
    return Region(x=x, y=y, side=_BOX_ROOM * size, angle=angle)


def cut_square(image: Image, region: Region) -> NDArray[np.uint8]:
    """The region of the frame as the network wants it: RGB uint8 [192, 192, 3]."""
    return frame_of(image).cut(invert(region.matrix), SIDE)


def landmarks_of(points: NDArray[np.floating]) -> Landmarks:
    """The 68 landmarks in iBUG order, float32 [68, 2], read off a mesh [478, 2 or 3]."""
    return np.asarray(points[LANDMARKS, :2], np.float32)


def _is_mesh(around: Box | Landmarks | Mesh) -> bool:
    return not isinstance(around, tuple) and len(around) == POINTS
