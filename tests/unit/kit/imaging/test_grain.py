"""Noise is measured where there is detail as well, and made to measure."""

import numpy as np
import pytest

from assent.kit.imaging.grain import grain, match_grain, noise_of

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


def test_a_patch_takes_the_grain_of_its_picture() -> None:
    patch = np.full((200, 200, 3), 120, np.float32)
    picture = 120 + grain((200, 200), 8.0, seed=1)
    matched = match_grain(patch, picture, EVERYWHERE, seed=2)
    assert noise_of(matched.mean(2), EVERYWHERE) == pytest.approx(8, rel=0.1)
    # Grain that is the same in every picture is a dirty pane.
    assert not np.array_equal(matched, match_grain(patch, picture, EVERYWHERE, seed=3))


@pytest.mark.parametrize("noise", [0.0, 1.5])
def test_a_clean_picture_adds_nothing(noise: float) -> None:
    patch = np.full((200, 200, 3), 120, np.float32)
    picture = 120 + grain((200, 200), noise, seed=1)
    assert match_grain(patch, picture, EVERYWHERE, seed=2) is patch


def test_a_patch_with_grain_of_its_own_gets_no_more() -> None:
    patch = np.repeat(120 + grain((200, 200), 9.0, seed=4)[..., None], 3, axis=2)
    picture = 120 + grain((200, 200), 5.0, seed=1)
    assert match_grain(patch, picture, EVERYWHERE, seed=2) is patch


@pytest.mark.parametrize("count", [100, 101, 1000])
def test_the_measure_is_the_median(count: int) -> None:
    picture = grain((200, 200), 9.0, seed=4)
    where = np.zeros((200, 200), np.bool_)
    where.ravel()[1000 : 1000 + count] = True
    padded = np.pad(picture, 1, mode="reflect")
    across = padded[:, :-2] - 2 * padded[:, 1:-1] + padded[:, 2:]
    response = across[:-2] - 2 * across[1:-1] + across[2:]
    wanted = 1.4826 * float(np.median(np.abs(response[where]))) / 6
    assert noise_of(picture, where) == pytest.approx(wanted, rel=1e-5)
