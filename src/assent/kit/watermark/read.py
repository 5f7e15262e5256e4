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
whole frame at any size, also mirrored, upside down or a negative), then a search over scale,
rotation and mirroring, then over the aspect ratio, then the same in windows.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice, takewhile

import numpy as np
from numpy.typing import NDArray

from assent.kit.ahead import side_by_side
from assent.kit.errors import InputError
from assent.kit.watermark.carriers import SHORT_SIDE, VARIANTS, Carriers, first_variant
from assent.kit.watermark.confirm import confirm, trace
from assent.kit.watermark.frontend import DetailAverage, detail, large_enough, working_size
from assent.kit.watermark.geometry import describe, fold
from assent.kit.watermark.key import ReadingKey, SecretKey
from assent.kit.watermark.known import Known
from assent.kit.watermark.lines import Lines
from assent.kit.watermark.mark import Mark, Search
from assent.kit.watermark.search import Candidate, SimilarityFinder, StretchFinder, refine
from assent.kit.watermark.secret import SecretLayer
from assent.kit.watermark.tile import (
    Alignment,
    Reading,
    Timeline,
    align,
    follow,
    gains,
    pick,
    read_plain,
)
from assent.kit.watermark.upright import find_upright

__all__ = ["STRETCH_S", "read_mark"]

STRETCH_S = 8.0  # seconds that 64 planes should span at most: one variant gives way at most once
# What a reading may come to by chance at most, bit by bit and once more from a list: with 500
# readings in a search, and three searches in a long film, one false identifier in 1e9 films.
_GATE = np.log(3e-13)
_MOST_READINGS = 500
# How likely another identifier may be, given that there is a mark.
_DOUBT = np.log(4e-5)
# Where copies with several marks were averaged, many words fit nearly as well as the best, which
# nobody embedded. One mark alone beats the next word by a share of its own evidence, and has nearly
# all that the pilots show. Together, the second counting two fifths, they come to 0.43 and more for
# one mark; of averages, one in twenty comes to more as well, and names what no log knows.
_ALONE = 0.43
_SHOWN = 0.4
# Deviations of the pilots below which no code helps: in one place, and in the best of all places.
_WORTH_DECODING = 3.0
_WORTH_DECODING_ANYWHERE = 5.2
_GROUP = 8  # planes
_WORKERS = 2  # threads
_LOOK_AFTER = (4, 12, 32)  # planes after which the quick way is tried
_GATHERING_SHARE = 0.6  # of the budget
_BLANK = 1e-2  # detail below this is arithmetic, not picture
_CANDIDATES = 6
_MOST_TRACED = 300  # releases; some milliseconds each
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
_LAYER = "the secret layer in whole frames"
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
Complexes = NDArray[np.complex128]
Clock = Callable[[], float]
Finder = Callable[[Lines, int], list[Candidate]]


