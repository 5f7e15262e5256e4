"""Sharpening lifts detail and leaves flat areas and colours alone."""

import numpy as np
import pytest

from assent.kit.imaging.detail import sharpen


def edge() -> np.ndarray:
    picture = np.full((20, 40, 3), (0.5, 0.4, 0.3), np.float32)
    picture[:, 20:] += 0.2
    return picture


def test_an_edge_gets_steeper() -> None:
    sharp = sharpen(edge(), 0.5, 1.5)
    assert np.ptp(sharp[10, 18:22, 0]) > 0.2 * 1.2
    assert np.allclose(sharp[:, :10], edge()[:, :10], atol=1e-4)


def test_colour_differences_stay() -> None:
    sharp = sharpen(edge(), 0.5, 1.5)
    assert np.allclose(sharp[..., 0] - sharp[..., 1], 0.1, atol=1e-6)


def test_amount_0_is_the_picture_itself() -> None:
    assert np.array_equal(sharpen(edge(), 0, 1.5), edge())


def test_values_stay_in_range() -> None:
    sharp = sharpen((edge() > 0.45).astype(np.float32), 1, 2)
    assert sharp.min() == 0
    assert sharp.max() == pytest.approx(1)
