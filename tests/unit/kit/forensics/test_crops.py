import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.faces.align import MEAN_FACE, transform
from assent.kit.faces.detect import Detection
from assent.kit.faces.mesh import MeshFit
from assent.kit.forensics.crops import COVERAGE, SIDE, Finder, cut, faces_in

Rgb = NDArray[np.uint8]
Points = NDArray[np.float32]


def test_a_face_is_cut_out_upright_and_of_one_size(filmed: list[Rgb], finder: Finder) -> None:
    (crop,) = faces_in(filmed[0], finder)
    (turned,) = faces_in(rotated(filmed[0], 12), finder)
    assert crop.why_not == turned.why_not == ""
    assert crop.rgb.shape == (SIDE, SIDE, 3)
    # The two were sampled differently; the face is in one place all the same.
    soft = [cv2.GaussianBlur(each.rgb, (0, 0), 2).astype(int) for each in (crop, turned)]
    middle = slice(SIDE // 4, -SIDE // 4)
    away = np.abs(soft[0] - soft[1])[middle, middle].mean()
    assert away < 6 < np.abs(soft[0] - soft[0][::-1])[middle, middle].mean()


def test_the_face_is_marked_and_what_is_around_it_is_not(
    filmed: list[Rgb], landmarks: Points
) -> None:
    crop = cut(filmed[0], landmarks)
    for x, y in transform(landmarks[30:31], crop.matrix).astype(int):
        assert crop.inner[y, x] == pytest.approx(1)
    border = np.concatenate([crop.inner[:4], crop.inner[-4:], crop.inner[:, :4].T])
    assert border.mean() < 0.02
    assert 0.2 < crop.inner.mean() < 0.6


@pytest.mark.parametrize(("size", "why_not"), [(1.0, ""), (0.3, "the face is too small")])
def test_a_small_face_is_not_judged(
    filmed: list[Rgb], landmarks: Points, size: float, why_not: str
) -> None:
    small = cv2.resize(filmed[0], None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
    assert cut(np.asarray(small), landmarks * size).why_not == why_not


def test_a_face_at_the_edge_is_not_judged(filmed: list[Rgb], landmarks: Points) -> None:
    left = int(landmarks[27, 0])
    beside = landmarks - np.array([left, 0], np.float32)
    assert cut(np.ascontiguousarray(filmed[0][:, left:]), beside).why_not == "the face is cut off"


def test_a_blurred_face_is_not_judged(filmed: list[Rgb], landmarks: Points) -> None:
    blurred = np.asarray(cv2.GaussianBlur(filmed[0], (0, 0), 6), np.uint8)
    assert cut(blurred, landmarks).why_not == "the face is too blurred"


def test_what_may_be_no_face_is_not_judged(filmed: list[Rgb]) -> None:
    class Unsure:
        def find(self, image: object, *, weakest: float = 0) -> list[Detection]:
            return [Detection(box=(0, 0, 9, 9), score=1.0)]

        def fit(self, image: object, around: object) -> MeshFit:
            spread = np.random.default_rng(1).uniform(100, 280, (478, 3))
            return MeshFit(points=spread.astype(np.float32), score=0.4)

    (crop,) = faces_in(filmed[0], Finder(detector=Unsure(), fitter=Unsure()))
    assert crop.why_not


def test_points_that_make_no_face_are_refused(filmed: list[Rgb]) -> None:
    with pytest.raises(InputError):
        cut(filmed[0], np.full((68, 2), 40.0, np.float32))


def test_the_mean_face_takes_up_its_share() -> None:
    grey = np.random.default_rng(2).integers(0, 255, (400, 400, 3), np.uint8)
    crop = cut(grey, (MEAN_FACE * 200 + 200).astype(np.float32))
    own = transform(MEAN_FACE * 200 + 200, crop.matrix)
    assert np.ptp(own[:, 1]) == pytest.approx(COVERAGE * SIDE, rel=0.01)


def rotated(rgb: Rgb, degrees: float) -> Rgb:
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return np.asarray(
        cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8
    )
