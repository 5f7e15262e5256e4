import numpy as np
import pytest

from assent.kit.watermark.carriers import Carriers
from assent.kit.watermark.key import SecretKey
from assent.kit.watermark.secret import SECRET_TILE, SecretLayer

KEY = SecretKey.from_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def layer() -> SecretLayer:
    return SecretLayer.derive(KEY, asset_id=7)


def drawn(layer: SecretLayer, variant: int) -> np.ndarray:
    """The layer's own tile."""
    u = (np.arange(SECRET_TILE) + 0.5) / SECRET_TILE
    across = np.exp(2j * np.pi * np.outer(layer.waves[:, 0], u))
    down = np.exp(2j * np.pi * np.outer(layer.waves[:, 1], u))
    tile: np.ndarray = ((down * layer.values[variant][:, None]).T @ across).real
    return tile


def test_its_waves_lie_between_the_public_ones(layer: SecretLayer, carriers: Carriers) -> None:
    public = {tuple(2 * k) for k in carriers.all.tolist()}
    assert len({tuple(k) for k in layer.waves.tolist()}) == len(layer.waves)
    assert not public & {tuple(k) for k in layer.waves.tolist()}
    assert (layer.waves % 2 == 1).all()


def test_each_release_and_each_key_has_its_own(layer: SecretLayer) -> None:
    same = SecretLayer.derive(KEY, asset_id=7)
    assert (same.waves == layer.waves).all()
    assert (same.values == layer.values).all()
    mine = {tuple(k) for k in layer.waves.tolist()}
    for other in (
        SecretLayer.derive(KEY, asset_id=8),
        SecretLayer.derive(SecretKey.from_bytes(b"1" * 32), asset_id=7),
    ):
        shared = len(mine & {tuple(k) for k in other.waves.tolist()}) / len(mine)
        assert 0.3 < shared < 0.6  # as chance has it


def test_it_has_power_one_and_is_gone_where_public_tiles_are_folded(layer: SecretLayer) -> None:
    tile = drawn(layer, 3)
    assert tile.var() == pytest.approx(1, abs=0.01)
    folded = tile.reshape(2, 256, 2, 256).sum((0, 2))
    assert np.abs(folded).max() < 1e-6


@pytest.mark.parametrize("sign", [1, -1])
def test_its_own_tile_proves_it_and_noise_does_not(layer: SecretLayer, sign: int) -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(SECRET_TILE, SECRET_TILE)) * 20
    seen = layer.gains(np.fft.fft2(sign * drawn(layer, 3) + noise))
    assert layer.evidence([seen], [3]) > 30
    assert layer.evidence([seen], [4]) < 8
    assert layer.evidence([layer.gains(np.fft.fft2(noise))], [3]) < 8


def test_evidence_by_chance_stays_below_its_bound(layer: SecretLayer) -> None:
    rng = np.random.default_rng(4)
    count = len(layer.waves)
    pictures = (rng.normal(size=count) + 1j * rng.normal(size=count) for _ in range(400))
    found = [layer.evidence([one], [0]) for one in pictures]
    for nats in (1.0, 2.0, 3.0):
        assert np.mean(np.array(found) >= nats) <= np.exp(-nats)


def test_a_blank_picture_proves_nothing(layer: SecretLayer) -> None:
    assert layer.evidence([np.zeros(len(layer.waves), complex)], [0]) == 0


def test_a_key_does_not_show_itself() -> None:
    assert "0102" not in repr(KEY)
    assert "\\x01" not in repr(KEY)
