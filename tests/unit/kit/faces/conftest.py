"""Real models, sample frames and galleries, made once for the tests of this folder."""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.enrol import enrol
from assent.kit.faces.landmarks import LandmarkFinder
from assent.kit.faces.mesh import MeshFinder

Frames = list[NDArray[np.uint8]]


@pytest.fixture(scope="session")
def detector() -> DlibDetector:
    return DlibDetector()


@pytest.fixture(scope="session")
def mesh() -> MeshFinder:
    return MeshFinder()


@pytest.fixture(scope="session")
def finder(mesh: MeshFinder) -> LandmarkFinder:
    return LandmarkFinder(mesh)


@pytest.fixture(scope="session")
def embedder() -> FaceEmbedder:
    return FaceEmbedder()


@pytest.fixture(scope="session")
def sample(samples: Path) -> Callable[[str], Frames]:
    """The first 180 frames RGB uint8 [H, W, 3] of a sample clip by its name without ending."""

    @cache
    def read(name: str) -> Frames:
        with av.open(samples / f"{name}.mp4") as container:
            return [
                np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
                for frame in islice(container.decode(video=0), 180)
            ]

    return read


@pytest.fixture(scope="session")
def gallery(
    sample: Callable[[str], Frames],
    detector: DlibDetector,
    finder: LandmarkFinder,
    embedder: FaceEmbedder,
) -> Mapping[str, NDArray[np.float32]]:
    """Ada, ben and cleo, a few pictures each."""

    def learn(name: str) -> NDArray[np.float32]:
        frames = sample(f"{name}_train")
        step = len(frames) // 4
        pictures = ((i / 25, frames[i]) for i in range(0, len(frames), step))
        return enrol(pictures, detector, finder, embedder, name=name, most=4).embeddings

    return {name: learn(name) for name in ("ada", "ben", "cleo")}
