"""Whole pictures into another size, and RGB stills into pictures."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.media.picture import Picture, paste_rgb

__all__ = ["fit_shortest_side", "from_rgb", "scale", "scaled_plane"]


def scale(picture: Picture, width: int, height: int) -> Picture:
    """Return `picture` at another size, each plane resampled by area; the same if it fits."""
    if (picture.width, picture.height) == (width, height):
        return picture
    sx, sy = picture.subsampling
    chroma = (-(-width // sx), -(-height // sy))
    return replace(
        picture,
        y=cv2.resize(picture.y, (width, height), interpolation=cv2.INTER_AREA),
        u=cv2.resize(picture.u, chroma, interpolation=cv2.INTER_AREA),
        v=cv2.resize(picture.v, chroma, interpolation=cv2.INTER_AREA),
    )


def scaled_plane(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a plane [H, W] at another (width, height), resampled by area."""
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def fit_shortest_side(width: int, height: int, longest_allowed: int) -> tuple[int, int]:
    """Return the even size at which the shortest side is at most `longest_allowed`.

    >>> fit_shortest_side(3840, 2160, 720), fit_shortest_side(384, 384, 720)
    ((1280, 720), (384, 384))
    """
    shortest = min(width, height)
    if shortest <= longest_allowed:
        return width, height
    side = longest_allowed // 2 * 2
    return round(width * side / shortest / 2) * 2, round(height * side / shortest / 2) * 2


def from_rgb(rgb: NDArray[np.uint8]) -> Picture:
    """Return an RGB still, uint8 [H, W, 3], as a full-range 4:4:4 picture."""
    height, width = rgb.shape[:2]
    empty = np.zeros((height, width), np.uint8)
    grey = np.full((height, width), 128, np.uint8)
    blank = Picture(pts=0, y=empty, u=grey, v=grey, bits=8, full_range=True, matrix="bt601")
    return paste_rgb(blank, rgb, np.ones((height, width), np.float32), 0, 0)
