"""The engine paints what the model says and refuses what is no model."""

import numpy as np
import onnx
import pytest

from assent.create.engine import FaceEngine
from assent.kit.errors import IntegrityError


def test_it_paints_one_face_a_crop(model: bytes) -> None:
    engine = FaceEngine(model)
    crops = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)
    swapped = engine.swap(crops)
    assert (engine.size, engine.coverage) == (32, 0.7)
    assert swapped.faces.shape == (3, 32, 32, 3)
    assert swapped.masks.shape == (3, 32, 32)
    assert np.allclose(swapped.faces.mean((0, 1, 2)), (0.5, 0.27, 0.18), atol=0.06)
    assert swapped.masks.min() > 0.9


def test_a_face_does_not_depend_on_its_neighbours(model: bytes) -> None:
    engine = FaceEngine(model, threads=2)
    crops = np.random.default_rng(2).integers(0, 256, (4, 32, 32, 3), np.uint8)
    together, alone = engine.swap(crops).faces[2], engine.swap(crops[2:3]).faces[0]
    assert np.allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize("shape", [(32, 32, 3), (1, 40, 40, 3), (1, 3, 32, 32)])
def test_other_crops_are_refused(model: bytes, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="32"):
        FaceEngine(model).swap(np.zeros(shape, np.uint8))


def changed(model: bytes, **facts: str) -> bytes:
    graph = onnx.load_model_from_string(model)
    kept = {entry.key: entry.value for entry in graph.metadata_props}
    onnx.helper.set_model_props(graph, kept | facts)
    return bytes(graph.SerializeToString())


def test_another_version_is_refused(model: bytes) -> None:
    with pytest.raises(IntegrityError, match="version"):
        FaceEngine(changed(model, version="99"))
    with pytest.raises(IntegrityError, match="not a face model"):
        FaceEngine(changed(model, size="wide"))


@pytest.mark.parametrize("cut", [0, 10, 2000])
def test_broken_bytes_are_refused(model: bytes, cut: int) -> None:
    with pytest.raises(IntegrityError, match="face model"):
        FaceEngine(model[:cut])


def test_a_model_of_something_else_is_refused() -> None:
    info = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "other",
        [info],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    other = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)
    with pytest.raises(IntegrityError, match="not a face model"):
        FaceEngine(other.SerializeToString())
