"""Shapes of 478 points in space, and how a camera sees them.

A face stands in its own frame: x to the picture's right, y down, z away from the camera, its mean
distance from the origin 1. A camera far away (scaled orthography) sees point p at
`scale * (rotation @ p)[:2] + shift`.

>>> shape = np.random.default_rng(0).normal(size=(478, 3))
>>> views = Views(np.full(1, 50.0), np.eye(3)[None], np.full((1, 2), 128.0))
>>> views.project(shape[None]).shape
(1, 478, 3)
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Floats",
    "Similarity",
    "Views",
    "axes_of",
    "front_area",
    "mean_shape",
    "normals",
    "place",
    "rigid_shape",
    "similarity",
]

Floats = NDArray[np.float64]

# Points of MediaPipe's mesh: outer corners of the eyes, sides of the face, forehead, chin.
_RIGHT_EYE, _LEFT_EYE, _RIGHT_SIDE, _LEFT_SIDE, _TOP, _CHIN = 33, 263, 234, 454, 10, 152


@dataclass(frozen=True, slots=True)
class Similarity:
    """p -> scale * rotation @ p + shift."""

    scale: float
    rotation: Floats
    shift: Floats

    def apply(self, points: Floats) -> Floats:
        """Move points [..., 3]."""
        return np.asarray(self.scale * points @ self.rotation.T + self.shift, np.float64)


@dataclass(frozen=True, slots=True)
class Views:
    """How T pictures see a face.

    Attributes:
        scale: float64 [T], pixels a unit.
        rotation: float64 [T, 3, 3], from the face's frame to the camera's.
        shift: float64 [T, 2], pixels.
    """

    scale: Floats
    rotation: Floats
    shift: Floats

    def __len__(self) -> int:
        return len(self.scale)

    def project(self, shapes: Floats) -> Floats:
        """Shapes [T, P, 3] in the face's frame to meshes [T, P, 3] in pixels."""
        seen = self.scale[:, None, None] * np.einsum("tpj,tij->tpi", shapes, self.rotation)
        seen[..., :2] += self.shift[:, None]
        return np.asarray(seen, np.float64)

    def turns(self) -> Floats:
        """Rotation vectors [T, 3], radians."""
        return np.array([cv2.Rodrigues(rotation)[0][:, 0] for rotation in self.rotation])


def similarity(source: Floats, goal: Floats, weights: Floats) -> Similarity:
    """The similarity that takes points [P, 3] closest to others (Umeyama, IEEE PAMI 13(4), 1991).

    Args:
        source: [P, 3].
        goal: [P, 3].
        weights: [P], not negative.
    """
    share = weights / weights.sum()
    here, there = share @ source, share @ goal
    left, size, right = np.linalg.svd((share[:, None] * (goal - there)).T @ (source - here))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * sign) @ right
    scale = float((size * sign).sum() / (share @ ((source - here) ** 2).sum(1)))
    return Similarity(scale, rotation, there - scale * rotation @ here)


def axes_of(shape: Floats) -> Floats:
    """Rotation [3, 3] that turns a shape [478, 3] so that it looks straight at the camera."""
    right = shape[_LEFT_EYE] - shape[_RIGHT_EYE] + shape[_LEFT_SIDE] - shape[_RIGHT_SIDE]
    right = right / np.linalg.norm(right)
    down = shape[_CHIN] - shape[_TOP]
    down = down - right * (right @ down)
    down = down / np.linalg.norm(down)
    return np.stack([right, down, np.cross(right, down)])


def mean_shape(meshes: Floats, rounds: int = 6) -> tuple[Floats, Views, Floats]:
    """The mean of meshes up to similarities (Gower, Psychometrika 40, 1975).

    Points that move much with expression count less.

    Args:
        meshes: [T, P, 3] pixels, z on the same scale.
        rounds: of alternation.

    Returns:
        the shape [P, 3], looking straight ahead; each mesh's view; its points' weights [P].
    """
    weights = np.ones(meshes.shape[1])
    shape = meshes[0] - meshes[0].mean(0)
    for turn in range(2 * rounds):
        fits = [similarity(shape, mesh, weights) for mesh in meshes]
        local = np.array(
            [(m - f.shift) @ f.rotation / f.scale for m, f in zip(meshes, fits, strict=True)]
        )
        shape = _unit(local.mean(0), weights)
        if turn == rounds - 1:
            weights = steadiness(local - local.mean(0))
    shape = shape @ axes_of(shape).T
    fits = [similarity(shape, mesh, weights) for mesh in meshes]
    views = Views(
        np.array([f.scale for f in fits]),
        np.array([f.rotation for f in fits]),
        np.array([f.shift[:2] for f in fits]),
    )
    return shape, views, weights


