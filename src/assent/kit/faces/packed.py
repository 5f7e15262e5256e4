"""Meshes at half their size, for as many frames as a clip has.

>>> PackedMesh.of(np.zeros((478, 3), np.float32)).steps.nbytes
2868

The points are kept as 16-bit steps from a corner; a step is the face's largest extent by 65,535,
a hundredth of a pixel for a face of 650.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["PackedMesh", "pack", "unpack"]

_STEPS = 65535
_LEAST = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class PackedMesh:
    """The points of one mesh as `pack` returns them."""

    steps: NDArray[np.uint16]
    origin: NDArray[np.float32]
    step: NDArray[np.float32]

    @classmethod
    def of(cls, points: NDArray[np.floating]) -> Self:
        """Pack points [P, 3], which must be finite."""
        return cls(*pack(points))

    @property
    def points(self) -> NDArray[np.float32]:
        """The points float32 [P, 3], as they were to within a step."""
        return unpack(self.steps, self.origin, self.step)


def pack(
    points: NDArray[np.floating],
) -> tuple[NDArray[np.uint16], NDArray[np.float32], NDArray[np.float32]]:
    """Points [..., P, 3] as steps uint16 [..., P, 3] from an origin float32 [..., 1, 3].

    Third comes the length of a step float32 [..., 1, 1]. The points must be finite.
    """
    origin = points.min(axis=-2, keepdims=True).astype(np.float32)
    extent = (points - origin).max(axis=(-2, -1), keepdims=True)
    step = (np.maximum(extent, _LEAST) / _STEPS).astype(np.float32)
    steps = np.clip(np.rint((points - origin) / step), 0, _STEPS)
    return steps.astype(np.uint16), origin, step


def unpack(
    steps: NDArray[np.uint16], origin: NDArray[np.float32], step: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The points float32 [..., P, 3] that `pack` took, to within a step."""
    return steps.astype(np.float32) * step + origin