def read_mark(
    luma: Iterable[NDArray[np.uint8]],
    *,
    key: ReadingKey,
    known: Known | None = None,
    secret: SecretKey | None = None,
    budget_s: float = 12.0,
    max_frames: int = 64,
    clock: Clock = time.monotonic,
) -> Search:
    """Look for a mark in luma planes, uint8 [H, W], all of one size, in time's order.

    At most `max_frames` planes are taken from the iterable, a few at a time; they should span no
    more than `STRETCH_S` seconds of film. Memory doesn't grow with their number. No new step
    starts after `budget_s` seconds, and a step lasts well under one. With `known` identifiers, a
    mark too faint to be read bit by bit may still be told to be one of them. With `secret`, a mark
    that was found is held against the layer that only the studio can add. Raises InputError for
    planes that aren't uint8 [H, W].
    """
    return _Reader(key, known, secret, budget_s, clock).read(luma, max_frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A part of the search: what is looked at, how, and how many candidates are followed up."""

    name: str
    where: str = ""
    window: Window
    finder: Finder
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A geometry that the pilots speak for, and what each group of frames shows under it."""

    matrix: Floats
    parts: list[Detail]
    groups: list[Complexes]

    def inverted(self) -> "_Found":
        """Return what a negative of the picture shows."""
        return replace(
            self,
            parts=[-part for part in self.parts],
            groups=[-group for group in self.groups],
        )


class _Reader:
    """One search, from the first frame to the report."""

    def __init__(
        self,
        key: ReadingKey,
        known: Known | None,
        secret: SecretKey | None,
        budget_s: float,
        clock: Clock,
    ) -> None:
        self._key = key
        self._known = known
        self._secret = secret
        self._carriers = Carriers.derive(key)
        self._budget = budget_s
        self._clock = clock
        self._start = clock()
        self._groups: list[DetailAverage] = []
        self._frames = 0
        self._searched: list[str] = []
        self._readings = 0

    def read(self, luma: Iterable[NDArray[np.uint8]], max_frames: int) -> Search:
        planes = map(_check_plane, islice(luma, max(1, max_frames)))
        first = next(planes, None)
        if first is None:
            return self._report(None, "nothing: there are no frames")
        height, width = shape = first.shape
        if not large_enough(width, height):
            return self._report(None, f"nothing: {width}x{height} is too small")
        with side_by_side(
            detail, chain([first], planes), workers=_WORKERS, depth=2 * _WORKERS
        ) as details:
            for seen in details:
                self._take(seen)
                if self._frames in _LOOK_AFTER and (mark := self._look_straight(shape)):
                    return self._report(mark, "whole frame")
                if self._spent() > _GATHERING_SHARE:
                    break
        return self._search(shape)

    def _take(self, seen: Detail) -> None:
        if self._frames % _GROUP == 0:
            self._groups.append(DetailAverage())
        self._groups[-1].take(seen)
        self._frames += 1

    def _search(self, shape: tuple[int, ...]) -> Search:
        whole = self._details((slice(None), slice(None)))
        if float(np.abs(whole[0]).max()) < _BLANK:
            return self._report(None, "nothing: the pictures are blank")
        quick: list[tuple[str, Callable[[], Mark | None]]] = [
            ("whole frame", partial(self._look_straight, shape)),
            (_UPRIGHT, self._look_upright),
        ]
        if self._secret and self._known:
            quick.append((_LAYER, partial(self._trace, shape, self._secret, self._known)))
        for name, look in quick:
            if mark := look():
                return self._report(mark, name)
            self._searched.append(name)
        return self._search_on(_steps(whole[0].shape, self._carriers))

    def _search_on(self, steps: Iterable[_Step]) -> Search:
        in_time = takewhile(lambda _: self._spent() < 1, steps)
        with side_by_side(self._candidates, in_time, workers=_WORKERS, depth=_WORKERS) as searched:
            for step, found in searched:
                if mark := self._try_each(found, step.where):
                    return self._report(mark, step.name)
                self._searched.append(step.name)
        late = self._spent() >= 1
        return self._report(None, "stopped: the time was used up" if late else None)

    def _details(self, window: Window) -> list[Detail]:
        """Return the detail of each group within a window, added up over its frames."""
        first = self._groups[0].sum()
        same = [group.sum(first.shape) for group in self._groups]
        return [np.ascontiguousarray(detail[window]) for detail in same]

    def _look_straight(self, shape: tuple[int, ...]) -> Mark | None:
        """Try the pattern where it was embedded, at any size of the whole frame, and flipped."""
        matrix = _straight(shape)
        for down, across, words in _FLIPS:
            window = (slice(None, None, down), slice(None, None, across))
            found = self._found(matrix, self._details(window))
            for shown, how in ((found, ""), (found.inverted(), ", colours inverted")):
                for reach in _REACHES:
                    if mark := self._try(shown, words + how, reach):
                        return mark
        return None

    def _look_upright(self) -> Mark | None:
        parts = self._details((slice(None), slice(None)))
        total = np.asarray(sum(parts), np.float32)
        candidates = find_upright(total, self._carriers, _CANDIDATES)
        matrices = [candidate.matrix for candidate in candidates]
        return self._try_each(self._worth_decoding(matrices, parts, total), "")

    def _candidates(self, step: _Step) -> tuple[_Step, list[_Found]]:
        """Take one step of the search, apart from decoding: runs beside other steps."""
        parts = self._details(step.window)
        total = np.asarray(sum(parts), np.float32)
        lines = Lines.of(total)
        found = step.finder(lines, step.most)
        matrices = [refine(lines, self._carriers, candidate.matrix) for candidate in found]
        return step, list(self._worth_decoding(matrices, parts, total))

    def _worth_decoding(
        self, matrices: Iterable[Floats], parts: list[Detail], total: Detail
    ) -> Iterator[_Found]:
        for matrix in matrices:
            whole = self._seen(total, matrix)
            if align(whole, self._carriers, reach=None).z >= _WORTH_DECODING_ANYWHERE:
                yield self._found(matrix, parts)

    def _try_each(self, found: Iterable[_Found], where: str) -> Mark | None:
        for one in found:
            if mark := self._try(one, where + describe(one.matrix), None):
                return mark
        return None

    def _found(self, matrix: Floats, parts: list[Detail]) -> _Found:
        groups = [self._seen(part, matrix) for part in parts]
        return _Found(matrix=matrix, parts=parts, groups=groups)

    def _seen(self, detail: Detail, matrix: Floats) -> Complexes:
        return gains(fold(detail, matrix), self._carriers)

    def _try(self, found: _Found, words: str, reach: float | None) -> Mark | None:
        aligned = align(np.sum(found.groups, axis=0), self._carriers, reach=reach)
        if aligned.z < _WORTH_DECODING or self._readings >= _MOST_READINGS:
            return None
        self._readings += 1
        timeline = follow(found.groups, aligned, self._carriers)
        reading, listed = read_plain(timeline, self._carriers), None
        if self._known and not _holds(reading):
            reading, listed = pick(timeline, self._carriers, self._known), len(self._known)
        if not _holds(reading):
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
            listed=listed,
            secret_nats=self._confirm(found, aligned, timeline, reading.asset_id),
        )

    def _confirm(
        self, found: _Found, aligned: Alignment, timeline: Timeline, asset_id: int
    ) -> float | None:
        if self._secret is None:
            return None
        layer = SecretLayer.derive(self._secret, asset_id=asset_id)
        return confirm(layer, found.parts, found.matrix, aligned=aligned, timeline=timeline)

    def _trace(self, shape: tuple[int, ...], secret: SecretKey, known: Known) -> Mark | None:
        """Look in whole frames for the secret layer of each of the films listed last."""
        ids = known.asset_ids[-_MOST_TRACED:]
        layers = [SecretLayer.derive(secret, asset_id=one) for one in ids]
        matrix = _straight(shape)
        for down, across, words in _FLIPS:
            window = (slice(None, None, down), slice(None, None, across))
            best = trace(layers, self._details(window), matrix)
            if best and best.nats - np.log(len(_FLIPS)) >= -_GATE:
                asset_id = ids[best.place]
                return Mark(
                    asset_id=asset_id,
                    confidence=1 - len(_FLIPS) * float(np.exp(-best.nats)),
                    z=0.0,
                    geometry=words,
                    frames=self._frames,
                    segment=(best.variant - first_variant(self._key, asset_id)) % VARIANTS,
                    listed=len(ids),
                    secret_nats=best.nats,
                    public=False,
                )
        return None

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


