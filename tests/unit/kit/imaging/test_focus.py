"""How soft a picture is, is told whatever its contrast and noise, and given to another."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.imaging.focus import fineness, softened, softening
from assent.kit.imaging.grain import grain

Grey = NDArray[np.float32]
WHERE = np.zeros((160, 160), np.bool_)
WHERE[20:140, 20:140] = True


@pytest.fixture
def sharp() -> Grey:
    """Edges of all directions and sizes, as fine as a lens leaves them."""
    random = np.random.default_rng(4)
    sheet = np.full((160, 160), 120, np.uint8)
    for _ in range(120):
        x, y, radius, level = random.integers((0, 0, 2, 40), (160, 160, 14, 220)).tolist()
        cv2.circle(sheet, (x, y), radius, level, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(sheet.astype(np.float32), (0, 0), 0.7), np.float32)


def blurred(grey: Grey, deviation: float) -> Grey:
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), deviation), np.float32)


def test_the_softer_the_less_fine(sharp: Grey) -> None:
    found = [fineness(blurred(sharp, deviation), WHERE) for deviation in (0.5, 1.0, 2.0, 4.0)]
    assert found == sorted(found, reverse=True)
    assert found[0] - found[-1] > 1


@pytest.mark.parametrize(("gain", "noise"), [(0.3, 0.0), (1.0, 4.0), (0.6, 2.0)])
def test_contrast_and_noise_do_not_count(sharp: Grey, gain: float, noise: float) -> None:
    soft = blurred(sharp, 1.5)
    other = 60 + gain * soft + grain(soft.shape, noise, seed=1)
    assert fineness(other, WHERE) == pytest.approx(fineness(soft, WHERE), abs=0.08)


@pytest.mark.parametrize("deviation", [0.7, 1.2, 2.0, 3.5])
def test_the_blur_is_found_again(sharp: Grey, deviation: float) -> None:
    goal = fineness(blurred(sharp, deviation), WHERE)
    assert softening(sharp, WHERE, goal) == pytest.approx(deviation, rel=0.12)


def test_what_is_soft_enough_stays(sharp: Grey) -> None:
    assert softening(blurred(sharp, 2.0), WHERE, fineness(sharp, WHERE)) == 0


def test_a_flat_picture_is_left_alone() -> None:
    flat = np.full((160, 160), 90, np.float32)
    assert softening(flat, WHERE, fineness(flat, WHERE)) == 0
    assert softening(flat, np.zeros_like(WHERE), -2.0) <= 6


def test_what_lies_outside_does_not_bleed_in(sharp: Grey) -> None:
    rgb = np.repeat(sharp[..., None], 3, axis=2)
    rgb[~WHERE] = 0
    soft = softened(rgb, WHERE, 2.0)
    assert np.array_equal(soft[~WHERE], rgb[~WHERE])
    edge = soft[20, 20:140, 0]
    assert edge.mean() == pytest.approx(float(sharp[20:24, 20:140].mean()), rel=0.1)
    inner = cv2.erode(WHERE.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    assert fineness(soft[..., 0], inner) < fineness(sharp, inner) - 0.5
