from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.embed import CHIP, FaceEmbedder, sharpness
from assent.kit.faces.landmarks import LandmarkFinder

Frames = list[NDArray[np.uint8]]
Read = Callable[[str], Frames]


def test_one_person_is_near_and_another_far(
    sample: Read,
    detector: DlibDetector,
    finder: LandmarkFinder,
    embedder: FaceEmbedder,
    gallery: Mapping[str, NDArray[np.float32]],
) -> None:
    frame = sample("scene1_ada")[60]
    embedding = embedder.embed(frame, finder.fit(frame, detector.find(frame)[0].box))
    assert embedding.dtype == np.float32
    assert embedding.shape == (128,)
    assert np.linalg.norm(gallery["ada"] - embedding, axis=1).max() < 0.6
    assert np.linalg.norm(gallery["ben"] - embedding, axis=1).min() > 0.6
    assert np.linalg.norm(gallery["cleo"] - embedding, axis=1).min() > 0.6


def test_the_chip_hardly_depends_on_the_size_of_the_frame(
    sample: Read, finder: LandmarkFinder, detector: DlibDetector, embedder: FaceEmbedder
) -> None:
    frame = sample("scene1_ada")[60]
    landmarks = finder.fit(frame, detector.find(frame)[0].box)
    large = np.asarray(cv2.resize(frame, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), np.uint8)
    small_chip, large_chip = embedder.chip(frame, landmarks), embedder.chip(large, landmarks * 4)
    assert small_chip.shape == large_chip.shape == (CHIP, CHIP, 3)
    assert np.abs(small_chip.astype(int) - large_chip).mean() < 6


def test_a_face_outside_the_frame_still_gives_a_chip(embedder: FaceEmbedder) -> None:
    far = np.random.default_rng(1).uniform(500, 560, (68, 2)).astype(np.float32)
    assert embedder.chip(np.zeros((50, 50, 3), np.uint8), far).shape == (CHIP, CHIP, 3)


def test_blur_lowers_sharpness(
    sample: Read, finder: LandmarkFinder, detector: DlibDetector, embedder: FaceEmbedder
) -> None:
    frame = sample("scene1_ada")[60]
    chip = embedder.chip(frame, finder.fit(frame, detector.find(frame)[0].box))
    assert sharpness(np.asarray(cv2.GaussianBlur(chip, (0, 0), 3), np.uint8)) < sharpness(chip) / 3


def test_a_file_that_is_no_network_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.dat"
    wrong.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"wrong\.dat"):
        FaceEmbedder(wrong).embed_chip(np.zeros((CHIP, CHIP, 3), np.uint8))
