"""A painted face is as soft as the scene, and as smeared, and never sharper than it was."""

import cv2
import numpy as np
import pytest
from footage import Footage
from numpy.typing import NDArray

from assent.kit.imaging.smear import smeared
from assent.kit.likeness.focus import in_focus, look_at, wanted
from assent.kit.likeness.painting import Painted, paint
from assent.kit.likeness.performance import Performance
from assent.kit.likeness.portrait import Portrait

Frames = list[NDArray[np.uint8]]
COUNT = 4


def painted(portrait: Portrait, scene: Footage, frames: Frames) -> tuple[Painted, Painted]:
    """The second frame's face, before and after."""
    performance = Performance(portrait)
    size = portrait.layout.size
    for number, frame in enumerate(frames):
        matrix = scene.matrices[number]
        crop = np.asarray(cv2.warpAffine(frame, matrix, (size, size)), np.uint8)
        performance.see(number, 0, crop, scene.meshes[number], matrix)
    face = performance.face(1)
    assert face is not None
    before = paint(face.texture, face.share, face.mesh, portrait.layout, frames[1].shape[:2])
    assert before is not None
    return before, in_focus(before, face.mesh, face.filmed)


def detail(face: Painted) -> float:
    grey = face.rgb.mean(2)
    fine = cv2.GaussianBlur(grey, (0, 0), 1) - cv2.GaussianBlur(grey, (0, 0), 4)
    return float(np.asarray(fine)[face.alpha > 0.9].std())


def test_a_scene_in_focus_changes_nothing(portrait: Portrait, scene: Footage) -> None:
    before, after = painted(portrait, scene, scene.frames[:COUNT])
    assert detail(after) == pytest.approx(detail(before), rel=0.02)


def test_a_soft_scene_gets_a_soft_face(portrait: Portrait, scene: Footage) -> None:
    kept = []
    for deviation in (1.5, 3.0):
        frames = [cv2.GaussianBlur(f, (0, 0), deviation) for f in scene.frames[:COUNT]]
        before, after = painted(portrait, scene, [np.asarray(f, np.uint8) for f in frames])
        wholly = np.asarray(cv2.GaussianBlur(before.rgb, (0, 0), deviation), np.float32)
        asked = Painted(wholly, before.alpha, before.x, before.y)
        assert np.array_equal(after.alpha, before.alpha)
        assert detail(after) == pytest.approx(detail(asked), rel=0.25)
        kept.append(detail(after) / detail(before))
    assert 0.9 > kept[0] > kept[1]


def test_noise_is_not_taken_for_focus(portrait: Portrait, scene: Footage) -> None:
    random = np.random.default_rng(5)
    soft = [np.asarray(cv2.GaussianBlur(f, (0, 0), 3), np.uint8) for f in scene.frames[:COUNT]]
    noisy = [np.clip(f + random.normal(0, 6, f.shape), 0, 255).astype(np.uint8) for f in soft]
    _, plain = painted(portrait, scene, soft)
    _, worn = painted(portrait, scene, noisy)
    assert detail(worn) == pytest.approx(detail(plain), rel=0.15)


def slid(scene: Footage, by: float, length: float) -> tuple[Footage, Frames]:
    """One frame of the scene carried to the right by so many pixels a frame, smeared or not."""
    frames, matrices = [], []
    inside = np.ones(scene.frames[0].shape[:2], np.bool_)
    for number in range(COUNT):
        shift = np.array([[1, 0, by * (number - 1)], [0, 1, 0]], np.float64)
        whole = cv2.warpAffine(scene.frames[0], shift, scene.frames[0].shape[1::-1])
        moved = np.asarray(whole, np.float32)
        if length:
            moved = smeared(moved, inside, np.array([length, 0.0]))
        frames.append(np.clip(np.round(moved), 0, 255).astype(np.uint8))
        matrix = scene.matrices[0].copy()
        matrix[:, 2] -= matrix[:, :2] @ shift[:, 2]
        matrices.append(matrix)
    still = Footage(frames, scene.crops[:1].repeat(COUNT, 0), scene.meshes[:1].repeat(COUNT, 0),
                    matrices)  # fmt: skip
    return still, frames


def test_a_face_that_moves_is_smeared_as_the_shutter_smears(
    portrait: Portrait, scene: Footage
) -> None:
    before, after = painted(portrait, *slid(scene, 16.0, 10.0))
    goal = smeared(before.rgb, np.asarray(before.rgb.any(2), bool), np.array([10.0, 0.0]))
    inner = before.alpha > 0.9
    assert np.abs(after.rgb - goal)[inner].mean() < 0.5 * np.abs(before.rgb - goal)[inner].mean()


def test_a_quick_shutter_smears_nothing(portrait: Portrait, scene: Footage) -> None:
    before, after = painted(portrait, *slid(scene, 16.0, 0.0))
    assert detail(after) == pytest.approx(detail(before), rel=0.02)


def test_peoples_own_detail_stays_but_footage_is_matched() -> None:
    assert wanted(-0.8, 0.0) == -0.8
    assert wanted(-0.8, -0.15) == pytest.approx(-0.68, abs=0.01)
    assert wanted(-1.7, -0.9) == pytest.approx(-1.7, abs=0.01)


def test_a_crop_without_a_face_tells_something_finite() -> None:
    sight = look_at(np.zeros((64, 64, 3), np.uint8), np.full((478, 2), 32.0))
    assert np.isfinite(sight.fineness)
    assert np.isfinite(sight.steep).all()
