import numpy as np

from assent.kit.watermark.sound.masking import allowed_db


def test_a_steady_tone_is_changed_least_and_noise_more() -> None:
    rng = np.random.default_rng(1)
    steady = np.full((60, 64), -30, np.float32)
    noisy = steady + rng.normal(size=steady.shape).astype(np.float32) * 4
    assert allowed_db(steady).max() < 1.2
    assert np.median(allowed_db(noisy)) > 2


def test_a_band_below_a_loud_neighbour_may_be_changed_most() -> None:
    level = np.full((60, 64), -60, np.float32)
    level[:, 20] = -20
    allowed = allowed_db(level)
    assert allowed[30, 22] > 2 * allowed[30, 20]
    # Masking reaches farther up than down.
    assert allowed[30, 20 + 6] > allowed[30, 20 - 6]


def test_changes_stay_within_bounds() -> None:
    level = np.random.default_rng(2).uniform(-100, 0, (50, 64)).astype(np.float32)
    allowed = allowed_db(level)
    assert allowed.shape == (50, 64)
    assert allowed.min() >= 0.29
    assert allowed.max() <= 2.41
