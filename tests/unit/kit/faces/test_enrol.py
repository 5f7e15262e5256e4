from collections.abc import Callable, Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.enrol import Enrolment, enrol
from assent.kit.faces.landmarks import LandmarkFinder

Picture = tuple[float, NDArray[np.uint8]]
Read = Callable[[str], list[NDArray[np.uint8]]]
Enrol = Callable[..., Enrolment]


@pytest.fixture
def learn(detector: DlibDetector, finder: LandmarkFinder, embedder: FaceEmbedder) -> Enrol:
    def run(pictures: Iterable[Picture], most: int = 4) -> Enrolment:
        return enrol(pictures, detector, finder, embedder, name="clip.mp4", most=most)

    return run


def every(frames: list[NDArray[np.uint8]], step: int) -> list[Picture]:
    return [(i / 25, frames[i]) for i in range(0, len(frames), step)]


def test_one_person_is_learnt(sample: Read, learn: Enrol) -> None:
    result = learn(every(sample("ben_train"), 30))
    assert result.frames_seen == result.frames_with_face == 6
    assert result.embeddings.shape == (4, 128)
    assert 0.05 < result.spread < 0.6


def test_pictures_without_the_face_are_counted_apart(sample: Read, learn: Enrol) -> None:
    result = learn([(0.0, sample("no_face")[0]), (1.0, sample("ben_train")[0])])
    assert (result.frames_seen, result.frames_with_face) == (2, 1)
    assert result.embeddings.shape == (1, 128)
    assert result.spread == 0.0


def test_no_face_is_refused(sample: Read, learn: Enrol) -> None:
    with pytest.raises(MediaError, match=r"No face was found in clip\.mp4 \(3 pictures"):
        learn(every(sample("no_face"), 10))


def test_no_picture_is_refused(learn: Enrol) -> None:
    with pytest.raises(MediaError, match="0 pictures"):
        learn([])


def test_company_is_refused(sample: Read, learn: Enrol) -> None:
    with pytest.raises(MediaError, match=r"2 faces at 7\.5 s"):
        learn([(7.0, sample("ada_train")[0]), (7.5, sample("two_people")[0])])


def test_two_people_one_after_the_other_are_refused(sample: Read, learn: Enrol) -> None:
    pictures = [(float(i), sample("ada_train")[i]) for i in range(3)]
    with pytest.raises(MediaError, match=r"same person throughout.* with 9\.0 s"):
        learn([*pictures, (9.0, sample("ben_train")[0])])


class OneFace:
    """Stands for a detector and embedder that say yes, to see which faces of many are taken."""

    def __init__(self) -> None:
        self.embedded: list[int] = []

    def chip(self, rgb: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
        return rgb

    def embed_chip(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.embedded.append(int(chip.view(np.uint32)[0, 0, 0]))
        return np.zeros(128, np.float32)


def test_a_long_clip_is_sampled_evenly(
    sample: Read, detector: DlibDetector, finder: LandmarkFinder
) -> None:
    face = sample("ben_train")[0][:, :, :]
    (found,) = detector.find(face)

    class Sure:
        def find(self, rgb: NDArray[np.uint8], *, weakest: float = 0.0) -> list[object]:
            return [found]

    class Anywhere:
        def fit(self, rgb: NDArray[np.uint8], box: object) -> NDArray[np.float32]:
            return np.zeros((68, 2), np.float32)

    counter = OneFace()
    numbered = (
        (float(i), np.array([[[i]]], np.uint32).view(np.uint8).reshape(1, 1, 4))
        for i in range(1000)
    )
    result = enrol(numbered, Sure(), Anywhere(), counter, name="long", most=5)  # type: ignore[arg-type]
    assert result.frames_with_face == 1000
    assert len(counter.embedded) == 5
    assert counter.embedded[0] == 0
    assert counter.embedded[-1] > 850
    assert max(np.diff(counter.embedded)) < 400
