from pathlib import Path

import numpy as np
import pytest
from footage import Footage

from assent.kit.faces.mesh import landmarks_of
from assent.kit.likeness.geometry import Floats
from assent.kit.likeness.motion import Learner, sharpened
from assent.kit.likeness.portrait import Sitter


def wandering(meshes: Floats, scene: Footage, truth: Floats) -> float:
    """How much landmarks wander about where they are on average, beside the truth; frame pixels."""
    apart = []
    for mesh, matrix, points in zip(meshes, scene.matrices, truth, strict=True):
        back = np.linalg.inv(matrix[:, :2])
        apart.append((landmarks_of(mesh) - matrix[:, 2]) @ back.T - points)
    inner = np.array(apart)[:, 17:]
    return float(np.linalg.norm(inner - inner.mean(0), axis=2).mean())


def test_a_learned_face_is_followed_better_than_by_the_network(
    ada_sitter: Sitter, scene: Footage, samples: Path
) -> None:
    with np.load(samples / "scene1_ada_with_ben_face.npz") as arrays:
        truth = np.asarray(arrays["landmarks68"][40:60, 0], np.float64)
    mover = ada_sitter.mover
    pairs = zip(scene.crops, scene.meshes, strict=True)
    followed = [mover.meshes(mover.follow(sharpened(c), m))[0] for c, m in pairs]
    assert wandering(np.array(followed), scene, truth) < 0.9 * wandering(scene.meshes, scene, truth)


def test_following_brings_a_trembling_mesh_back(ada_sitter: Sitter, scene: Footage) -> None:
    mover, picture, mesh = ada_sitter.mover, sharpened(scene.crops[0]), scene.meshes[0]
    steady = mover.meshes(mover.follow(picture, mesh))[0]
    shaken = mover.meshes(mover.follow(picture, mesh + np.array([2, -1.5, 0])))[0]
    assert np.abs(shaken - steady)[:, :2].mean() < 0.35


def test_what_stands_before_the_face_hardly_drags_it(ada_sitter: Sitter, scene: Footage) -> None:
    mover, crop, mesh = ada_sitter.mover, scene.crops[0].copy(), scene.meshes[0]
    steady = mover.meshes(mover.follow(sharpened(crop), mesh))[0]
    x = int(mesh[:, 0].mean())
    crop[:, x - 40 : x - 12] = (90, 120, 60)
    there = mover.meshes(mover.follow(sharpened(crop), mesh))[0]
    beside = steady[:, 0] > x
    assert np.linalg.norm((there - steady)[beside, :2], axis=1).mean() < 1.5


def test_a_stranger_is_stranger(ada_sitter: Sitter, ada: Footage, ben: Footage) -> None:
    def strangeness(taken: Footage) -> float:
        pairs = zip(taken.crops[:6], taken.meshes[:6], strict=True)
        return float(
            np.mean([ada_sitter.mover.follow(sharpened(c), m).strangeness[0] for c, m in pairs])
        )

    assert strangeness(ben) > 1.3 * strangeness(ada)


def test_learning_makes_pictures_look_alike_and_ends(ben: Footage) -> None:
    learner = Learner([sharpened(crop) for crop in ben.crops[:12]], ben.meshes[:12])
    losses = []
    while not learner.done:
        losses.append(learner.advance())
    assert len(losses) == learner.passes
    assert losses[-1] < 0.8 * losses[0]
    mover, motion = learner.learned()
    assert len(motion) == 12
    # The network's points are right to some pixels: what is learned must stay near them.
    assert np.abs(mover.meshes(motion) - ben.meshes[:12])[..., :2].mean() < 3


def test_brightness_and_contrast_do_not_matter(scene: Footage) -> None:
    crop = scene.crops[0]
    plain, dim = sharpened(crop), sharpened((crop * 0.6 + 20).astype(np.uint8))
    assert np.corrcoef(plain.tone.ravel(), dim.tone.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("axis", [0, 1])
def test_slopes_are_those_of_the_tone(scene: Footage, axis: int) -> None:
    picture = sharpened(scene.crops[0])
    slope = (picture.slope_y, picture.slope_x)[axis]
    assert np.corrcoef(np.gradient(picture.tone, axis=axis).ravel(), slope.ravel())[0, 1] > 0.95