def _straight(shape: tuple[int, ...]) -> Floats:
    """Return how the pattern lies in the working picture of a whole frame [h, w]."""
    height, width = shape
    w, h = working_size(width, height)
    return np.diag([w / width, h / height]) * (min(width, height) / SHORT_SIDE)


def _holds(reading: Reading) -> bool:
    """Whether chance could hardly have made this reading, and hardly any other is as likely."""
    if reading.log_chance > _GATE or reading.log_other > _DOUBT:
        return False
    return reading.log_other / reading.log_chance + _SHOWN * reading.share >= _ALONE


def _check_plane(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if plane.ndim != 2 or plane.dtype != np.uint8:
        raise InputError(
            f"a luma plane is uint8 [H, W], not {plane.dtype} {list(plane.shape)}",
            advice="Convert deeper pictures to 8 bits before reading.",
        )
    return plane


def _steps(shape: tuple[int, ...], carriers: Carriers) -> Iterator[_Step]:
    """Yield each step of the search that follows the upright one."""
    whole = (slice(None), slice(None))
    similarities = SimilarityFinder(carriers)
    yield _Step(name=_SIMILARITY, window=whole, finder=similarities.find, most=_CANDIDATES)
    stretches = StretchFinder(carriers)
    yield _Step(name=_ASPECT, window=whole, finder=stretches.find, most=_CANDIDATES)
    height, width = shape
    side = int(min(height, width) * _WINDOW)
    for right, down, place in _PLACES:
        y, x = int((height - side) * down), int((width - side) * right)
        yield _Step(
            name=f"{place} of the frame: {_SIMILARITY}",
            where=f"{place} of the frame, ",
            window=(slice(y, y + side), slice(x, x + side)),
            finder=similarities.find,
            most=_WINDOW_CANDIDATES,
        )
