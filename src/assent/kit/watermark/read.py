"""Reading marks: `read_mark` looks at luma planes and reports an identifier, or none.

>>> import numpy as np
>>> from assent.kit.watermark.embed import Embedder
>>> key = ReadingKey.from_bytes(bytes(32))
>>> plane = np.random.default_rng(1).normal(120, 4, (256, 384)).astype(np.uint8)
>>> embedder = Embedder(width=384, height=256, bits=8, asset_id=7, key=key)
>>> search = read_mark([embedder.mark(plane)], key=key)
>>> search.mark.asset_id, search.mark.geometry, search.mark.segment
(7, 'whole frame', 0)

An identifier is reported only if chance could hardly have made the picture agree so well with any
codeword: the bound holds whatever the picture is (`evidence`). The quick way comes first (the
whole frame at any size, also mirrored or upside down), then a search over scale, rotation and
mirroring, then over the aspect ratio, then the same in windows.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.watermark.carriers import SHORT_SIDE, VARIANTS, Carriers, first_variant
from assent.kit.watermark.frontend import DetailAverage, working_size
from assent.kit.watermark.geometry import describe, fold
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.lines import Lines
from assent.kit.watermark.search import Candidate, SimilarityFinder, StretchFinder, refine
from assent.kit.watermark.tile import align, follow, gains, read_plain
from assent.kit.watermark.upright import find_upright

__all__ = ["STRETCH_S", "Mark", "Search", "read_mark"]

STRETCH_S = 8.0  # seconds that 64 planes should span at most: one variant gives way at most once
_LEAST_SIDE = 64  # pixels: below, a picture can't hold enough of the pattern
_LEAST_WORKING_SIDE = 192
# What a reading may come to by chance at most: with 500 readings in a search, and three searches in
# a long film, less than one false identifier in 2e9 films.
_GATE = np.log(3e-13)
_MOST_READINGS = 500
# How likely another identifier may be, given that there is a mark.
_DOUBT = np.log(1e-4)
# Share of the evidence by which a word must beat the next. Where copies with several marks were
# averaged, many words fit nearly as well as the best, which nobody embedded: up to 0.13 was seen
# there, 0.21 and more with one mark.
_ALONE = 0.18
# Deviations of the pilots below which no code helps: in one place, and in the best of all places.
_WORTH_DECODING = 3.0
_WORTH_DECODING_ANYWHERE = 5.2
_GROUP = 8  # planes
_LOOK_AFTER = (4, 12, 32)  # planes after which the quick way is tried
_GATHERING_SHARE = 0.6  # of the budget
_BLANK = 1e-2  # detail below this is arithmetic, not picture
_CANDIDATES = 6
_WINDOW_CANDIDATES = 3
_WINDOW = 0.6  # of each side
_REACHES = (0.0, 1.0)  # units that the pattern may lie off a whole frame's corner
_FLIPS = (
    (1, 1, "whole frame"),
    (1, -1, "whole frame, mirrored"),
    (-1, 1, "whole frame, upside down and mirrored"),
    (-1, -1, "whole frame, upside down"),
)
_SIMILARITY = "scale, rotation and mirroring"
_UPRIGHT = "scale, upright or mirrored"
_ASPECT = "aspect ratio"
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
Window = tuple[slice, slice]
Floats = NDArray[np.float64]
Clock = Callable[[], float]
Finder = Callable[[Lines, int], list[Candidate]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A mark that was read.

    `confidence` is the probability that this identifier is there: one minus the bound on a chance
    agreement in all readings up to this one together, minus the odds of the runner-up. `z` is by
    how many deviations the pilots stand out, `geometry` says in words how the pattern lay in the
    picture, `frames` how many frames were averaged. `segment` (0..7) says in which eight seconds
    of the film the first of them was shown, counted anew every 64 seconds.
    """

    asset_id: int
    confidence: float
    z: float
    geometry: str
    frames: int
    segment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a reader looked at, and what it found.

    `mark` is None when nothing passed the gate: that is no proof that there is no mark.
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
    """Look for a mark in luma planes, uint8 [H, W], all of one size, in time's order.

    At most `max_frames` planes are taken from the iterable, one at a time; they should span no
    more than `STRETCH_S` seconds of film. Memory doesn't grow with their number. No new step
    starts after `budget_s` seconds, and a step lasts well under one. Raises InputError for planes
    that aren't uint8 [H, W].
    """
    return _Reader(key, budget_s, clock).read(luma, max_frames)


