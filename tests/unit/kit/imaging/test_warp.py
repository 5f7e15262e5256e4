"""A crop goes back to where it came from."""

import numpy as np
import pytest

from assent.kit.faces.align import MEAN_FACE, align, warp
from assent.kit.imaging.warp import unwarp


def soft_picture() -> np.ndarray:
    y, x = np.mgrid[:240, :320]
    waves = np.stack([np.sin(x / 17), np.cos(y / 13), np.sin((x + y) / 23)], -1)
    return np.asarray(127 + 100 * waves, np.uint8)


@pytest.mark.parametrize(("face", "size"), [(90, 128), (90, 64), (90, 256)])
def test_out_and_back_is_the_same_place(face: int, size: int) -> None:
    picture = soft_picture()
    matrix = align(MEAN_FACE * face + (150, 120), size, 0.7)
    crop = warp(picture, matrix, size).astype(np.float32)
    box = (120, 90, 180, 150)
    back = unwarp(crop, matrix, box)
    assert back.shape == (60, 60, 3)
    assert np.abs(back - picture[90:150, 120:180]).mean() < 2


def test_nothing_outside_the_crop() -> None:
    matrix = align(MEAN_FACE * 40 + (60, 60), 64, 0.8)
    back = unwarp(np.ones((64, 64), np.float32), matrix, (0, 0, 200, 120))
    assert back[60, 60] == pytest.approx(1)
    assert not back[:, 120:].any()
    assert back.dtype == np.float32


def test_a_crop_that_shrinks_does_not_alias() -> None:
    checks = (np.indices((256, 256)).sum(0) % 2).astype(np.float32)
    matrix = align(MEAN_FACE * 50 + (60, 60), 256, 0.8)
    back = unwarp(checks, matrix, (45, 45, 75, 75))
    assert back.mean() == pytest.approx(0.5, abs=0.02)
    assert back.std() < 0.03
