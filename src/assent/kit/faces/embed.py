"""Turn a face into 128 numbers that are near for the same person.

An embedding costs about 5 ms on one core, so callers keep the small aligned `chip` of a promising
frame and embed only the best (`FaceTracker` does).
"""

from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph

from assent.kit.faces import _resnet
from assent.kit.faces.frame import Image, frame_of
from assent.kit.faces.geometry import Landmarks
from assent.kit.faces.models import load

__all__ = ["CHIP", "FaceEmbedder", "sharpness"]

CHIP = _resnet.SIDE
"""Side in pixels of the aligned face that the network takes."""

_PADDING = 0.25
_WORKING = 200.0
"""Side to which a large face is shrunk before it is aligned."""

_REACH = 1.1
"""How far from its middle, in faces, the part reaches that is aligned: a head may lie on its side.
"""


class FaceEmbedder:
    """dlib's face recognition ResNet, computed by ONNX Runtime; loaded at first use.

    `network_file` names other weights of the same network in dlib's format; without it the
    register's are used, their digest checked.
    """

    def __init__(self, network_file: Path | None = None) -> None:
        self._network_file = network_file

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401 - onnxruntime has no types
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1

        def read(path: str) -> Any:  # noqa: ANN401 - onnxruntime has no types
            model = _resnet.read_network(Path(path).read_bytes())
            return onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])

        failures = (ValueError, Fail, InvalidGraph)
        return load(read, self._network_file, "dlib-face-embedding", failures)

    def embed(self, image: Image, landmarks: Landmarks) -> NDArray[np.float32]:
        """Embedding float32 [128] of the face with these landmarks in a frame or RGB picture."""
        return self.embed_chip(self.chip(image, landmarks))

    def embed_chip(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embedding float32 [128] of an aligned face RGB uint8 [150, 150, 3]."""
        (embedding,) = self._session.run(None, {"chip": np.ascontiguousarray(chip)})
        return np.asarray(embedding, np.float32)

    def chip(self, image: Image, landmarks: Landmarks) -> NDArray[np.uint8]:
        """The aligned face RGB uint8 [150, 150, 3]: upright, eyes level, a little background."""
        part, points = _around(image, landmarks)
        parts = [dlib.point(round(float(x)), round(float(y))) for x, y in points]
        height, width = part.shape[:2]
        shape = dlib.full_object_detection(dlib.rectangle(0, 0, width - 1, height - 1), parts)
        return np.asarray(dlib.get_face_chip(part, shape, CHIP, _PADDING), dtype=np.uint8)


def _around(image: Image, landmarks: Landmarks) -> tuple[NDArray[np.uint8], Landmarks]:
    """The part of the frame around the face, shrunk if large, and the landmarks in that part."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    extent = max(float(max(high - low)), 1.0)
    scale = min(1.0, _WORKING / extent)
    origin = (low + high) / 2 - _REACH * extent
    matrix = np.column_stack([np.eye(2) * scale, -origin * scale])
    part = frame_of(image).cut(matrix, int(np.ceil(2 * _REACH * extent * scale)))
    return part, ((landmarks - origin) * scale).astype(np.float32)


def sharpness(chip: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of an aligned face; larger is sharper (below about 20: blurred)."""
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())
