"""A state comes back whole, or not at all."""

import pytest
import torch
from safetensors.torch import load, save

from assent.kit.errors import IntegrityError
from assent.kit.faces.face_set import FaceSet
from assent.train.checkpoint import pack, unpack
from assent.train.config import TrainConfig
from assent.train.loop import Trainer


@pytest.fixture(scope="module")
def state(sets: dict[str, FaceSet], small: TrainConfig) -> bytes:
    trainer = Trainer(sets, small, 1, device=torch.device("cpu"))
    trainer.step()
    return trainer.state()


def test_it_comes_back_whole(state: bytes, small: TrainConfig) -> None:
    snapshot = unpack(state)
    assert snapshot.config == small
    assert snapshot.people == ("ada", "ben")
    assert snapshot.iteration == 1
    assert len(snapshot.history) == 1
    assert set(snapshot.moments[0]) == {"step", "exp_avg", "exp_avg_sq"}
    again = unpack(pack(snapshot))
    assert all(torch.equal(again.weights[n], snapshot.weights[n]) for n in snapshot.weights)
    assert (again.history, again.seconds) == (snapshot.history, snapshot.seconds)


@pytest.mark.parametrize("broken", ["empty", "short", "noise", "cut off", "foreign"])
def test_other_bytes_are_refused(state: bytes, broken: str) -> None:
    data = {
        "empty": b"",
        "short": b"\x05",
        "noise": bytes(range(256)) * 8,
        "cut off": state[: len(state) // 2],
        "foreign": save({"a": torch.zeros(1)}, {"format": "another"}),
    }[broken]
    with pytest.raises(IntegrityError, match="training state"):
        unpack(data)


def test_weights_of_another_network_are_refused(state: bytes, sets: dict[str, FaceSet]) -> None:
    snapshot = unpack(state)
    tensors = load(state)
    assert "weights/encoder.code.weight" in tensors
    weights = {**snapshot.weights, "encoder.code.weight": torch.zeros(2, 2)}
    changed = type(snapshot)(
        **{name: getattr(snapshot, name) for name in snapshot.__slots__ if name != "weights"},
        weights=weights,
    )
    with pytest.raises(IntegrityError, match="doesn't fit"):
        Trainer.resume(pack(changed), sets)
