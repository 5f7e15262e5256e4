"""Alignment is a similarity, is undone by its inverse, and averages large faces down."""

import numpy as np
import pytest

from assent.kit.errors import InputError
from assent.kit.faces.align import (
    INNER,
    MEAN_FACE,
    align,
    hull_mask,
    invert,
    scale_of,
    transform,
    warp,
)


def turned(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return MEAN_FACE @ (turn.T * scale) + (x, y)


@pytest.mark.parametrize(("degrees", "scale"), [(0, 80), (25, 150), (-140, 33.3)])
def test_a_moved_mean_face_lands_on_the_mean_face(degrees: float, scale: float) -> None:
    landmarks = turned(degrees, scale, 210, 77)
    matrix = align(landmarks, 96, 0.75)
    assert np.allclose(transform(landmarks, matrix), MEAN_FACE * 72 + 48, atol=1e-3)
    assert scale_of(matrix) == pytest.approx(72 / scale)


def test_the_fit_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(4)
    landmarks = turned(10, 120, 200, 200) + rng.normal(0, 4, (68, 2))
    matrix = align(landmarks, 128, 0.8)
    goal = MEAN_FACE[INNER] * (0.8 * 128) + 64

    def error(a: float, b: float, x: float, y: float) -> float:
        moved = landmarks[INNER] @ np.array([[a, b], [-b, a]]) + (x, y)
        return float(((moved - goal) ** 2).sum())

    best = (matrix[0, 0], matrix[1, 0], matrix[0, 2], matrix[1, 2])
    for step in np.eye(4) * (1e-4, 1e-4, 0.02, 0.02):
        assert error(*(best + step)) > error(*best)
        assert error(*(best - step)) > error(*best)


def test_the_jaw_does_not_move_the_crop() -> None:
    landmarks = turned(0, 100, 100, 100)
    opened = landmarks.copy()
    opened[:17] += (3, 25)
    assert np.array_equal(align(landmarks), align(opened))


def test_invert_undoes() -> None:
    matrix = align(turned(31, 140, 190, 160), 128, 0.8)
    points = np.random.default_rng(0).uniform(0, 400, (5, 7, 2))
    assert np.allclose(transform(transform(points, matrix), invert(matrix)), points, atol=1e-3)


def test_warp_puts_a_spot_where_transform_says() -> None:
    frame = np.zeros((300, 400, 3), np.uint8)
    frame[118:123, 218:223] = 255
    matrix = align(turned(12, 160, 210, 110), 128, 0.8)
    crop = warp(frame, matrix, 128)
    y, x = np.nonzero(crop[..., 0] > 100)
    assert np.allclose((x.mean(), y.mean()), transform(np.array([220.0, 120.0]), matrix), atol=0.6)


def test_warp_averages_a_large_face_down() -> None:
    fine = np.indices((1200, 1200)).sum(0) % 2 * 255
    frame = np.repeat(fine[..., None], 3, -1).astype(np.uint8)
    crop = warp(frame, align(turned(7, 900, 600, 600), 96, 0.8), 96)
    assert crop.std() < 8
    assert crop.mean() == pytest.approx(127.5, abs=3)


def test_a_large_face_keeps_its_place() -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, 1200)[None, :, None], (1200, 1200, 3))
    matrix = align(turned(0, 900, 600, 600), 96, 0.8)
    crop = warp(ramp.astype(np.uint8), matrix, 96)
    x = transform(np.stack([np.arange(96), np.full(96, 48)], -1), invert(matrix))[:, 0]
    assert np.abs(crop[48, :, 0] - x * 255 / 1199)[4:-4].max() < 1.2


def test_hull_mask_grows_by_a_share_of_the_face() -> None:
    landmarks = turned(0, 100, 128, 128)
    plain, grown = (hull_mask(landmarks, (256, 256), grow) for grow in (0.0, 0.1))
    assert plain.dtype == np.float32
    assert set(np.unique(plain)) == {0.0, 1.0}
    rows, wider = np.nonzero(plain.any(1))[0], np.nonzero(grown.any(1))[0]
    assert (rows[0] - wider[0], wider[-1] - rows[-1]) == pytest.approx((10, 10), abs=1)
    assert (grown >= plain).all()


def test_landmarks_in_one_point_are_refused() -> None:
    with pytest.raises(InputError, match="landmarks"):
        align(np.ones((68, 2)))
    with pytest.raises(InputError, match="landmarks"):
        align(np.full((68, 2), np.nan))
