from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import InputError, NotFoundError
from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.mesh import (
    LOST,
    POINTS,
    SIDE,
    MeshFinder,
    Region,
    cut_square,
    landmarks_of,
    region_around,
)

Frame = NDArray[np.uint8]
Read = Callable[[str], list[Frame]]
CLIP = "scene1_ada_with_ben_face"

# What MediaPipe 0.10.21 itself (FaceMesh, refine_landmarks=True) finds in frame 60 of that clip:
# some points of each part of the face, and the square that its mesh of the frame before asked for.
REFERENCE_REGION = Region(x=226.1718, y=206.3617, side=258.2713, angle=-0.0159552)
REFERENCE = {
    10: (260.93, 120.77, -28.50),
    152: (238.06, 295.13, 28.66),
    234: (152.42, 181.74, 28.36),
    454: (285.51, 184.67, 84.68),
    4: (264.79, 211.36, -35.97),
    168: (258.09, 168.89, -21.38),
    61: (207.92, 237.92, 2.93),
    291: (263.48, 239.25, 25.69),
    13: (247.68, 241.91, -5.05),
    14: (244.93, 258.01, 1.08),
    33: (203.28, 171.68, -16.94),
    133: (233.59, 172.82, -12.21),
    362: (266.16, 171.26, 4.15),
    263: (288.35, 169.85, 19.30),
    159: (217.46, 168.70, -21.41),
    386: (280.52, 166.64, 6.07),
    468: (218.80, 172.14, -17.53),
    473: (278.71, 169.46, 9.15),
    472: (218.42, 177.41, -17.53),
}


@pytest.fixture(scope="module")
def truth(samples: Path) -> NDArray[np.float64]:
    """[T, 68, 2] where the landmarks really are."""
    with np.load(samples / f"{CLIP}.npz") as arrays:
        return np.asarray(arrays["landmarks68"][:, 0], dtype=np.float64)


def error(found: NDArray[np.floating], truth: NDArray[np.float64]) -> float:
    """Mean distance in units of the distance between the outer eye corners."""
    eyes = np.linalg.norm(truth[45] - truth[36])
    return float(np.linalg.norm(found - truth, axis=1).mean() / eyes)


def resized(rgb: Frame, scale: float) -> Frame:
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=filter_), np.uint8)


def test_points_are_those_that_mediapipe_itself_finds(sample: Read, mesh: MeshFinder) -> None:
    square = cut_square(sample(CLIP)[60], REFERENCE_REGION)
    points = mesh.fit_square(square, REFERENCE_REGION).points[list(REFERENCE)]
    assert np.abs(points - np.array(list(REFERENCE.values()))).max() < 0.15


def test_landmarks_of_a_followed_mesh_lie_near_the_truth(
    sample: Read, detector: DlibDetector, mesh: MeshFinder, truth: NDArray[np.float64]
) -> None:
    frames = sample(CLIP)
    fit = mesh.fit(frames[0], detector.find(frames[0])[0].box)
    errors = []
    for frame, marks in zip(frames, truth, strict=False):
        fit = mesh.fit(frame, fit.points)
        assert fit.score > 0.9
        errors.append(error(landmarks_of(fit.points), marks))
    assert fit.points.dtype == np.float32
    assert fit.points.shape == (POINTS, 3)
    assert np.mean(errors) < 0.045
    assert max(errors) < 0.07


def test_a_box_leads_where_following_leads(
    sample: Read, detector: DlibDetector, mesh: MeshFinder
) -> None:
    frame = sample(CLIP)[40]
    box = detector.find(frame)[0].box
    fit = mesh.fit(frame, box)
    settled = mesh.fit(frame, fit.points)
    side = box[2] - box[0]
    assert np.abs(fit.points - settled.points).max() < 0.03 * side
    for dx, dy, grow in ((0.1, 0.0, 1.0), (0.0, -0.1, 1.1), (-0.1, 0.1, 0.9)):
        x, y, half = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, side * grow / 2
        x, y = x + dx * side, y + dy * side
        other = mesh.fit(frame, (x - half, y - half, x + half, y + half))
        assert np.abs(other.points - settled.points).mean() < 0.02 * side


@pytest.mark.parametrize("scale", [0.35, 3.0, 5.625])
def test_points_scale_with_the_frame(
    sample: Read, detector: DlibDetector, mesh: MeshFinder, scale: float
) -> None:
    frame = sample(CLIP)[0]
    points = mesh.fit(frame, detector.find(frame)[0].box).points
    large = resized(frame, scale)
    scaled = mesh.fit(large, detector.find(large)[0].box).points
    assert np.abs(scaled / scale - points).mean() < 0.012 * np.ptp(points[:, 0])


