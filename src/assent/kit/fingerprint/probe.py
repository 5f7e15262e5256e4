"""What a film is looked up by: for each stretch of it, its pictures' codes in several views.

    maker = ProbeMaker()
    for picture in pictures:
        if maker.wants(at):
            maker.add(luma, at)
    probes = maker.finish(end)

A view says what may have been done to the picture: nothing, mirrored, cropped, put between borders
or into another picture. Views are in the order in which they are worth trying.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.fingerprint.picture_code import (
    CODE_BYTES,
    CROPS,
    CUTS,
    WHOLE,
    Thumb,
    Window,
    code_of,
    distances,
    middle_of,
    thumb_of,
)
from assent.kit.fingerprint.track import ALIKE, PER_SECOND
from assent.kit.fingerprint.windows import find_borders, find_insets

__all__ = ["Probe", "ProbeMaker", "View", "Way", "ways_of"]

STRETCH_S = 15.0
"""Seconds of a film that are looked up at a time."""
_PICTURES, _FEWER = 8, 4
_INSETS = 3
_MIDDLE = middle_of(1.0, 0.5, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One way to see a stretch: codes, uint8 [n, 32], and the seconds they were shown at, [n].

    `window` is the part of the picture that is taken for a whole release.
    """

    kind: str
    window: Window
    mirrored: bool
    codes: NDArray[np.uint8]
    times: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A view before it is coded: the pictures that are, and which part of them."""

    kind: str
    window: Window
    middle: Window
    mirrored: bool
    thumbs: NDArray[np.uint8]
    times: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A stretch of a film from second `begin` to `end`, in views."""

    begin: float
    end: float
    views: tuple[View, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "begin": self.begin,
            "end": self.end,
            "views": [
                {
                    "kind": view.kind,
                    "window": [view.window.x, view.window.y, view.window.width, view.window.height],
                    "mirrored": view.mirrored,
                    "codes": base64.b64encode(view.codes.tobytes()).decode(),
                    "times": view.times.tolist(),
                }
                for view in self.views
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Probe":
        """Read it back; raises `IntegrityError`."""
        try:
            views = tuple(_view_from(each) for each in value["views"])
            return cls(float(value["begin"]), float(value["end"]), views)
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError("what a film is looked up by is damaged") from error


def _view_from(value: Mapping[str, Any]) -> View:
    data = base64.b64decode(value["codes"], validate=True)
    codes = np.frombuffer(data, np.uint8).reshape(-1, CODE_BYTES)
    times = np.array(value["times"], np.float64)
    if len(times) != len(codes):
        raise ValueError("as many codes as times")
    x, y, width, height = (float(side) for side in value["window"])
    return View(
        str(value["kind"]), Window(x, y, width, height), bool(value["mirrored"]), codes, times
    )


class ProbeMaker:
    """Takes a film's pictures in order; holds those of one stretch (3 MB)."""

    def __init__(self) -> None:
        self._thumbs: list[Thumb] = []
        self._times: list[float] = []
        self._slot = -1
        self._made: list[Probe] = []

    def wants(self, at: float) -> bool:
        """Tell whether a picture shown at second `at` is looked at."""
        return int(at * PER_SECOND) > self._slot

    def add(self, luma: NDArray[np.uint8], at: float) -> None:
        """Take a picture's luma, uint8 [H, W], shown at second `at`."""
        self._slot = int(at * PER_SECOND)
        if self._times and at - self._times[0] >= STRETCH_S:
            self._close(at)
        self._thumbs.append(thumb_of(luma))
        self._times.append(at)

    def finish(self, end: float) -> tuple[Probe, ...]:
        """Return the probes of a film that ends at second `end`."""
        self._close(end)
        return tuple(self._made)

    def _close(self, end: float) -> None:
        if self._thumbs:
            thumbs, times = np.array(self._thumbs), np.array(self._times)
            views = tuple(view for view in map(_coded, ways_of(thumbs, times)) if len(view.codes))
            self._made.append(Probe(float(times[0]), max(end, float(times[-1])), views))
        self._thumbs, self._times = [], []


def ways_of(thumbs: NDArray[np.uint8], times: NDArray[np.float64]) -> Iterator[Way]:
    """Yield the ways to see a stretch's pictures, uint8 [n, 192, 192], the likeliest first."""
    chosen = _telling(thumbs)
    seen, at = thumbs[chosen], times[chosen]
    borders = find_borders(thumbs)
    whole = [("whole", WHOLE)] + ([("bordered", borders)] if borders else [])
    for kind, window in whole:
        yield from _both_ways(kind, window, _MIDDLE.within(window), seen, at)
    few = np.unique(np.linspace(0, len(seen) - 1, _FEWER).round().astype(int))
    seen, at = seen[few], at[few]
    _, window = whole[-1]
    for crop in CROPS:
        yield from _both_ways("cropped", window, crop.within(window), seen, at)
    for inset in find_insets(thumbs, most=_INSETS):
        yield from _both_ways("inset", inset, _MIDDLE.within(inset), seen, at)
    for cut in CUTS:
        yield from _both_ways("cut", window, cut.within(window), seen, at)


def _both_ways(
    kind: str, window: Window, middle: Window, thumbs: NDArray[np.uint8], times: NDArray[np.float64]
) -> Iterator[Way]:
    for mirrored in (False, True):
        yield Way(kind, window, middle, mirrored, thumbs, times)


def _coded(way: Way) -> View:
    codes = [code_of(thumb, middle=way.middle, mirrored=way.mirrored) for thumb in way.thumbs]
    there = [number for number, code in enumerate(codes) if code is not None]
    kept = np.array([codes[number] for number in there], np.uint8).reshape(-1, CODE_BYTES)
    return View(way.kind, way.window, way.mirrored, kept, way.times[there])


def _telling(thumbs: NDArray[np.uint8]) -> list[int]:
    """Return the numbers of some pictures that differ from those before them, over the stretch."""
    runs, last = [], None
    for number, thumb in enumerate(thumbs):
        code = code_of(thumb)
        if last is None or code is None or int(distances(last, code[None])[0]) > ALIKE:
            runs.append(number)
            last = code
    if len(runs) > _PICTURES:
        places = np.linspace(0, len(runs) - 1, _PICTURES).round().astype(int)
        return [runs[place] for place in places]
    # Where little changes a few more pictures still even out what was drawn over some.
    spread = np.linspace(0, len(thumbs) - 1, min(3, len(thumbs))).round().astype(int)
    return sorted({*runs, *(int(place) for place in spread)})
