import numpy as np
import pytest

from assent.kit.watermark.sound.pattern import Pattern, band_edges
from assent.kit.watermark.sound.synchronise import (
    PERIOD_HOPS,
    Playing,
    Stretch,
    candidates,
    correlate,
    fold,
    steps,
)


def test_folding_adds_what_lies_a_period_apart() -> None:
    hops = np.zeros((2 * PERIOD_HOPS + 5, 64))
    hops[3], hops[3 + PERIOD_HOPS], hops[-1] = 1, 2, 4
    folded = fold(hops)
    assert folded.shape == (PERIOD_HOPS, 64)
    assert (folded[3] == 3).all()
    assert (folded[4] == 4).all()
    assert fold(hops[:7]).shape == (PERIOD_HOPS, 64)


@pytest.mark.parametrize("shift", [0, 1, 100, PERIOD_HOPS - 1])
def test_the_pattern_stands_out_at_its_shift(pattern: Pattern, shift: int) -> None:
    rng = np.random.default_rng(shift)
    folded = rng.normal(size=(PERIOD_HOPS, 64))
    folded[::8] += pattern.pilots() * 2
    folded = np.roll(folded, shift, axis=0)
    z = correlate(folded, pattern.pilots())
    assert int(z.argmax()) == shift
    assert np.delete(z, shift).std() == pytest.approx(1, abs=0.2)
    best = next(candidates(folded, pattern, Playing(), most=1))
    assert best.z == pytest.approx(z[shift])
    assert np.allclose(best.tiles, np.roll(folded, -shift, axis=0)[::8])


def test_candidates_keep_apart(pattern: Pattern) -> None:
    folded = np.random.default_rng(1).normal(size=(PERIOD_HOPS, 64))
    found = list(candidates(folded, pattern, Playing(), most=5))
    assert [c.z for c in found] == sorted((c.z for c in found), reverse=True)
    assert len({c.z for c in found}) == 5


def test_a_tile_that_is_louder_first_is_positive_and_one_softer_first_negative() -> None:
    rng = np.random.default_rng(2)
    spectra = rng.exponential(size=(120, 321)).astype(np.float32)
    stretch = Stretch(spectra=spectra.copy(), rate=16000)
    # 2 to 2.2 kHz: bins of 25 Hz.
    for hop, factor in ((48, 4), (52, 1 / 4)):
        stretch.spectra[hop : hop + 4, 80:89] *= factor
    seen = steps(stretch, Playing())
    band = int(np.searchsorted(band_edges(), 2100)) - 1
    assert seen[48, band] == seen[:, band].max()
    assert seen[48, band] > 2 * seen[:, band].std()


def test_a_slower_tempo_has_fewer_hops() -> None:
    spectra = np.random.default_rng(3).exponential(size=(400, 321)).astype(np.float32)
    stretch = Stretch(spectra=spectra, rate=16000)
    usual, slow = (len(steps(stretch, Playing(tempo=t))) for t in (1.0, 0.9))
    assert slow == pytest.approx(0.9 * usual, abs=2)
