import numpy as np

from assent.kit.likeness.layout import barycentric, layout_of
from assent.kit.likeness.portrait import Portrait


def test_triangles_all_turn_the_same_way_and_cover_the_face(portrait: Portrait) -> None:
    layout = layout_of(portrait.shape, 128)
    a, b, c = (layout.points[layout.triangles[:, k]] for k in range(3))
    turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (turn > 0).all()
    assert layout.points.min() >= 0
    assert layout.points.max() <= 127
    assert 0.4 < layout.mask.mean() < 0.9


def test_values_at_points_spread_linearly(portrait: Portrait) -> None:
    layout = layout_of(portrait.shape, 128)
    field = layout.spread(layout.points.astype(np.float32))
    rows, columns = np.nonzero(layout.mask)
    error = np.abs(field[rows, columns] - np.stack([columns, rows], axis=1))
    assert np.median(error) < 0.3
    assert np.percentile(error, 99) < 1
    assert not field[~layout.mask].any()


def test_the_half_layout_shows_the_same_at_half_the_size(portrait: Portrait) -> None:
    half = portrait.layout.half
    assert half.size == portrait.layout.size // 2
    assert abs(half.mask.mean() - portrait.layout.mask.mean()) < 0.02


def test_barycentric_weights_give_the_spot_back() -> None:
    points = np.array([[0.0, 0], [10, 0], [0, 10]])
    spots = np.array([[2.0, 3], [0, 0], [1, 9]])
    weights = barycentric(spots, points, np.array([[0, 1, 2]] * 3, np.int32))
    assert np.allclose(weights @ points, spots)
