from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.forensics.crops import SIDE, FaceCrop, cut
from assent.kit.forensics.views import CHANNELS, views

FINE, FINE_POWER, RED, BLUE, TONE, INNER = 0, 2, 4, 5, 6, 7


@pytest.fixture(scope="module")
def crop(filmed: list[NDArray[np.uint8]], landmarks: NDArray[np.float32]) -> FaceCrop:
    return cut(filmed[0], landmarks)


def test_views_are_of_one_range(crop: FaceCrop) -> None:
    seen = views(crop)
    assert seen.shape == (CHANNELS, SIDE, SIDE)
    assert seen.dtype == np.float32
    assert np.abs(seen).max() <= 4
    assert np.allclose(seen[INNER], 2 * crop.inner - 1)


def test_a_face_that_was_made_softer_shows_in_the_strength_of_detail(crop: FaceCrop) -> None:
    soft = cv2.GaussianBlur(crop.rgb, (0, 0), 1.2).astype(np.float32)
    laid = crop.rgb + crop.inner[..., None] * (soft - crop.rgb)
    before, after = views(crop), views(replace(crop, rgb=laid.astype(np.uint8)))
    inside, outside = crop.inner > 0.95, crop.inner < 0.01
    change = after[FINE_POWER] - before[FINE_POWER]
    # Strength is measured over some pixels around, so a little of the change reaches beyond.
    assert change[inside].mean() < -0.1
    assert abs(change[outside].mean()) < 0.5 * abs(change[inside].mean())


def test_brightness_alone_changes_tone_and_no_trace(crop: FaceCrop) -> None:
    dark = np.clip(crop.rgb, 0, 200).astype(np.uint8)
    before, after = views(replace(crop, rgb=dark)), views(replace(crop, rgb=dark + 30))
    assert (after[TONE] - before[TONE]).mean() == pytest.approx(30 / 64, abs=0.02)
    for channel in (FINE, FINE_POWER, RED, BLUE):
        assert np.abs(after[channel] - before[channel]).mean() < 0.02


def test_a_flat_picture_is_not_made_to_look_full_of_detail(crop: FaceCrop) -> None:
    flat = np.full_like(crop.rgb, 128)
    flat[40, 40] = 130
    assert np.abs(views(replace(crop, rgb=flat))[FINE]).max() < 1.5
