"""Looks vary as configured, repeat with their seed, and keep goal, mask and landmarks together."""

import numpy as np
import torch
from torch import Generator

from assent.train.augment import AugmentConfig, look

STILL = AugmentConfig(turn=0, scale=0, shift=0, warp=0, light=0, tint=0)
SIZE = 32


def crops(count: int = 3) -> torch.Tensor:
    generator = Generator().manual_seed(9)
    return torch.randint(0, 256, (count, 5, SIZE, SIZE), generator=generator, dtype=torch.uint8)


def plain(count: int = 3) -> torch.Tensor:
    return torch.eye(2, 3).expand(count, 2, 3)


def points(count: int = 3) -> torch.Tensor:
    return torch.linspace(6, 26, 136).view(1, 68, 2).expand(count, 68, 2)


def test_a_still_look_is_the_crop() -> None:
    pictures = crops()
    view = look(pictures, plain(), points(), SIZE, STILL, Generator())
    assert torch.allclose(view.goal, pictures[:, :3] / 255, atol=1e-4)
    assert torch.allclose(view.sight, view.goal, atol=1e-4)
    assert torch.allclose(view.mask, pictures[:, 3:4] / 255, atol=1e-4)
    assert torch.allclose(view.emphasis, pictures[:, 4:] / 255, atol=1e-4)
    assert torch.allclose((view.landmarks + 1) * (SIZE - 1) / 2, points(), atol=1e-3)


def test_matrices_choose_the_part() -> None:
    shifted = plain().clone()
    shifted[:, 0, 2] = 3
    view = look(crops(), shifted, points(), SIZE, STILL, Generator())
    assert torch.allclose(view.goal[..., :-3], crops()[:, :3, :, 3:] / 255, atol=1e-4)


def test_the_same_seed_gives_the_same_looks() -> None:
    config = AugmentConfig()
    views = [
        look(crops(), plain(), points(), SIZE, config, Generator().manual_seed(seed))
        for seed in (5, 5, 6)
    ]
    assert torch.equal(views[0].sight, views[1].sight)
    assert not torch.equal(views[0].sight, views[2].sight)


def test_only_the_sight_is_warped() -> None:
    config = AugmentConfig(turn=0, scale=0, shift=0, warp=0.05, light=0, tint=0)
    view = look(crops(), plain(), points(), SIZE, config, Generator().manual_seed(1))
    assert torch.allclose(view.goal, crops()[:, :3] / 255, atol=1e-4)
    assert (view.sight - view.goal).abs().mean() > 0.05


def test_landmarks_follow_the_turn() -> None:
    pictures = torch.zeros(8, 5, SIZE, SIZE, dtype=torch.uint8)
    pictures[:, :, 9:12, 19:22] = 255
    spot = torch.tensor([20.0, 10.0]).expand(8, 68, 2)
    config = AugmentConfig(turn=15, scale=0.1, shift=0.08, warp=0, light=0, tint=0)
    view = look(pictures, plain(8), spot, SIZE, config, Generator().manual_seed(2))
    y, x = torch.meshgrid(*[torch.arange(SIZE, dtype=torch.float32)] * 2, indexing="ij")
    weight = view.goal[:, 0] / view.goal[:, 0].sum((1, 2), keepdim=True)
    centre = torch.stack([(weight * x).sum((1, 2)), (weight * y).sum((1, 2))], -1)
    found = (view.landmarks[:, 0] + 1) * (SIZE - 1) / 2
    assert torch.allclose(centre, found, atol=0.3)
    assert (centre - spot[:, 0]).abs().max() > 2


def test_light_is_shared_and_tint_is_not() -> None:
    grey = torch.full((40, 5, SIZE, SIZE), 128, dtype=torch.uint8)
    lit = AugmentConfig(turn=0, scale=0, shift=0, warp=0, light=0.1, tint=0)
    view = look(grey, plain(40), points(40), SIZE, lit, Generator().manual_seed(3))
    assert torch.allclose(view.sight, view.goal, atol=1e-5)
    levels = view.goal[:, 0, 0, 0].numpy()
    assert 0.05 < np.std(levels) < 0.15
    tinted = AugmentConfig(turn=0, scale=0, shift=0, warp=0, light=0, tint=0.1)
    view = look(grey, plain(40), points(40), SIZE, tinted, Generator().manual_seed(3))
    assert view.goal.std() < 1e-5
    assert view.sight[:, 0].std() > 0.05
