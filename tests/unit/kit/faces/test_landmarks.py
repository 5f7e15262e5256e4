from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.geometry import Landmarks
from assent.kit.faces.landmarks import LandmarkFinder

Frames = list[NDArray[np.uint8]]
Read = Callable[[str], Frames]
CLIP = "scene1_ada_with_ben_face"


@pytest.fixture(scope="module")
def truth(samples: Path) -> NDArray[np.float64]:
    """[T, 68, 2] where the landmarks really are."""
    with np.load(samples / f"{CLIP}.npz") as arrays:
        return np.asarray(arrays["landmarks68"][:, 0], dtype=np.float64)


def error(found: Landmarks, truth: NDArray[np.float64]) -> float:
    """Mean distance in units of the distance between the outer eye corners."""
    eyes = np.linalg.norm(truth[45] - truth[36])
    return float(np.linalg.norm(found - truth, axis=1).mean() / eyes)


def test_landmarks_lie_near_the_truth(
    sample: Read, detector: DlibDetector, finder: LandmarkFinder, truth: NDArray[np.float64]
) -> None:
    frames = sample(CLIP)
    errors = [
        error(finder.fit(frames[i], detector.find(frames[i])[0].box), truth[i])
        for i in range(0, len(frames), 10)
    ]
    assert np.mean(errors) < 0.055
    assert max(errors) < 0.1


@pytest.mark.parametrize("scale", [0.35, 3.0, 5.625])
def test_landmarks_scale_with_the_frame(
    sample: Read,
    detector: DlibDetector,
    finder: LandmarkFinder,
    truth: NDArray[np.float64],
    scale: float,
) -> None:
    frame = sample(CLIP)[0]
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = np.asarray(
        cv2.resize(frame, None, fx=scale, fy=scale, interpolation=filter_), np.uint8
    )
    landmarks = finder.fit(scaled, detector.find(scaled)[0].box)
    assert landmarks.dtype == np.float32
    assert landmarks.shape == (68, 2)
    assert error(landmarks / np.float32(scale), truth[0]) < 0.08


def test_a_face_half_out_of_the_frame_is_still_fitted(
    sample: Read, detector: DlibDetector, finder: LandmarkFinder
) -> None:
    frame = sample(CLIP)[0]
    box = detector.find(frame)[0].box
    cut = round((box[0] + box[2]) / 2 - 20)
    whole, part = (
        finder.fit(frame, box),
        finder.fit(frame[:, cut:], (box[0] - cut, *box[1:2], box[2] - cut, box[3])),
    )
    kept = whole[42:48] - np.array([cut, 0], np.float32)
    assert np.abs(part[42:48] - kept).max() < 0.15 * (box[2] - box[0])


@pytest.mark.parametrize("box", [(-900.0, -900.0, -800.0, -800.0), (5.0, 5.0, 5.0, 5.0)])
def test_a_senseless_box_gives_finite_landmarks(
    finder: LandmarkFinder, box: tuple[float, float, float, float]
) -> None:
    assert np.isfinite(finder.fit(np.zeros((40, 60, 3), np.uint8), box)).all()
