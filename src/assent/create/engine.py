"""The engine: paints one person's face from crops of another's, with ONNX Runtime."""

from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError

__all__ = ["FaceEngine", "Swapped"]

_FORMAT, _VERSION = "assent face model", "1"


@dataclass(frozen=True, slots=True)
class Swapped:
    """What the engine painted.

    Attributes:
        faces: float32 [N, S, S, 3], RGB, 0..1.
        masks: float32 [N, S, S], 0..1, where the painted face is.
    """

    faces: NDArray[np.float32]
    masks: NDArray[np.float32]


class FaceEngine:
    """A face model, ready to paint.

    Args:
        model: bytes of an exported model (see `train.export`).
        threads: how many threads it may use.

    Attributes:
        size: side of the crops that it takes and gives, pixels.
        coverage: share of a crop's side that the mean face takes up (see `kit.faces.align`).

    Raises:
        IntegrityError: the bytes aren't a face model of this version.
    """

    def __init__(self, model: bytes, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
            facts = self._session.get_modelmeta().custom_metadata_map
            self.size, self.coverage = int(facts["size"]), float(facts["coverage"])
        except Exception as error:  # ONNX Runtime's own classes share no other base
            raise IntegrityError(f"this is not a face model: {type(error).__name__}") from error
        if (facts.get("format"), facts.get("version")) != (_FORMAT, _VERSION):
            raise IntegrityError("this face model is of another version")

    def swap(self, crops: NDArray[np.uint8]) -> Swapped:
        """Paint the model's person with the pose and expression of these crops.

        Args:
            crops: uint8 [N, S, S, 3], RGB, cut out with this engine's `size` and `coverage`.

        Raises:
            ValueError: crops of another size.
        """
        if crops.dtype != np.uint8 or crops.shape[1:] != (self.size, self.size, 3):
            raise ValueError(f"the engine takes uint8 [N, {self.size}, {self.size}, 3]")
        planes = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32) / 255
        painted, mask = self._session.run(["painted", "mask"], {"face": planes})
        return Swapped(np.ascontiguousarray(painted.transpose(0, 2, 3, 1)), mask[:, 0])
