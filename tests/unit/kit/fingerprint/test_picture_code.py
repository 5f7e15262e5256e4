import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.fingerprint.picture_code import (
    CROPS,
    WHOLE,
    Window,
    code_of,
    distances,
    middle_of,
    projections,
    thumb_of,
)

Grey = NDArray[np.uint8]


def scene(seed: int, height: int = 360, width: int = 640) -> Grey:
    """Blobs of all sizes."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width), 90.0)
    for _ in range(40):
        at = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(picture, at, int(rng.integers(8, 120)), float(rng.integers(20, 235)), -1)
    return np.asarray(picture, np.uint8)


def away(one: Grey, other: Grey, middle: Window | None = None) -> int:
    first = code_of(thumb_of(one))
    second = code_of(thumb_of(other)) if middle is None else code_of(thumb_of(other), middle=middle)
    assert first is not None
    assert second is not None
    return int(distances(first, second[None])[0])


def test_other_pictures_are_far() -> None:
    assert min(away(scene(1), scene(seed)) for seed in range(2, 30)) > 80


@pytest.mark.parametrize(
    "change",
    [
        lambda p: cv2.GaussianBlur(p, (0, 0), 2),
        lambda p: cv2.resize(p, (160, 90), interpolation=cv2.INTER_AREA),
        lambda p: (p * 0.6 + 20).astype(np.uint8),
        lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [1, 12])[1], 0),
    ],
)
def test_changed_pictures_are_near(change: object) -> None:
    assert callable(change)
    assert away(scene(1), change(scene(1))) < 30


def test_a_drawing_over_it_leaves_most_bits() -> None:
    drawn = scene(1)
    cv2.rectangle(drawn, (20, 290), (620, 340), 30, -1)
    assert away(scene(1), drawn) < 50


def test_a_cropped_picture_is_near_at_the_right_crop() -> None:
    cropped = scene(1)[:324, :576]  # the upper left nine tenths
    assert away(scene(1), cropped) > 40
    assert min(away(scene(1), cropped, crop) for crop in CROPS) < 15


def test_a_mirrored_picture_has_the_code_of_the_mirror() -> None:
    mirrored = np.ascontiguousarray(scene(1)[:, ::-1])
    plain, turned = code_of(thumb_of(scene(1))), code_of(thumb_of(mirrored), mirrored=True)
    assert plain is not None
    assert turned is not None
    assert int(distances(plain, turned[None])[0]) < 12


def test_an_inset_has_the_code_of_the_whole() -> None:
    around = scene(2)
    around[90:270, 160:480] = cv2.resize(scene(1), (320, 180), interpolation=cv2.INTER_AREA)
    inset = middle_of(1.0, 0.5, 0.5).within(Window(0.25, 0.25, 0.5, 0.5))
    assert away(scene(1), around, inset) < 30


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_a_picture_that_shows_nothing_has_no_code(grey: int) -> None:
    assert code_of(np.full((192, 192), grey, np.uint8)) is None


def test_a_window_may_reach_beyond_the_edge() -> None:
    assert code_of(thumb_of(scene(1)), middle=Window(-0.1, -0.1, 1.2, 1.2)) is not None


def test_bits_are_even_on_average() -> None:
    codes = [code_of(thumb_of(scene(seed))) for seed in range(60)]
    ones = np.mean([np.unpackbits(code) for code in codes if code is not None], 0)
    assert 0.45 < ones.mean() < 0.55
    assert ((ones > 0.1) & (ones < 0.9)).mean() > 0.95


def test_the_projections_are_those_that_releases_were_coded_with() -> None:
    mean, weights = projections()
    assert mean.shape == (576,)
    assert weights.shape == (576, 256)


def test_windows_lie_within_windows() -> None:
    assert WHOLE.within(Window(0.5, 0, 0.5, 1)) == Window(0.5, 0, 0.5, 1)
    assert middle_of(0.9, 0, 1).x == pytest.approx(0.1 / 0.9)
