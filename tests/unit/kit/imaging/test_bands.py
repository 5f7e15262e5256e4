"""A band holds detail of its own size and no other."""

import numpy as np
import pytest

from assent.kit.imaging.bands import band


def stripes(period: float) -> np.ndarray:
    x = np.arange(256)
    row = np.round(128 + 60 * np.sin(2 * np.pi * x / period)).astype(np.uint8)
    return np.tile(row, (256, 1))


@pytest.mark.parametrize("period", [2.5, 150.0])
def test_finer_and_coarser_is_left_out(period: float) -> None:
    inside = np.s_[32:-32, 32:-32]
    kept = band(stripes(12.0), 1.0, 4.0)[inside].std()
    assert band(stripes(period), 1.0, 4.0)[inside].std() < 0.2 * kept
    assert kept > 20
