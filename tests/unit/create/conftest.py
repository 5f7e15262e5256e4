"""A small face model and a picture with a drawn face."""

import numpy as np
import pytest
import torch

from assent.kit.faces.align import MEAN_FACE
from assent.kit.media.picture import Picture
from assent.train.export import export_onnx
from assent.train.network import FaceNetwork, NetworkConfig


@pytest.fixture(scope="session")
def model() -> bytes:
    """Paints a dark reddish face, whatever it sees."""
    config = NetworkConfig(
        size=32, code=8, encoder=(4, 4, 8, 8), basis=2, correction=(8, 8, 4), knots=5
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = FaceNetwork(config, ["ben"])
    for channel, level in enumerate((0.0, -1.0, -1.5, 6.0)):
        network.decoder("ben").mean.data[channel] = level
    return export_onnx(network, "ben", coverage=0.7)


@pytest.fixture
def landmarks() -> np.ndarray:
    return (MEAN_FACE * 80 + (100, 70)).astype(np.float32)


@pytest.fixture
def picture() -> Picture:
    rng = np.random.default_rng(5)
    return Picture(
        pts=7,
        y=rng.integers(120, 160, (144, 192), np.uint8),
        u=rng.integers(115, 125, (72, 96), np.uint8),
        v=rng.integers(135, 145, (72, 96), np.uint8),
        bits=8,
        full_range=False,
        matrix="bt709",
    )
