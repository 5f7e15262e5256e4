"""Augmentation: every look at a face is a new one.

A crop is turned, scaled and shifted a little; what the network sees is warped besides, by a smooth
random field, while the goal stays unwarped. So the code can't copy shapes: the decoder learns to
draw its own person's shape from a distorted sight of another's. Light and colour are varied too.
Everything is drawn from one `torch.Generator`, so that a run can be repeated bit by bit.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

__all__ = ["AugmentConfig", "Views", "look", "pixels", "places_in_crop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentConfig:
    """How far looks differ from the crops they come from.

    Attributes:
        turn: standard deviation of the rotation, degrees.
        scale: standard deviation of the logarithm of the scale.
        shift: standard deviation of the shift, share of the crop's side.
        warp: standard deviation of the warp's displacement, share of the crop's side.
        cells: knots of the warp's grid along each side.
        light: standard deviation of the brightness and of the logarithm of the contrast that the
            sight and the goal share.
        tint: the same for each colour channel of the sight alone.
    """

    turn: float = 4.0
    scale: float = 0.04
    shift: float = 0.02
    warp: float = 0.02
    cells: int = 5
    light: float = 0.03
    tint: float = 0.05


@dataclass(frozen=True, slots=True)
class Views:
    """A batch of looks, float32, 0..1 (emphasis: 0 or more).

    Attributes:
        sight: [B, 3, S, S], what the encoder sees.
        goal: [B, 3, S, S], what the decoder should paint.
        mask: [B, 1, S, S], where the face is.
        emphasis: [B, 1, S, S], extra weight.
        landmarks: [B, 68, 2] in the goal, -1..1 from the first to the last pixel.
    """

    sight: Tensor
    goal: Tensor
    mask: Tensor
    emphasis: Tensor
    landmarks: Tensor


def look(
    crops: Tensor,
    matrices: Tensor,
    landmarks: Tensor,
    size: int,
    config: AugmentConfig,
    generator: Generator,
) -> Views:
    """Look at crops anew.

    Args:
        crops: uint8 [B, 5, H, W]: red, green, blue, mask, emphasis (255 is an emphasis of 1).
        matrices: float32 [B, 2, 3], pixels of a plain view to pixels of its crop.
        landmarks: float32 [B, 68, 2], pixels of a plain view.
        size: side of a view.
        config: how far looks may differ.
        generator: source of randomness, on the crops' device.

    Returns:
        the batch's views.
    """
    turn, shift = _jitter(len(crops), size, config, generator)
    middle = (size - 1) / 2
    points = (pixels(size, crops.device) - middle) @ turn[:, None].mT + (shift + middle)
    warped = points + _field(len(crops), size, config, generator)
    pictures = crops.float().div_(255)
    goal = _sample(pictures, points, matrices)
    sight = _sample(pictures[:, :3], warped, matrices)
    light = _normal(generator, 2, len(crops), 1, 1, 1) * config.light
    tint = _normal(generator, 2, len(crops), 3, 1, 1) * config.tint
    # Rows are points, so the inverse of the transposed turn comes from the right.
    moved = (landmarks - shift[:, 0] - middle) @ torch.linalg.inv(turn).mT
    return Views(
        _relight(sight, light + tint),
        _relight(goal[:, :3], light),
        goal[:, 3:4],
        goal[:, 4:5],
        moved / middle,
    )


def pixels(size: int, device: torch.device) -> Tensor:
    """Pixel coordinates [1, S, S, 2], x before y."""
    line = torch.arange(size, dtype=torch.float32, device=device)
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)[None]


def places_in_crop(points: Tensor, matrices: Tensor, crop: tuple[int, int]) -> Tensor:
    """Where points of plain views [B, S, S, 2] lie in their crops of (H, W) pixels, -1..1."""
    mapped = points @ matrices[:, None, :, :2].mT + matrices[:, None, None, :, 2]
    last = torch.tensor([crop[1] - 1, crop[0] - 1], device=points.device)
    return mapped * (2 / last) - 1


def _normal(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device)


def _jitter(
    count: int, size: int, config: AugmentConfig, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Turns with scales [B, 2, 2] and shifts [B, 1, 1, 2] in pixels."""
    angle = _normal(generator, count) * (config.turn * torch.pi / 180)
    scale = (_normal(generator, count) * config.scale).exp()
    shift = _normal(generator, count, 1, 1, 2) * (config.shift * size)
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    rows = [torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)]
    return torch.stack(rows, 1), shift


def _field(count: int, size: int, config: AugmentConfig, generator: Generator) -> Tensor:
    """A smooth displacement [B, S, S, 2] in pixels."""
    knots = _normal(generator, count, 2, config.cells, config.cells) * (config.warp * size)
    field = functional.interpolate(knots, (size, size), mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1)


def _sample(pictures: Tensor, points: Tensor, matrices: Tensor) -> Tensor:
    places = places_in_crop(points, matrices, (pictures.shape[2], pictures.shape[3]))
    return functional.grid_sample(pictures, places, padding_mode="border", align_corners=True)


def _relight(rgb: Tensor, change: Tensor) -> Tensor:
    """Brightness and the logarithm of contrast, [2, B, 1 or 3, 1, 1], put to pictures."""
    return ((rgb - 0.5) * change[1].exp() + 0.5 + change[0]).clamp(0, 1)
