import cv2
import numpy as np
import pytest
from footage import Footage
from numpy.typing import NDArray

from assent.kit.likeness.painting import paint
from assent.kit.likeness.performance import AHEAD, Face, Performance
from assent.kit.likeness.portrait import Portrait

Frames = list[NDArray[np.uint8]]


def perform(portrait: Portrait, scene: Footage, frames: Frames) -> list[Face]:
    performance, faces = Performance(portrait), []
    size = portrait.layout.size
    for number, (frame, mesh, matrix) in enumerate(
        zip(frames, scene.meshes, scene.matrices, strict=False)
    ):
        crop = np.asarray(cv2.warpAffine(frame, matrix, (size, size)), np.uint8)
        performance.see(number, 0, crop, mesh, matrix)
    for number in range(len(frames)):
        face = performance.face(number)
        assert face is not None
        faces.append(face)
    return faces


def alpha(portrait: Portrait, face: Face, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    painted = paint(face.texture, face.share, face.mesh, portrait.layout, frame.shape[:2])
    assert painted is not None
    sheet = np.zeros(frame.shape[:2], np.float32)
    height, width = painted.alpha.shape
    sheet[painted.y : painted.y + height, painted.x : painted.x + width] = painted.alpha
    return sheet


def test_the_donor_stands_where_the_performer_does(portrait: Portrait, scene: Footage) -> None:
    for number, face in enumerate(perform(portrait, scene, scene.frames[:6])):
        back = np.linalg.inv(scene.matrices[number][:, :2])
        mesh = (scene.meshes[number][:, :2] - scene.matrices[number][:, 2]) @ back.T
        assert np.abs(face.mesh[:, :2] - mesh).mean() < 6
        assert face.hidden == 0
        assert face.share.max() > 0.95
        assert face.away < 0.3


def test_a_box_before_the_face_stays_before_it(portrait: Portrait, scene: Footage) -> None:
    count = 8
    bare = perform(portrait, scene, scene.frames[:count])
    frames, boxes = [], []
    for number in range(count):
        frame = scene.frames[number].copy()
        x = round(float(bare[number].mesh[:, 0].mean())) - 40 + 5 * number
        frame[90:300, x : x + 34] = (90, 120, 60)
        frames.append(frame)
        boxes.append(x)
    for number, face in enumerate(perform(portrait, scene, frames)):
        plain = alpha(portrait, bare[number], frames[number])
        kept = alpha(portrait, face, frames[number])
        x, shown = boxes[number], plain > 0.5
        inside, outside = shown.copy(), shown.copy()
        inside[:, : x + 3] = inside[:, x + 31 :] = False
        outside[:, x - 6 : x + 40] = False
        assert kept[inside].mean() < 0.1
        assert kept[outside].mean() > 0.9 * plain[outside].mean()
        assert face.hidden > 0.05


def test_a_dark_scene_gets_a_dark_face_and_nothing_hidden(
    portrait: Portrait, scene: Footage
) -> None:
    dim = [
        np.asarray(np.round((f / 255.0 * 0.12 ** (1 / 2.2)) * 255), np.uint8)
        for f in scene.frames[:5]
    ]
    dark, bright = perform(portrait, scene, dim)[2], perform(portrait, scene, scene.frames[:5])[2]
    inner = portrait.layout.mask
    darker = dark.texture[inner].mean() / bright.texture[inner].mean()
    assert darker == pytest.approx(0.12 ** (1 / 2.2), rel=0.15)
    assert dark.hidden == 0


def test_memory_does_not_grow(portrait: Portrait, scene: Footage) -> None:
    performance = Performance(portrait)
    for number in range(3 * AHEAD):
        performance.see(number, 0, scene.crops[0], scene.meshes[0], scene.matrices[0])
        performance.forget(number - AHEAD)
    gone = 2 * AHEAD - 1 - AHEAD
    assert performance.face(gone) is None
    assert performance.face(gone + 1) is not None


def test_a_frame_without_a_face_has_none(portrait: Portrait, scene: Footage) -> None:
    performance = Performance(portrait)
    performance.see(0, 0, scene.crops[0], scene.meshes[0], scene.matrices[0])
    performance.see(2, 0, scene.crops[1], scene.meshes[1], scene.matrices[1])
    assert performance.face(1) is None
    assert performance.face(2) is not None


def test_runs_do_not_mix(portrait: Portrait, scene: Footage) -> None:
    """The frames of another shot change nothing."""
    alone, cut = Performance(portrait), Performance(portrait)
    for performance in (alone, cut):
        performance.see(0, 0, scene.crops[0], scene.meshes[0], scene.matrices[0])
    other = (scene.crops[5] * 0.4).astype(np.uint8)
    cut.see(1, 1, other, scene.meshes[5], scene.matrices[5])
    first, second = alone.face(0), cut.face(0)
    assert first is not None
    assert second is not None
    assert np.array_equal(first.texture, second.texture)


def test_a_head_that_turns_away_fades_out(portrait: Portrait, scene: Footage) -> None:
    """Nobody has seen the donor from behind."""
    performer = portrait.performer
    motion = performer.first_guess(scene.meshes[:1])
    shares = []
    for angle in (0.0, 1.4):
        rotation = cv2.Rodrigues(np.array([0, angle, 0]))[0] @ motion.views.rotation[0]
        mesh = motion.views.scale[0] * performer.shape @ rotation.T
        mesh[:, :2] += motion.views.shift[0]
        performance = Performance(portrait)
        performance.see(0, 0, scene.crops[0], mesh, scene.matrices[0])
        face = performance.face(0)
        assert face is not None
        shares.append((float(face.share.max()), face.away))
    assert shares[0][0] > 0.95
    assert shares[1][0] == 0
    assert shares[1][1] > shares[0][1] + 0.4


@pytest.mark.parametrize("hidden", [{3}, {4, 5, 6}, {1, 2, 3, 4, 5}, {7}])
def test_what_hides_a_face_for_a_moment_is_seen(
    portrait: Portrait, scene: Footage, hidden: set[int]
) -> None:
    frames = [frame.copy() for frame in scene.frames[:9]]
    for number in hidden:
        frames[number][90:300, 170:215] = (60, 90, 50)
    found = perform(portrait, scene, frames)
    seen = {number for number, face in enumerate(found) if face.hidden > 0.02}
    # A frame at the end, behind which nothing is known, is looked at as well.
    assert seen == hidden
