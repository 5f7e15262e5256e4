"""Teach the network that tells what stands before a face, and write the ONNX file that ships.

    python -m pip install -e '.[autoencoder]'
    python tools/train_hiding.py src/assent/kit/likeness/weights/hiding.onnx

It is taught with the computer-generated performers `ada_train` and `ben_train`, each half of whom
is held against what the other half taught, and with hands, strands and things that `_occluders.py`
draws before them. In three pictures of ten nothing is there but odd light, shadow, noise and poses
that are a little wrong. Nothing of a person is kept but what all of them share: how a face differs
from what is usual for it when something covers it. The same seed gives the same pictures.
"""

import argparse
import itertools
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _occluders import Stage, worn
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from assent.data.faces import FaceCutter
from assent.data.look import Tools, look
from assent.kit.faces.face_set import FaceSet
from assent.kit.likeness.geometry import Floats, Views, normals
from assent.kit.likeness.hiding import CHANNELS, unwrapped, views
from assent.kit.likeness.layout import Layout, layout_of
from assent.kit.likeness.motion import Learner, Motion, Mover, sharpened
from assent.kit.likeness.usual import Usual, learn_usual
from assent.kit.media.picture import to_rgb
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.progress import nothing

SAMPLES = Path(__file__).parents[1] / "samples"
CLIPS = ("ada_train.mp4", "ben_train.mp4")
SIDE = 128
WIDTHS = (16, 24, 32, 48, 64)
BATCH, RATE, HELD = 16, 3e-3, 300


@dataclass(frozen=True, slots=True)
class Sitting:
    """One half of a person's pictures, and what the other half says is usual."""

    usual: Usual
    layout: Layout
    mover: Mover
    motion: Motion
    crops: NDArray[np.uint8]
    numbers: NDArray[np.int64]

    def mesh(self, number: int, rng: np.random.Generator, astray: float) -> Floats:
        """The face's mesh [P, 3] in a picture, a little astray as where it is half hidden."""
        v, e = self.motion.views, self.motion.expressions[number]
        turn = _turned(rng.normal(size=3) * 0.03 * astray)
        views_ = Views(
            v.scale[[number]] * np.exp(rng.normal() * 0.015 * astray),
            (turn @ v.rotation[number])[None],
            v.shift[[number]] + rng.normal(size=2) * 1.2 * astray,
        )
        moved = e + rng.normal(size=len(e)) * self.mover.spread * 0.5 * astray
        return self.mover.meshes(Motion(views_, moved[None], np.zeros(1, np.float32)))[0]


