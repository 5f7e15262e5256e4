"""A small autoencoder that makes pictures anew: what someone tries who wants a mark gone.

    coder = learn([Path("a.mp4"), Path("b.mp4")])
    rgb = renew(coder, rgb)

It keeps 8 numbers of every 4x4 pixels, a sixth of the 48 that were there, and is trained in a
minute or two on films without any mark, with noise on the numbers so that they hold nothing faint.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from marks.handlings import read_film

__all__ = ["Coder", "learn", "renew"]

_CROP, _BATCH, _ITERATIONS = 64, 12, 700
_KEPT, _NOISE = 8, 0.05


class Coder(nn.Module):
    """Encoder to a quarter of the sides with 8 channels, and decoder; RGB [n, 3, h, w] in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 32, 5, 2, 2), nn.GELU(),
            nn.Conv2d(32, 64, 5, 2, 2), nn.GELU(),
            nn.Conv2d(64, _KEPT, 3, 1, 1), nn.Tanh(),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(_KEPT, 64, 3, 1, 1), nn.GELU(),
            nn.Conv2d(64, 64, 3, 1, 1), nn.GELU(),
            nn.Conv2d(64, 128, 3, 1, 1), nn.PixelShuffle(2), nn.GELU(),
            nn.Conv2d(32, 12, 3, 1, 1), nn.PixelShuffle(2),
        )  # fmt: skip

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the pictures as the decoder sees them."""
        kept = self.encoder(pictures)
        if self.training:
            kept = kept + _NOISE * torch.randn_like(kept)
        made: Tensor = self.decoder(kept)
        return made


def learn(films: Sequence[Path], *, iterations: int = _ITERATIONS) -> Coder:
    """Train a coder on films; the same films give the same coder on one machine."""
    torch.manual_seed(17)
    rng = np.random.default_rng(17)
    frames = [
        frame for film in films for number, frame in enumerate(read_film(film)) if number % 25 == 0
    ]
    coder = Coder()
    steps = torch.optim.AdamW(coder.parameters(), 2e-3)
    slower = torch.optim.lr_scheduler.OneCycleLR(steps, 3e-3, total_steps=iterations)
    for _ in range(iterations):
        batch = _as_tensor(np.stack([next(_crops(frames, rng)) for _ in range(_BATCH)]))
        loss = (coder(batch) - batch).abs().mean()
        steps.zero_grad()
        loss.backward()
        steps.step()
        slower.step()
    return coder.eval()


def renew(coder: Coder, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture, RGB uint8 [H, W, 3], as the coder makes it anew."""
    height, width = rgb.shape[:2]
    padded = np.pad(rgb, ((0, -height % 4), (0, -width % 4), (0, 0)), mode="edge")
    with torch.no_grad():
        made = coder(_as_tensor(padded[None]))[0].permute(1, 2, 0).numpy()
    whole = np.clip(np.round(made * 255), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(whole[:height, :width])


def _crops(
    frames: Sequence[NDArray[np.uint8]], rng: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    while True:
        frame = frames[int(rng.integers(len(frames)))]
        y, x = (int(rng.integers(side - _CROP + 1)) for side in frame.shape[:2])
        yield frame[y : y + _CROP, x : x + _CROP]


def _as_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
