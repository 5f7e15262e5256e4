"""Where in a run of pictures another picture lies: between borders, or inset in a larger one.

>>> import numpy as np
>>> film = np.random.default_rng(1).integers(0, 255, (9, 192, 192)).astype(np.uint8)
>>> film[:, :24] = film[:, -24:] = 16
>>> find_borders(film)
Window(x=0.0, y=0.125, width=1.0, height=0.75)
"""

import numpy as np
from numpy.typing import NDArray

from assent.kit.fingerprint.picture_code import THUMB, Window

__all__ = ["find_borders", "find_insets"]

Thumbs = NDArray[np.uint8]
"""Pictures of one run, uint8 [n, 192, 192]."""
Floats = NDArray[np.float32]

_EVEN = 6.0  # grey levels that a border may vary by
_LEAST, _MOST = 3, 80  # pixels that a border may take
# Sides of an inset that are looked for, in shares of the picture, and how oblong it may be.
_SIDES = tuple(int(THUMB * side / 100) for side in range(30, 74, 2))
_OBLONG = (1.0, 0.75, 1.33, 0.5625, 1.78, 0.316)
_STEEP = 24.0  # grey levels; a steeper edge is no better
_STANDS_OUT = 1.6  # times the middling edge of its kind
_NEAR = 8  # pixels that two insets must differ by


def find_borders(thumbs: Thumbs) -> Window | None:
    """Return what lies between even borders of one colour; None where there are none."""
    low, high = thumbs.min(0), thumbs.max(0)
    top, bottom = _border(low, high), _border(low[::-1], high[::-1])
    left, right = _border(low.T, high.T), _border(low.T[::-1], high.T[::-1])
    if max(top, bottom, left, right) < _LEAST:
        return None
    width, height = THUMB - left - right, THUMB - top - bottom
    return Window(left / THUMB, top / THUMB, width / THUMB, height / THUMB)


def _border(low: NDArray[np.uint8], high: NDArray[np.uint8]) -> int:
    """Return how many of the first rows are of the first row's colour all the time."""
    darkest, brightest = low.min(1).astype(int), high.max(1).astype(int)
    if brightest[0] - darkest[0] > _EVEN:
        return 0
    even = (np.abs(darkest - darkest[0]) <= _EVEN) & (np.abs(brightest - brightest[0]) <= _EVEN)
    rows = int(np.argmin(even)) if not even.all() else len(even)
    # One row more is where picture and border were mixed when it was made small.
    return rows if rows <= _MOST else 0


def find_insets(thumbs: Thumbs, *, most: int = 4) -> list[Window]:
    """Return the likeliest windows of a picture in a picture, best first.

    Its edges stay where they are while both pictures change, so they stand out of what changes on
    average; each side that isn't the frame's own must.
    """
    frames = thumbs[:: max(1, len(thumbs) // 24)].astype(np.float32)
    across = np.minimum(np.abs(np.diff(frames, axis=2)), _STEEP).mean(0)
    down = np.minimum(np.abs(np.diff(frames, axis=1)), _STEEP).mean(0)
    upright = _summed(_ridge(across))  # [192, 191], summed down
    level = _summed(_ridge(down.T))  # [192, 191], summed across
    found: list[tuple[float, Window]] = []
    for height in _SIDES:
        for oblong in _OBLONG:
            width = round(height * oblong)
            if 0.15 * THUMB <= width < THUMB - 1:
                found += _best(upright, level, width, height)
    found.sort(key=lambda pair: -pair[0])
    return _distinct([window for _, window in found], most)


def _ridge(edges: Floats) -> Floats:
    """Return how much each edge, float32 [along, across], is above those beside it."""
    padded = np.pad(edges, ((0, 0), (2, 2)), mode="edge")
    beside = np.maximum(padded[:, :-4], padded[:, 4:])
    usual = float(np.median(edges)) + 0.5
    return np.asarray((edges - beside) / usual, np.float32)


def _summed(ridge: Floats) -> Floats:
    """Return sums from the beginning, float32 [192 + 1, 191]."""
    return np.vstack([np.zeros((1, ridge.shape[1]), np.float32), ridge.cumsum(0)])


def _best(upright: Floats, level: Floats, width: int, height: int) -> list[tuple[float, Window]]:
    """Return the two best places for a window of one size, with how well its edges stand out."""
    # Mean edge along a vertical side that begins at row y: [y, x]; the frame's own sides count
    # as much as the others do.
    sides = (upright[height:] - upright[:-height]) / height
    rows, columns = THUMB - height + 1, THUMB - width + 1
    ends = (level[width:] - level[:-width]) / width
    own = np.full((rows, 1), np.nan, np.float32)
    vertical = np.hstack([own, sides, own])
    flat = np.hstack([np.full((columns, 1), np.nan, np.float32), ends, own[:1].repeat(columns, 0)])
    left, right = vertical[:, :columns], vertical[:, width : width + columns]
    top, bottom = flat.T[:rows, :columns], flat.T[height : height + rows, :columns]
    four = np.stack([left, right, top, bottom])
    there = ~np.isnan(four)
    weakest = np.where(there, four, np.inf).min(0)
    mean = np.where(there, four, 0).sum(0) / np.maximum(there.sum(0), 1)
    score = np.where(there.sum(0) >= 2, weakest + 0.5 * mean, -1)
    found = []
    for place in np.argsort(score, axis=None)[-2:]:
        y, x = divmod(int(place), columns)
        if score[y, x] > _STANDS_OUT / 4:
            window = Window(x / THUMB, y / THUMB, width / THUMB, height / THUMB)
            found.append((float(score[y, x]), window))
    return found


def _distinct(windows: list[Window], most: int) -> list[Window]:
    chosen: list[Window] = []
    for window in windows:
        if all(_apart(window, other) > _NEAR / THUMB for other in chosen):
            chosen.append(window)
        if len(chosen) == most:
            break
    return chosen


def _apart(one: Window, other: Window) -> float:
    pairs = (
        (one.x, other.x),
        (one.y, other.y),
        (one.x + one.width, other.x + other.width),
        (one.y + one.height, other.y + other.height),
    )
    return max(abs(a - b) for a, b in pairs)
