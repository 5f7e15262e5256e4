import numpy as np

from assent.kit.watermark.mask import strength


def flat(level: int) -> float:
    return float(strength(np.full((64, 64), level, np.uint8), (64, 64))[32, 32])


def test_texture_takes_more_than_flat_ground() -> None:
    plane = np.full((64, 128), 120, np.uint8)
    plane[:, 64:] += np.random.default_rng(0).integers(0, 30, (64, 64)).astype(np.uint8)
    relative = strength(plane, (128, 64))
    assert relative[:, :50].max() < 1.1
    assert relative[20:40, 80:120].min() > 1.45
    assert relative.max() <= 1.5


def test_texture_takes_less_in_large_pictures() -> None:
    grain = np.random.default_rng(0).integers(100, 160, (540, 600)).astype(np.uint8)
    assert strength(grain, (284, 256)).max() == np.float32(1.2)
    assert 1.2 < strength(grain[:466], (329, 256)).max() < 1.5


def test_soft_shading_counts_as_flat() -> None:
    plane = np.tile(np.linspace(80, 200, 128), (64, 1)).astype(np.uint8)
    assert strength(plane, (128, 64))[:, 10:-10].max() < 1.6


def test_a_lone_edge_gets_little() -> None:
    plane = np.full((64, 128), 100, np.uint8)
    plane[:, 64:] = 180
    textured = plane.copy()
    textured[::2] += 40
    edge = strength(plane, (128, 64))
    assert edge[:, :54].max() < 1.1
    assert edge.max() <= strength(textured, (128, 64)).max()


def test_the_dark_and_white_take_less() -> None:
    assert flat(0) < flat(16) < flat(40) < flat(128)
    assert flat(0) == np.float32(0.5)
    assert flat(255) < 0.5
