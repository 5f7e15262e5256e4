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


def fold(detail: NDArray[np.float32], matrix: Floats, *, tile: int = TILE) -> Floats:
    """Bring `detail` [h, w] back to the pattern's plane and add all its tiles up, [tile, tile].

    The corner of the folded tile is the upper left corner of the picture's bounding box.
    """
    height, width = detail.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    corners = corners @ np.linalg.inv(matrix).T
    low = corners.min(0)
    tiles = np.ceil((corners.max(0) - low) / tile - 1e-9)
    across, down = np.clip(tiles, 1, _MOST_TILES).astype(int)
    offset = matrix @ (low + 0.5) - 0.5
    flat = cv2.warpAffine(
        detail,
        np.hstack([matrix, offset[:, None]]),
        (int(across) * tile, int(down) * tile),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderValue=0,
    )
    folded: Floats = flat.reshape(down, tile, across, tile).sum((0, 2), dtype=np.float64)
    return folded


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
