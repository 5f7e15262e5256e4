"""How far a head is turned, told by parallax: only what has depth can turn.

    middle = reference_of(meshes_while_looking_ahead)
    parallax(middle, mesh)          # > 0: the nose went to the picture's right

The points around the eyes and the corners of the mouth lie nearly in a plane, so a photograph that
is held, tilted or bent towards the camera moves them and the tip of its nose by one homography. The
tip of a real nose stands before that plane: when the head turns, it leaves the place where the
homography puts it. That distance is measured, in units of the distance between the outer corners of
the eyes; it is about 0.4 times the sine of the turn's angle for a head and 0 for a picture.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["depth", "narrowing", "parallax", "reference_of"]

Floats = NDArray[np.float64]

# Vertices of the mesh: the rims of both eyes, the mouth's corners, the outer ends of the brows.
_PLANE: Final = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380, 61, 291, 70, 300)
_EYE_CORNERS: Final = (33, 263)
_NOSE_TIP: Final = (1, 4)
_HARDLY: Final = 0.98
"""Narrowing above which the angle (11 degrees) is lost in the noise."""


def reference_of(meshes: NDArray[np.floating]) -> Floats:
    """The middle face [478, 2] of meshes [n, 478, 2 or 3], n >= 1, each brought to one place."""
    flat = np.asarray(meshes, np.float64)[:, :, :2]
    corners = flat[:, _EYE_CORNERS].mean(axis=1, keepdims=True)
    width = np.linalg.norm(flat[:, _EYE_CORNERS[1]] - flat[:, _EYE_CORNERS[0]], axis=1)
    return np.asarray(np.median((flat - corners) / width[:, None, None], axis=0), np.float64)


def parallax(reference: Floats, mesh: NDArray[np.floating]) -> float:
    """How far the tip of the nose left its place in the face's plane, to the picture's right.

    `reference` is what `reference_of` returns, `mesh` [478, 2 or 3] in pixels. NaN where the points
    determine no homography.
    """
    points = np.asarray(mesh, np.float64)[:, :2]
    across = points[_EYE_CORNERS[1]] - points[_EYE_CORNERS[0]]
    width = float(np.linalg.norm(across))
    mapped = _mapped(reference, points, _NOSE_TIP)
    if mapped is None or width < 1.0:
        return float("nan")
    away = (points[list(_NOSE_TIP)] - mapped).mean(axis=0)
    return float(away @ across) / width**2


def narrowing(reference: Floats, mesh: NDArray[np.floating]) -> float:
    """How much narrower the face's plane is seen than in `reference`, at the same height.

    The cosine of the turn's angle, about; 1 for a face that looks ahead.
    """
    source = reference[list(_PLANE)]
    target = np.asarray(mesh, np.float64)[list(_PLANE), :2]
    affine = np.linalg.lstsq(source - source.mean(axis=0), target - target.mean(axis=0))[0]
    across, down = np.linalg.norm(affine, axis=1)
    return float(across / down) if down > 0 else float("nan")


def depth(parallax: float, narrowing: float) -> float:
    """How far the tip of the nose stands out, in widths of the eyes, by what a turn did to both.

    What is turned by an angle a is seen narrower by cos a, and shows a parallax of its depth times
    tan a. So it is about 0.4 for a head. A picture shows some parallax too where it is so oblique
    or so bent that the mesh misreads it; but then it is seen much narrower as well, and the depth
    remains under 0.2.
    """
    cosine = min(max(narrowing, 0.0), _HARDLY)
    return abs(parallax) * cosine / float(np.sqrt(1 - cosine**2))


def _mapped(reference: Floats, points: Floats, wanted: tuple[int, ...]) -> Floats | None:
    """Where the homography of the plane's points puts the `wanted` ones; least squares (DLT)."""
    source, to_source = _normal(reference[list(_PLANE)])
    target, to_target = _normal(points[list(_PLANE)])
    x, y = source.T
    u, v = target.T
    one, nil = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate(
        [
            np.stack([x, y, one, nil, nil, nil, -u * x, -u * y, -u], axis=1),
            np.stack([nil, nil, nil, x, y, one, -v * x, -v * y, -v], axis=1),
        ]
    )
    if not np.isfinite(rows).all():
        return None
    matrix = np.linalg.inv(to_target) @ np.linalg.svd(rows)[2][-1].reshape(3, 3) @ to_source
    homogeneous = np.column_stack([reference[list(wanted)], np.ones(len(wanted))]) @ matrix.T
    if np.abs(homogeneous[:, 2]).min() < 1e-9:
        return None
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], np.float64)


def _normal(points: Floats) -> tuple[Floats, Floats]:
    """Points moved to 0 and scaled to 1 (Hartley 1997), and the matrix [3, 3] that does it."""
    middle = points.mean(axis=0)
    spread = float(np.sqrt(((points - middle) ** 2).sum(axis=1).mean()))
    scale = 1 / spread if spread > 0 else float("nan")
    matrix = np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])
    return (points - middle) * scale, matrix
