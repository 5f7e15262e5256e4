"""Drawn faces to train on: an oval with eyes and a mouth that move a little."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from assent.kit.faces.align import MEAN_FACE, hull_mask
from assent.kit.faces.face_set import FaceSet
from assent.train.config import TrainConfig
from assent.train.network import NetworkConfig

COUNT, SIZE = 6, 40


def drawn_faces(skin: tuple[int, int, int], seed: int) -> FaceSet:
    rng = np.random.default_rng(seed)
    faces, masks, places = [], [], []
    for _ in range(COUNT):
        points = (MEAN_FACE * (SIZE * 0.8) + SIZE / 2 + rng.normal(0, 0.3, (68, 2))).astype("f4")
        points[48:68, 1] += rng.uniform(-1, 2)
        mask = hull_mask(points, (SIZE, SIZE), 0.02, 0.15)
        face = np.where(mask[..., None] > 0, np.array(skin), 90.0)
        for part in (slice(36, 42), slice(42, 48), slice(48, 60)):
            face *= 1 - 0.6 * hull_mask(points[part], (SIZE, SIZE), 0.1)[..., None]
        faces.append(np.clip(face + rng.normal(0, 3, face.shape), 0, 255))
        masks.append(mask * 255)
        places.append(points)
    return FaceSet(
        faces=np.array(faces).astype(np.uint8),
        masks=np.array(masks).astype(np.uint8),
        landmarks=np.stack(places),
        meshes=np.zeros((COUNT, 478, 3), np.float32),
        seconds=np.arange(COUNT, dtype=np.float64) / 25,
    )


@pytest.fixture(scope="session")
def sets() -> dict[str, FaceSet]:
    return {"ada": drawn_faces((225, 190, 170), 1), "ben": drawn_faces((150, 110, 90), 2)}


@pytest.fixture(scope="session")
def small() -> TrainConfig:
    return small_config()


def small_config() -> TrainConfig:
    network = NetworkConfig(
        size=32, code=16, encoder=(8, 8, 16, 16), basis=4, correction=(16, 8, 8), knots=5
    )
    return TrainConfig(network=network, batch=4, warm_up=2, average=0.9)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
