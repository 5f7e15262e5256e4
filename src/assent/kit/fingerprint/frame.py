"""The MPEG-7 frame signature: 380 ternary digits that say how a picture is lit.

The picture's luma is averaged over a grid of 32x32 cells. Each digit compares the mean of one
region of the grid with mid-grey (categories A1 and A2) or with the mean of another region (D1 to
D8): 0 darker, 1 about the same, 2 brighter. "About the same" is, in each category, the third of
its elements with the smallest differences.

Source: ISO/IEC 15938-3:2002/Amd 4:2010, video signature tools; Paschalakis et al., "The MPEG-7
Video Signature Tools for Content Identification", IEEE TCSVT 22(7), 2012. Digits agree one for
one with those of ffmpeg's `signature` filter (see the tests' vectors).

>>> frame_signature(np.full((64, 64), 90, np.uint8)).shape
(380,)
"""

from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise, product
from math import lcm
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError

__all__ = ["DIGITS", "frame_signature"]

DIGITS = 380
_GRID = 32
# Beyond this side the exact integers could overflow: 128 * lcm(255, 256)^2 * lcm of A2 < 2^63.
_LARGEST = 8192
_MID_GREY = 128

# A region is a list of (x, y, width, height) in cells; an element is a region and what it is
# compared with, nothing for an average element.
_Box: TypeAlias = tuple[int, int, int, int]
_Region: TypeAlias = list[_Box]
_Element: TypeAlias = tuple[_Region, _Region]


