"""Compositing: a painted face into a picture, at its place, in its light, without a seam.

Only the face region is converted from the picture's YUV and back; every other sample keeps its
bits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.align import align, hull_mask, scale_of, warp
from assent.kit.imaging.colour import Colour, map_colours, match_colour
from assent.kit.imaging.detail import sharpen
from assent.kit.imaging.masks import feather, shrunk
from assent.kit.imaging.warp import unwarp
from assent.kit.media.picture import Picture, paste_rgb, to_rgb

__all__ = ["Box", "CompositeConfig", "Corrected", "composite", "cut", "reach", "smooth"]

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, far edges exclusive."""

Corrected = Callable[[NDArray[np.float32], Box], NDArray[np.float32]]
"""Changes how much of a face is shown, float32 [h, w], 0..1, in a box of the picture."""

_Landmarks = NDArray[np.float32]

_TOUCH = 0.1  # how far a touch of colour goes
_INNER = 0.5  # alpha from which a pixel's colour counts


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeConfig:
    """How a painted face is set in.

    Attributes:
        grow: how far beyond the landmarks' hull, as a share of the landmarks' larger extent.
        forehead: how far above the brows, as a share of the same.
        feather: width of the soft edge, as a share of the same.
        colour: how the painted face gets its colours.
        strength: how far it goes to them, 0..1.
        sharpen: strength of the unsharp mask.
        wider: how much further than usual the mask reaches, as a share of the face.
        softer: how wide its edge is, in shares of what is usual.
    """

    grow: float = 0.02
    forehead: float = 0.15
    feather: float = 0.12
    colour: Colour = Colour.TOUCH
    strength: float = 1.0
    sharpen: float = 0.0
    wider: float = 0.0
    softer: float = 1.0


def cut(picture: Picture, landmarks: _Landmarks, size: int, coverage: float) -> NDArray[np.uint8]:
    """The crop that the engine wants: uint8 [size, size, 3] (see `kit.faces.align`)."""
    matrix = align(landmarks, size, coverage)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - matrix[:, 2]
    spots = corners @ np.linalg.inv(matrix[:, :2]).T
    box = _inside(_box_around(spots, 2.0), picture)
    near = matrix.copy()
    near[:, 2] += matrix[:, :2] @ box[:2]
    return warp(to_rgb(picture, box), near, size)


def composite(
    picture: Picture,
    landmarks: _Landmarks,
    face: NDArray[np.float32],
    mask: NDArray[np.float32],
    *,
    coverage: float,
    config: CompositeConfig = CompositeConfig(),
    corrected: Corrected | None = None,
) -> Picture:
    """Set a painted face into a picture.

    Args:
        picture: the picture; not changed.
        landmarks: float32 [68, 2], the same as those that the crop was cut with.
        face: float32 [S, S, 3], RGB, 0..1.
        mask: float32 [S, S], 0..1, where the painted face is.
        coverage: as the crop was cut.
        config: how to set it in.
        corrected: what somebody painted and erased in the mask.

    Returns:
        a new picture.
    """
    matrix = align(landmarks, len(mask), coverage)
    extent = float(np.ptp(landmarks, axis=0).max())
    box = _inside(reach(landmarks, config), picture)
    painted = np.clip(unwarp(face, matrix, box), 0, 1, dtype=np.float32)
    inside = unwarp(mask, matrix, box) > 0.5
    grow = config.grow + config.wider
    hull = hull_mask(landmarks - box[:2], inside.shape, max(0.0, grow), config.forehead)
    inside &= hull > 0
    if grow < 0:
        inside = shrunk(inside, -grow * extent)
    alpha = feather(inside, config.feather * config.softer * extent)
    if corrected is not None:
        alpha = corrected(alpha, box)
    there = to_rgb(picture, box).astype(np.float32) / np.float32(255)
    matched = _coloured(painted, there, alpha, config)
    # Detail finer than the crop's pixels was never painted; sharpen at the scale that was.
    finest = max(1.0, 1 / scale_of(matrix))
    detailed = sharpen(matched, config.sharpen, finest)
    return paste_rgb(picture, detailed * np.float32(255), alpha, box[0], box[1])


def _coloured(
    painted: NDArray[np.float32],
    there: NDArray[np.float32],
    alpha: NDArray[np.float32],
    config: CompositeConfig,
) -> NDArray[np.float32]:
    """A painted face in colours nearer to those that it replaces."""
    if config.colour is Colour.TOUCH:
        return match_colour(painted, there, alpha, _TOUCH * config.strength)
    inner = alpha > _INNER
    own, theirs = (np.asarray(each[inner], np.float64) for each in (painted, there))
    mapped = map_colours(own, theirs, config.colour).weaker(config.strength).apply(painted)
    return np.asarray(np.clip(mapped, 0, 1), np.float32)


def reach(landmarks: _Landmarks, config: CompositeConfig) -> tuple[int, int, int, int]:
    """The box outside of which `composite` changes nothing: (x0, y0, x1, y1), far edges exclusive.

    It may reach beyond the picture.
    """
    extent = float(np.ptp(landmarks, axis=0).max())
    grow = max(0.0, config.grow + config.wider)
    return _box_around(landmarks, (grow + config.forehead) * extent + 2)


def smooth(landmarks: _Landmarks, strength: float = 0.6) -> _Landmarks:
    """Steady a track's landmarks without lag.

    Each point runs through an exponential filter forwards and backwards and the two are averaged,
    so that nothing is late. The filter lets go where a point moves fast compared with the face
    (after Casiez et al., "1 Euro filter", CHI 2012), so that quick lids and lips aren't damped.

    Args:
        landmarks: float32 [T, 68, 2], pixels, of one track in presentation order.
        strength: 0 (as it is) to just below 1 (stiff).

    Returns:
        float32 [T, 68, 2].
    """
    points = np.asarray(landmarks, np.float64)
    extent = np.ptp(points, axis=1).max(axis=-1)[:, None, None]
    passes = [_run(points, extent, strength), _run(points[::-1], extent[::-1], strength)[::-1]]
    return np.asarray(np.mean(passes, axis=0), np.float32)


# A point that moves this share of the face's extent in one picture is followed at once.
_FAST = 0.04


def _run(
    points: NDArray[np.float64], extent: NDArray[np.float64], strength: float
) -> NDArray[np.float64]:
    filtered = points.copy()
    for t in range(1, len(points)):
        step = points[t] - filtered[t - 1]
        speed = np.linalg.norm(step, axis=-1, keepdims=True) / np.maximum(extent[t], 1e-6)
        follow = 1 - strength * np.clip(1 - speed / _FAST, 0, 1)
        filtered[t] = filtered[t - 1] + follow * step
    return filtered


def _box_around(points: NDArray[np.floating], margin: float) -> tuple[int, int, int, int]:
    """The integer box around points with a margin."""
    low = np.floor(points.min(axis=0) - margin).astype(int)
    high = np.ceil(points.max(axis=0) + margin).astype(int) + 1
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _inside(box: tuple[int, int, int, int], picture: Picture) -> tuple[int, int, int, int]:
    """The part of a box that lies in the picture; never empty."""
    x0, y0 = min(max(box[0], 0), picture.width - 1), min(max(box[1], 0), picture.height - 1)
    x1, y1 = min(max(box[2], x0 + 1), picture.width), min(max(box[3], y0 + 1), picture.height)
    return x0, y0, x1, y1
