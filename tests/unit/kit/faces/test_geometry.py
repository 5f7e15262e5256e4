import numpy as np
import pytest

from assent.kit.faces.geometry import (
    Landmarks,
    box_of_landmarks,
    covered,
    frontalness,
    overlap,
    plausible,
)

SQUARE = (0.0, 0.0, 10.0, 10.0)


def face(nose: float = 0.0) -> Landmarks:
    """A rough face 100 pixels wide; `nose` shifts the nose tip toward the left eye."""
    points = np.zeros((68, 2), np.float32)
    angles = np.linspace(np.pi, 0, 17)
    points[:17] = np.column_stack([100 + 50 * np.cos(angles), 90 + 60 * np.sin(angles)])
    points[17:27] = np.column_stack([np.linspace(62, 138, 10), np.full(10, 70)])
    points[27:36] = np.column_stack([np.full(9, 100 + nose), np.linspace(82, 112, 9)])
    points[36:42], points[42:48] = (80, 82), (120, 82)
    points[48:] = (100, 128)
    return points


def test_overlap_of_equal_touching_and_distant_boxes() -> None:
    assert overlap(SQUARE, SQUARE) == 1.0
    assert overlap(SQUARE, (10.0, 0.0, 20.0, 10.0)) == 0.0
    assert overlap(SQUARE, (30.0, 30.0, 40.0, 40.0)) == 0.0
    assert overlap(SQUARE, (5.0, 0.0, 15.0, 10.0)) == pytest.approx(1 / 3)


def test_covered_is_the_share_of_the_first_box() -> None:
    assert covered((2.0, 2.0, 4.0, 4.0), SQUARE) == 1.0
    assert covered(SQUARE, (0.0, 0.0, 5.0, 10.0)) == 0.5
    assert covered(SQUARE, (20.0, 0.0, 25.0, 10.0)) == 0.0


def test_box_follows_the_landmarks() -> None:
    box = np.array(box_of_landmarks(face()))
    moved = np.array(box_of_landmarks(face() * 2 + 7))
    np.testing.assert_allclose(moved, box * 2 + 7, rtol=1e-5)
    assert box[2] - box[0] == pytest.approx(box[3] - box[1])


def test_a_face_in_its_box_is_plausible() -> None:
    assert plausible(face(), box_of_landmarks(face()))


def test_a_shrunken_a_strayed_and_a_toppled_face_are_not() -> None:
    box = box_of_landmarks(face())
    assert not plausible((face() - 100) * 0.4 + 100, box)
    assert not plausible(face() + 70, box)
    assert not plausible(200 - face(), box)


def test_frontalness_falls_as_the_head_turns() -> None:
    assert frontalness(face()) == pytest.approx(1.0)
    assert frontalness(face(nose=10)) == pytest.approx(0.5)
    assert frontalness(face(nose=40)) == 0.0


def test_frontalness_of_collapsed_eyes_is_nothing() -> None:
    assert frontalness(np.zeros((68, 2), np.float32)) == 0.0
