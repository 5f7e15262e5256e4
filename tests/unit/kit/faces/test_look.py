from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.geometry import box_of_landmarks
from assent.kit.faces.landmarks import LandmarkFinder
from assent.kit.faces.look import coarse_look, is_sudden

Read = Callable[[str], list[NDArray[np.uint8]]]


def test_a_performance_is_never_sudden_and_another_face_always_is(
    sample: Read, detector: DlibDetector, finder: LandmarkFinder
) -> None:
    ada, other = sample("scene1_ada")[:30], sample("scene1_ada_with_ben_face")[:30]
    box = detector.find(ada[0])[0].box
    looks, others = [], []
    for mine, theirs in zip(ada, other, strict=True):
        landmarks = finder.fit(mine, box)
        box = box_of_landmarks(landmarks)
        looks.append(coarse_look(mine, landmarks))
        others.append(coarse_look(theirs, landmarks))
    assert looks[0].shape == (4, 4, 3)
    pairs = zip(looks, looks[1:], others[1:], strict=False)
    told = [
        (is_sudden(before, after), is_sudden(before, theirs)) for before, after, theirs in pairs
    ]
    assert told == [(False, True)] * 29


def test_in_the_dark_small_changes_are_noise() -> None:
    dark = np.full((4, 4, 3), 5, np.float32)
    assert not is_sudden(dark, dark + 2)
    assert is_sudden(dark, dark + 4)


def test_the_look_of_a_turned_head_is_taken_upright() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:100] = 200
    face = np.zeros((68, 2), np.float32)
    face[:, 0] = 100 + 50 * np.cos(np.linspace(0, 6, 68))
    face[:, 1] = 100 + 50 * np.sin(np.linspace(0, 6, 68))
    face[36:42], face[42:48] = (80, 90), (120, 90)
    turned = face[:, ::-1] * np.array([-1, 1], np.float32) + np.array([200, 0], np.float32)
    upright = coarse_look(picture, face)
    rotated = coarse_look(np.ascontiguousarray(np.rot90(picture, -1)), turned)
    np.testing.assert_allclose(rotated, upright, atol=12)
