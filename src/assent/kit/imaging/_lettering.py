"""Capital letters drawn with a round pen: our own geometric alphabet, no font file.

A letter is a skeleton of straight strokes and circular arcs in a box of height 1 (x right, y
down). Its picture is the distance from each pixel to the skeleton, cut off at half the pen's
width, so that edges are smooth at any size and position.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians, sin, tau
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["PEN", "draw_text", "measure_text"]

Floats: TypeAlias = NDArray[np.float32]
_Point: TypeAlias = tuple[float, float]

PEN = 0.15
"""Width of the stroke as a share of a letter's outer height."""

_GAP = 0.15
_SPACE = 0.25
_BODY = 1 - PEN


@dataclass(frozen=True, slots=True)
class _Line:
    start: _Point
    end: _Point


@dataclass(frozen=True, slots=True)
class _Arc:
    """Part of a circle, clockwise on screen from `start` to `end` degrees (0 is right)."""

    centre: _Point
    radius: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Letter:
    width: float
    strokes: tuple[_Line | _Arc, ...]


def _path(*points: _Point) -> tuple[_Line, ...]:
    return tuple(_Line(a, b) for a, b in pairwise(points))


def _alphabet() -> dict[str, _Letter]:
    return {
        "A": _Letter(
            0.84, (*_path((0, 1), (0.42, 0), (0.84, 1)), *_path((0.13, 0.69), (0.71, 0.69)))
        ),
        "C": _Letter(
            0.86,
            (
                _Arc((0.45, 0.45), 0.45, 180, 322),
                *_path((0, 0.45), (0, 0.55)),
                _Arc((0.45, 0.55), 0.45, 38, 180),
            ),
        ),
        "D": _Letter(
            0.77,
            (
                *_path((0.31, 1), (0, 1), (0, 0), (0.31, 0)),
                _Arc((0.31, 0.46), 0.46, -90, 0),
                *_path((0.77, 0.46), (0.77, 0.54)),
                _Arc((0.31, 0.54), 0.46, 0, 90),
            ),
        ),
        "E": _Letter(
            0.58, (*_path((0.58, 0), (0, 0), (0, 1), (0.58, 1)), *_path((0, 0.5), (0.5, 0.5)))
        ),
        "F": _Letter(0.56, (*_path((0.56, 0), (0, 0), (0, 1)), *_path((0, 0.5), (0.48, 0.5)))),
        "G": _Letter(
            0.9,
            (
                _Arc((0.45, 0.45), 0.45, 180, 322),
                *_path((0, 0.45), (0, 0.55)),
                _Arc((0.45, 0.55), 0.45, 0, 180),
                *_path((0.9, 0.55), (0.53, 0.55)),
            ),
        ),
        "H": _Letter(
            0.74,
            (*_path((0, 0), (0, 1)), *_path((0.74, 0), (0.74, 1)), *_path((0, 0.5), (0.74, 0.5))),
        ),
        "I": _Letter(0, _path((0, 0), (0, 1))),
        "L": _Letter(0.54, _path((0, 0), (0, 1), (0.54, 1))),
        "M": _Letter(0.9, _path((0, 1), (0, 0), (0.45, 0.64), (0.9, 0), (0.9, 1))),
        "N": _Letter(0.76, _path((0, 1), (0, 0), (0.76, 1), (0.76, 0))),
        "O": _Letter(
            0.9,
            (
                _Arc((0.45, 0.45), 0.45, 180, 360),
                *_path((0, 0.45), (0, 0.55)),
                *_path((0.9, 0.45), (0.9, 0.55)),
                _Arc((0.45, 0.55), 0.45, 0, 180),
            ),
        ),
        "P": _Letter(
            0.64,
            (
                *_path((0, 1), (0, 0), (0.36, 0)),
                _Arc((0.36, 0.28), 0.28, -90, 90),
                *_path((0, 0.56), (0.36, 0.56)),
            ),
        ),
        "R": _Letter(
            0.66,
            (
                *_path((0, 1), (0, 0), (0.37, 0)),
                _Arc((0.37, 0.275), 0.275, -90, 90),
                *_path((0.37, 0.55), (0, 0.55)),
                *_path((0.35, 0.55), (0.66, 1)),
            ),
        ),
        "S": _Letter(
            0.62,
            (
                _Arc((0.31, 0.26), 0.26, 90, 330),
                *_path((0.31, 0), (0.33, 0)),
                _Arc((0.31, 0.76), 0.24, -90, 150),
            ),
        ),
        "T": _Letter(0.72, (*_path((0, 0), (0.72, 0)), *_path((0.36, 0), (0.36, 1)))),
        "U": _Letter(
            0.76,
            (
                *_path((0, 0), (0, 0.62)),
                _Arc((0.38, 0.62), 0.38, 0, 180),
                *_path((0.76, 0.62), (0.76, 0)),
            ),
        ),
        "+": _Letter(0.5, (*_path((0, 0.5), (0.5, 0.5)), *_path((0.25, 0.25), (0.25, 0.75)))),
    }


