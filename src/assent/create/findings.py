"""The notes of a render's frames as columns, and the stretches of time in which something holds.

A film of two hours takes some 20 MB.
"""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from assent.create.quality import FrameNote

__all__ = ["FAR", "HIDDEN", "RELIT", "Findings", "Span", "Worst", "spans"]

FAR: Final = 14.0
"""Degrees from every picture of the donor beyond which a face is painted less than fully."""
HIDDEN: Final = 0.04
"""Share of a face that is hidden, above which one should look."""
RELIT: Final = 1.5
"""Stops that the donor's pictures are relit by, above which it begins to show."""
_MERGED = 0.5  # seconds between two stretches that are told as one
_LASTS: Final = 3  # frames

_QUALITY: Final = (
    "yaw", "pitch", "near_yaw", "near_pitch",
    "away", "scale", "relit", "hidden", "strangeness", "confidence",
)  # fmt: skip
_MEASURES: Final = ("sharpness", "jitter", "identity")

_Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """A frame to look at: its number in the clip, its time, and why."""

    number: int
    seconds: float
    confidence: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Findings:
    """Columns of one value a frame, float64, NaN where it isn't known (see `FrameNote`)."""

    seconds: _Column
    painted: NDArray[np.bool_]
    yaw: _Column
    pitch: _Column
    near_yaw: _Column
    near_pitch: _Column
    away: _Column
    scale: _Column
    relit: _Column
    hidden: _Column
    strangeness: _Column
    confidence: _Column
    sharpness: _Column
    jitter: _Column
    identity: _Column

    @classmethod
    def of(cls, notes: Iterable[FrameNote]) -> Self:
        """Take the notes of a clip's frames, in order."""
        columns = {name: array("d") for name in ("seconds", "painted", *_QUALITY, *_MEASURES)}
        for note in notes:
            columns["seconds"].append(note.seconds)
            columns["painted"].append(note.painted)
            for name in _QUALITY:
                columns[name].append(getattr(note.quality, name, math.nan))
            for name in _MEASURES:
                value = getattr(note.measures, name)
                columns[name].append(math.nan if value is None else value)
        found = {name: np.array(values, np.float64) for name, values in columns.items()}
        return cls(painted=found.pop("painted") > 0, **found)

    @property
    def judged(self) -> NDArray[np.bool_]:
        """The frames of which something is known."""
        return ~np.isnan(self.confidence)

    def worst(self, number: int) -> Worst:
        """Say what is wrong with a frame."""
        doubts = {
            "the head is turned as in no picture of the donor": self.away[number] / 25,
            "something hides the face": self.hidden[number],
            "it looks unlike the performer": (self.strangeness[number] - 0.25) / 0.5,
            "the light is unlike that of the donor's pictures": (self.relit[number] - 1) / 4,
        }
        return Worst(
            number=number,
            seconds=round(float(self.seconds[number]), 3),
            confidence=float(self.confidence[number]),
            why=max(doubts, key=lambda why: float(doubts[why])),
        )


def spans(seconds: _Column, holds: NDArray[np.bool_]) -> tuple[Span, ...]:
    """The stretches of time in which something holds; those half a second apart are one.

    Args:
        seconds: [n], rising, when each frame is shown.
        holds: [n]; what lasts for less than three frames counts for nothing.
    """
    found: list[list[float]] = []
    numbers = np.flatnonzero(holds)
    for run in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
        if len(run) < _LASTS:
            continue
        start, end = float(seconds[run[0]]), float(seconds[run[-1]])
        if found and start - found[-1][1] <= _MERGED:
            found[-1][1] = end
        else:
            found.append([start, end])
    return tuple(Span(round(start, 2), round(end, 2)) for start, end in found)
