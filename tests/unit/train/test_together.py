"""Processes that train together keep one model between them, and go on as if never stopped."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from assent.kit.faces.face_set import FaceSet
from assent.train.config import TrainConfig
from assent.train.loop import Trainer

SCRIPT = Path(__file__).with_name("together.py")
CPU = torch.device("cpu")


def train(folder: Path, stop: int, world: int = 2) -> list[dict[str, torch.Tensor]]:
    """Train towards four steps in so many processes; each one's weights when it stopped."""
    told = [str(folder), str(world), "4", str(stop)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), told[0], str(rank), *told[1:]], env=environment
        )
        for rank in range(world)
    ]
    assert [each.wait(timeout=120) for each in running] == [0] * world
    return [load_file(folder / f"weights-{rank}") for rank in range(world)]


def test_two_processes_keep_one_model_and_go_on_exactly(
    tmp_path: Path, sets: dict[str, FaceSet], small: TrainConfig
) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    for folder in (whole, halves):
        folder.mkdir()
    ours, theirs = train(whole, 4)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    train(halves, 2)
    again, _ = train(halves, 4)
    assert all(torch.equal(ours[name], again[name]) for name in ours)
    # Each looked at faces of its own: seeds differ by the rank, and gradients are their mean.
    (tmp_path / "once").mkdir()
    once, _ = train(tmp_path / "once", 1)
    alone = [Trainer(sets, replace(small, rate=1e-3), seed, device=CPU) for seed in (5, 6)]
    gradients = []
    alone[1].network.load_state_dict(alone[0].network.state_dict())
    for trainer in alone:
        trainer.step()
        grown = trainer.network.encoder.code.weight.grad
        assert grown is not None
        gradients.append(grown)
    assert not torch.allclose(*gradients)
    torch.testing.assert_close(once["gradient"], (gradients[0] + gradients[1]) / 2)
