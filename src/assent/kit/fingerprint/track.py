"""A film's track: its pictures' codes, one for each run of pictures that look alike.

    track = TrackMaker()
    for picture in pictures:
        track.add(luma, at)                   # five pictures a second are looked at
    made = track.finish(end)

Each run is a segment of the film with its own code: where it begins, where it ends. What stands
still takes one code, what moves up to five a second.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.fingerprint.picture_code import (
    CODE_BYTES,
    Thumb,
    code_of,
    distances,
    middle_of,
    thumb_of,
)
from assent.kit.fingerprint.windows import find_borders

__all__ = ["ALIKE", "PER_SECOND", "Track", "TrackMaker", "join_tracks", "no_track"]

PER_SECOND = 5
"""Pictures that are looked at in a second."""
ALIKE = 28
"""Bits up to which a picture still belongs to the run that began before it."""
BLOCK_S = 20.0
"""Seconds of pictures that are held at a time."""

_MAGIC = b"ATRK1"
_HEAD = struct.Struct(">I")
_MIDDLE = middle_of(1.0, 0.5, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Codes, uint8 [n, 32], and the milliseconds at which each begins and ends, int32 [n]."""

    codes: NDArray[np.uint8]
    begins: NDArray[np.int32]
    ends: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.codes)

    def to_bytes(self) -> bytes:
        """Return it as it is kept: 40 bytes a run."""
        parts = (self.codes, self.begins.astype(">i4"), self.ends.astype(">i4"))
        return _MAGIC + _HEAD.pack(len(self)) + b"".join(part.tobytes() for part in parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Track":
        """Read it back; raises `IntegrityError`."""
        start = len(_MAGIC) + _HEAD.size
        if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
            raise IntegrityError("a track of codes is damaged")
        (count,) = _HEAD.unpack_from(data, len(_MAGIC))
        if len(data) != start + count * (CODE_BYTES + 8):
            raise IntegrityError("a track of codes is damaged")
        codes = np.frombuffer(data, np.uint8, count * CODE_BYTES, start).reshape(-1, CODE_BYTES)
        times = np.frombuffer(data, ">i4", 2 * count, start + count * CODE_BYTES)
        return cls(codes, times[:count].astype(np.int32), times[count:].astype(np.int32))


class TrackMaker:
    """Takes a film's pictures in order; holds a block of small ones at a time (4 MB)."""

    def __init__(self) -> None:
        self._thumbs: list[Thumb] = []
        self._times: list[float] = []
        self._slot = -1
        self._whole = _Runs()
        self._inner = _Runs()

    def wants(self, at: float) -> bool:
        """Tell whether a picture shown at second `at` is looked at."""
        return int(at * PER_SECOND) > self._slot

    def add(self, luma: NDArray[np.uint8], at: float) -> None:
        """Take a picture's luma, uint8 [H, W], shown at second `at`."""
        self._slot = int(at * PER_SECOND)
        if self._times and at - self._times[0] > BLOCK_S:
            self._code()
        self._thumbs.append(thumb_of(luma))
        self._times.append(at)

    def finish(self, end: float) -> Track:
        """Return the track of a film that ends at second `end`."""
        self._code()
        return join_tracks([self._whole.track(end), self._inner.track(end)])

    def _code(self) -> None:
        if not self._thumbs:
            return
        thumbs = np.array(self._thumbs)
        inner = find_borders(thumbs)
        for thumb, at in zip(thumbs, self._times, strict=True):
            self._whole.add(code_of(thumb), at)
            if inner is not None:
                self._inner.add(code_of(thumb, middle=_MIDDLE.within(inner)), at)
        if inner is None:
            self._inner.pause()
        self._thumbs, self._times = [], []


class _Runs:
    """Puts codes that follow each other and are alike into one run."""

    def __init__(self) -> None:
        self._codes: list[NDArray[np.uint8]] = []
        self._spans: list[list[int]] = []
        self._open = False

    def add(self, code: NDArray[np.uint8] | None, at: float) -> None:
        now = round(at * 1000)
        if self._open:
            self._spans[-1][1] = now
        if code is None:
            self._open = False
        elif not self._open or int(distances(self._codes[-1], code[None])[0]) > ALIKE:
            self._codes.append(code)
            self._spans.append([now, now])
            self._open = True

    def pause(self) -> None:
        self._open = False

    def track(self, end: float) -> Track:
        if self._open:
            self._spans[-1][1] = max(self._spans[-1][1], round(end * 1000))
        spans = np.array(self._spans, np.int32).reshape(-1, 2)
        codes = np.array(self._codes, np.uint8).reshape(-1, CODE_BYTES)
        return Track(codes, spans[:, 0].copy(), spans[:, 1].copy())


def join_tracks(tracks: Sequence[Track]) -> Track:
    """Return tracks of the same film as one."""
    return Track(
        np.concatenate([track.codes for track in tracks]),
        np.concatenate([track.begins for track in tracks]),
        np.concatenate([track.ends for track in tracks]),
    )


def no_track() -> Track:
    """Return a track without runs."""
    none = np.zeros(0, np.int32)
    return Track(np.zeros((0, CODE_BYTES), np.uint8), none, none)
