"""The soft edge lies inside the mask."""

import numpy as np
import pytest

from assent.kit.imaging.masks import feather


def square() -> np.ndarray:
    mask = np.zeros((60, 60), bool)
    mask[10:50, 10:50] = True
    return mask


def test_it_rises_from_the_edge_inwards() -> None:
    alpha = feather(square(), 8)
    assert not alpha[~square()].any()
    line = alpha[30, 10:30]
    assert (np.diff(line) >= 0).all()
    assert 0 < line[0] < 0.1
    assert np.array_equal(line[8:], np.ones(12, np.float32))


def test_the_middle_of_the_edge_is_half() -> None:
    assert feather(square(), 9)[30, 14] == pytest.approx(0.5)


def test_no_radius_no_softness() -> None:
    assert np.array_equal(feather(square(), 0.5), square().astype(np.float32))


def test_the_pictures_border_is_no_edge() -> None:
    mask = np.zeros((40, 40), bool)
    mask[:20] = True
    assert (feather(mask, 6)[:10] == 1).all()


def test_an_empty_mask_stays_empty() -> None:
    assert not feather(np.zeros((9, 9), bool), 3).any()
