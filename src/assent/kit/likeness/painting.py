"""Paint a texture onto a mesh, as the camera sees it."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats
from assent.kit.likeness.layout import Layout, draw

__all__ = ["Painted", "laid", "paint", "rim"]

_FEATHER: Final = 0.07  # share of the texture's side over which it fades at its rim
_CONTOUR: Final = 1.5  # px: how soft the edge is where the face turns away
_SOFTNESS: Final = np.array([0, 1 / _CONTOUR, 1.4 / _CONTOUR, 1], np.float32)
_CROSS: Final = np.asarray(cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.uint8)
_SQUARE: Final = np.ones((3, 3), np.uint8)
# So far out of the texture that no tap of a filter reaches in, which takes less time.
_OUT: Final = np.array([[0, 0, 0, 0, -9, -9]])
_THIN: Final = 0.3  # px^2; triangles seen from the side are not painted


@dataclass(frozen=True, slots=True)
class Painted:
    """A painted face.

    Attributes:
        rgb: float32 [h, w, 3], 0..255.
        alpha: float32 [h, w], 0..1.
        x: column of the left edge in the picture.
        y: row of the upper edge.
    """

    rgb: NDArray[np.float32]
    alpha: NDArray[np.float32]
    x: int
    y: int


def paint(
    texture: NDArray[np.float32],
    share: NDArray[np.float32],
    mesh: Floats,
    layout: Layout,
    size: tuple[int, int],
) -> Painted | None:
    """Paint a face where its mesh lies.

    Args:
        texture: float32 [S, S, 3], 0..255.
        share: float32 [S, S], 0..1, how much of the texture is to show where.
        mesh: [P, 3], pixels of the picture.
        layout: the texture's.
        size: height and width of the picture.

    Returns:
        the part of the picture with the face; None if it lies outside.
    """
    box = _box(mesh, size)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    near = mesh - np.array([x0, y0, 0])
    ids, ways = _triangles(near, layout, (y1 - y0, x1 - x0))
    inside = (ids >= 0).astype(np.uint8)
    if not inside.any():
        return None
    right, down = _places(ids, ways)
    found = cv2.remap(texture, right, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    shown = cv2.remap(share, right, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    rgb, alpha = np.asarray(found, np.float32), np.asarray(shown, np.float32)
    alpha *= _softness(inside)
    return Painted(np.clip(rgb, 0, 255, out=rgb), alpha, x0, y0)


def laid(
    field: NDArray[np.float32], mesh: Floats, layout: Layout, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Lay a field over a mesh, as the camera sees it.

    Args:
        field: float32 [S, S], in the layout.
        mesh: [P, 3], pixels of the picture.
        layout: of the field.
        size: height and width of the picture.

    Returns:
        float32 [height, width], 0 where there is no face.
    """
    ids, ways = _triangles(mesh, layout, size)
    right, down = _places(ids, ways)
    found = cv2.remap(field, right, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(found, np.float32)


def rim(layout: Layout, *, feather: float = 1.0, grow: float = 0.0) -> NDArray[np.float32]:
    """How much of a texture shows: 1 inside, falling smoothly to 0 at the rim; float32 [S, S].

    Args:
        layout: the texture's.
        feather: how wide it falls, in shares of what is usual.
        grow: by how much further out it does, as a share of the texture's side; it ends with the
            mesh anyway.
    """
    depth = cv2.distanceTransform(layout.mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    reached = np.where(layout.mask, np.asarray(depth) + grow * layout.size, 0)
    rise = np.clip(reached / (_FEATHER * feather * layout.size), 0, 1)
    return np.asarray(rise * rise * (3 - 2 * rise), np.float32)


def _places(
    ids: NDArray[np.int32], ways: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each pixel's place in the texture, right and down, [h, w]: its triangle's way, followed."""
    columns = np.arange(ids.shape[1], dtype=np.float32)
    rows = np.arange(ids.shape[0], dtype=np.float32)[:, None]
    numbers = ids.astype(np.intp)
    there = []
    for across, along, start in (ways[0::2], ways[1::2]):
        # "wrap" takes -1 for the last way, and takes no time to look for numbers out of range.
        place = across.take(numbers, mode="wrap")
        place *= columns
        part = along.take(numbers, mode="wrap")
        part *= rows
        place += part
        place += start.take(numbers, mode="wrap")
        there.append(place)
    return there[0], there[1]


def _softness(inside: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much shows of what is inside: less in pixels that touch what is not.

    It is their distance from the nearest pixel outside, 1 or 1.4, over `_CONTOUR`.
    """
    beside = np.asarray(cv2.erode(inside, _CROSS))
    touching = np.asarray(cv2.erode(inside, _SQUARE))
    return np.asarray(_SOFTNESS[inside + beside + touching], np.float32)


def _triangles(
    mesh: Floats, layout: Layout, shape: tuple[int, int]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Which triangle shows at each pixel (-1: none), and each one's way to the texture [6, M + 1].

    The last way leads out of the texture.
    """
    triangles = layout.triangles
    a, b, c = (mesh[triangles[:, k], :2] for k in range(3))
    ab, ac = b - a, c - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    far = mesh[triangles, 2].mean(1)
    order = np.argsort(-far)
    order = order[area[order] > _THIN]
    ids = np.full(shape, -1, np.int32)
    draw(ids, mesh[:, :2], triangles, order)
    there = layout.points[triangles]
    u, v = there[:, 1] - there[:, 0], there[:, 2] - there[:, 0]
    safe = np.where(area > _THIN, area, 1)[:, None]
    right = (u * ac[:, 1:2] - v * ab[:, 1:2]) / safe
    down = (v * ab[:, 0:1] - u * ac[:, 0:1]) / safe
    start = there[:, 0] - right * a[:, 0:1] - down * a[:, 1:2]
    ways = np.concatenate([right, down, start], axis=1)
    return ids, np.ascontiguousarray(np.concatenate([ways, _OUT]).T, np.float32)


def _box(mesh: Floats, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    low = np.floor(mesh[:, :2].min(0)).astype(int) - 1
    high = np.ceil(mesh[:, :2].max(0)).astype(int) + 2
    x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
    x1, y1 = min(size[1], int(high[0])), min(size[0], int(high[1]))
    return (x0, y0, x1, y1) if x1 - x0 > 1 and y1 - y0 > 1 else None
