"""The layout of a texture: where each point of the mesh lies in it, and the triangles between.

Textures show the face from the front, so that neighbours stay neighbours.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats

__all__ = ["Layout", "layout_of"]

_MARGIN: Final = 0.04
_FINE: Final = 16  # parts of a pixel that polygons are drawn with


@dataclass(frozen=True, eq=False)
class Layout:
    """A texture's layout.

    Attributes:
        size: side of the texture, pixels.
        points: float64 [P, 2], places of the mesh's points in the texture, pixels.
        triangles: int32 [M, 3], numbers of points, all turning the same way.
    """

    size: int
    points: Floats
    triangles: NDArray[np.int32]

    @cached_property
    def samples(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], Floats]:
        """Rows, columns, triangle corners [n, 3] and barycentric weights [n, 3] of its pixels."""
        ids = np.full((self.size, self.size), -1, np.int32)
        draw(ids, self.points, self.triangles, np.arange(len(self.triangles)))
        rows, columns = np.nonzero(ids >= 0)
        corners = self.triangles[ids[rows, columns]]
        spots = np.stack([columns, rows], axis=1).astype(np.float64)
        return rows, columns, corners, barycentric(spots, self.points, corners)

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Where the texture shows the face: bool [size, size]."""
        rows, columns, _, _ = self.samples
        mask = np.zeros((self.size, self.size), np.bool_)
        mask[rows, columns] = True
        return mask

    def places(self, mesh: NDArray[np.floating]) -> NDArray[np.float32]:
        """For each pixel of the texture its place in the picture: float32 [size, size, 2]."""
        return self.spread(np.asarray(mesh[:, :2], np.float32))

    def spread(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values at the points, [P, C], to the texture's pixels, [size, size, C]; 0 outside."""
        pixels, corners, shares = self._flat
        field = np.zeros((self.size * self.size, values.shape[1]), np.float32)
        mixed = values.take(corners[0], 0) * shares[0]
        mixed += values.take(corners[1], 0) * shares[1]
        mixed += values.take(corners[2], 0) * shares[2]
        field[pixels] = mixed
        return field.reshape(self.size, self.size, -1)

    @cached_property
    def half(self) -> "Layout":
        """The same layout in a texture of half the size."""
        size = self.size // 2
        points = self.points * ((size - 1) / (self.size - 1))
        return Layout(size, points, self.triangles)

    @cached_property
    def _flat(self) -> tuple[NDArray[np.int64], list[NDArray[np.int32]], list[NDArray[np.float32]]]:
        """Numbers of the face's pixels, and for each corner its points and weights [n, 1]."""
        rows, columns, corners, weights = self.samples
        shares = weights.astype(np.float32)
        pixels = rows * self.size + columns
        return (
            pixels,
            [np.ascontiguousarray(corners[:, k]) for k in range(3)],
            [np.ascontiguousarray(shares[:, k, None]) for k in range(3)],
        )


def layout_of(shape: Floats, size: int) -> Layout:
    """The layout that shows a shape [P, 3], looking straight ahead, in a texture of that side."""
    flat = shape[:, :2]
    low, high = flat.min(0), flat.max(0)
    side = (high - low).max() * (1 + 2 * _MARGIN)
    points = ((flat - (low + high) / 2) / side + 0.5) * (size - 1)
    return Layout(size, points, _delaunay(points, size))


def draw(
    ids: NDArray[np.int32],
    points: Floats,
    triangles: NDArray[np.int32],
    order: NDArray[np.integer],
) -> None:
    """Draw triangles' numbers into `ids`, later ones over earlier ones."""
    corners = np.round(points * _FINE).astype(np.int32)[triangles[order]]
    for number, three in zip(order.tolist(), corners, strict=True):
        cv2.fillConvexPoly(ids, three, number, cv2.LINE_8, 4)


def barycentric(spots: Floats, points: Floats, corners: NDArray[np.int32]) -> Floats:
    """Weights [n, 3] of triangles' corners at spots [n, 2]; spots a little outside are clipped."""
    a, b, c = (points[corners[:, k]] for k in range(3))
    ab, ac, ap = b - a, c - a, spots - a
    double = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    double = np.where(np.abs(double) < 1e-6, 1e-6, double)
    second = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / double
    third = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / double
    weights = np.clip(np.stack([1 - second - third, second, third], axis=1), 0, 1)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float64)


def _delaunay(points: Floats, size: int) -> NDArray[np.int32]:
    """Delaunay triangles [M, 3] of points [P, 2], all turning the same way."""
    plane = cv2.Subdiv2D((-1, -1, size + 2, size + 2))
    numbers: dict[tuple[float, float], int] = {}
    for number, point in enumerate(points.astype(np.float32)):
        numbers.setdefault((float(point[0]), float(point[1])), number)
        plane.insert((float(point[0]), float(point[1])))
    found = np.asarray(plane.getTriangleList(), np.float32).reshape(-1, 3, 2)
    triangles = [
        [numbers[(float(x), float(y))] for x, y in corners]
        for corners in found
        if all((float(x), float(y)) in numbers for x, y in corners)
    ]
    result = np.array(triangles, np.int32)
    a, b, c = (points[result[:, k]] for k in range(3))
    turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    result[turn < 0] = result[turn < 0][:, [0, 2, 1]]
    return np.ascontiguousarray(result[np.abs(turn) > 1e-3])
