import numpy as np
import pytest

from assent.kit.faces.packed import PackedMesh, pack, unpack


@pytest.mark.parametrize("extent", [40.0, 650.0, 3000.0])
def test_points_come_back_to_within_a_step(extent: float) -> None:
    points = np.random.default_rng(1).uniform(-0.3, 0.7, (478, 3)).astype(np.float32) * extent
    packed = PackedMesh.of(points)
    assert packed.points.dtype == np.float32
    assert packed.steps.nbytes * 2 == points.nbytes
    assert np.abs(packed.points - points).max() <= extent / 65535 + 1e-4


def test_many_meshes_are_packed_each_on_its_own_scale() -> None:
    rng = np.random.default_rng(2)
    points = rng.uniform(0, 1, (5, 478, 3)) * np.array([1, 10, 100, 1000, 0]).reshape(5, 1, 1)
    steps, origin, step = pack(points)
    assert (steps.shape, origin.shape, step.shape) == ((5, 478, 3), (5, 1, 3), (5, 1, 1))
    again = unpack(steps, origin, step)
    apart = np.abs(again - points).max(axis=(1, 2))
    assert (apart <= np.array([1, 10, 100, 1000, 1]) / 60000).all()
