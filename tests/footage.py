"""Faces cut out of real footage, with their meshes.

taken = footage(samples / "ada_train.mp4", first=0, count=60, step=6)
"""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.align import align, scale_of, transform
from assent.kit.faces.mesh import MeshFinder, landmarks_of

__all__ = ["COVERAGE", "Footage", "footage"]

SIZE, COVERAGE = 192, 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """Frames, each one's face cut out, the network's mesh in the crop, and the way to it."""

    frames: list[NDArray[np.uint8]]
    crops: NDArray[np.uint8]
    meshes: NDArray[np.float64]
    matrices: list[NDArray[np.float64]]


def footage(path: Path, *, first: int, count: int, step: int = 1) -> Footage:
    """`count` frames of a clip that shows one face in its middle, each `step`th from `first` on."""
    with av.open(str(path)) as clip:
        wanted = islice(clip.decode(video=0), first, first + count * step, step)
        frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in wanted]
    height, width = frames[0].shape[:2]
    finder = MeshFinder()
    box = (0.33 * width, 0.25 * height, 0.67 * width, 0.7 * height)
    crops, meshes, matrices = [], [], []
    for frame in frames:
        fit = finder.fit(frame, box)
        assert fit.score > 0.5
        matrix = align(landmarks_of(fit.points), SIZE, COVERAGE)
        mesh = np.empty((478, 3))
        mesh[:, :2] = transform(fit.points[:, :2], matrix)
        mesh[:, 2] = fit.points[:, 2] * scale_of(matrix)
        crops.append(np.asarray(cv2.warpAffine(frame, matrix, (SIZE, SIZE)), np.uint8))
        meshes.append(mesh)
        matrices.append(matrix)
    return Footage(frames, np.stack(crops), np.stack(meshes), matrices)
