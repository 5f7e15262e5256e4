"""Reading marks: `read_mark` looks at luma planes and reports an identifier, or none.

>>> import numpy as np
>>> from assent.kit.watermark.embed import Embedder
>>> key = ReadingKey.from_bytes(bytes(32))
>>> plane = np.random.default_rng(1).normal(120, 4, (256, 384)).astype(np.uint8)
>>> embedder = Embedder(width=384, height=256, bits=8, asset_id=7, key=key)
>>> search = read_mark([embedder.mark(plane)], key=key)
>>> search.mark.asset_id, search.mark.geometry
(7, 'whole frame')

An identifier is reported only if the pilots stand out from chance (`z`) *and* its CRC is right.
The quick way comes first (the whole frame at any size, also mirrored), then a search over
scale, rotation and mirroring, then over the aspect ratio, then the same in windows.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.watermark.carriers import SHORT_SIDE, Carriers
from assent.kit.watermark.frontend import DetailAverage, working_size
from assent.kit.watermark.geometry import describe, fold
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.lines import Lines
from assent.kit.watermark.search import Candidate, SimilarityFinder, StretchFinder, refine
from assent.kit.watermark.tile import align, read_identifier

__all__ = ["Mark", "Search", "read_mark"]

_LEAST_SIDE = 64  # pixels: below, a picture can't hold enough of the pattern
_LEAST_WORKING_SIDE = 192
# By chance, one reading in about a thousand passes the first gate, fewer than one in three
# thousand the second; each that passes then meets a CRC-32 at most 96 times.
_NEAR_GATE = 4.0
_SEARCH_GATE = 6.0
_LOOK_AFTER = (4, 12, 32)  # frames after which the quick way is tried
_GATHERING_SHARE = 0.6  # of the budget
_BLANK = 1e-2  # detail below this is arithmetic, not picture
_CANDIDATES = 6
_WINDOW_CANDIDATES = 3
_WINDOW = 0.6  # of each side
_SIMILARITY = "scale, rotation and mirroring"
_PLACES = (
    (0.5, 0.5, "centre"),
    (0.0, 0.5, "left"),
    (1.0, 0.5, "right"),
    (0.5, 0.0, "top"),
    (0.5, 1.0, "bottom"),
    (0.0, 0.0, "upper left"),
    (1.0, 0.0, "upper right"),
    (0.0, 1.0, "lower left"),
    (1.0, 1.0, "lower right"),
)

Detail = NDArray[np.float32]
Floats = NDArray[np.float64]
Clock = Callable[[], float]
Finder = Callable[[Lines, int], list[Candidate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark that was read.

    `z` is by how many deviations the pilots beat chance, `geometry` says in words how the
    pattern lay in the picture, `frames` how many frames were averaged.
    """

    asset_id: int
    z: float
    geometry: str
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a reader looked at, and what it found.

    `mark` is None when nothing passed the gates: that is no proof that there is no mark.
    `searched` names each step that was finished, and why the search ended early if it did.
    """

    mark: Mark | None
    frames: int
    seconds: float
    searched: tuple[str, ...]


def read_mark(
    luma: Iterable[NDArray[np.uint8]],
    *,
    key: ReadingKey,
    budget_s: float = 12.0,
    max_frames: int = 64,
    clock: Clock = time.monotonic,
) -> Search:
    """Look for a mark in luma planes, uint8 [H, W], all of one size.

    At most `max_frames` planes are taken from the iterable (sample a long clip before), one at
    a time; memory doesn't grow with their number. No new step starts after `budget_s` seconds,
    and a step lasts well under one. Raises InputError for planes that aren't uint8 [H, W].
    """
    return _Reader(Carriers.derive(key), budget_s, clock).read(luma, max_frames)


class _Reader:
    """One search, from the first frame to the report."""

    def __init__(self, carriers: Carriers, budget_s: float, clock: Clock) -> None:
        self._carriers = carriers
        self._budget = budget_s
        self._clock = clock
        self._start = clock()
        self._average = DetailAverage()
        self._searched: list[str] = []

    def read(self, luma: Iterable[NDArray[np.uint8]], max_frames: int) -> Search:
        shape: tuple[int, ...] = ()
        for plane in luma:
            if plane.ndim != 2 or plane.dtype != np.uint8:
                raise InputError(
                    f"a luma plane is uint8 [H, W], not {plane.dtype} {list(plane.shape)}",
                    advice="Convert deeper pictures to 8 bits before reading.",
                )
            shape = shape or plane.shape
            if not _readable(shape[1], shape[0]):
                return self._report(None, f"nothing: {shape[1]}x{shape[0]} is too small")
            self._average.add(plane)
            if self._average.frames in _LOOK_AFTER and (mark := self._look_straight(shape)):
                return self._report(mark, "whole frame")
            if self._average.frames >= max_frames or self._spent() > _GATHERING_SHARE:
                break
        if not self._average.frames:
            return self._report(None, "nothing: there are no frames")
        return self._search(shape)

    def _search(self, shape: tuple[int, ...]) -> Search:
        detail = self._average.mean()
        if float(np.abs(detail).max()) < _BLANK:
            return self._report(None, "nothing: the pictures are blank")
        if mark := self._look_straight(shape):
            return self._report(mark, "whole frame")
        self._searched.append("whole frame")
        for name, part, finder, most in _steps(detail, self._carriers):
            if self._spent() >= 1:
                return self._report(None, "stopped: the time was used up")
            where = "" if part.shape == detail.shape else f"{name.split(':')[0]}, "
            if mark := self._look_anywhere(part, finder, most, where):
                return self._report(mark, name)
            self._searched.append(name)
        return self._report(None, None)

    def _look_straight(self, shape: tuple[int, ...]) -> Mark | None:
        """Try the pattern where it was embedded, at any size of the whole frame, and mirrored."""
        detail = self._average.mean()
        height, width = shape
        w, h = working_size(width, height)
        matrix = np.diag([w / width, h / height]) * (min(width, height) / SHORT_SIDE)
        for side, words in ((1, "whole frame"), (-1, "whole frame, mirrored")):
            seen = np.ascontiguousarray(detail[:, ::side])
            if mark := self._try(seen, matrix, words, near=True):
                return mark
        return None

    def _look_anywhere(self, part: Detail, finder: Finder, most: int, where: str) -> Mark | None:
        lines = Lines.of(part)
        for candidate in finder(lines, most):
            matrix = refine(lines, self._carriers, candidate.matrix)
            if mark := self._try(part, matrix, where + describe(matrix), near=False):
                return mark
        return None

    def _try(self, detail: Detail, matrix: Floats, words: str, *, near: bool) -> Mark | None:
        aligned = align(fold(detail, matrix), self._carriers, near=near)
        if aligned.z < (_NEAR_GATE if near else _SEARCH_GATE):
            return None
        asset_id = read_identifier(aligned.spectrum, self._carriers)
        if asset_id is None:
            return None
        return Mark(asset_id=asset_id, z=aligned.z, geometry=words, frames=self._average.frames)

    def _spent(self) -> float:
        """Return the share of the budget that is used up."""
        return (self._clock() - self._start) / self._budget if self._budget > 0 else 1.0

    def _report(self, mark: Mark | None, last: str | None) -> Search:
        return Search(
            mark=mark,
            frames=self._average.frames,
            seconds=self._clock() - self._start,
            searched=(*self._searched, *([last] if last else [])),
        )


def _readable(width: int, height: int) -> bool:
    return (
        min(width, height) >= _LEAST_SIDE
        and min(working_size(width, height)) >= _LEAST_WORKING_SIDE
    )


def _steps(detail: Detail, carriers: Carriers) -> Iterator[tuple[str, Detail, Finder, int]]:
    """Yield each step of the search: its name, what it looks at, how, and how many candidates."""
    similarities = SimilarityFinder(carriers)
    yield _SIMILARITY, detail, similarities.find, _CANDIDATES
    yield "aspect ratio", detail, StretchFinder(carriers).find, _CANDIDATES
    height, width = detail.shape
    side = int(min(height, width) * _WINDOW)
    for right, down, place in _PLACES:
        y, x = int((height - side) * down), int((width - side) * right)
        part = np.ascontiguousarray(detail[y : y + side, x : x + side])
        name = f"{place} of the frame: {_SIMILARITY}"
        yield name, part, similarities.find, _WINDOW_CANDIDATES