class _Reader:
    """One search, from the first frame to the report."""

    def __init__(self, key: ReadingKey, budget_s: float, clock: Clock) -> None:
        self._key = key
        self._carriers = Carriers.derive(key)
        self._budget = budget_s
        self._clock = clock
        self._start = clock()
        self._groups: list[DetailAverage] = []
        self._frames = 0
        self._searched: list[str] = []
        self._readings = 0

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
            self._take(plane)
            if self._frames in _LOOK_AFTER and (mark := self._look_straight(shape)):
                return self._report(mark, "whole frame")
            if self._frames >= max_frames or self._spent() > _GATHERING_SHARE:
                break
        if not self._frames:
            return self._report(None, "nothing: there are no frames")
        return self._search(shape)

    def _take(self, plane: NDArray[np.uint8]) -> None:
        if self._frames % _GROUP == 0:
            self._groups.append(DetailAverage())
        self._groups[-1].add(plane)
        self._frames += 1

    def _search(self, shape: tuple[int, ...]) -> Search:
        whole = self._details((slice(None), slice(None)))
        if float(np.abs(whole[0]).max()) < _BLANK:
            return self._report(None, "nothing: the pictures are blank")
        if mark := self._look_straight(shape):
            return self._report(mark, "whole frame")
        self._searched.append("whole frame")
        if mark := self._look_upright():
            return self._report(mark, _UPRIGHT)
        self._searched.append(_UPRIGHT)
        for name, window, finder, most in _steps(whole[0].shape, self._carriers):
            if self._spent() >= 1:
                return self._report(None, "stopped: the time was used up")
            where = "" if name in (_SIMILARITY, _ASPECT) else f"{name.split(':')[0]}, "
            if mark := self._look_anywhere(self._details(window), finder, most, where):
                return self._report(mark, name)
            self._searched.append(name)
        return self._report(None, None)

    def _details(self, window: Window) -> list[Detail]:
        """Return the detail of each group within a window, added up over its frames."""
        first = self._groups[0].sum()
        same = [group.sum(first.shape) for group in self._groups]
        return [np.ascontiguousarray(detail[window]) for detail in same]

    def _look_straight(self, shape: tuple[int, ...]) -> Mark | None:
        """Try the pattern where it was embedded, at any size of the whole frame, and flipped."""
        height, width = shape
        w, h = working_size(width, height)
        matrix = np.diag([w / width, h / height]) * (min(width, height) / SHORT_SIDE)
        for down, across, words in _FLIPS:
            window = (slice(None, None, down), slice(None, None, across))
            groups = [self._seen(detail, matrix) for detail in self._details(window)]
            for reach in _REACHES:
                if mark := self._try(groups, words, reach):
                    return mark
        return None

    def _look_upright(self) -> Mark | None:
        parts = self._details((slice(None), slice(None)))
        total = np.asarray(sum(parts), np.float32)
        for candidate in find_upright(total, self._carriers, _CANDIDATES):
            if mark := self._try_at(candidate.matrix, parts, total, ""):
                return mark
        return None

    def _look_anywhere(
        self, parts: list[Detail], finder: Finder, most: int, where: str
    ) -> Mark | None:
        total = np.asarray(sum(parts), np.float32)
        lines = Lines.of(total)
        for candidate in finder(lines, most):
            matrix = refine(lines, self._carriers, candidate.matrix)
            if mark := self._try_at(matrix, parts, total, where):
                return mark
        return None

    def _try_at(
        self, matrix: Floats, parts: list[Detail], total: Detail, where: str
    ) -> Mark | None:
        whole = self._seen(total, matrix)
        if align(whole, self._carriers, reach=None).z < _WORTH_DECODING_ANYWHERE:
            return None
        groups = [self._seen(part, matrix) for part in parts]
        return self._try(groups, where + describe(matrix), None)

    def _seen(self, detail: Detail, matrix: Floats) -> NDArray[np.complex128]:
        return gains(fold(detail, matrix), self._carriers)

    def _try(
        self, groups: list[NDArray[np.complex128]], words: str, reach: float | None
    ) -> Mark | None:
        aligned = align(np.sum(groups, axis=0), self._carriers, reach=reach)
        if aligned.z < _WORTH_DECODING or self._readings >= _MOST_READINGS:
            return None
        self._readings += 1
        timeline = follow(groups, aligned, self._carriers)
        reading = read_plain(timeline, self._carriers)
        doubt = min(_DOUBT, _ALONE * reading.log_chance)
        if reading.log_chance > _GATE or reading.log_other > doubt:
            return None
        start = first_variant(self._key, reading.asset_id)
        return Mark(
            asset_id=reading.asset_id,
            confidence=1
            - self._readings * float(np.exp(reading.log_chance))
            - float(np.exp(reading.log_other)),
            z=aligned.z,
            geometry=words,
            frames=self._frames,
            segment=(timeline.variant - start) % VARIANTS,
        )

    def _spent(self) -> float:
        """Return the share of the budget that is used up."""
        return (self._clock() - self._start) / self._budget if self._budget > 0 else 1.0

    def _report(self, mark: Mark | None, last: str | None) -> Search:
        return Search(
            mark=mark,
            frames=self._frames,
            seconds=self._clock() - self._start,
            searched=(*self._searched, *([last] if last else [])),
        )


def _readable(width: int, height: int) -> bool:
    return (
        min(width, height) >= _LEAST_SIDE
        and min(working_size(width, height)) >= _LEAST_WORKING_SIDE
    )


def _steps(shape: tuple[int, ...], carriers: Carriers) -> Iterator[tuple[str, Window, Finder, int]]:
    """Yield each step of the search: its name, what it looks at, how, and how many candidates."""
    whole = (slice(None), slice(None))
    similarities = SimilarityFinder(carriers)
    yield _SIMILARITY, whole, similarities.find, _CANDIDATES
    yield _ASPECT, whole, StretchFinder(carriers).find, _CANDIDATES
    height, width = shape
    side = int(min(height, width) * _WINDOW)
    for right, down, place in _PLACES:
        y, x = int((height - side) * down), int((width - side) * right)
        name = f"{place} of the frame: {_SIMILARITY}"
        window = (slice(y, y + side), slice(x, x + side))
        yield name, window, similarities.find, _WINDOW_CANDIDATES
