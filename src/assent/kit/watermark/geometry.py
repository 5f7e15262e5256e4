"""Geometry between the pattern's own plane and a reader's working picture.

A `matrix` is float64 [2, 2] and maps pattern units to working pixels; where the pattern's
origin falls is left to the pilots. Points are continuous: pixel i covers i..i+1.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.carriers import TILE

__all__ = ["describe", "fold", "rotation"]

_MOST_TILES = 48

Floats = NDArray[np.float64]


def rotation(angle: float) -> Floats:
    """Return the matrix that turns x toward y by `angle` radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


def fold(detail: NDArray[np.float32], matrix: Floats) -> Floats:
    """Bring `detail` [h, w] back to the pattern's plane and add all its tiles up, [128, 128].

    The corner of the folded tile is the upper left corner of the picture's bounding box.
    """
    height, width = detail.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    corners = corners @ np.linalg.inv(matrix).T
    low = corners.min(0)
    across, down = np.clip(np.ceil((corners.max(0) - low) / TILE - 1e-9), 1, _MOST_TILES).astype(
        int
    )
    offset = matrix @ (low + 0.5) - 0.5
    flat = cv2.warpAffine(
        detail,
        np.hstack([matrix, offset[:, None]]),
        (int(across) * TILE, int(down) * TILE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderValue=0,
    )
    tile: Floats = flat.reshape(down, TILE, across, TILE).sum((0, 2), dtype=np.float64)
    return tile


def describe(matrix: Floats) -> str:
    """Say in words what `matrix` does, such as "scaled 1.11, rotated 5.0 degrees, mirrored".

    Scale is relative to a pattern that fills the picture as it was embedded.
    """
    determinant = float(np.linalg.det(matrix))
    mirrored = determinant < 0
    upright = matrix @ np.diag([-1.0, 1.0]) if mirrored else matrix
    u, (major, minor), vt = np.linalg.svd(upright)
    turn = u @ vt
    angle = float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0])))
    words = [f"scaled {np.sqrt(abs(determinant)):.2f}"]
    if major / minor > 1.01:
        across, down = np.linalg.norm(upright, axis=0)
        words.append(f"aspect ratio {across / down:.2f}")
    if abs(angle) >= 0.5:
        words.append(f"rotated {angle:.1f} degrees")
    if mirrored:
        words.append("mirrored")
    return ", ".join(words)
