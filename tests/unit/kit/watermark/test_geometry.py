import numpy as np
import pytest

from assent.kit.watermark.geometry import describe, fold, rotation


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.eye(2), "scaled 1.00"),
        (0.5 * np.diag([-1.0, 1.0]), "scaled 0.50, mirrored"),
        (1.25 * rotation(np.radians(5)), "scaled 1.25, rotated 5.0 degrees"),
        (np.diag([1.2, 0.9]), "scaled 1.04, aspect ratio 1.33"),
        (
            rotation(np.radians(-90)) @ np.diag([-1, 1]),
            "scaled 1.00, rotated -90.0 degrees, mirrored",
        ),
    ],
)
def test_describe(matrix: np.ndarray, words: str) -> None:
    assert describe(matrix) == words


def test_folding_adds_the_tiles_up() -> None:
    tile = np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32)
    assert np.allclose(fold(np.tile(tile, (2, 3)), np.eye(2)), 6 * tile, atol=1e-4)


def test_a_part_of_a_tile_is_padded_with_nothing() -> None:
    folded = fold(np.ones((100, 256), np.float32), np.eye(2))
    assert (folded[:100] == 1).all()
    assert (folded[100:] == 0).all()


def test_folding_undoes_a_scaling() -> None:
    # One wave across the tile, drawn at half size.
    x = (np.arange(512) + 0.5) / 0.5
    wave = np.tile(np.cos(2 * np.pi * 8 * x / 256), (512, 1)).astype(np.float32)
    folded = fold(wave, 0.5 * np.eye(2))
    expected = np.cos(2 * np.pi * 8 * (np.arange(256) + 0.5) / 256)
    # Bilinear interpolation flattens the crests a little.
    inner = folded[4:-4, 4:-4] / 16
    assert np.abs(inner - expected[4:-4]).max() < 0.08
