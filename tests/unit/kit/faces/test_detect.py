from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.faces.detect import CERTAIN, DlibDetector
from assent.kit.faces.geometry import covered

Frames = list[NDArray[np.uint8]]
Read = Callable[[str], Frames]


def resized(rgb: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=filter_), np.uint8)


@pytest.mark.parametrize("name", ["ada_train", "ben_train", "cleo_train", "scene1_ada"])
def test_one_face_in_each_frame_of_a_performer(
    sample: Read, detector: DlibDetector, name: str
) -> None:
    assert [len(detector.find(frame)) for frame in sample(name)[::20]] == [1] * len(
        sample(name)[::20]
    )


def test_an_open_mouth_is_not_a_second_face(sample: Read, detector: DlibDetector) -> None:
    frames = [sample("ada_train")[i] for i in (139, 169, 172, 179)]
    assert [len(detector.find(frame)) for frame in frames] == [1, 1, 1, 1]


def test_two_people_are_two_faces_left_and_right(sample: Read, detector: DlibDetector) -> None:
    for frame in sample("two_people")[::10]:
        first, second = sorted(detector.find(frame), key=lambda face: face.box[0])
        assert first.box[2] < second.box[0]


def test_an_empty_set_holds_no_face(sample: Read, detector: DlibDetector) -> None:
    assert all(not detector.find(frame) for frame in sample("no_face")[::3])


def test_backgrounds_around_a_face_hold_no_other(sample: Read, detector: DlibDetector) -> None:
    for name in ("ada_train", "ben_train", "cleo_train"):
        for frame in sample(name)[::90]:
            (face,) = detector.find(frame)
            weak = detector.find(frame, weakest=CERTAIN - 0.05)
            assert all(covered(other.box, face.box) > 0.5 for other in weak)


def test_textures_and_writing_are_not_faces(detector: DlibDetector) -> None:
    rng = np.random.default_rng(5)
    for _ in range(6):
        picture = cv2.resize(
            rng.integers(0, 255, (24, 32, 3), np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC
        )
        for _ in range(20):
            x, y = (int(v) for v in rng.integers(20, 460, 2))
            cv2.putText(picture, "OoO:) 88", (x, y), 2, float(rng.uniform(0.5, 3)), (9, 9, 9), 2)
            cv2.circle(picture, (y, x), int(rng.integers(10, 60)), (200, 180, 160), -1)
        assert detector.find(np.asarray(picture, np.uint8)) == []


def test_a_face_of_48_pixels_is_found(sample: Read, detector: DlibDetector) -> None:
    frame = sample("ben_train")[0]
    width = (lambda box: box[2] - box[0])(detector.find(frame)[0].box)
    canvas = np.full((360, 480, 3), 90, np.uint8)
    small = resized(frame, 48 / width)
    canvas[150 : 150 + small.shape[0], 200 : 200 + small.shape[1]] = small
    (face,) = detector.find(canvas)
    assert 38 < face.box[2] - face.box[0] < 62
    assert 200 < face.box[0] < 200 + small.shape[1]


def test_a_close_up_in_4k_is_found_in_pixels_of_the_frame(
    sample: Read, detector: DlibDetector
) -> None:
    frame = sample("scene1_ada")[0]
    (small,) = detector.find(frame)
    (large,) = detector.find(resized(frame, 2160 / 384))
    np.testing.assert_allclose(
        np.array(large.box) / (2160 / 384), small.box, atol=0.15 * (small.box[2] - small.box[0])
    )


def test_a_larger_copy_finds_smaller_faces(sample: Read, detector: DlibDetector) -> None:
    scene = np.full((1080, 1920, 3), 80, np.uint8)
    scene[300:492, 900:1092] = resized(sample("ben_train")[0], 0.5)
    assert detector.find(scene) == []
    (face,) = DlibDetector(longest=1920).find(scene)
    assert 900 < face.box[0] < face.box[2] < 1092


def test_weak_detections_come_only_when_asked_for(sample: Read, detector: DlibDetector) -> None:
    frame = sample("cleo_train")[0]
    faint = np.asarray(cv2.GaussianBlur(frame, (0, 0), 12), np.uint8)
    certain, weak = detector.find(faint), detector.find(faint, weakest=-1.0)
    assert all(face.score >= CERTAIN for face in certain)
    assert len(weak) > len(certain)
    assert [face.score for face in weak] == sorted((face.score for face in weak), reverse=True)
