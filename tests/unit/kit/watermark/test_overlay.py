import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.watermark.carriers import Carriers
from assent.kit.watermark.mask import strength
from assent.kit.watermark.overlay import Overlay, Waves, eight_bits


def make(carriers: Carriers, width: int, height: int, bits: int = 8) -> Overlay:
    codeword = np.random.default_rng(3).integers(0, 2, 512).astype(np.uint8)
    return Overlay(
        Waves(2 * carriers.all, carriers.coefficients(codeword, 0)),
        width=width,
        height=height,
        bits=bits,
        psnr_db=44,
        loudness=1,
    )


def texture(width: int, height: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(4).normal(120, 9, (height, width))
    return np.clip(noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(512, 512), (300, 200), (201, 333), (640, 360), (130, 1000)])
def test_strips_and_tiles_leave_no_seam(carriers: Carriers, size: tuple[int, int]) -> None:
    """The mark is the pattern times the mask, scaled up smoothly over the whole plane."""
    width, height = size
    plane = texture(width, height)
    # 10 bits show a quarter of a level.
    deep = np.asarray(plane.astype(np.uint16) * 4, np.uint16)
    change = (make(carriers, width, height, 10).add(deep).astype(int) - deep) / 4
    scale = min(width, height) / 512
    mask = strength(plane, (max(1, round(width / scale / 2)), max(1, round(height / scale / 2))))
    full = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
    # Divided by the mask what is left is one tile, the same all over the plane, and dither.
    pattern = change / full
    period = min(width, height) / 2
    if period == int(period):
        tiles = [
            pattern[top : top + int(period)]
            for top in range(0, height - int(period) + 1, int(period))
        ]
        for tile in tiles[1:]:
            assert np.corrcoef(tile.ravel(), tiles[0].ravel())[0, 1] > 0.9
    rows = pattern.std(axis=1)
    assert rows.min() > 0.4 * rows.max()


def test_both_depths_get_the_same_mark(carriers: Carriers) -> None:
    plane = texture(320, 240)
    shallow = np.asarray(make(carriers, 320, 240).add(plane), np.uint8)
    deep = make(carriers, 320, 240, 10).add(np.asarray(plane.astype(np.uint16) * 4, np.uint16))
    assert np.abs(eight_bits(deep).astype(int) - shallow).max() <= 1


def test_a_smaller_plane_gets_the_same_pattern(carriers: Carriers) -> None:
    """What is fitted on looks holds for the frames."""
    large = np.full((720, 1280), 128, np.uint8)
    small = np.full((512, 910), 128, np.uint8)
    marks = [
        np.asarray(make(carriers, plane.shape[1], plane.shape[0]).add(plane)).astype(np.float32)
        - 128
        for plane in (large, small)
    ]
    shrunk = cv2.resize(marks[0], (910, 512), interpolation=cv2.INTER_AREA)
    blurred = [cv2.GaussianBlur(mark, (0, 0), 1.5) for mark in (shrunk, marks[1])]
    assert np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1] > 0.8
