"""What a decoder starts from: the person's mean shape, mean texture and texture basis.

Crops are warped by thin-plate splines through their landmarks to the person's mean shape, where
features lie on top of each other, and analysed into principal components (Cootes, Edwards and
Taylor, IEEE PAMI 23(6), 2001).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Appearance", "analyse", "spline"]

# Eases the spline: landmarks are found only to a pixel or two.
_EASE = 1e-3


@dataclass(frozen=True, slots=True)
class Appearance:
    """A person's looks, in a texture of side S.

    Attributes:
        shape: [68, 2], median landmarks of a straight look, -1..1 from the first to the last pixel.
        mean: [4, S, S], mean texture and mask, logits.
        basis: [K, 3 * S * S], principal components; one deviation each, strongest first.
    """

    shape: Tensor
    mean: Tensor
    basis: Tensor


def analyse(crops: Tensor, places: Tensor, landmarks: Tensor, components: int) -> Appearance:
    """Find a person's mean looks and how they vary.

    Args:
        crops: uint8 [N, 5, H, W]: red, green, blue, mask and another channel.
        places: [N, S, S, 2], for each pixel of a view its place in the crop, -1..1.
        landmarks: [N, 68, 2] in the view, -1..1.
        components: how many principal components; missing ones (few crops) are 0.
    """
    shape = _straight(landmarks).median(0).values
    size = places.shape[1]
    line = torch.linspace(-1, 1, size, device=crops.device)
    still = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
    textures = []
    for crop, place, points in zip(crops, places, landmarks, strict=True):
        view = _sample(crop[None, :4].float() / 255, place[None])
        textures.append(_sample(view, spline(shape, points, still)[None])[0])
    logits = torch.stack(textures).clamp(0.02, 0.98).logit()
    mean = logits.mean(0)
    return Appearance(shape, mean, _components((logits - mean)[:, :3].flatten(1), components))


def _straight(landmarks: Tensor) -> Tensor:
    """The third of the landmarks [N, 68, 2] that look straightest ahead.

    Two people's shapes are comparable only if both look the same way.
    """
    jaw = (landmarks[:, 0, 0] + landmarks[:, 16, 0]) / 2
    aside = (landmarks[:, 27:31, 0].mean(1) - jaw).abs()
    straightest: Tensor = landmarks[aside.argsort()[: max(1, len(landmarks) // 3)]]
    return straightest


def spline(sources: Tensor, goals: Tensor, queries: Tensor) -> Tensor:
    """Map points through the thin-plate spline that takes `sources` to `goals`.

    Bookstein, "Principal warps", IEEE PAMI 11(6), 1989.

    Args:
        sources: [P, 2].
        goals: [P, 2].
        queries: [..., 2].

    Returns:
        [..., 2].
    """
    count = len(sources)
    ones = torch.ones(count, 1, dtype=torch.float64, device=sources.device)
    known = sources.double()
    kernel = _kernel(known, known) + _EASE * torch.eye(count, device=sources.device)
    affine = torch.cat([ones, known], 1)
    system = torch.zeros(count + 3, count + 3, dtype=torch.float64, device=sources.device)
    system[:count, :count], system[:count, count:] = kernel, affine
    system[count:, :count] = affine.T
    sides = torch.cat([goals.double(), goals.new_zeros(3, 2).double()])
    weights = torch.linalg.solve(system, sides)
    flat = queries.reshape(-1, 2).double()
    lifted = torch.cat([_kernel(flat, known), torch.ones_like(flat[:, :1]), flat], 1)
    mapped: Tensor = lifted @ weights
    return mapped.reshape(queries.shape).to(queries.dtype)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    square = ((a[:, None] - b) ** 2).sum(-1)
    kernel: Tensor = square * (square + 1e-12).log()
    return kernel


def _sample(pictures: Tensor, places: Tensor) -> Tensor:
    sampled: Tensor = functional.grid_sample(
        pictures, places, padding_mode="border", align_corners=True
    )
    return sampled


def _components(deviations: Tensor, wanted: int) -> Tensor:
    """[wanted, D] from [N, D], by way of the N x N products."""
    count = len(deviations)
    _, vectors = torch.linalg.eigh(deviations @ deviations.T / count)
    strongest = vectors.flip(1)[:, :wanted]
    found = strongest.T @ deviations / count**0.5
    return torch.cat([found, found.new_zeros(max(0, wanted - len(found)), found.shape[1])])
