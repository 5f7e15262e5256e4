"""What is done to films before they turn up elsewhere: each change takes pictures and gives others.

`CHANGES` are those by which recall is told; `BEYOND` go further.
"""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from _footage import Film
from numpy.typing import NDArray

__all__ = ["BEYOND", "CHANGES", "Change", "Rgb", "even"]

Rgb = NDArray[Any]
Change = Callable[[Sequence[Rgb], np.random.Generator, Film], tuple[list[Rgb], float]]
"""Returns changed pictures, and at what share of its speed they are shown."""

_SIZE = 320  # pixels across of the film that others are put into


def even(rgb: Rgb) -> Rgb:
    """Return a picture without the last of an odd number of rows or columns."""
    return np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])


def _half(rgb: Rgb) -> Rgb:
    return np.asarray(cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def _encoded(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    kept = [cv2.resize(_half(each), (each.shape[1], each.shape[0])) for each in pictures]
    return kept, 1.0


def _scaled(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    share = float(rng.uniform(0.35, 0.6))
    return [even(cv2.resize(p, None, fx=share, fy=share, interpolation=3)) for p in pictures], 1.0


def _cropped(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    x, y = rng.uniform(0, 0.1, 2)
    height, width = pictures[0].shape[:2]
    top, left = int(y * height), int(x * width)
    tall, wide = int(0.9 * height), int(0.9 * width)
    return [even(p[top : top + tall, left : left + wide]) for p in pictures], 1.0


def _overlaid(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    """A logo at a corner and a caption below."""
    height, width = pictures[0].shape[:2]
    side, colour = int(0.15 * height), tuple(int(v) for v in rng.integers(0, 255, 3))
    right = bool(rng.random() < 0.5)
    done = []
    for picture in pictures:
        seen = picture.copy()
        x = width - 2 * side if right else side // 3
        cv2.rectangle(seen, (x, side // 3), (x + int(1.6 * side), side + side // 3), colour, -1)
        cv2.putText(seen, "NEWS", (x + 4, side), 0, height / 480, (255, 255, 255), 2)
        top = int(0.86 * height)
        seen[top : top + int(0.1 * height), width // 12 : -width // 12] //= 4
        at = (width // 10, top + int(0.075 * height))
        cv2.putText(seen, "what they say of it here", at, 0, height / 520, (255, 255, 255), 1)
        done.append(seen)
    return done, 1.0


def _mirrored(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    return [np.ascontiguousarray(p[:, ::-1]) for p in pictures], 1.0


def _cut(pictures: Sequence[Rgb], rng: np.random.Generator, other: Film) -> tuple[list[Rgb], float]:
    begin = int(rng.integers(0, len(pictures) - 50))
    return list(pictures[begin : begin + 50]), 1.0


def _letterboxed(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    height = pictures[0].shape[0]
    bar = 2 * int(height * rng.uniform(0.06, 0.16))
    return [cv2.copyMakeBorder(p, bar, bar, 0, 0, cv2.BORDER_CONSTANT) for p in pictures], 1.0


def _faster(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    return list(pictures), 1.05


def _slower(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    return list(pictures), 0.95


def _inset(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    """Half as wide and half as high, in another film, wherever in it."""
    height, width = pictures[0].shape[:2]
    tall, wide = height // 2, width // 2
    corner = rng.choice([0.0, 1.0], 2) if rng.random() < 0.5 else rng.uniform(0, 1, 2)
    x, y = (corner * (width - wide, height - tall)).astype(int)
    done = []
    for number, picture in enumerate(pictures):
        around = cv2.resize(other.picture(number / 25, width=_SIZE), (width, height))
        around[y : y + tall, x : x + wide] = cv2.resize(picture, (wide, tall), interpolation=3)
        done.append(around)
    return done, 1.0


CHANGES: dict[str, Change] = {
    "re-encoded at half the size": _encoded,
    "scaled": _scaled,
    "cropped by 10 %": _cropped,
    "logo and caption": _overlaid,
    "mirrored": _mirrored,
    "2 s cut out": _cut,
    "letterboxed": _letterboxed,
    "5 % faster": _faster,
    "5 % slower": _slower,
    "inset at half the size": _inset,
}


def _without_the_label(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    """A strip of 12 to 18 % off at the top or at a side, as who wants a label away cuts it."""
    height, width = pictures[0].shape[:2]
    share = float(rng.uniform(0.12, 0.18))
    top = int(share * height) if rng.random() < 0.6 else 0
    right = width if top else width - int(share * width)
    return [even(p[top:, :right]) for p in pictures], 1.0


def _corner_mirrored(
    pictures: Sequence[Rgb], rng: np.random.Generator, other: Film
) -> tuple[list[Rgb], float]:
    """Two strips of 12 to 18 % off at a corner, and turned."""
    height, width = pictures[0].shape[:2]
    down, across = (float(each) for each in rng.uniform(0.12, 0.18, 2))
    cut = [p[int(down * height) :, : width - int(across * width)] for p in pictures]
    return [np.ascontiguousarray(even(p)[:, ::-1]) for p in cut], 1.0


BEYOND: dict[str, Change] = {
    "label cut off": _without_the_label,
    "corner cut off, mirrored": _corner_mirrored,
}
"""Changes of which `beyond` tells."""
