import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats
from assent.kit.likeness.painting import paint, rim
from assent.kit.likeness.portrait import Portrait


def placed(portrait: Portrait, *, scale: float = 40, x: float = 100, turn: float = 0) -> Floats:
    rotation = np.asarray(cv2.Rodrigues(np.array([0.0, turn, 0.0]))[0], np.float64)
    return scale * portrait.shape @ rotation.T + (x, 90, 0)


def gradient(portrait: Portrait) -> NDArray[np.float32]:
    size = portrait.layout.size
    field = np.zeros((size, size, 3), np.float32)
    field[..., 0], field[..., 1] = np.meshgrid(np.arange(size), np.arange(size))
    return field


def test_a_texture_lands_where_the_mesh_lies(portrait: Portrait) -> None:
    mesh = placed(portrait)
    share = np.ones((portrait.layout.size,) * 2, np.float32)
    painted = paint(gradient(portrait), share, mesh, portrait.layout, (180, 200))
    assert painted is not None
    for point in (4, 33, 263, 152):
        column, row = np.round(mesh[point, :2]).astype(int) - (painted.x, painted.y)
        if 0 <= row < len(painted.rgb) and painted.alpha[row, column] > 0.9:
            wanted = portrait.layout.points[point]
            assert np.abs(painted.rgb[row, column, :2] - wanted).max() < 3


def test_painting_stays_inside_the_picture_and_the_mesh(portrait: Portrait) -> None:
    share = np.ones((portrait.layout.size,) * 2, np.float32)
    for x in (100, 10, 195):
        painted = paint(
            gradient(portrait), share, placed(portrait, x=x), portrait.layout, (180, 200)
        )
        assert painted is not None
        height, width = painted.alpha.shape
        assert painted.x >= 0
        assert painted.y >= 0
        assert painted.x + width <= 200
        assert painted.y + height <= 180
        assert painted.alpha.max() <= 1
        assert painted.alpha[0].max() == 0 or painted.y == 0
        assert painted.rgb.min() >= 0
        assert painted.rgb.max() <= 255


def test_a_face_outside_the_picture_is_not_painted(portrait: Portrait) -> None:
    share = np.ones((portrait.layout.size,) * 2, np.float32)
    away = placed(portrait, x=900)
    assert paint(gradient(portrait), share, away, portrait.layout, (180, 200)) is None


def test_what_turns_away_is_hidden(portrait: Portrait) -> None:
    share = np.ones((portrait.layout.size,) * 2, np.float32)
    shown = []
    for turn in (0.0, 0.8, np.pi):
        mesh = placed(portrait, turn=turn)
        painted = paint(gradient(portrait), share, mesh, portrait.layout, (180, 200))
        shown.append(0.0 if painted is None else float(painted.alpha.sum()))
    assert shown[0] > shown[1] > 0.3 * shown[0]
    assert shown[2] < 0.05 * shown[0]


def test_the_nearer_part_covers_the_farther(portrait: Portrait) -> None:
    """Turned by 0.8, the nose stands before the cheek behind it."""
    mesh = placed(portrait, turn=0.8)
    texture = np.zeros((portrait.layout.size,) * 2 + (3,), np.float32)
    x, y = np.round(portrait.layout.points[4]).astype(int)
    texture[y - 4 : y + 5, x - 4 : x + 5] = 255
    share = np.ones(texture.shape[:2], np.float32)
    painted = paint(texture, share, mesh, portrait.layout, (180, 200))
    assert painted is not None
    column, row = np.round(mesh[4, :2]).astype(int) - (painted.x, painted.y)
    assert painted.rgb[row - 2 : row + 3, column - 2 : column + 3].max() > 200


def test_shares_of_the_texture_show(portrait: Portrait) -> None:
    share = np.zeros((portrait.layout.size,) * 2, np.float32)
    share[: portrait.layout.size // 2] = 1
    painted = paint(gradient(portrait), share, placed(portrait), portrait.layout, (180, 200))
    assert painted is not None
    lower = painted.rgb[..., 1] > portrait.layout.size * 0.55
    assert painted.alpha[lower & (painted.alpha > 0)].size == 0
    assert painted.alpha.max() == 1


def test_the_rim_fades(portrait: Portrait) -> None:
    share = rim(portrait.layout)
    assert not share[~portrait.layout.mask].any()
    assert share.max() == 1
    assert np.abs(np.diff(share, axis=0)).max() < 0.25


def test_the_edge_is_as_soft_as_it_is_near(portrait: Portrait) -> None:
    share = np.ones((portrait.layout.size,) * 2, np.float32)
    painted = paint(gradient(portrait), share, placed(portrait), portrait.layout, (180, 200))
    assert painted is not None
    depth = cv2.distanceTransform(
        (painted.alpha > 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5
    )
    assert np.abs(painted.alpha - np.clip(depth / 1.5, 0, 1)).max() < 1e-3
