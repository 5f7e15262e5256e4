"""Teach the network that gives a forensic second opinion, and write the ONNX file that ships.

    python -m pip install -e '.[autoencoder]'
    python tools/train_forensics.py src/assent/kit/forensics/weights/forensics.onnx

It is taught with the computer-generated performers `ada_train` and `ben_train`, whose faces and
light are bent and graded into many others (`_blends.py`), and with any films of `--more FOLDER`
whose faces nobody replaced. It learns where pixels came from elsewhere as well as whether any did.
The same seed gives the same pictures. The thresholds in `kit/forensics/judge.py` belong to the
file: make them anew by `benchmarks/forensics.py`.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from _blends import Strip, drawn
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import swa_utils

from assent.kit.errors import InputError
from assent.kit.faces.detect import DlibDetector
from assent.kit.faces.mesh import MeshFinder, landmarks_of
from assent.kit.forensics.crops import SIDE, cut
from assent.kit.forensics.views import CHANNELS, views
from assent.kit.media.picture import to_rgb
from assent.kit.media.read import read_pictures

SAMPLES = Path(__file__).parents[1] / "samples"
CLIPS = ("ada_train.mp4", "ben_train.mp4")
WIDTHS = (32, 48, 64, 96)
MAP = SIDE // 8
BATCH, RATE, HELD = 24, 2e-3, 600
_FINE = 31  # steps that a view's 1 is kept with
# By how much a view of a whole crop may be other than it is: detail, its strength, colour, tone.
_ASTRAY = np.array([0, 0, 0.15, 0.15, 0.05, 0.05, 0.4, 0], np.float32)


def strip(film: Path) -> Strip:
    """Read a film of one face, every second picture."""
    finder, fitter = DlibDetector(), MeshFinder()
    frames, landmarks, last = [], [], None
    for number, picture in enumerate(read_pictures(film, name=film.name)):
        if number % 2:
            continue
        rgb = to_rgb(picture)
        if last is None:
            found = finder.find(rgb)
            if not found:
                continue
            last = found[0].box
        fit = fitter.fit(rgb, last)
        if fit.score < 0.6:
            last = None
            continue
        last = fit.points
        frames.append(rgb)
        landmarks.append(landmarks_of(fit.points))
    return Strip(np.stack(frames), np.stack(landmarks))


def draw(films: list[Path], count: int, seed: int) -> tuple[NDArray[np.int8], NDArray[np.uint8]]:
    """What the network sees, int8 [N, CHANNELS, S, S], and what is foreign, [N, MAP, MAP]."""
    strips = [strip(film) for film in films]
    seen = np.zeros((count, CHANNELS, SIDE, SIDE), np.int8)
    foreign = np.zeros((count, MAP, MAP), np.uint8)
    for index, (crop, elsewhere) in enumerate(
        itertools.islice(_crops(strips, np.random.default_rng(seed)), count)
    ):
        seen[index], foreign[index] = crop, elsewhere
        if index % 500 == 0:
            say(f"{index} crops")
    return seen, foreign


def _crops(
    strips: list[Strip], rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.int8], NDArray[np.uint8]]]:
    while True:
        take = drawn(strips, rng)
        for frame, marks, mask in zip(take.frames, take.landmarks, take.foreign, strict=True):
            try:
                crop = cut(frame, marks)
            except InputError:
                continue
            where = cv2.warpAffine(mask, crop.matrix, (SIDE, SIDE))
            small = cv2.resize(where, (MAP, MAP), interpolation=cv2.INTER_AREA)
            yield (views(crop) * _FINE).astype(np.int8), (small * 255).astype(np.uint8)


def draw_all(
    films: list[Path], count: int, seed: int
) -> tuple[NDArray[np.int8], NDArray[np.uint8]]:
    """The same, half by half, each in a process of its own."""
    with ProcessPoolExecutor(2) as pool:
        parts = list(pool.map(draw, [films] * 2, [count // 2] * 2, [seed, seed + 1]))
    # What is held out comes first, from both halves.
    seen, foreign = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return seen, foreign


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _block(takes: int, gives: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(takes, gives, 3, stride, 1, bias=False), nn.BatchNorm2d(gives), nn.ReLU()
    )


class Network(nn.Module):
    """[B, CHANNELS, S, S] to a logit [B] and a map of logits [B, MAP, MAP]."""

    def __init__(self) -> None:
        super().__init__()
        w = WIDTHS
        self.stem = _block(4 * CHANNELS, w[0])
        self.down = nn.ModuleList(
            nn.Sequential(_block(a, b, 2), _block(b, b)) for a, b in itertools.pairwise(w)
        )
        self.up = _block(w[3] + w[2], w[2])
        self.map = nn.Conv2d(w[2], 1, 1)
        self.last = nn.Sequential(
            nn.Linear(2 * w[3] + w[2] + 2, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 1)
        )

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Views to logits."""
        levels = [self.stem(functional.pixel_unshuffle(seen, 2))]
        for down in self.down:
            levels.append(down(levels[-1]))
        deep, before = levels[-1], levels[-2]
        wide = self.up(torch.cat([functional.interpolate(deep, scale_factor=2.0), before], 1))
        where = self.map(wide)
        likely = where.sigmoid()
        chosen = (wide * likely).sum((2, 3)) / (likely.sum((2, 3)) + 1)
        told = torch.cat(
            [
                deep.mean((2, 3)),
                deep.amax((2, 3)),
                chosen,
                likely.mean((2, 3)),
                where.amax((2, 3)),
            ],
            1,
        )
        return self.last(told)[:, 0], where[:, 0]


