"""Where a picture lies between borders, or in another picture that moves too."""

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.fingerprint.windows import find_borders, find_insets

Film = NDArray[np.uint8]


def film(seed: int, count: int = 24) -> Film:
    """Soft shapes that wander."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:192, 0:192] / 192
    made = []
    waves = rng.uniform(1, 5, (6, 2))
    phases, speeds = rng.uniform(0, 6, 6), rng.uniform(0.1, 0.5, 6)
    for number in range(count):
        value = sum(
            np.sin(2 * np.pi * (a * x + b * y) + p + s * number)
            for (a, b), p, s in zip(waves, phases, speeds, strict=True)
        )
        made.append(np.clip(127 + 25 * value, 0, 255))
    return np.array(made).astype(np.uint8)


@pytest.mark.parametrize(("top", "bottom", "left", "right"), [(24, 24, 0, 0), (0, 0, 30, 12)])
def test_borders_are_found_where_they_are(top: int, bottom: int, left: int, right: int) -> None:
    pictures = film(1)
    pictures[:, :top] = pictures[:, 192 - bottom :] = 16
    pictures[:, :, :left] = pictures[:, :, 192 - right :] = 16
    found = find_borders(pictures)
    assert found is not None
    assert abs(found.x - left / 192) < 0.02
    assert abs(found.y - top / 192) < 0.02
    assert abs(found.width - (192 - left - right) / 192) < 0.03
    assert abs(found.height - (192 - top - bottom) / 192) < 0.03


def test_a_picture_without_borders_has_none() -> None:
    assert find_borders(film(1)) is None


def test_a_picture_of_one_colour_is_no_border() -> None:
    assert find_borders(np.full((5, 192, 192), 16, np.uint8)) is None


@pytest.mark.parametrize(("x", "y"), [(0, 0), (96, 96), (40, 60), (96, 0)])
def test_an_inset_that_moves_is_among_the_likeliest(x: int, y: int) -> None:
    around, inner = film(2), film(3)
    around[:, y : y + 96, x : x + 96] = inner[:, ::2, ::2]
    windows = find_insets(around, most=3)
    assert 0 < len(windows) <= 3
    off = [
        max(
            abs(w.x * 192 - x),
            abs(w.y * 192 - y),
            abs(w.width * 192 - 96),
            abs(w.height * 192 - 96),
        )
        for w in windows
    ]
    assert min(off) <= 6


def test_a_film_without_an_inset_gives_few_and_a_still_one_none_that_breaks() -> None:
    assert len(find_insets(film(5), most=3)) <= 3
    assert find_insets(np.full((4, 192, 192), 90, np.uint8)) == []
