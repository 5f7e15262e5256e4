"""A smear is told from softness, in the direction that is asked for, and made to measure."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.imaging.grain import grain
from assent.kit.imaging.smear import smeared, steepness, unevenness

Grey = NDArray[np.float32]
EVERYWHERE = np.ones((160, 160), np.bool_)
RIGHT, DOWN = np.array([1.0, 0.0]), np.array([0.0, 1.0])


@pytest.fixture
def sharp() -> Grey:
    noise = np.random.default_rng(2).normal(0, 120, (160, 160)).astype(np.float32)
    return 128 + np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.2), np.float32)


@pytest.mark.parametrize("way", [(9.0, 0.0), (0.0, 9.0), (6.0, -6.0)])
def test_detail_is_lost_along_the_way_alone(sharp: Grey, way: tuple[float, float]) -> None:
    along = np.array(way)
    across = np.array([-along[1], along[0]])
    steep = steepness(smeared(sharp, EVERYWHERE, along), EVERYWHERE)
    assert unevenness(steep, along) < -0.8
    assert unevenness(steep, across) == pytest.approx(-unevenness(steep, along))


def test_the_longer_the_more(sharp: Grey) -> None:
    found = [
        unevenness(steepness(smeared(sharp, EVERYWHERE, step * DOWN), EVERYWHERE), DOWN)
        for step in (0.5, 3.0, 6.0, 12.0)
    ]
    assert found == sorted(found, reverse=True)
    assert abs(found[0]) < 0.1


def test_softness_and_noise_are_even(sharp: Grey) -> None:
    soft = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 2.0), np.float32)
    assert abs(unevenness(steepness(soft, EVERYWHERE), RIGHT)) < 0.15
    moved = smeared(sharp, EVERYWHERE, 9 * RIGHT)
    noisy = moved + grain(moved.shape, 6.0, seed=3)
    clean, worn = (unevenness(steepness(each, EVERYWHERE), RIGHT) for each in (moved, noisy))
    assert worn == pytest.approx(clean, abs=0.35)


def test_a_flat_picture_has_no_direction() -> None:
    assert unevenness(steepness(np.full((160, 160), 90.0), EVERYWHERE), RIGHT) == 0


def test_a_smear_stays_inside_and_in_place() -> None:
    patch = np.zeros((40, 60, 3), np.float32)
    inside = np.zeros((40, 60), np.bool_)
    inside[10:30, 10:50] = True
    patch[inside] = 100
    patch[10:30, 30] = 200
    moved = smeared(patch, inside, np.array([8.0, 0.0]))
    assert np.array_equal(moved[~inside], patch[~inside])
    assert moved[inside].min() > 99
    line = moved[20, 10:50, 0] - 100
    assert line.sum() == pytest.approx(100, rel=0.02)
    assert (line @ np.arange(10, 50)) / line.sum() == pytest.approx(30, abs=0.1)
    assert 7 <= np.count_nonzero(line > 1) <= 10
