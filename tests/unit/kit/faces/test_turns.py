import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.faces.turns import depth, narrowing, parallax, reference_of

PLANE = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380, 61, 291, 70, 300)
NOSE = (1, 4)
OUT = 0.45
"""How far the nose stands out, in widths of the eyes."""

Floats = NDArray[np.float64]


def head() -> Floats:
    """A head [478, 3]: eyes and mouth in a plane, the nose before it; the eyes are 100 apart."""
    points = np.zeros((478, 3))
    random = np.random.default_rng(0)
    points[list(PLANE), :2] = random.uniform((-50, -30), (50, 60), (len(PLANE), 2))
    points[33], points[263] = (-50, -20, 0), (50, -20, 0)
    points[61], points[291] = (-25, 55, 0), (25, 55, 0)
    points[list(NOSE)] = (0, 20, -100 * OUT)
    return points


def turned(points: Floats, yaw: float, pitch: float = 0.0, distance: float = 900.0) -> Floats:
    """The head, turned by degrees (yaw > 0: to the picture's right), as a camera sees it."""
    a, b = np.radians([yaw, pitch])
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    moved = points @ (about_x @ about_y).T
    return np.asarray(moved[:, :2] * distance / (distance + moved[:, 2:]))


def flat(points: Floats) -> Floats:
    """A picture of the head."""
    picture = points.copy()
    picture[:, 2] = 0
    return picture


@pytest.mark.parametrize("yaw", [-35.0, -20.0, -12.0, 12.0, 20.0, 35.0])
def test_a_head_that_turns_shows_parallax_to_that_side(yaw: float) -> None:
    middle = reference_of(turned(head(), 0.0)[None])
    shift = parallax(middle, turned(head(), yaw))
    assert np.sign(shift) == np.sign(yaw)
    assert abs(shift) == pytest.approx(OUT * np.tan(np.radians(abs(yaw))), rel=0.25)


def test_a_head_that_looks_ahead_shows_none() -> None:
    middle = reference_of(turned(head(), 0.0)[None])
    assert parallax(middle, turned(head(), 0.0)) == pytest.approx(0.0, abs=1e-6)
    assert narrowing(middle, turned(head(), 0.0)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("yaw", [-60.0, -30.0, 15.0, 45.0, 70.0])
@pytest.mark.parametrize("pitch", [-20.0, 0.0, 20.0])
def test_a_picture_shows_none_however_it_is_held(yaw: float, pitch: float) -> None:
    middle = reference_of(turned(flat(head()), 0.0)[None])
    assert parallax(middle, turned(flat(head()), yaw, pitch, 400.0)) == pytest.approx(0, abs=1e-6)


def test_place_size_and_tilt_of_the_picture_do_not_matter() -> None:
    middle = reference_of(turned(head(), 0.0)[None])
    seen = turned(head(), 20.0)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    other = 2.5 * seen @ turn.T + np.array([300.0, -40.0])
    assert parallax(middle, other) == pytest.approx(parallax(middle, seen))
    assert narrowing(middle, 3.0 * seen) == pytest.approx(narrowing(middle, seen))


@pytest.mark.parametrize("yaw", [15.0, -25.0, 40.0])
def test_depth_is_the_noses_whatever_the_angle(yaw: float) -> None:
    middle = reference_of(turned(head(), 0.0)[None])
    seen = turned(head(), yaw)
    assert depth(parallax(middle, seen), narrowing(middle, seen)) == pytest.approx(OUT, rel=0.3)


def test_depth_of_an_oblique_picture_stays_small_despite_some_parallax() -> None:
    assert depth(0.14, 0.64) < 0.2
    assert depth(0.18, 0.71) < 0.2
    assert depth(0.18, 0.90) > 0.3


def test_depth_has_bounds_where_nothing_is_known() -> None:
    assert np.isfinite(depth(0.1, 1.2))
    assert depth(0.1, -1.0) == 0.0


def test_the_reference_is_the_median_face() -> None:
    many = np.stack([turned(head(), yaw) for yaw in (-3.0, 0.0, 0.0, 2.0, 30.0)])
    middle = reference_of(many)
    assert abs(parallax(middle, turned(head(), 0.0))) < 0.03
    assert reference_of(4 * many + 100.0) == pytest.approx(middle)


def test_points_that_make_no_face_give_no_number() -> None:
    middle = reference_of(turned(head(), 0.0)[None])
    assert np.isnan(parallax(middle, np.zeros((478, 2))))
    assert np.isnan(parallax(middle, np.full((478, 2), np.nan)))
    assert np.isnan(narrowing(middle, np.zeros((478, 2))))