def steadiness(offsets: Floats) -> Floats:
    """Weights [P] of points by how little they move: offsets [T, P, 3]."""
    variance = (offsets**2).sum(-1).mean(0)
    return np.asarray(1 / (variance + np.median(variance) + 1e-12), np.float64)


def rigid_shape(
    points: Floats, shape: Floats, views: Views, weights: Floats, rounds: int = 25
) -> tuple[Floats, Views]:
    """The shape that explains tracks in the plane best, depth from how they move as the head turns.

    Factorisation under scaled orthography (Tomasi and Kanade, IJCV 9(2), 1992), by alternation
    from a first guess.

    Args:
        points: [T, P, 2] pixels.
        shape: [P, 3], a first guess.
        views: a first guess.
        weights: [P].
        rounds: of alternation.
    """
    for _ in range(rounds):
        views = place(points, shape, views, weights, steps=2)
        ahead = views.scale[:, None, None] * views.rotation[:, :2]
        normal = np.einsum("tij,tik->jk", ahead, ahead)
        # What a head that hardly turns doesn't tell stays as guessed.
        normal += np.eye(3) * 1e-3 * np.trace(normal)
        found = np.einsum("tij,tpi->pj", ahead, points - views.shift[:, None])
        found += 1e-3 * np.trace(np.einsum("tij,tik->jk", ahead, ahead)) * shape
        solved = np.linalg.solve(normal, found.T).T
        grown = float(np.sqrt(((solved - _centre(solved, weights)) ** 2).sum(1).mean()))
        shape = _unit(solved, weights)
        views = Views(views.scale * grown, views.rotation, views.shift)
    turn = axes_of(shape)
    shape = shape @ turn.T
    views = Views(views.scale, views.rotation @ turn.T, views.shift)
    return shape, place(points, shape, views, weights, steps=3)


def place(points: Floats, shapes: Floats, views: Views, weights: Floats, steps: int) -> Views:
    """Views that bring a shape [P, 3] closest to points [T, P, 2], by Gauss-Newton steps."""
    share = weights / weights.sum()
    root = np.sqrt(share)[:, None]
    scales, rotations, shifts = [], [], []
    for seen, scale, rotation in zip(points, views.scale, views.rotation, strict=True):
        for _ in range(steps):
            turned = shapes @ rotation.T
            shift = share @ (seen - scale * turned[:, :2])
            rest = seen - scale * turned[:, :2] - shift
            columns = np.stack([*_spins(turned, scale), scale * turned[:, :2]])
            # The shift is solved with the rest, or turning would hide in it.
            columns = columns - np.einsum("p,kpi->ki", share, columns)[:, None]
            flat = (columns * root).reshape(4, -1)
            step = np.linalg.solve(flat @ flat.T, flat @ (rest * root).ravel())
            rotation = cv2.Rodrigues(step[:3])[0] @ rotation
            scale = scale * np.exp(step[3])
        scales.append(scale)
        rotations.append(rotation)
        shifts.append(share @ (seen - scale * (shapes @ rotation.T)[:, :2]))
    return Views(np.array(scales), np.array(rotations), np.array(shifts))


def normals(meshes: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Unit normals [..., P, 3] of meshes [..., P, 3], out of the face (z below 0 is towards us)."""
    count = meshes.shape[-2]
    flat = meshes.reshape(-1, 3)
    firsts = np.arange(0, len(flat), count)[:, None, None]
    numbers = (firsts + triangles).reshape(-1, 3)
    a, b, c = flat[numbers].transpose(1, 2, 0)
    (ux, uy, uz), (vx, vy, vz) = c - a, b - a
    faces = (uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx)
    found = np.empty_like(flat)
    for axis, values in enumerate(faces):
        found[:, axis] = np.bincount(numbers.ravel(), values.repeat(3), len(flat))
    found /= np.sqrt((found * found).sum(-1, keepdims=True)) + 1e-9
    return found.reshape(meshes.shape)


def front_area(shape: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Weights [P]: the area that each point of a shape stands for, as seen from the front."""
    a, b, c = (shape[triangles[:, k], :2] for k in range(3))
    double = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    areas = np.bincount(triangles.ravel(), double.repeat(3), len(shape))
    return np.asarray(areas, np.float64)


def _spins(turned: Floats, scale: float) -> list[Floats]:
    """How points [P, 3] in the camera's frame move in the picture per radian about each axis."""
    x, y, z = turned.T
    zero = np.zeros_like(x)
    pairs = ((zero, -z), (z, zero), (-y, x))
    return [scale * np.stack(pair, axis=1) for pair in pairs]


def _centre(points: Floats, weights: Floats) -> Floats:
    return np.asarray(weights @ points / weights.sum(), np.float64)


def _unit(points: Floats, weights: Floats) -> Floats:
    centred = points - _centre(points, weights)
    return np.asarray(centred / np.sqrt((centred**2).sum(1).mean()), np.float64)