def frame_signature(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the 380 digits (uint8, 0..2) of the picture `luma` (uint8 `[H, W]`).

    Raises MediaError when a side is under 32 or over 8192 pixels.
    """
    height, width = luma.shape
    if min(height, width) < _GRID or max(height, width) > _LARGEST:
        raise MediaError(f"a picture of {width}x{height} can't be fingerprinted")
    cells = _average_cells(luma)
    return np.concatenate([_digits(weights @ cells) for weights in _categories()])


def _average_cells(luma: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how far the 1024 cells' means, row by row, are from mid-grey.

    They are exact: whole numbers of a unit in which every cell's mean is whole.
    """
    height, width = luma.shape
    rows, columns = _edges(height), _edges(width)
    # Stripe by stripe is 16 times as fast as reduceat along this axis.
    stripes = [luma[a:b].sum(axis=0, dtype=np.uint32) for a, b in pairwise(rows)]
    sums = np.add.reduceat(np.stack(stripes), columns[:-1], axis=1, dtype=np.int64)
    areas = np.outer(np.diff(rows), np.diff(columns))
    unit = lcm(*(int(area) for area in np.unique(areas)))
    cells: NDArray[np.int64] = (sums - _MID_GREY * areas) * (unit // areas)
    return cells.ravel()


def _edges(length: int) -> NDArray[np.int64]:
    """Return where each of the 32 stripes begins, and the end: pixel p is in p * 32 // length."""
    return -(-np.arange(_GRID + 1, dtype=np.int64) * length // _GRID)


def _digits(values: NDArray[np.int64]) -> NDArray[np.uint8]:
    # The standard's share of "about the same" is a third, as the decimal fraction 0.333.
    threshold = np.sort(np.abs(values))[int(len(values) * 0.333)]
    return np.where(values > threshold, 2, np.where(values < -threshold, 0, 1)).astype(np.uint8)


@cache
def _categories() -> tuple[NDArray[np.int64], ...]:
    """Return for each category the weights `[elements, 1024]` that turn cells into values."""
    elements = [
        _square_means(),
        _centre_means(),
        _halves(),
        _checkers(),
        _pairs(),
        _points(),
        _rings(),
        _crosses(),
        _runs(),
        _large_halves(),
    ]
    return tuple(_weigh(category) for category in elements)


def _weigh(elements: list[_Element]) -> NDArray[np.int64]:
    # Values are means times this scale, so that they are whole numbers, too.
    scale = lcm(*(_size(region) for element in elements for region in element if region))
    weights = np.zeros((len(elements), _GRID, _GRID), np.int64)
    for row, element in zip(weights, elements, strict=True):
        for region, sign in zip(element, (1, -1), strict=True):
            for x, y, width, height in region:
                row[y : y + height, x : x + width] += sign * scale // _size(region)
    return weights.reshape(len(elements), -1)


def _size(region: _Region) -> int:
    return sum(width * height for _, _, width, height in region)


def _quadrants(size: int, steps: int) -> Iterator[tuple[int, int]]:
    """Yield the corners of `size` squares in Z order: four of a square, four squares of ..."""
    if steps == 0:
        yield 0, 0
        return
    span = size << (steps - 1)
    for (qy, qx), (x, y) in product(product((0, span), repeat=2), _quadrants(size, steps - 1)):
        yield qx + x, qy + y


def _grid(columns: range | list[int], rows: range | list[int]) -> list[tuple[int, int]]:
    """Return corners row by row."""
    return [(x, y) for y in rows for x in columns]


def _split(x: int, y: int, side: int, first: str) -> _Element:
    """Return a square's two halves; `first` is the Left, Right, Top or Bottom one."""
    half = side // 2
    if first in "LR":
        halves = [(x, y, half, side)], [(x + half, y, half, side)]
    else:
        halves = [(x, y, side, half)], [(x, y + half, side, half)]
    return halves if first in "LT" else (halves[1], halves[0])


# A1: 16 squares of 8 cells, then 4 of 16.
def _square_means() -> list[_Element]:
    corners = [(x, y, 8) for x, y in _quadrants(8, 2)] + [(x, y, 16) for x, y in _quadrants(16, 1)]
    return [([(x, y, side, side)], []) for x, y, side in corners]


# A2: nine squares of 8 cells and three around the centre.
def _centre_means() -> list[_Element]:
    squares = [(x, y, 8) for x, y in _grid([2, 12, 22], [2, 12, 22])]
    squares += [(9, 9, 14), (6, 6, 20), (3, 3, 26)]
    return [([(x, y, side, side)], []) for x, y, side in squares]


# D1: squares of 4 cells cut in half, in pinwheels of four.
def _halves() -> list[_Element]:
    pinwheels: list[tuple[int, int, str]] = []
    for x, y in _quadrants(8, 2):
        pinwheels.append((x, y, "LTBR" if (x < 16) == (y < 16) else "TRLB"))
    for x, y in _grid([2, 12, 22], [2, 12, 22]):
        pinwheels.append((x, y, "TTBB" if x == y == 12 else "LTBR"))
    for x, y in _grid([7, 17], [7, 17]):
        pinwheels.append((x, y, "TLLT"))
    return [
        _split(x + dx, y + dy, 4, first)
        for x, y, order in pinwheels
        for first, (dx, dy) in zip(order, _quadrants(4, 1), strict=True)
    ]


# D2: the two diagonals of squares of 8 cells.
def _checkers() -> list[_Element]:
    corners = _grid(range(0, 32, 8), range(0, 32, 8)) + _grid(range(4, 28, 8), range(4, 28, 8))
    return [
        (
            [(x, y, 4, 4), (x + 4, y + 4, 4, 4)],
            [(x + 4, y, 4, 4), (x, y + 4, 4, 4)],
        )
        for x, y in corners
    ]


# D3: every two of nine squares of 10 cells.
def _pairs() -> list[_Element]:
    squares = [[(x, y, 10, 10)] for x, y in _grid([1, 11, 21], [1, 11, 21])]
    return list(combinations(squares, 2))


# D4: chosen pairs of 25 squares of 6 cells; each is written column, row.
_POINT_PAIRS = (
    "12-32 21-23 11-33 31-13 21-32 32-23 23-12 12-21 11-31 31-33 33-13 13-11 22-20 22-42 22-24 "
    "22-02 20-24 02-42 10-30 14-34 01-03 41-43 10-01 30-41 43-34 03-14 00-40 40-44 44-04 04-00"
)


def _points() -> list[_Element]:
    pairs = (pair.split("-") for pair in _POINT_PAIRS.split())
    return [(_point(first), _point(second)) for first, second in pairs]


def _point(place: str) -> _Region:
    column, row = map(int, place)
    return [(1 + 6 * column, 1 + 6 * row, 6, 6)]


# D5: rings against the square that they surround.
def _rings() -> list[_Element]:
    wide = [*_grid([1, 11, 21], [1, 11, 21]), *_grid([6, 16], [6, 16])]
    for y in (1, 6, 11, 16, 21):
        wide += _grid([6, 16] if y in (1, 11, 21) else [1, 11, 21], [y])
    middle = _grid([2, 7, 12, 17], [2, 7, 12, 17])
    small = [corner for y in (3, 8, 13, 18, 23) for corner in _small_rings(y)]
    placed = [(10, 3, wide), (13, 5, middle), (6, 2, small)]
    return [_ring(x, y, side, band) for side, band, corners in placed for x, y in corners]


def _small_rings(y: int) -> list[tuple[int, int]]:
    return _grid([8, 13, 18] if y in (3, 23) else [3, 8, 13, 18, 23], [y])


def _ring(x: int, y: int, side: int, band: int) -> _Element:
    inner = side - 2 * band
    ring = [
        (x, y, side, band),
        (x, y + band, band, inner),
        (x + side - band, y + band, band, inner),
        (x, y + side - band, side, band),
    ]
    return ring, [(x + band, y + band, inner, inner)]


# D6: a lying against a standing rectangle.
def _crosses() -> list[_Element]:
    return [([(x, y + 2, 10, 6)], [(x + 2, y, 6, 10)]) for x, y in _grid([3, 11, 19], [3, 11, 19])]


# D7: the ends of a bar of three squares against its middle, lying and standing.
def _runs() -> list[_Element]:
    bars: list[_Element] = []
    for x, y in _grid(range(4, 28, 5), range(4, 28, 5)):
        middle = [(x, y, 4, 4)]
        bars.append(([(x - 4, y, 4, 4), (x + 4, y, 4, 4)], middle))
        bars.append(([(x, y - 4, 4, 4), (x, y + 4, 4, 4)], middle))
    return bars


# D8: squares of 8 and of 16 cells cut in half.
def _large_halves() -> list[_Element]:
    small = zip(_quadrants(8, 2), "TLLTLTTLLTTLTLLT", strict=True)
    large = zip(_quadrants(16, 1), "LTTL", strict=True)
    return [_split(x, y, 8, first) for (x, y), first in small] + [
        _split(x, y, 16, first) for (x, y), first in large
    ]
