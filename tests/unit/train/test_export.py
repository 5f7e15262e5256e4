"""The exported graph paints what the network paints, for any number of faces."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from assent.kit.faces.face_set import FaceSet
from assent.train.config import TrainConfig
from assent.train.export import export_onnx
from assent.train.loop import Trainer


@pytest.fixture(scope="module")
def trainer(sets: dict[str, FaceSet], small: TrainConfig) -> Trainer:
    trainer = Trainer(sets, small, 1, device=torch.device("cpu"))
    trainer.run(iterations=8)
    return trainer


@pytest.mark.parametrize("count", [1, 3])
@torch.no_grad()
def test_the_graph_paints_as_the_network(trainer: Trainer, count: int) -> None:
    model = export_onnx(trainer.network, "ben", coverage=0.8)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    faces = np.random.default_rng(1).random((count, 3, 32, 32), np.float32)
    painted, mask = session.run(["painted", "mask"], {"face": faces})
    expected = trainer.network({"ben": torch.from_numpy(faces)})["ben"]
    assert np.allclose(painted, expected.faces.sigmoid().numpy(), atol=2e-3)
    assert np.allclose(mask, expected.masks.sigmoid().numpy(), atol=2e-3)


def test_the_graph_holds_one_person(trainer: Trainer) -> None:
    ada, ben = (export_onnx(trainer.network, who, coverage=0.8) for who in ("ada", "ben"))
    assert ada != ben
    both = sum(tensor.numel() for tensor in trainer.network.parameters()) * 4
    assert len(ben) < 0.8 * both


def test_the_graph_says_what_it_is(trainer: Trainer) -> None:
    model = onnx.load_model_from_string(export_onnx(trainer.network, "ben", coverage=0.75))
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert facts == {
        "format": "assent face model",
        "version": "1",
        "size": "32",
        "coverage": "0.75",
    }


def test_strangers_are_unknown(trainer: Trainer) -> None:
    with pytest.raises(KeyError):
        export_onnx(trainer.network, "cleo", coverage=0.8)
