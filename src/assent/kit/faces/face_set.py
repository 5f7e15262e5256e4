"""A face set: the aligned crops of one person that a face model learns from.

>>> faces = FaceSet(
...     faces=np.zeros((2, 64, 64, 3), np.uint8),
...     masks=np.full((2, 64, 64), 255, np.uint8),
...     landmarks=np.full((2, 68, 2), 32, np.float32),
...     meshes=np.full((2, 478, 3), 32, np.float32),
...     seconds=np.array([0.0, 0.04]),
... )
>>> FaceSet.from_bytes(faces.to_bytes()).size
64
"""

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.faces.mesh import POINTS

__all__ = ["FaceSet"]

_FIELDS = ("faces", "masks", "landmarks", "meshes", "seconds")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceSet:
    """Aligned crops of one person's face.

    Attributes:
        faces: uint8 [N, S, S, 3], RGB, each cut out by `align.align` and `align.warp`.
        masks: uint8 [N, S, S], 255 where the crop shows the face itself.
        landmarks: float32 [N, 68, 2] in crop pixels, iBUG order.
        meshes: float32 [N, 478, 3] in crop pixels, z on the same scale (see `mesh.Mesh`).
        seconds: float64 [N], time of each crop in its clip.

    Raises:
        ValueError: the arrays don't belong together, or there is no face.
    """

    faces: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    meshes: NDArray[np.float32]
    seconds: NDArray[np.float64]

    def __post_init__(self) -> None:
        count, size = (*self.faces.shape, 0, 0)[:2]
        expected = {
            "faces": (np.uint8, (count, size, size, 3)),
            "masks": (np.uint8, (count, size, size)),
            "landmarks": (np.float32, (count, 68, 2)),
            "meshes": (np.float32, (count, POINTS, 3)),
            "seconds": (np.float64, (count,)),
        }
        for name, (kind, shape) in expected.items():
            array = getattr(self, name)
            if array.dtype != kind or array.shape != shape:
                raise ValueError(f"{name}: {array.dtype} {array.shape}, expected {kind} {shape}")
        if count == 0 or size == 0:
            raise ValueError("a face set holds at least one face")
        numbers = (self.landmarks, self.meshes, self.seconds)
        if not all(np.isfinite(array).all() for array in numbers):
            raise ValueError("landmarks, meshes and seconds must be finite")

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def size(self) -> int:
        """Side of a crop in pixels."""
        return int(self.faces.shape[1])

    def to_bytes(self) -> bytes:
        """The set as a NumPy archive: .npz with nothing pickled, and not compressed.

        Pictures hardly shrink, and every training run reads the set.
        """
        sink = io.BytesIO()
        np.savez(
            sink,
            faces=self.faces,
            masks=self.masks,
            landmarks=self.landmarks,
            meshes=self.meshes,
            seconds=self.seconds,
        )
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a set that `to_bytes` wrote.

        Raises:
            IntegrityError: the bytes aren't a face set.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                return cls(**{name: archive[name] for name in _FIELDS})
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise IntegrityError(f"this is not a face set: {error}") from error
