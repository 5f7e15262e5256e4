"""Noise is measured where there is detail as well, and made to measure."""

import numpy as np
import pytest

from assent.kit.imaging.grain import grain, noise_of

EVERYWHERE = np.ones((200, 200), np.bool_)


@pytest.mark.parametrize("deviation", [1.0, 4.0, 12.0])
def test_noise_is_measured(deviation: float) -> None:
    ramp = np.tile(np.linspace(20, 230, 200, dtype=np.float32), (200, 1))
    assert noise_of(ramp + grain((200, 200), deviation, seed=1), EVERYWHERE) == pytest.approx(
        deviation, rel=0.1
    )


def test_edges_are_not_noise() -> None:
    stripes = np.zeros((200, 200), np.float32)
    stripes[:, ::20] = 200
    assert noise_of(stripes, EVERYWHERE) < 0.5


def test_only_the_part_asked_for_counts() -> None:
    picture = np.zeros((200, 200), np.float32)
    picture[:, 100:] += grain((200, 100), 9.0, seed=2)
    left = EVERYWHERE.copy()
    left[:, 98:] = False
    assert noise_of(picture, left) == 0
    assert noise_of(picture, ~left) > 7


def test_too_little_tells_nothing() -> None:
    few = np.zeros((200, 200), np.bool_)
    few[0, :50] = True
    assert noise_of(grain((200, 200), 9.0, seed=3), few) == 0


def test_the_same_seed_makes_the_same_grain() -> None:
    assert np.array_equal(grain((20, 30), 2.0, seed=5), grain((20, 30), 2.0, seed=5))
    assert not np.array_equal(grain((20, 30), 2.0, seed=5), grain((20, 30), 2.0, seed=6))
