"""Opaque where something changed, and soft around it."""

from dataclasses import replace

import numpy as np
import pytest

from assent.kit.imaging.matte import cover, matte
from assent.kit.media.picture import Picture


def grey(width: int = 200, height: int = 120, *, deep: bool = False) -> Picture:
    kind = np.uint16 if deep else np.uint8
    level = 400 if deep else 100
    half = (height // 2, width // 2)
    return Picture(
        pts=0, y=np.full((height, width), level, kind), u=np.full(half, level, kind),
        v=np.full(half, level, kind), bits=10 if deep else 8, full_range=False, matrix="bt709",
    )  # fmt: skip


def changed(picture: Picture, *, plane: str = "y", by: int = 1) -> Picture:
    """Something in the middle is changed, but for every fifth column."""
    values = getattr(picture, plane).copy()
    high, wide = values.shape
    part = values[high // 4 : high // 2, wide // 4 : wide // 2]
    part[:, np.arange(part.shape[1]) % 5 > 0] += by
    return replace(picture, **{plane: values})


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("plane", ["y", "u", "v"])
def test_the_least_change_is_opaque_and_the_rest_is_clear(plane: str, *, deep: bool) -> None:
    before = grey(deep=deep)
    opacity = matte(before, changed(before, plane=plane))
    assert opacity.shape == (120, 200)
    assert (opacity[32:58, 54:98] == 255).all(), "with its gaps"
    assert not opacity[:24].any()
    assert not opacity[70:].any()
    assert not opacity[:, 115:].any()
    edge = opacity[40, 40:60].astype(int)
    assert (np.diff(edge) >= 0).all()
    assert ((edge > 0) & (edge < 255)).any(), "it fades"


def test_what_is_laid_over_gives_what_was_changed() -> None:
    before = grey()
    after = changed(before, by=40)
    opacity = matte(before, after) / 255
    over = np.rint(after.y * opacity + before.y * (1 - opacity)).astype(np.uint8)
    assert np.array_equal(over, after.y)


def test_nothing_changed_is_clear() -> None:
    assert not matte(grey(), grey()).any()


def test_a_change_at_the_edge_stays_at_the_edge() -> None:
    before = grey()
    y = before.y.copy()
    y[:, :20] += 3
    opacity = matte(before, replace(before, y=y))
    assert (opacity[:, :20] == 255).all()
    assert not opacity[:, 24:].any()


def test_a_rectangle_is_covered_as_far_as_it_is_inside() -> None:
    opacity = np.zeros((10, 12), np.uint8)
    cover(opacity, 9, -2, 6, 5)
    assert (opacity[:3, 9:] == 255).all()
    assert opacity.sum() == 9 * 255
