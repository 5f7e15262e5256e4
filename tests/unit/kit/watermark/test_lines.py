import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.lines import Lines

RNG = np.random.default_rng(0)


def wave(fx: float, fy: float) -> NDArray[np.float32]:
    y, x = np.mgrid[0:400, 0:600]
    noisy = np.cos(2 * np.pi * (fx * x + fy * y)) + RNG.normal(size=(400, 600))
    return np.asarray(noisy, np.float32)


def test_a_wave_stands_out_at_its_frequency() -> None:
    lines = Lines.of(wave(0.11, -0.06))
    assert (lines.rows, lines.columns) == (1024, 2048)
    x, y = np.array([[0.11, -0.11, 0.11, 0.2]]), np.array([[-0.06, 0.06, 0.06, 0.2]])
    there, opposite, mirrored, elsewhere = lines.sample(x, y)[0]
    assert there > 5
    assert np.isclose(there, opposite)
    assert mirrored < 3
    assert elsewhere < 3


def test_nothing_is_seen_beyond_the_band() -> None:
    lines = Lines.of(wave(0.48, 0.1))
    assert lines.sample(np.array([[0.48]]), np.array([[0.1]]))[0, 0] == 0


def test_the_right_matrix_scores_best() -> None:
    # Carriers (28, -16) at scale 1 are 0.109375 and -0.0625 periods a pixel.
    lines = Lines.of(wave(14 / 128, -8 / 128))
    matrices = np.array([np.eye(2), 1.1 * np.eye(2), np.diag([-1.0, 1.0])])
    scores = lines.score(matrices, np.array([[28, -16]]), np.ones(1))
    assert scores.argmax() == 0
    assert scores[0] > 5
