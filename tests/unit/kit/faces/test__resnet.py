"""The network as ONNX Runtime computes it, held against dlib's own computation."""

from collections.abc import Callable, Mapping

import dlib
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from assent.kit.faces._resnet import SIDE, read_network
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.landmarks import LandmarkFinder
from assent.kit.faces.models import find_model, weights

Chip = NDArray[np.uint8]


@pytest.fixture(scope="module")
def data() -> bytes:
    return weights(find_model("dlib-face-embedding")).read_bytes()


def chips(
    sample: Callable[[str], list[Chip]], finder: LandmarkFinder, embedder: FaceEmbedder
) -> Mapping[str, Chip]:
    frame = sample("scene1_ada")[60]
    face = embedder.chip(frame, finder.fit(frame, (100.0, 100.0, 280.0, 280.0)))
    noise = np.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    return {"face": face, "noise": noise, "black": np.zeros_like(noise)}


def test_the_numbers_are_those_that_dlib_computes(
    sample: Callable[[str], list[Chip]], finder: LandmarkFinder, embedder: FaceEmbedder
) -> None:
    path = weights(find_model("dlib-face-embedding"))
    own = dlib.face_recognition_model_v1(str(path))
    for chip in chips(sample, finder, embedder).values():
        expected = np.array(own.compute_face_descriptor(chip))
        assert np.abs(embedder.embed_chip(chip) - expected).max() < 1e-5


def test_other_weights_give_other_numbers(data: bytes, embedder: FaceEmbedder) -> None:
    place = data.find(b"fc_2") + 40
    changed = data[:place] + bytes(4000) + data[place + 4000 :]
    session = onnxruntime.InferenceSession(
        read_network(changed), providers=["CPUExecutionProvider"]
    )
    chip = np.full((SIDE, SIDE, 3), 90, np.uint8)
    (embedding,) = session.run(None, {"chip": chip})
    assert np.abs(embedding - embedder.embed_chip(chip)).max() > 1e-3


@pytest.mark.parametrize("kept", [0, 330, 345, 15_000, 19_400, 22_400_000])
def test_a_file_that_ends_early_is_refused(data: bytes, kept: int) -> None:
    with pytest.raises(ValueError, match=r"^(there is no|con_4|affine_|fc_2)"):
        read_network(data[:kept])


def test_a_network_of_another_shape_is_refused(data: bytes) -> None:
    first = data.find(b"con_4")
    second = data.find(b"con_4", first + 1)
    with pytest.raises(ValueError, match="con_4 has another shape"):
        read_network(data[:first] + data[second:])
    last = data.find(b"fc_2") + 5
    with pytest.raises(ValueError, match="fc_2 has another shape"):
        read_network(data[:last] + b"\x40" + data[last + 1 :])