def sittings(clip: Path) -> list[Sitting]:
    """Follow a person through a clip, and hold each half of it against the other."""
    cutter = FaceCutter()
    pictures = read_pictures(clip, name=clip.name)
    seen = look(pictures, probe(clip, name=clip.name), Tools(), cutter, nothing)
    faces: FaceSet = cutter.face_sets([("one", track) for track in seen.tracks])["one"]
    learner = Learner([sharpened(c) for c in faces.faces], faces.meshes.astype(np.float64))
    while not learner.done:
        learner.advance()
    mover, motion = learner.learned()
    layout = layout_of(mover.shape, faces.faces.shape[1])
    meshes = mover.meshes(motion)
    parts = np.array_split(np.arange(len(meshes)), 2)
    found = []
    for own, other in (parts, parts[::-1]):
        few = other[:: max(1, len(other) // 200)]
        textures = [unwrapped(layout, faces.faces[n], meshes[n]) for n in few]
        facings = [normals(meshes[n], layout.triangles) for n in few]
        usual = Usual(layout, learn_usual(layout, textures, facings))
        found.append(Sitting(usual, layout, mover, motion, faces.faces, own))
    return found


def draw(count: int, seed: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """What the network sees [count, CHANNELS, S, S], and what it should say [count, S, S]."""
    rng = np.random.default_rng(seed)
    known = [each for clip in CLIPS for each in sittings(SAMPLES / clip)]
    frames = [
        to_rgb(picture)
        for clip in CLIPS
        for number, picture in enumerate(read_pictures(SAMPLES / clip, name=clip))
        if number % 40 == 0
    ]
    stage = Stage(rng, frames)
    seen = np.zeros((count, CHANNELS, SIDE, SIDE), np.float16)
    hidden = np.zeros((count, SIDE, SIDE), np.uint8)
    for index in range(count):
        sitting = known[rng.integers(len(known))]
        number = int(rng.choice(sitting.numbers))
        true = sitting.mesh(number, rng, 0.0)
        found = sitting.mesh(number, rng, 0.6 * abs(rng.normal()))
        crop, alpha = stage.play(sitting.crops[number], true)
        texture = unwrapped(sitting.layout, worn(crop, rng), found)
        difference = sitting.usual.difference(texture, normals(found, sitting.layout.triangles))
        seen[index] = views(difference, sitting.usual.where)
        covered = np.repeat((alpha * 255).astype(np.uint8)[..., None], 3, axis=2)
        hidden[index] = unwrapped(sitting.layout, covered, found)[..., 0] * sitting.usual.where
        if index % 500 == 0:
            say(f"{index} pictures")
    return seen, hidden


def draw_all(count: int, seed: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """The same, half by half, each in a process of its own."""
    with ProcessPoolExecutor(2) as pool:
        parts = list(pool.map(draw, [count // 2] * 2, [seed, seed + 1]))
    seen, hidden = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return seen, hidden


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _turned(vector: Floats) -> Floats:
    """Rotation matrix of a small rotation vector."""
    x, y, z = vector
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    left, _, right = np.linalg.svd(np.eye(3) + cross)
    return np.asarray(left @ right, np.float64)


def _block(takes: int, gives: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(takes, gives, 3, stride, 1, bias=False), nn.BatchNorm2d(gives), nn.ReLU()
    )


class Network(nn.Module):
    """[B, CHANNELS, S, S] to logits [B, 1, S, S]: down four times and up again, with shortcuts."""

    def __init__(self) -> None:
        super().__init__()
        w = WIDTHS
        self.stem = _block(4 * CHANNELS, w[0])
        self.down = nn.ModuleList(
            nn.Sequential(_block(a, b, 2), _block(b, b)) for a, b in itertools.pairwise(w)
        )
        self.up = nn.ModuleList(_block(w[n + 1] + w[n], w[n]) for n in (3, 2, 1, 0))
        self.last = nn.Sequential(_block(w[0], w[0]), nn.Conv2d(w[0], 4, 3, 1, 1))

    def forward(self, seen: Tensor) -> Tensor:
        """Views to logits."""
        levels = [self.stem(functional.pixel_unshuffle(seen, 2))]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = levels.pop()
        for up in self.up:
            x = up(torch.cat([functional.interpolate(x, scale_factor=2.0), levels.pop()], 1))
        return functional.pixel_shuffle(self.last(x), 2)


def teach(seen: NDArray[np.float16], hidden: NDArray[np.uint8], minutes: float) -> Network:
    """Teach a network for so long."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = Network().to(memory_format=torch.channels_last)
    steps = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-3)
    inside = torch.from_numpy((np.abs(seen[:50]).max((0, 1)) > 0).astype(np.float32))
    began, iteration, mean = time.monotonic(), 0, 0.7
    while (share := (time.monotonic() - began) / (60 * minutes)) < 1:
        fall = 0.01 + 0.99 * (1 + np.cos(np.pi * share)) / 2
        for group in steps.param_groups:
            group["lr"] = RATE * min(1, (iteration + 1) / 50) * fall
        x, y = _batch(seen, hidden, rng.integers(HELD, len(seen), BATCH))
        if rng.random() < 0.5:
            x, y = x.flip(-1), y.flip(-1)
        with torch.autocast("cpu", torch.bfloat16):
            said = network(x)[:, 0]
        loss = _loss(said.float(), y, inside)
        steps.zero_grad()
        loss.backward()
        steps.step()
        iteration += 1
        mean += 0.02 * (float(loss.detach()) - mean)
        if iteration % 200 == 0:
            say(f"{iteration} steps, loss {mean:.4f}")
    return network.eval()


def _loss(said: Tensor, hidden: Tensor, inside: Tensor) -> Tensor:
    weights = inside.expand_as(hidden)
    entropy = functional.binary_cross_entropy_with_logits(said, hidden, weights)
    share = said.sigmoid() * weights
    both = 2 * (share * hidden).sum((1, 2)) + 20
    overlap = both / ((share + hidden * weights).sum((1, 2)) + 20)
    return entropy * weights.numel() / weights.sum() + 0.5 * (1 - overlap.mean())


def _batch(
    seen: NDArray[np.float16], hidden: NDArray[np.uint8], chosen: NDArray[np.int64]
) -> tuple[Tensor, Tensor]:
    x = torch.from_numpy(seen[chosen].astype(np.float32))
    return x, torch.from_numpy(hidden[chosen].astype(np.float32) / 255)


@torch.no_grad()
def held_out(
    network: Network, seen: NDArray[np.float16], hidden: NDArray[np.uint8]
) -> tuple[float, float]:
    """Shares of the covered and of the bare pixels that a network takes for covered."""
    found = np.zeros((2, 2))
    for first in range(0, HELD, 20):
        x, y = _batch(seen, hidden, np.arange(first, first + 20))
        said, inside = network(x)[:, 0] > 0, x.abs().amax(1) > 0
        for kind, where in enumerate((y > 0.5, (y <= 0.5) & inside)):
            found[kind] += float((said & where).sum()), float(where.sum())
    kept, false = found[:, 0] / found[:, 1]
    return float(kept), float(false)


def main() -> None:
    """Draw, teach, look at what was held out, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--samples", type=int, default=8_000)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seen, hidden = draw_all(options.samples, options.seed)
    network = teach(seen, hidden, options.minutes)
    kept, false = held_out(network, seen, hidden)
    say(f"held out: {kept:.3f} of what covers is found, {false:.4f} of bare faces too")
    torch.onnx.export(
        network.float(),
        (torch.zeros(1, CHANNELS, SIDE, SIDE),),
        options.out,
        input_names=["seen"],
        output_names=["logits"],
        opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