_LETTERS = _alphabet()


def measure_text(text: str) -> float:
    """Return the outer width of `text` where letters are 1 high. Raises KeyError (no letter)."""
    return max(end for _, end in _place(text))


def draw_text(
    text: str, *, shape: tuple[int, int], left: float, top: float, height: float
) -> Floats:
    """Return how much of each pixel the letters of `text` cover: float32 `shape`, 0..1.

    `left`, `top` and `height` are the outer edges of the letters in pixels, fractions welcome.
    """
    rows, columns = np.indices(shape, np.float32) + np.float32(0.5)
    distance = np.full(shape, np.inf, np.float32)
    body = height * _BODY
    inset = height * PEN / 2
    for (letter, start), _ in _place(text):
        x, y = left + start * height + inset, top + inset
        window = np.s_[:, max(int(x - height), 0) : int(x + letter.width * body + height) + 1]
        where = (columns[window] - x) / body, (rows[window] - y) / body
        for stroke in letter.strokes:
            near = _distance(stroke, *where) * body
            distance[window] = np.minimum(distance[window], near)
    covered: Floats = np.clip(inset + 0.5 - distance, 0, 1).astype(np.float32)
    return covered


def _place(text: str) -> Iterator[tuple[tuple[_Letter, float], float]]:
    """Yield each letter with where it starts, and where it ends, in letter heights."""
    place = 0.0
    for character in text:
        if character == " ":
            place += _SPACE
            continue
        letter = _LETTERS[character]
        end = place + letter.width * _BODY + PEN
        yield (letter, place), end
        place = end + _GAP


def _distance(stroke: _Line | _Arc, x: Floats, y: Floats) -> Floats:
    if isinstance(stroke, _Line):
        return _distance_to_line(stroke, x, y)
    return _distance_to_arc(stroke, x, y)


def _distance_to_line(line: _Line, x: Floats, y: Floats) -> Floats:
    (x0, y0), (x1, y1) = line.start, line.end
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
    nearest: Floats = np.hypot(x - x0 - along * dx, y - y0 - along * dy)
    return nearest


def _distance_to_arc(arc: _Arc, x: Floats, y: Floats) -> Floats:
    dx, dy = x - arc.centre[0], y - arc.centre[1]
    turned = np.mod(np.arctan2(dy, dx) - radians(arc.start), tau)
    on_circle = np.abs(np.hypot(dx, dy) - arc.radius)
    ends = [
        np.hypot(dx - arc.radius * cos(radians(a)), dy - arc.radius * sin(radians(a)))
        for a in (arc.start, arc.end)
    ]
    beside = turned <= radians(arc.end - arc.start)
    nearest: Floats = np.where(beside, on_circle, np.minimum(*ends))
    return nearest
