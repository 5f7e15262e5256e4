import cv2
import numpy as np
import pytest

from assent.kit.likeness.geometry import (
    Floats,
    Views,
    axes_of,
    front_area,
    mean_shape,
    normals,
    place,
    rigid_shape,
    similarity,
)
from assent.kit.likeness.portrait import Portrait


def turn(x: float, y: float, z: float) -> Floats:
    return np.asarray(cv2.Rodrigues(np.array([x, y, z]))[0], np.float64)


@pytest.fixture
def shape(portrait: Portrait) -> Floats:
    return portrait.performer.shape


def views(count: int) -> Views:
    angles = np.linspace(-0.5, 0.5, count)
    rotations = np.array([turn(0.5 * np.sin(3 * a), a, 0.1 * a) for a in angles])
    shifts = np.stack([100 + 5 * angles, 90 - 9 * angles], axis=1)
    return Views(60 + 4 * angles, rotations, shifts)


def test_similarity_finds_the_way_that_points_went(shape: Floats) -> None:
    moved = 2.5 * shape @ turn(0.3, -0.4, 0.2).T + np.array([3.0, -2, 7])
    found = similarity(shape, moved, np.ones(len(shape)))
    assert found.scale == pytest.approx(2.5)
    assert np.allclose(found.rotation, turn(0.3, -0.4, 0.2))
    assert np.allclose(found.apply(shape), moved)


def test_similarity_never_mirrors(shape: Floats) -> None:
    found = similarity(shape, shape * np.array([-1, 1, 1]), np.ones(len(shape)))
    assert np.linalg.det(found.rotation) == pytest.approx(1)


def test_points_without_weight_do_not_count(shape: Floats) -> None:
    moved, weights = shape + 5, np.ones(len(shape))
    moved[:100] += 50
    weights[:100] = 0
    found = similarity(shape, moved, weights)
    assert found.scale == pytest.approx(1)
    assert np.allclose(found.shift, 5)


def test_axes_undo_a_turn(shape: Floats) -> None:
    turned = shape @ turn(0.2, 0.3, -0.1).T
    assert np.allclose(axes_of(turned) @ turn(0.2, 0.3, -0.1), axes_of(shape), atol=1e-9)


def test_the_mean_of_one_shape_seen_from_many_sides_is_that_shape(shape: Floats) -> None:
    meshes = views(12).project(np.repeat(shape[None], 12, 0))
    found, seen, _ = mean_shape(meshes)
    assert np.abs(similarity(found, shape, np.ones(478)).apply(found) - shape).max() < 0.01
    assert np.allclose(seen.project(np.repeat(found[None], 12, 0))[..., :2], meshes[..., :2])


def test_depth_comes_from_how_points_move(shape: Floats) -> None:
    points = views(20).project(np.repeat(shape[None], 20, 0))[..., :2]
    flat = shape * np.array([1, 1, 0.6])
    found, seen = rigid_shape(points, flat, views(20), np.ones(len(shape)), rounds=60)
    fitted = similarity(found, shape, np.ones(len(shape))).apply(found)
    assert np.abs(fitted - shape).mean() < 0.25 * np.abs(flat - shape).mean()
    assert np.abs(seen.project(np.repeat(found[None], 20, 0))[..., :2] - points).mean() < 0.3


def test_placing_finds_a_head_that_was_thought_elsewhere(shape: Floats) -> None:
    true = views(5)
    points = true.project(np.repeat(shape[None], 5, 0))[..., :2]
    wrong = Views(
        true.scale * 1.05, np.array([turn(0, 0.1, 0) @ r for r in true.rotation]), true.shift + 4
    )
    found = place(points, shape, wrong, np.ones(len(shape)), steps=6)
    assert np.allclose(found.rotation, true.rotation, atol=1e-4)
    assert np.allclose(found.scale, true.scale, rtol=1e-4)
    assert np.allclose(found.turns(), true.turns(), atol=1e-4)


def test_normals_of_a_ball_point_out_of_it() -> None:
    rows, columns = np.mgrid[-0.6:0.6:12j, -0.6:0.6:12j]
    points = np.stack([columns, rows, -np.sqrt(1 - rows**2 - columns**2)], axis=-1).reshape(-1, 3)
    squares = np.arange(144).reshape(12, 12)
    a, b, c, d = (squares[i : 11 + i, j : 11 + j].ravel() for i in (0, 1) for j in (0, 1))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([b, d, c], 1)]).astype(np.int32)
    found = normals(np.stack([points, 3 * points]), triangles)
    inner = squares[1:-1, 1:-1].ravel()
    assert np.abs(found[:, inner] - points[inner]).max() < 0.05
    assert np.allclose(found[0], found[1])


def test_front_areas_sum_up_to_what_is_seen() -> None:
    square = np.array([[0.0, 0, 0], [1, 0, 5], [1, 1, 0], [0, 1, 2]])
    areas = front_area(square, np.array([[0, 1, 2], [0, 2, 3]], np.int32))
    assert areas.tolist() == [2, 1, 2, 1]
