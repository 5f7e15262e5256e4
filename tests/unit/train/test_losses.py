"""Losses fall as the painting gets right, and count the face alone."""

import torch
from torch.nn import functional

from assent.train.augment import Views
from assent.train.losses import LossWeights, face_loss, ssim_map
from assent.train.network import Painted

SIZE = 32
LINE = torch.linspace(-1, 1, 5)
STILL = torch.stack(torch.meshgrid(LINE, LINE, indexing="xy"))[None]


def views() -> Views:
    generator = torch.Generator().manual_seed(1)
    goal = functional.interpolate(torch.rand(1, 3, 8, 8, generator=generator), (SIZE, SIZE))
    mask = torch.zeros(1, 1, SIZE, SIZE)
    mask[..., 8:24, 8:24] = 1
    emphasis = torch.zeros_like(mask)
    emphasis[..., 10:14, 10:22] = 1
    landmarks = torch.rand(1, 68, 2, generator=generator) - 0.5
    return Views(goal, goal, mask, emphasis, landmarks)


def loss(
    faces: torch.Tensor, mask: torch.Tensor | None = None, places: torch.Tensor = STILL
) -> float:
    view = views()
    logits = (view.mask if mask is None else mask) * 20 - 10
    painted = Painted(faces.clamp(1e-4, 1 - 1e-4).logit(), logits, places)
    return float(face_loss(painted, view, view.landmarks[0], LossWeights()))


def test_ssim_is_1_for_the_same_and_symmetric() -> None:
    a, b = torch.rand(2, 1, 3, 20, 24)
    assert torch.allclose(ssim_map(a, a), torch.ones(1, 3, 20, 24), atol=1e-4)
    assert torch.allclose(ssim_map(a, b), ssim_map(b, a), atol=1e-5)
    assert ssim_map(a, b).mean() < 0.5


def test_ssim_of_constants_is_wangs_luminance_term() -> None:
    a, b = torch.full((1, 1, 16, 16), 0.2), torch.full((1, 1, 16, 16), 0.6)
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert torch.allclose(ssim_map(a, b), torch.full((1, 1, 16, 16), expected), atol=1e-3)


def test_the_goal_itself_costs_next_to_nothing() -> None:
    assert loss(views().goal) < 0.01


def test_blur_costs_and_more_blur_costs_more() -> None:
    goal = views().goal
    costs = [loss(functional.avg_pool2d(goal, k, 1, k // 2)) for k in (3, 5, 9)]
    assert costs == sorted(costs)
    assert costs[0] > loss(goal) + 0.05


def test_background_costs_nothing() -> None:
    spoilt = views().goal.clone()
    spoilt[..., :2, :] = 0.5
    inside = views().goal.clone()
    inside[..., 12:14, :] = 0.5
    assert loss(spoilt) < 0.01 * loss(inside)


def test_eyes_and_mouth_cost_more_than_cheeks() -> None:
    eyes, cheeks = views().goal.clone(), views().goal.clone()
    eyes[..., 10:14, 12:20] = 1 - eyes[..., 10:14, 12:20]
    cheeks[..., 18:22, 12:20] = 1 - cheeks[..., 18:22, 12:20]
    assert loss(eyes) > 1.5 * loss(cheeks)


def test_a_wrong_mask_costs() -> None:
    assert loss(views().goal, mask=1 - views().mask) > loss(views().goal) + 0.1


def test_features_fetched_from_elsewhere_cost() -> None:
    assert loss(views().goal, places=STILL + 0.1) > loss(views().goal) + 0.05
