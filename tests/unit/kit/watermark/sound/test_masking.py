import numpy as np

from assent.kit.watermark.sound.levels import band_weights, power_spectra
from assent.kit.watermark.sound.masking import allowed_db, flatness_db

FULL = np.zeros(64, np.float32)


def test_a_steady_tone_is_changed_least_and_noise_more() -> None:
    rng = np.random.default_rng(1)
    steady = np.full((60, 64), -30, np.float32)
    noisy = steady + rng.normal(size=steady.shape).astype(np.float32) * 4
    assert allowed_db(steady, FULL).max() < 1.2
    assert np.median(allowed_db(noisy, FULL)) > 2


def test_a_band_below_a_loud_neighbour_may_be_changed_most() -> None:
    level = np.full((60, 64), -60, np.float32)
    level[:, 20] = -20
    allowed = allowed_db(level, FULL)
    assert allowed[30, 22] > 2 * allowed[30, 20]
    # Masking reaches farther up than down.
    assert allowed[30, 20 + 6] > allowed[30, 20 - 6]


def test_changes_stay_within_bounds() -> None:
    level = np.random.default_rng(2).uniform(-100, 0, (50, 64)).astype(np.float32)
    allowed = allowed_db(level, FULL)
    assert allowed.shape == (50, 64)
    assert allowed.min() >= 0.29
    assert allowed.max() <= 2.41


def test_a_chord_that_beats_is_changed_less_than_noise_that_wavers_as_much() -> None:
    level = np.random.default_rng(3).normal(-30, 4, (60, 64)).astype(np.float32)
    chord = np.full(64, -12, np.float32)
    assert np.median(allowed_db(level, chord)) < 0.5 * np.median(allowed_db(level, FULL))


def test_noise_is_flat_and_so_is_a_voice_that_moves_and_a_chord_is_not() -> None:
    t = np.arange(16000) / 16000
    noise = np.random.default_rng(4).normal(size=16000)
    chord = sum(np.sin(2 * np.pi * f * k * t) for f in (220, 277, 330) for k in range(1, 20))
    voice = sum(np.sin(2 * np.pi * k * (120 * t + 30 * t**2)) for k in range(1, 50))
    flat = []
    for sound in (noise, voice, chord):
        spectra = power_spectra(np.asarray(sound, np.float32), 16000, 10, 88, 0)
        flat.append(np.median(flatness_db(spectra, band_weights(16000, spectra.shape[1]))))
    assert flat[0] > -1
    assert flat[1] > -2.5
    assert flat[2] < -6
