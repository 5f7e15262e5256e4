"""Footage that hurts face trackers: worn, dark, crowded, hidden, cut; made of the samples.

    path = write_clip(tmp_path / "cut.mp4", back_and_forth((0, 12), (12, 20)))

Each function gives pictures, RGB uint8 [H, W, 3], the same at every call. What happens to single
pictures is in `benchmarks/_changes.py`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
from _changes import ball, blurred, box, coloured, dark, graded, hand, noisy, relit, scaled
from _changes import write_clip as write_clip
from numpy.typing import NDArray

__all__ = [
    "CHANGES",
    "back_and_forth",
    "carried_past",
    "changed",
    "crowd",
    "hand_before",
    "leaves_and_returns",
    "microphone_before",
    "pictures",
    "sized",
    "truth_landmarks",
    "write_clip",
]

Rgb = NDArray[np.uint8]
SAMPLES = Path(__file__).parent.parent / "samples"
_PASSING = 12  # frames that it takes to leave the picture

CHANGES: dict[str, Callable[[Rgb, int, NDArray[np.float32]], Rgb]] = {
    "lamp": lambda rgb, index, points: relit(rgb, points, angle=np.pi),
    "moving lamp": lambda rgb, index, points: relit(rgb, points, angle=index / 8),
    "grade": lambda rgb, index, points: graded(rgb),
    "dark": lambda rgb, index, points: dark(rgb, index),
    "coloured light": lambda rgb, index, points: coloured(rgb),
    "noise": lambda rgb, index, points: noisy(rgb, index),
    "soft": lambda rgb, index, points: blurred(rgb, 2.5),
}
"""Changes of scene1's pictures: of the picture, the frame's number and the face's landmarks."""


@cache
def pictures(name: str, first: int = 0, count: int = 40) -> tuple[Rgb, ...]:
    """`count` frames of a sample from `first` on; the name goes without its ending."""
    with av.open(str(SAMPLES / f"{name}.mp4")) as clip:
        frames = islice(clip.decode(video=0), first, first + count)
        return tuple(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames)


@cache
def truth_landmarks() -> NDArray[np.float32]:
    """Where scene1's face really is: float32 [120, 68, 2]."""
    with np.load(SAMPLES / "scene1_ada_with_ben_face.npz") as truth:
        return np.asarray(truth["landmarks68"][:, 0], np.float32)


def changed(change: str, first: int = 0, count: int = 20) -> Iterator[Rgb]:
    """Frames of scene1 under one of `CHANGES`."""
    points = truth_landmarks()
    for number, rgb in enumerate(pictures("scene1_ada", first, count), first):
        yield CHANGES[change](rgb, number, points[number])


def carried_past(count: int = 40, face: str = "scene1_ada") -> Iterator[Rgb]:
    """A parcel crosses the picture from left to right and covers the whole face on its way."""
    for number, rgb in enumerate(pictures(face, 0, count)):
        yield box(rgb, -0.3 + 1.6 * number / (count - 1), width=0.45)


def hand_before(count: int = 30) -> Iterator[Rgb]:
    """A hand comes up before the mouth, stays and goes."""
    points = truth_landmarks()
    for number, rgb in enumerate(pictures("scene1_ada", 0, count)):
        mouth = points[number, 48:68].mean(0)
        down = 260 * abs(2 * number / (count - 1) - 1) ** 3
        yield hand(rgb, (float(mouth[0]), float(mouth[1] + down + 15)), 70)


def microphone_before(count: int = 30) -> Iterator[Rgb]:
    """A microphone stands before the mouth all the time."""
    points = truth_landmarks()
    place = points[:count, 57].mean(0)
    for rgb in pictures("scene1_ada", 0, count):
        yield ball(rgb, (float(place[0]), float(place[1] + 6)), 44)


def back_and_forth(*spans: tuple[int, int], of: Sequence[str] = ("ada", "ben")) -> Iterator[Rgb]:
    """Cuts between performers: frames `first` to before `end` of each one's footage in turn."""
    for number, (first, end) in enumerate(spans):
        yield from pictures(f"{of[number % len(of)]}_train", first, end - first)


def leaves_and_returns(
    stays: int = 14, away: int = 20, returns: int = 14, face: str = "ada_train"
) -> Iterator[Rgb]:
    """A person slips out of the frame to the right, leaves an empty set, and comes back."""
    frames = pictures(face, 0, stays + returns + 2 * _PASSING)
    width = frames[0].shape[1]
    empty = np.full_like(frames[0], 120)
    for number in range(stays + _PASSING):
        yield _slid(frames[number], empty, width * max(0, number - stays + 1) // _PASSING)
    yield from (noisy(empty, number, deviation=4) for number in range(away))
    for number, rgb in enumerate(frames[stays + _PASSING :]):
        yield _slid(rgb, empty, width * max(0, _PASSING - 1 - number) // _PASSING)


def _slid(rgb: Rgb, empty: Rgb, by: int) -> Rgb:
    sheet = empty.copy()
    sheet[:, by:] = rgb[:, : rgb.shape[1] - by]
    return sheet


def crowd(count: int = 6, people: int = 10, tile: int = 288) -> Iterator[Rgb]:
    """Many people in two rows, the first of them ada, the others ben and cleo in turn.

    Every second pair looks the other way, each at another moment of their footage.
    """
    for number in range(count):
        tiles = [_member(place, number, tile) for place in range(people)]
        half = (people + 1) // 2
        rows = [np.hstack(tiles[:half]), np.hstack((tiles[half:] + tiles[:half])[:half])]
        yield np.vstack(rows if people > 1 else rows[:1])


def _member(place: int, number: int, tile: int) -> Rgb:
    name = "ada" if place == 0 else ("ben", "cleo")[place % 2]
    rgb = pictures(f"{name}_train", 2 * place, 12)[number % 12]
    if place // 2 % 2:
        rgb = np.ascontiguousarray(rgb[:, ::-1])
    return np.asarray(cv2.resize(rgb, (tile, tile), interpolation=cv2.INTER_AREA), np.uint8)


def sized(
    side: int, count: int = 12, *, frame: tuple[int, int] = (360, 640), face: str = "ada_train"
) -> Iterator[Rgb]:
    """One face about `side` pixels wide in the middle of a `frame` of that height and width."""
    # A face takes up about 0.3 of a sample's width, and its middle is at 0.5 and 0.45 of it.
    for rgb in pictures(face, 0, count):
        width = rgb.shape[1]
        zoom = side / (0.3 * width)
        left, top = frame[1] / 2 - 0.5 * width * zoom, frame[0] / 2 - 0.45 * width * zoom
        # Scaled first, since warping alone would leave out pixels of a face made smaller.
        picture = scaled(rgb, zoom)
        moved = cv2.warpAffine(
            picture,
            np.array([[1, 0, round(left)], [0, 1, round(top)]], np.float32),
            (frame[1], frame[0]),
            borderValue=(110, 110, 110),
        )
        yield np.asarray(moved, np.uint8)
