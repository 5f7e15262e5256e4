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
_EXTENT = 1000.0
"""Size to which the landmarks are enlarged for dlib, which takes whole pixels."""


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
        return frame_of(image).cut(_chip_matrix(landmarks), CHIP)


def _chip_matrix(landmarks: Landmarks) -> NDArray[np.float64]:
    """Where dlib cuts the chip out: float64 [2, 3], pixels of the frame to pixels of the chip."""
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    scale = _EXTENT / max(float(max(high - low)), 1.0)
    parts = [dlib.point(round(x), round(y)) for x, y in ((landmarks - low) * scale).tolist()]
    shape = dlib.full_object_detection(dlib.rectangle(0, 0, 1, 1), parts)
    details = dlib.get_face_chip_details(shape, CHIP, _PADDING)
    place, zoom = details.rect, CHIP / details.rect.width()
    cos, sin = zoom * np.cos(details.angle), zoom * np.sin(details.angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    middle = [(place.left() + place.right()) / 2, (place.top() + place.bottom()) / 2]
    return np.column_stack([turn * scale, (CHIP - 1) / 2 - turn @ (middle + low * scale)])


def sharpness(chip: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of an aligned face; larger is sharper (below about 20: blurred)."""
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())
