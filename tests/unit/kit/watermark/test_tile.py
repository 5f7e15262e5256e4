import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.watermark.carriers import TILE, Carriers
from assent.kit.watermark.payload import payload_bits
from assent.kit.watermark.polar import encode
from assent.kit.watermark.tile import align, gains, read_identifier

ASSET_ID = 0xABCDEF


def draw(carriers: Carriers, shift: tuple[float, float] = (0, 0)) -> NDArray[np.float64]:
    """Draw a tile at its sample centres, its origin moved right and down by `shift`."""
    place = np.arange(TILE) + 0.5
    k, values = carriers.all, carriers.coefficients(encode(payload_bits(ASSET_ID)))
    x = np.exp(2j * np.pi / TILE * np.outer(place - shift[0], k[:, 0]))
    y = np.exp(2j * np.pi / TILE * np.outer(place - shift[1], k[:, 1]))
    tile: NDArray[np.float64] = (y @ (values[:, None] * x.T)).real
    return tile


def noise(seed: int, deviation: float) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(TILE, TILE)) * deviation


def test_gains_are_the_coefficients(carriers: Carriers) -> None:
    expected = carriers.coefficients(encode(payload_bits(ASSET_ID)))
    assert np.allclose(gains(draw(carriers), carriers), expected)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.4, -0.9), (1.2, 1.3)])
def test_a_pattern_near_the_corner_is_read(carriers: Carriers, shift: tuple[float, float]) -> None:
    aligned = align(draw(carriers, shift) + noise(1, 3), carriers, near=True)
    assert aligned.z > 8
    assert np.abs(np.subtract(aligned.shift, shift)).max() < 0.15
    assert read_identifier(aligned.spectrum, carriers) == ASSET_ID


def test_a_pattern_anywhere_is_read(carriers: Carriers) -> None:
    aligned = align(draw(carriers, (40.3, 100.6)) + noise(2, 3), carriers, near=False)
    assert aligned.z > 8
    assert np.abs(np.subtract(aligned.shift, (40.3, 100.6))).max() < 0.15
    assert read_identifier(aligned.spectrum, carriers) == ASSET_ID


def test_a_pattern_elsewhere_is_not_near(carriers: Carriers) -> None:
    assert align(draw(carriers, (40.3, 100.6)), carriers, near=True).z < 4


def test_noise_passes_neither_gate(carriers: Carriers) -> None:
    for seed in range(20):
        assert align(noise(seed, 1), carriers, near=True).z < 4
        assert align(noise(seed, 1), carriers, near=False).z < 6


def test_a_blank_tile_has_no_z(carriers: Carriers) -> None:
    assert align(np.zeros((TILE, TILE)), carriers, near=False).z == 0


def test_noise_that_passed_a_gate_would_still_fail_the_check(carriers: Carriers) -> None:
    for seed in range(5):
        aligned = align(noise(seed, 1), carriers, near=False)
        assert read_identifier(aligned.spectrum, carriers) is None
