"""A sound's codes: 256 bits for each half second, by how energies in bands rise and fall.

Sixteen times a second the energies of 33 bands between 300 and 2000 Hz are taken over 0.37 s; each
of 32 bits says whether the difference of two neighbouring bands grew. Eight such rows are a code,
so sound is looked up in the same kind of index as pictures. What was encoded by AAC or Opus, made
louder, or cut keeps most bits; what was played faster or pitched doesn't.

Source: Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002; rows are
taken less often than there.

    maker = SoundTrackMaker()
    for block in listen(path, name="clip.mp4", rate=RATE):
        maker.add(block)
    track = maker.finish()
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from assent.kit.fingerprint.picture_code import CODE_BYTES, WHOLE
from assent.kit.fingerprint.probe import Probe, View
from assent.kit.fingerprint.track import Track

__all__ = ["RATE", "SoundTrackMaker"]

RATE = 8000
"""Samples a second that the makers take."""
_FRAME, _HOP = 2976, 500
_ROWS = 8
_SIZE = 4096
_BANDS = 33
_LOW, _HIGH = 300.0, 2000.0
_QUIET = 1e-3  # root mean square, full scale 1: less is silence
_STRETCH_ROWS = 15 * RATE // _HOP
_PLACES = 6

Floats = NDArray[np.float32]


class SoundTrackMaker:
    """Takes a film's sound in order; holds 512 bytes a second of it."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._energies: list[NDArray[np.float64]] = []
        self._loud: list[NDArray[np.bool_]] = []

    def add(self, block: Floats) -> None:
        """Take the next samples, float32 [n], mono, `RATE` a second."""
        heard = np.concatenate([self._rest, block])
        count = (len(heard) - _FRAME) // _HOP + 1
        if count <= 0:
            self._rest = heard
            return
        frames = np.lib.stride_tricks.sliding_window_view(heard, _FRAME)[::_HOP][:count]
        for start in range(0, count, 512):
            part = frames[start : start + 512]
            self._energies.append(_energies(part))
            self._loud.append(np.sqrt((part * part).mean(1)) > _QUIET)
        self._rest = heard[count * _HOP :]

    @property
    def seconds(self) -> float:
        """How much was heard."""
        return sum(len(part) for part in self._energies) * _HOP / RATE

    def finish(self) -> tuple[Track, tuple[Probe, ...]]:
        """Return the track to keep, and what it is looked up by."""
        rows, loud = self._rows()
        starts = np.arange(0, len(rows) - _ROWS + 1, _ROWS)
        starts = starts[[bool(loud[s : s + _ROWS].all()) for s in starts]]
        times = np.round(starts * 1000 * _HOP / RATE).astype(np.int32)
        track = Track(_codes(rows, starts), times, times)
        return track, tuple(_probes(rows, loud))

    def _rows(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        if not self._energies:
            return np.zeros((0, _BANDS - 1), bool), np.zeros(0, bool)
        energies = np.concatenate(self._energies)
        apart = energies[:, :-1] - energies[:, 1:]
        return apart[1:] > apart[:-1], np.concatenate(self._loud)[1:]


def _probes(rows: NDArray[np.bool_], loud: NDArray[np.bool_]) -> list[Probe]:
    """Return a probe for each stretch: some places of it, at eight shifts each."""
    made = []
    for begin in range(0, len(rows), _STRETCH_ROWS):
        last = min(begin + _STRETCH_ROWS, len(rows)) - 2 * _ROWS + 1
        if last < begin:
            continue
        places = np.unique(np.linspace(begin, last, _PLACES).round().astype(int))
        starts = (places[:, None] + np.arange(_ROWS)).ravel()
        starts = starts[[bool(loud[s : s + _ROWS].all()) for s in starts]]
        times = starts * _HOP / RATE
        end = min(begin + _STRETCH_ROWS, len(rows)) * _HOP / RATE
        view = View("sound", WHOLE, False, _codes(rows, starts), times)
        made.append(Probe(begin * _HOP / RATE, end, (view,) if len(starts) else ()))
    return made


def _codes(rows: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.uint8]:
    if not len(starts):
        return np.zeros((0, CODE_BYTES), np.uint8)
    blocks = np.stack([rows[start : start + _ROWS].ravel() for start in starts])
    return np.packbits(blocks, axis=1)


def _energies(frames: Floats) -> NDArray[np.float64]:
    """Return the energies in the bands of frames, [n, 33], as logarithms."""
    spectra = np.abs(np.fft.rfft(frames * _window(), _SIZE)) ** 2
    summed = np.concatenate([np.zeros((len(spectra), 1)), spectra.cumsum(1)], 1)
    edges = _edges()
    return np.asarray(np.log(summed[:, edges[1:]] - summed[:, edges[:-1]] + 1e-9), np.float64)


@cache
def _window() -> Floats:
    return np.hanning(_FRAME).astype(np.float32)


@cache
def _edges() -> NDArray[np.int64]:
    return np.round(np.geomspace(_LOW, _HIGH, _BANDS + 1) * _SIZE / RATE).astype(np.int64)
