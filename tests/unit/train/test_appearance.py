"""Splines pass through their points; a person's looks are found where features coincide."""

import torch

from assent.kit.faces.face_set import FaceSet
from assent.train.appearance import analyse, spline


def test_a_spline_takes_its_points_where_they_should_go() -> None:
    generator = torch.Generator().manual_seed(1)
    sources = torch.rand(30, 2, generator=generator) * 2 - 1
    goals = sources + 0.1 * torch.randn(30, 2, generator=generator)
    assert (spline(sources, goals, sources) - goals).abs().mean() < 0.02


def test_an_affine_map_is_kept_everywhere() -> None:
    sources = torch.rand(20, 2, generator=torch.Generator().manual_seed(2))
    turn = torch.tensor([[0.9, -0.3], [0.2, 1.1]])
    queries = torch.tensor([[[5.0, -4.0], [0.0, 0.0]]])
    moved = spline(sources, sources @ turn.T + 0.5, queries)
    assert moved.shape == queries.shape
    assert torch.allclose(moved, queries @ turn.T + 0.5, atol=1e-3)


def material(faces: FaceSet) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    crops = torch.zeros(len(faces), 5, faces.size, faces.size, dtype=torch.uint8)
    crops[:, :3] = torch.from_numpy(faces.faces).permute(0, 3, 1, 2)
    crops[:, 3] = torch.from_numpy(faces.masks)
    line = torch.linspace(-1, 1, faces.size)
    still = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)
    points = torch.from_numpy(faces.landmarks) * (2 / (faces.size - 1)) - 1
    return crops, still.expand(len(faces), -1, -1, -1), points


def test_the_mean_texture_has_sharp_features(sets: dict[str, FaceSet]) -> None:
    crops, places, points = material(sets["ben"])
    looks = analyse(crops, places, points, 4)
    x, y = ((looks.shape[60:68].mean(0) + 1) * (sets["ben"].size - 1) / 2).round().int().tolist()
    texture = looks.mean[:3].sigmoid() * 255
    assert torch.allclose(texture[:, y, x], torch.tensor([60.0, 44, 36]), atol=12)
    assert torch.allclose(texture[:, y - 7, x], torch.tensor([150.0, 110, 90]), atol=12)
    assert looks.mean[3, y, x] > 2
    assert looks.mean[3, 0, 0] < -2


def test_the_basis_spans_the_variation(sets: dict[str, FaceSet]) -> None:
    crops, places, points = material(sets["ada"])
    basis = analyse(crops, places, points, 5).basis
    products = basis @ basis.T
    off = products - torch.diag(products.diag())
    assert off.abs().max() < 1e-2 * products.max()
    assert (products.diag().diff() <= 1e-3).all()


def test_few_crops_leave_the_rest_of_the_basis_empty(sets: dict[str, FaceSet]) -> None:
    crops, places, points = material(sets["ada"])
    basis = analyse(crops[:2], places[:2], points[:2], 6).basis
    assert basis.shape[0] == 6
    assert not basis[2:].any()
    assert torch.isfinite(basis).all()
