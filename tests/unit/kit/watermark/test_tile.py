import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.watermark.carriers import TILE, VARIANTS, Carriers
from assent.kit.watermark.payload import CODE, payload_bits
from assent.kit.watermark.tile import Reading, align, follow, gains, read_plain

ASSET_ID = 0xABCDEF


def draw(
    carriers: Carriers, shift: tuple[float, float] = (0, 0), variant: int = 2
) -> NDArray[np.float64]:
    """Draw a tile at its sample centres, its origin moved right and down by `shift`."""
    place = np.arange(TILE) + 0.5
    k, values = carriers.all, carriers.coefficients(CODE.encode(payload_bits(ASSET_ID)), variant)
    x = np.exp(2j * np.pi / TILE * np.outer(place - shift[0], k[:, 0]))
    y = np.exp(2j * np.pi / TILE * np.outer(place - shift[1], k[:, 1]))
    tile: NDArray[np.float64] = (y @ (values[:, None] * x.T)).real
    return tile


def noise(seed: int, deviation: float) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(TILE, TILE)) * deviation


def read(tiles: list[NDArray[np.float64]], carriers: Carriers, reach: float | None) -> Reading:
    groups = [gains(tile, carriers) for tile in tiles]
    aligned = align(np.sum(groups, axis=0), carriers, reach=reach)
    return read_plain(follow(groups, aligned, carriers), carriers)


def test_gains_are_the_coefficients(carriers: Carriers) -> None:
    expected = carriers.coefficients(CODE.encode(payload_bits(ASSET_ID)), 2)
    assert np.allclose(gains(draw(carriers), carriers), expected)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.4, -0.9)])
def test_a_pattern_near_the_corner_is_read(carriers: Carriers, shift: tuple[float, float]) -> None:
    tile = draw(carriers, shift) + noise(1, 6)
    aligned = align(gains(tile, carriers), carriers, reach=1.0)
    assert aligned.z > 8
    assert aligned.variant == 2
    assert np.abs(np.subtract(aligned.shift, shift)).max() < 0.3
    reading = read([tile], carriers, 1.0)
    assert reading.asset_id == ASSET_ID
    assert reading.log_chance < -40
    assert reading.log_other < -12


@pytest.mark.parametrize("turned", [False, True])
def test_a_pattern_anywhere_is_read(carriers: Carriers, turned: bool) -> None:
    tile = draw(carriers, (40.3, 200.6)) + noise(2, 6)
    if turned:
        tile = tile[::-1, ::-1]
    assert align(gains(tile, carriers), carriers, reach=None).turned == turned
    reading = read([tile], carriers, None)
    assert reading.asset_id == ASSET_ID
    assert reading.log_chance < -40


@pytest.mark.parametrize("before", [1, 3, 4])
def test_a_variant_is_followed_to_the_next(carriers: Carriers, before: int) -> None:
    variants = [VARIANTS - 1] * before + [0] * (4 - before)
    tiles = [draw(carriers, (9, 9), v) + noise(v, 6) for v in variants]
    groups = [gains(tile, carriers) for tile in tiles]
    aligned = align(np.sum(groups, axis=0), carriers, reach=None)
    timeline = follow(groups, aligned, carriers)
    assert (timeline.variant, timeline.before) == (VARIANTS - 1, before)
    assert read_plain(timeline, carriers).asset_id == ASSET_ID


def test_a_pattern_elsewhere_is_not_near(carriers: Carriers) -> None:
    reading = read([draw(carriers, (40.3, 100.6))], carriers, 1.0)
    assert reading.log_chance > -10


def test_noise_proves_nothing(carriers: Carriers) -> None:
    for seed in range(5):
        for reach in (0.0, 1.0, None):
            assert read([noise(seed, 1)], carriers, reach).log_chance == 0


def test_another_keys_carriers_prove_nothing(carriers: Carriers) -> None:
    """A mark under another key is noise of a kind."""
    other = np.random.default_rng(5).choice([-1.0, 1.0], len(carriers.all))
    tile = draw(carriers)
    seen = gains(tile, carriers) * other
    aligned = align(seen, carriers, reach=None)
    assert read_plain(follow([seen], aligned, carriers), carriers).log_chance > -10


def test_a_blank_tile_has_no_z(carriers: Carriers) -> None:
    blank = gains(np.zeros((TILE, TILE)), carriers)
    assert align(blank, carriers, reach=None).z == 0
