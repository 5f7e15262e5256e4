"""Landmarks go where they are put, whichever way the head is turned, and take neighbours along."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.create.repair.document import ShapeKey, ShapeRepair
from assent.create.repair.shape import Moved, moved_at, moved_mesh
from assent.kit.faces.align import align, scale_of
from assent.kit.faces.mesh import POINTS, landmarks_of


@pytest.fixture(scope="module")
def mesh() -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.asarray(rng.normal(0, 40, (POINTS, 3)) + np.array([300, 200, 0]), np.float32)


def repair(*keys: ShapeKey, ease: int = 0, last: int = 20) -> ShapeRepair:
    return ShapeRepair(first=0, last=last, ease=ease, keys=list(keys))


MOVE = st.integers(-400, 400)


@given(MOVE, MOVE, st.integers(0, 67))
def test_a_landmark_is_where_it_was_put(mesh: np.ndarray, x: int, y: int, number: int) -> None:
    landmarks = landmarks_of(mesh)
    moved = Moved.of(ShapeKey(frame=0, points={str(number): [x, y]}))
    after = landmarks_of(moved_mesh(mesh, landmarks, moved))
    there = align(landmarks, size=1, coverage=1.0)[:, :2]
    away = there @ (after[number] - landmarks[number])
    assert away == pytest.approx([x / 1000, y / 1000], abs=2e-3)


@given(MOVE, MOVE, st.integers(-4000, 4000), st.integers(600, 1600))
def test_the_whole_face_keeps_its_form(
    mesh: np.ndarray, x: int, y: int, turn: int, scale: int
) -> None:
    landmarks = landmarks_of(mesh)
    after = moved_mesh(
        mesh, landmarks, Moved.of(ShapeKey(frame=0, x=x, y=y, turn=turn, scale=scale))
    )
    size = float(np.ptp(mesh[:, 0]) + np.ptp(mesh[:, 1]))
    before_pairs = np.linalg.norm(mesh[1:, :2] - mesh[:-1, :2], axis=1)
    after_pairs = np.linalg.norm(after[1:, :2] - after[:-1, :2], axis=1)
    assert after_pairs == pytest.approx(before_pairs * scale / 1000, abs=1e-3 * size)
    grown = scale_of(align(landmarks, 1, 1.0)) / scale_of(align(landmarks_of(after), 1, 1.0))
    assert grown == pytest.approx(scale / 1000, rel=1e-3)


def test_what_is_far_stays() -> None:
    desk_like = np.zeros((POINTS, 3), np.float32)
    desk_like[:, 0] = np.linspace(0, 1000, POINTS)
    desk_like[:, 1] = np.linspace(0, 700, POINTS) ** 1.01
    landmarks = landmarks_of(desk_like)
    moved = Moved.of(ShapeKey(frame=0, points={"8": [50, 0]}))
    after = moved_mesh(desk_like, landmarks, moved)
    still = np.linalg.norm(after[:, :2] - desk_like[:, :2], axis=1) == 0
    assert still.any()
    assert not still.all()


def test_halfway_between_two_keys_it_is_moved_half() -> None:
    found = moved_at(
        repair(ShapeKey(frame=0, x=100, points={"5": [40, 0]}), ShapeKey(frame=10, y=60)), 5
    )
    assert found is not None
    assert (found.x, found.y) == (0.05, 0.03)
    assert found.points[5] == (0.02, 0)


def test_it_fades_in_and_does_nothing_outside() -> None:
    keys = repair(ShapeKey(frame=10, x=100), ease=4)
    strengths = [moved_at(keys, n) for n in (0, 4, 10, 21)]
    xs = [None if m is None else round(m.x, 3) for m in strengths]
    assert xs == [0.02, 0.1, 0.1, None]
    assert moved_at(repair(ShapeKey(frame=3)), 3) is None


def test_a_turned_head_is_moved_along_its_own_axes(mesh: np.ndarray) -> None:
    landmarks = landmarks_of(mesh)
    turned = mesh.copy()
    turned[:, 0], turned[:, 1] = -mesh[:, 1] + 400, mesh[:, 0]  # a quarter clockwise
    moved = Moved.of(ShapeKey(frame=0, y=100))
    down = (moved_mesh(mesh, landmarks, moved) - mesh)[:, :2].mean(0)
    aside = (moved_mesh(turned, landmarks_of(turned), moved) - turned)[:, :2].mean(0)
    assert np.array([-down[1], down[0]]) == pytest.approx(aside, abs=0.3)
