"""A painted face lands on its place, softly, and nothing else changes; tracks are steadied."""

from dataclasses import replace

import numpy as np
import pytest

from assent.create.composite import CompositeConfig, composite, cut, reach, smooth
from assent.kit.faces.align import hull_mask
from assent.kit.imaging.colour import Colour
from assent.kit.media.picture import Picture, to_rgb

FULL = np.ones((64, 64), np.float32)
GREEN = np.full((64, 64, 3), (0.1, 0.6, 0.2), np.float32)
PLAIN = CompositeConfig(colour=Colour.OWN, sharpen=0)


def test_the_face_is_set_in_and_the_rest_untouched(picture: Picture, landmarks: np.ndarray) -> None:
    done = composite(picture, landmarks, GREEN, FULL, coverage=0.7, config=PLAIN)
    assert np.abs(to_rgb(done)[75, 100] - np.array([25.5, 153, 51])).max() < 4
    hull = hull_mask(landmarks, (144, 192), PLAIN.grow + 0.02, PLAIN.forehead + 0.02) > 0
    assert np.array_equal(done.y[~hull], picture.y[~hull])
    assert (done.pts, done.matrix) == (7, "bt709")


def test_changes_stay_within_reach(picture: Picture, landmarks: np.ndarray) -> None:
    done = composite(picture, landmarks, GREEN, FULL, coverage=0.7, config=PLAIN)
    x0, y0, x1, y1 = reach(landmarks, PLAIN)
    rows, columns = np.nonzero(done.y != picture.y)
    assert x0 <= columns.min() <= columns.max() < x1
    assert y0 <= rows.min() <= rows.max() < y1
    assert (x1 - x0) < 2 * np.ptp(landmarks[:, 0])


def test_the_edge_is_soft(picture: Picture, landmarks: np.ndarray) -> None:
    flat = replace(picture, y=np.full_like(picture.y, 200))
    dark = np.zeros((64, 64, 3), np.float32)
    done = composite(flat, landmarks, dark, FULL, coverage=0.7, config=PLAIN)
    line = done.y[75, 100:].astype(int)
    assert line[0] < 30
    assert line[-1] == 200
    assert np.abs(np.diff(line)).max() < 60


def test_where_the_model_sees_no_face_the_picture_stays(
    picture: Picture, landmarks: np.ndarray
) -> None:
    right_half_hidden = FULL.copy()
    right_half_hidden[:, 32:] = 0
    done = composite(picture, landmarks, GREEN, right_half_hidden, coverage=0.7, config=PLAIN)
    assert np.array_equal(done.y[:, 102:], picture.y[:, 102:])
    assert (done.y[60:90, 80:90] != picture.y[60:90, 80:90]).mean() > 0.5


def test_an_empty_mask_changes_nothing(picture: Picture, landmarks: np.ndarray) -> None:
    done = composite(picture, landmarks, GREEN, FULL * 0, coverage=0.7)
    assert np.array_equal(done.y, picture.y)
    assert np.array_equal(done.u, picture.u)


@pytest.mark.parametrize(
    ("colour", "strength"),
    [(Colour.OWN, 0.0), (Colour.TOUCH, 0.1), (Colour.TONE, 1.0), (Colour.REINHARD, 1.0),
     (Colour.MKL, 1.0)],
)  # fmt: skip
def test_colour_moves_towards_the_scene(
    picture: Picture, landmarks: np.ndarray, colour: Colour, strength: float
) -> None:
    config = CompositeConfig(colour=colour)
    done = composite(picture, landmarks, GREEN, FULL, coverage=0.7, config=config)
    there, here = to_rgb(picture)[65:85, 90:110].mean((0, 1)), np.array([25.5, 153, 51])
    found = to_rgb(done)[65:85, 90:110].mean((0, 1))
    share = np.linalg.norm(found - here) / np.linalg.norm(there - here)
    assert share == pytest.approx(strength, abs=0.15)


@pytest.mark.parametrize("offset", [(-100, 0), (95, 0), (0, -75), (0, 80), (400, 400)])
def test_a_face_at_the_edge_or_beyond_is_cut_off(
    picture: Picture, landmarks: np.ndarray, offset: tuple[int, int]
) -> None:
    moved = landmarks + np.array(offset, np.float32)
    assert cut(picture, moved, 64, 0.7).shape == (64, 64, 3)
    done = composite(picture, moved, GREEN, FULL, coverage=0.7)
    assert done.y.shape == picture.y.shape


def test_cut_gives_what_was_set_in(picture: Picture, landmarks: np.ndarray) -> None:
    y, x = np.mgrid[:64, :64] / 64
    waves = np.stack([0.5 + 0.3 * np.sin(6 * x), 0.5 + 0.3 * np.cos(5 * y), 0.5 + 0 * x], -1)
    done = composite(picture, landmarks, waves.astype("f4"), FULL, coverage=0.7, config=PLAIN)
    again = cut(done, landmarks, 64, 0.7)
    assert np.abs(again[24:44, 24:40] / 255 - waves[24:44, 24:40]).mean() < 0.02


def still(frames: int) -> np.ndarray:
    rng = np.random.default_rng(8)
    face = rng.uniform(100, 200, (68, 2))
    return (face + rng.normal(0, 0.4, (frames, 68, 2))).astype(np.float32)


def test_a_still_face_trembles_less() -> None:
    track = still(40)
    steady = smooth(track)
    assert steady.shape == track.shape
    assert steady.dtype == np.float32
    assert np.diff(steady, axis=0).std() < 0.6 * np.diff(track, axis=0).std()


def test_a_moving_face_is_not_late() -> None:
    slow = still(1) + np.arange(40, dtype=np.float32)[:, None, None] * 0.8
    assert np.abs(smooth(slow) - slow)[8:-8].max() < 0.05


def test_a_jump_is_followed_at_once() -> None:
    track = np.repeat(still(1), 20, axis=0)
    track[10:] += 15
    assert np.abs(smooth(track) - track).max() < 0.5


def test_smoothing_is_the_same_backwards() -> None:
    track = still(12)
    assert np.allclose(smooth(track[::-1])[::-1], smooth(track), atol=1e-4)


def test_strength_0_and_one_frame_change_nothing() -> None:
    assert np.array_equal(smooth(still(5), 0), still(5))
    assert np.array_equal(smooth(still(1)), still(1))
