from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.geometry import Box, box_of_landmarks
from assent.kit.faces.mesh import Mesh, MeshFinder, landmarks_of
from assent.kit.faces.rematch import Answer, Rematch

Frames = list[NDArray[np.uint8]]
RATE = 25


@pytest.fixture
def rematch(detector: DlibDetector, mesh: MeshFinder, embedder: FaceEmbedder) -> Rematch:
    return Rematch(detector, mesh, embedder)


@pytest.fixture(scope="session")
def followed(
    sample: Callable[[str], Frames], detector: DlibDetector, mesh: MeshFinder
) -> list[Mesh]:
    """Ada's mesh in the first frames of her clip."""
    frames = sample("ada_train")[:32]
    found = [mesh.fit(frames[0], detector.find(frames[0])[0].box).points]
    for frame in frames[1:]:
        found.append(mesh.fit(frame, found[-1]).points)
    return found


def near(mesh: Mesh) -> list[Box]:
    return [box_of_landmarks(landmarks_of(mesh))]


def test_each_second_of_a_face_is_embedded_once(
    rematch: Rematch,
    sample: Callable[[str], Frames],
    followed: list[Mesh],
    gallery: dict[str, NDArray[np.float32]],
) -> None:
    answers: list[Answer] = []
    for number, (frame, mesh) in enumerate(zip(sample("ada_train"), followed, strict=False)):
        answers += rematch.see(number / RATE, frame, {7: mesh}, near=near(mesh))
    assert [answer.face for answer in answers] == [7]
    assert 0 <= answers[0].seconds <= 1
    answers += rematch.finish()
    assert len(answers) == 2
    assert rematch.finish() == []
    for answer in answers:
        assert answer.embedding is not None
        apart = {
            name: np.linalg.norm(own - answer.embedding, axis=1).min()
            for name, own in gallery.items()
        }
        assert min(apart, key=apart.__getitem__) == "ada"


def test_a_face_that_ends_is_told_at_once(
    rematch: Rematch, sample: Callable[[str], Frames], followed: list[Mesh]
) -> None:
    frames = sample("ada_train")
    for number in range(5):
        assert rematch.see(number / RATE, frames[number], {1: followed[number]},
                           near=near(followed[number])) == []  # fmt: skip
    (answer,) = rematch.see(5 / RATE, frames[5], {2: followed[5]}, near=near(followed[5]))
    assert answer.face == 1
    assert [each.face for each in rematch.finish()] == [2]


def test_a_face_that_nobody_knows_of_is_told_once_a_second(
    rematch: Rematch, sample: Callable[[str], Frames], followed: list[Mesh]
) -> None:
    frames = sample("two_people")
    (left,) = [
        found for found in DlibDetector().find(frames[0]) if found.box[0] < frames[0].shape[1] / 2.5
    ][:1]
    told = [
        answer
        for number in range(30)
        for answer in rematch.see(number / RATE, frames[number], {}, near=[left.box])
    ]
    assert [(answer.face, answer.embedding) for answer in told] == [(None, None)] * 2
    empty = sample("no_face")
    assert rematch.see(9.0, empty[0], {}, near=[]) == []
