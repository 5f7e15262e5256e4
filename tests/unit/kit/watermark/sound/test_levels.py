import numpy as np
import pytest

from assent.kit.watermark.sound.levels import (
    HOP_SECONDS,
    above_floor,
    band_weights,
    broad_share,
    levels,
    power_spectra,
    surprise,
)
from assent.kit.watermark.sound.pattern import band_edges


def tone(hertz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
def test_a_tone_is_loud_in_its_band_alone_at_any_rate(rate: int) -> None:
    spectra = power_spectra(tone(2000, rate), rate, 10, 50, 0)
    level = levels(spectra, band_weights(rate, spectra.shape[1]))
    band = int(np.searchsorted(band_edges(), 2000)) - 1
    assert (level.argmax(axis=1) == band).all()
    assert np.allclose(level[:, band], 0, atol=3)
    far = np.abs(np.arange(64) - band) > 2
    assert (level[:, far] < -30).all()


def test_pitch_moves_the_bands() -> None:
    spectra = power_spectra(tone(2000 * 1.1, 16000), 16000, 10, 50, 0)
    level = levels(spectra, band_weights(16000, spectra.shape[1], pitch=1.1))
    assert (level.argmax(axis=1) == np.searchsorted(band_edges(), 2000) - 1).all()


def test_frames_do_not_depend_on_where_the_samples_were_cut() -> None:
    sound = np.random.default_rng(0).normal(size=16000).astype(np.float32)
    whole = power_spectra(sound, 16000, 40, 20, 0)
    part = power_spectra(sound[3000:12000], 16000, 40, 20, 3000)
    assert np.allclose(whole, part, rtol=1e-4)


def test_outside_of_the_samples_is_silence() -> None:
    spectra = power_spectra(np.ones(1600, np.float32), 16000, -50, 200, 0)
    assert not spectra[:40].any()
    assert not spectra[-40:].any()


def test_nothing_is_unexpected_in_silence() -> None:
    seen, weight = surprise(np.full((100, 64), -100, np.float32))
    assert not seen.any()
    assert (weight > 0).all()


def test_a_step_is_seen_where_it_is_and_a_change_of_volume_is_not() -> None:
    rng = np.random.default_rng(4)
    level = rng.normal(size=(100, 64)).astype(np.float32)
    louder = level.copy()
    louder[50:54, 30] += 6
    seen = surprise(louder)[0] - surprise(level)[0]
    assert np.unravel_index(np.abs(seen).argmax(), seen.shape)[0] in range(49, 55)
    assert np.allclose(surprise(level - 20)[0], surprise(level)[0], atol=1e-3)


def test_noise_is_broad_and_a_tone_or_hush_is_not() -> None:
    rng = np.random.default_rng(4)
    loud = rng.normal(size=16000).astype(np.float32) * 0.01
    count = round(1 / HOP_SECONDS)
    for sound, share in ((loud, 1), (tone(500, 16000), 0), (loud * 1e-4, 0)):
        spectra = power_spectra(sound, 16000, 0, count, 0)
        assert broad_share(spectra, 16000) == pytest.approx(share, abs=0.1)


def test_what_lies_at_the_floor_counts_least() -> None:
    level = np.full((100, 64), -60, np.float32)
    level[20:60, 5] = -30
    share = above_floor(level)
    assert (share[20:60, 5] == 1).all()
    assert np.allclose(share[:, 6], 0.1)
    assert np.allclose(above_floor(level - 17), share)
