"""What the network is asked to get right: structure, colour, edges and the mask.

All losses are means over the pixels that a weight map counts, so that background teaches nothing.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from assent.train.augment import Views
from assent.train.network import Painted

__all__ = ["LossWeights", "face_loss", "ssim_map"]

# Stabilisers (0.01 L)^2 and (0.03 L)^2 with L = 1: Wang et al., IEEE TIP 13(4), 2004.
_C1, _C2 = 1e-4, 9e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWeights:
    """How much each part counts; `emphasis` is the extra weight of eyes and mouth."""

    structure: float = 1.0
    colour: float = 1.0
    edges: float = 1.0
    shape: float = 2.0
    mask: float = 0.1
    emphasis: float = 2.0


def ssim_map(a: Tensor, b: Tensor, deviation: float = 1.5) -> Tensor:
    """Structural similarity at each pixel, with a Gaussian window.

    Args:
        a: [B, C, H, W], 0..1.
        b: the same shape.
        deviation: of the window, pixels.

    Returns:
        [B, C, H, W], -1..1; 1 where both are alike.
    """
    rows, columns = (_smoother(side, deviation, a) for side in a.shape[2:])
    stacked = torch.cat([a, b, a * a + b * b, a * b])
    mean_a, mean_b, power, product = (rows @ (stacked @ columns.mT)).chunk(4)
    both, square = mean_a * mean_b, mean_a**2 + mean_b**2
    alike = (2 * both + _C1) * (2 * (product - both) + _C2)
    return alike / ((square + _C1) * (power - square + _C2))


def _smoother(side: int, deviation: float, like: Tensor) -> Tensor:
    """A Gaussian blur along one axis as a matrix [side, side]; rows sum to 1.

    On the processor two matrix products are several times faster than a pooled window.
    """
    places = torch.arange(side, dtype=like.dtype, device=like.device)
    away = (places[:, None] - places).abs() / deviation
    # The far tail would be subnormal numbers, which make a product ten times slower.
    weights = torch.exp(-0.5 * away**2) * (away < 4)
    return weights / weights.sum(1, keepdim=True)


def face_loss(painted: Painted, views: Views, shape: Tensor, weights: LossWeights) -> Tensor:
    """The loss of one person's batch, a scalar.

    Args:
        painted: what the decoder painted, logits.
        views: what it should have painted.
        shape: [68, 2], where the landmarks lie in the decoder's texture, -1..1.
        weights: how much each part counts.
    """
    faces, masks = painted.faces.float().sigmoid(), painted.masks.float()
    # The rim just outside the face is learned too: blending shows some of it.
    region = functional.max_pool2d(views.mask, 5, 1, 2) * (1 + weights.emphasis * views.emphasis)
    region = region / region.mean().clamp_min(1e-6)
    loss = weights.structure * _structure_loss(faces, views.goal, region)
    loss = loss + weights.colour * ((faces - views.goal).abs() * region).mean()
    loss = loss + weights.edges * _edge_loss(faces - views.goal, region)
    loss = loss + weights.shape * _shape_loss(painted.places, views.landmarks, shape)
    flat = functional.binary_cross_entropy_with_logits(masks, views.mask)
    return loss + weights.mask * flat


def _structure_loss(faces: Tensor, goal: Tensor, region: Tensor) -> Tensor:
    """DSSIM at full and at half size."""
    fine = 0.5 * (1 - ssim_map(faces, goal)) * region
    half_faces, half_goal, half_region = (
        functional.avg_pool2d(x, 2) for x in (faces, goal, region)
    )
    coarse = 0.5 * (1 - ssim_map(half_faces, half_goal)) * half_region
    return (fine.mean() + coarse.mean()) / 2


def _shape_loss(places: Tensor, landmarks: Tensor, shape: Tensor) -> Tensor:
    """How far from their places in the texture the landmarks' texture is fetched (L1)."""
    fetched = functional.grid_sample(
        places, landmarks[:, :, None], padding_mode="border", align_corners=True
    )
    return (fetched[..., 0].mT - shape).abs().mean()


def _edge_loss(difference: Tensor, region: Tensor) -> Tensor:
    """L1 of the difference's gradient: what blurs or rings at edges."""
    across = (difference[..., :, 1:] - difference[..., :, :-1]).abs() * region[..., :, 1:]
    down = (difference[..., 1:, :] - difference[..., :-1, :]).abs() * region[..., 1:, :]
    return torch.as_tensor(across.mean() + down.mean())