@pytest.mark.parametrize("angle", [-60, -30, 45])
def test_points_turn_with_the_head(
    sample: Read, detector: DlibDetector, mesh: MeshFinder, angle: int
) -> None:
    frame = sample(CLIP)[0]
    points = mesh.fit(frame, detector.find(frame)[0].box).points
    turn = cv2.getRotationMatrix2D((192, 192), angle, 1.0)
    turned = np.asarray(cv2.warpAffine(frame, turn, (384, 384)), np.uint8)
    there = points.copy()
    there[:, :2] = points[:, :2] @ turn[:, :2].T + turn[:, 2]
    found = mesh.fit(turned, there).points
    assert np.abs(found - there).mean() < 0.01 * np.ptp(points[:, 0])


def test_landmarks_of_the_frame_before_will_do(
    sample: Read, detector: DlibDetector, mesh: MeshFinder
) -> None:
    first, second = sample(CLIP)[:2]
    points = mesh.fit(first, detector.find(first)[0].box).points
    by_mesh = mesh.fit(second, points).points
    by_landmarks = mesh.fit(second, landmarks_of(points)).points
    assert np.abs(by_mesh - by_landmarks).mean() < 1.0


def test_depth_is_nearer_at_the_nose_and_level_across_the_face(
    sample: Read, detector: DlibDetector, mesh: MeshFinder
) -> None:
    frame = sample("ada_train")[0]
    points = mesh.fit(frame, detector.find(frame)[0].box).points
    nose, left, right, iris = points[4], points[234], points[454], points[468]
    width = right[0] - left[0]
    assert nose[2] < iris[2] < min(left[2], right[2])
    assert 0.2 * width < (left[2] + right[2]) / 2 - nose[2] < width


def test_irises_lie_within_the_open_eyes(
    sample: Read, detector: DlibDetector, mesh: MeshFinder
) -> None:
    frame = sample("ada_train")[0]
    points = mesh.fit(frame, detector.find(frame)[0].box).points
    for iris, (outer, inner) in ((468, (33, 133)), (473, (263, 362))):
        low, high = sorted((points[outer, 0], points[inner, 0]))
        assert low < points[iris, 0] < high
        ring = points[iris + 1 : iris + 5, :2]
        assert np.abs(ring.mean(axis=0) - points[iris, :2]).max() < 1.5


def test_what_is_no_face_scores_low(sample: Read, mesh: MeshFinder) -> None:
    for frame in sample("no_face")[::20]:
        for box in ((20.0, 20.0, 180.0, 180.0), (120.0, 150.0, 330.0, 360.0)):
            assert mesh.fit(frame, box).score < LOST


@pytest.mark.parametrize("box", [(-900.0, -900.0, -800.0, -800.0), (5.0, 5.0, 5.0, 5.0)])
def test_a_senseless_box_gives_finite_points_and_no_face(
    mesh: MeshFinder, box: tuple[float, float, float, float]
) -> None:
    fit = mesh.fit(np.zeros((40, 60, 3), np.uint8), box)
    assert np.isfinite(fit.points).all()
    assert fit.score < LOST


def test_the_square_of_a_region_is_centred_turned_and_scaled() -> None:
    region = Region(x=100, y=50, side=2 * SIDE, angle=np.pi / 2)
    matrix = region.matrix
    np.testing.assert_allclose(matrix @ [96, 96, 1], [100, 50], atol=1e-9)
    # Rightwards in the square is downwards in the frame.
    np.testing.assert_allclose(matrix @ [106, 96, 1], [100, 70], atol=1e-9)


def test_the_region_of_a_mesh_is_level_with_its_eyes() -> None:
    points = np.zeros((POINTS, 3), np.float32)
    points[33, :2], points[263, :2] = (10, 10), (30, 30)
    points[152, :2] = (40, 10)
    region = region_around(points)
    assert (region.x, region.y) == (20, 15)
    assert region.side == pytest.approx(60)
    assert region.angle == pytest.approx(np.pi / 4)


def test_weights_of_ones_own_must_exist_and_be_a_network(tmp_path: Path) -> None:
    frame = np.zeros((40, 60, 3), np.uint8)
    own = tmp_path / "own.onnx"
    with pytest.raises(NotFoundError, match=r"own\.onnx"):
        MeshFinder(network_file=own).fit(frame, (5.0, 5.0, 35.0, 35.0))
    own.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"own\.onnx"):
        MeshFinder(network_file=own).fit(frame, (5.0, 5.0, 35.0, 35.0))
