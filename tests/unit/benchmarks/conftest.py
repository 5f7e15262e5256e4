"""The benchmarks are scripts: their folder is put on the path, as Python does when it runs one."""

import sys
from pathlib import Path

import numpy as np
import pytest
from _changes import write_clip

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of moving texture, 320x256."""
    ground = np.random.default_rng(1).normal(128, 24, (256, 420, 3)).clip(0, 255).astype(np.uint8)
    pictures = (ground[:, 2 * n : 2 * n + 320] for n in range(25))
    return write_clip(tmp_path_factory.mktemp("films") / "film.mp4", pictures, quality=20)
