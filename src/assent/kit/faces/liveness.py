"""Signs of life in a series of meshes: a mouth that moves, no jumps, no part shown twice.

All functions take times [n] in seconds and meshes [n, 478, 2] in pixels, NaN where there is none.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["blinks", "jumps", "longest_repeat", "longest_standstill", "mouth_openings"]

Floats = NDArray[np.float64]

_EYE_CORNERS: Final = (33, 263)
_LIPS: Final = (13, 14)
_LIDS: Final = ((159, 145, 33, 133), (386, 374, 362, 263))
"""Upper lid, lower lid, corner, corner."""
# Points that the bones carry, spread over the face.
_RIGID: Final = (33, 133, 362, 263, 168, 6, 195, 4, 97, 326, 127, 356, 93, 323, 10, 151)

_OPENED: Final = 0.025
"""Change of the lips' distance, in widths of the eyes, that counts; noise is under 0.01."""
_CLOSED: Final = 0.6
"""Share of its usual height under which an eye is shut."""

_GRID: Final = 25.0
"""Samples a second at which a series is compared with itself."""
_ROUND: Final = 1.2
"""Seconds of movement that must come again to count as shown twice."""
_SAME: Final = 0.006
"""Root mean square difference, in widths of the eyes, under which two moments show the same."""
_MOVING: Final = 4.0
"""How many times as much the face must have moved meanwhile."""


def mouth_openings(meshes: NDArray[np.floating]) -> int:
    """How often the mouth was opened or closed: turning points of the lips' distance."""
    points = np.asarray(meshes, np.float64)
    apart = np.linalg.norm(points[:, _LIPS[1]] - points[:, _LIPS[0]], axis=1)
    return _swings((apart / _widths(points))[~np.isnan(apart)], _OPENED)


def _swings(series: Floats, least: float) -> int:
    """How often a series turned after having gone `least` or more one way."""
    count, way, mark = 0, 0, float(series[0]) if len(series) else 0.0
    for value in series.tolist():
        if way and (value - mark) * way > 0:
            mark = value
        elif abs(value - mark) >= least:
            count, way, mark = count + 1, (1 if value > mark else -1), value
    return count


def blinks(meshes: NDArray[np.floating]) -> int:
    """How often both eyes were shut and opened again."""
    points = np.asarray(meshes, np.float64)
    points = points[~np.isnan(points[:, 0, 0])]
    if not len(points):
        return 0
    heights = np.stack(
        [
            np.linalg.norm(points[:, upper] - points[:, lower], axis=1)
            / np.linalg.norm(points[:, first] - points[:, second], axis=1)
            for upper, lower, first, second in _LIDS
        ]
    ).mean(axis=0)
    shut = heights < _CLOSED * np.median(heights)
    return int((~shut[1:] & shut[:-1]).sum())


def jumps(seconds: Floats, meshes: NDArray[np.floating]) -> Floats:
    """How far the face leapt into each frame [n], beyond what it moved before and after.

    In widths of the eyes. A head that moves fast does so for several frames; a cut to another
    moment leaves one step alone.
    """
    points = np.asarray(meshes, np.float64)[:, _RIGID]
    out = np.zeros(len(points))
    here = np.flatnonzero(~np.isnan(points[:, 0, 0]))
    if len(here) < 4:
        return out
    series, times = points[here], np.asarray(seconds, np.float64)[here]
    width = float(np.median(_widths(np.asarray(meshes, np.float64)[here])))
    steps = np.sqrt(((series[1:] - series[:-1]) ** 2).sum(axis=2).mean(axis=1)) / width
    gaps = np.maximum(times[1:] - times[:-1], 1e-3)
    speeds = steps / gaps
    padded = np.concatenate([[speeds[1]], speeds, [speeds[-2]]])
    beside = np.maximum(padded[:-2], padded[2:])
    out[here[1:]] = np.maximum(steps - 3 * beside * gaps, 0.0)
    return out


def longest_standstill(seconds: Floats, changes: Floats, *, under: float) -> float:
    """The longest time in seconds in which no frame differed from the one before by `under`."""
    longest, since = 0.0, float(seconds[0])
    for second, change in zip(seconds.tolist(), changes.tolist(), strict=True):
        if change >= under:
            since = second
        longest = max(longest, second - since)
    return longest


def longest_repeat(seconds: Floats, meshes: NDArray[np.floating]) -> float:
    """The longest piece of movement in seconds that was shown twice; 0 if none was.

    Two moments are the same if the bones' points lie at the same places of the picture; a piece
    counts if the face moved much more during it than the two showings differ.
    """
    track = _even(seconds, meshes)
    if track is None:
        return 0.0
    size = round(_ROUND * _GRID)
    longest = 0
    for lag in range(size, len(track) - size):
        apart = np.sqrt(((track[lag:] - track[:-lag]) ** 2).mean(axis=1))
        for begin, end in _runs(apart < _SAME):
            piece = track[begin:end]
            moved = float(np.sqrt(((piece - piece.mean(axis=0)) ** 2).mean()))
            if end - begin >= size and moved > _MOVING * float(apart[begin:end].mean()):
                longest = max(longest, end - begin)
    return longest / _GRID


def _even(seconds: Floats, meshes: NDArray[np.floating]) -> Floats | None:
    """The bones' points at even times, [n, 2 * points] in widths of the eyes."""
    points = np.asarray(meshes, np.float64)
    here = ~np.isnan(points[:, 0, 0])
    if here.sum() < 4:
        return None
    width = float(np.median(_widths(points[here])))
    times = np.asarray(seconds, np.float64)[here]
    series = points[here][:, _RIGID].reshape(int(here.sum()), -1) / width
    grid = np.arange(times[0], times[-1], 1 / _GRID)
    return np.stack([np.interp(grid, times, column) for column in series.T], axis=1)


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where flags are set: (first, one beyond the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def _widths(points: Floats) -> Floats:
    return np.asarray(
        np.linalg.norm(points[:, _EYE_CORNERS[1]] - points[:, _EYE_CORNERS[0]], axis=1)
    )