def teach(
    seen: NDArray[np.int8],
    foreign: NDArray[np.uint8],
    minutes: float,
    between: Callable[[Network], None] = lambda network: None,
) -> Network:
    """Teach a network for so long; `between` gets what it is so far, now and then."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = Network().to(memory_format=torch.channels_last)
    mean_of_late = swa_utils.AveragedModel(
        network, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True
    )
    steps = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=2e-2)
    began, iteration, mean = time.monotonic(), 0, 1.0
    while (share := (time.monotonic() - began) / (60 * minutes)) < 1:
        fall = 0.01 + 0.99 * (1 + np.cos(np.pi * share)) / 2
        for group in steps.param_groups:
            group["lr"] = RATE * min(1, (iteration + 1) / 100) * fall
        x, where, fake = _batch(seen, foreign, rng.integers(HELD, len(seen), BATCH))
        x, where = varied(x, where, rng)
        with torch.autocast("cpu", torch.bfloat16):
            said, shown = network(x)
        loss = _loss(said.float(), shown.float(), fake, where)
        steps.zero_grad()
        loss.backward()
        steps.step()
        mean_of_late.update_parameters(network)
        iteration += 1
        mean += 0.01 * (float(loss.detach()) - mean)
        if iteration % 200 == 0:
            late = mean_of_late.module.eval()
            area, _ = held_out(late, seen, foreign)
            between(late)
            say(f"{iteration} steps, {share:.0%}, loss {mean:.4f}, held out AUC {area:.4f}")
    return mean_of_late.module.eval()


def varied(x: Tensor, where: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """The views as of other crops: mirrored, moved by cells, of other strength, tone and colour."""
    if rng.random() < 0.5:
        x, where = x.flip(-1), where.flip(-1)
    across, down = (int(n) for n in rng.integers(-1, 2, 2))
    side = SIDE // MAP
    x = x.roll((down * side, across * side), (-2, -1))
    where = where.roll((down, across), (-2, -1))
    factor = np.exp(rng.normal(0, 0.12, (len(x), CHANNELS))).astype(np.float32)
    offset = rng.normal(0, 1, (len(x), CHANNELS)).astype(np.float32) * _ASTRAY
    factor[:, -1] = 1
    some = np.s_[:, :, None, None]
    return x * torch.from_numpy(factor)[some] + torch.from_numpy(offset)[some], where


def _loss(said: Tensor, shown: Tensor, fake: Tensor, where: Tensor) -> Tensor:
    whether = functional.binary_cross_entropy_with_logits(said, fake)
    place = functional.binary_cross_entropy_with_logits(shown, where)
    return whether + place


def _batch(
    seen: NDArray[np.int8], foreign: NDArray[np.uint8], chosen: NDArray[np.int64]
) -> tuple[Tensor, Tensor, Tensor]:
    x = torch.from_numpy(seen[chosen].astype(np.float32) / _FINE)
    where = torch.from_numpy(foreign[chosen].astype(np.float32) / 255)
    fake = (where.amax((1, 2)) > 0.2).float()
    return x.contiguous(memory_format=torch.channels_last), where, fake


@torch.no_grad()
def held_out(
    network: Network, seen: NDArray[np.int8], foreign: NDArray[np.uint8]
) -> tuple[float, NDArray[np.float32]]:
    """Area under the curve over single crops that were held out, and their logits."""
    logits, fakes = [], []
    for first in range(0, HELD, 40):
        x, _, fake = _batch(seen, foreign, np.arange(first, first + 40))
        logits.append(network(x)[0].numpy())
        fakes.append(fake.numpy() > 0.5)
    said, fake = np.concatenate(logits), np.concatenate(fakes)
    higher = (said[fake][:, None] > said[~fake][None]).mean()
    return float(higher), said


def main() -> None:
    """Draw, teach, look at what was held out, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--more", type=Path, help="a folder of films, one face each")
    parser.add_argument("--crops", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    films = [SAMPLES / clip for clip in CLIPS]
    films += sorted(options.more.iterdir()) if options.more else []
    seen, foreign = draw_all(films, options.crops, options.seed)
    network = teach(seen, foreign, options.minutes)
    say(f"held out AUC {held_out(network, seen, foreign)[0]:.4f}, a crop each")
    torch.onnx.export(
        network.float(),
        (torch.zeros(1, CHANNELS, SIDE, SIDE),),
        options.out,
        input_names=["seen"],
        output_names=["logit", "where"],
        dynamic_axes={"seen": {0: "n"}, "logit": {0: "n"}, "where": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
