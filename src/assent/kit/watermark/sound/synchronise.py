"""Find where in a stretch of sound the pattern begins, and how it was played.

What the bands do is folded to one period and correlated with the pilots at all 192 shifts of 8 ms
at once, for each way of playing that is tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.sound.levels import (
    HOP_SECONDS,
    above_floor,
    band_weights,
    levels,
    surprise,
)
from assent.kit.watermark.sound.pattern import BANDS, COLUMNS, HALF_SECONDS, Pattern

__all__ = [
    "PERIOD_HOPS",
    "Candidate",
    "Playing",
    "Stretch",
    "candidates",
    "correlate",
    "fold",
    "steps",
]

_HALF_HOPS = round(HALF_SECONDS / HOP_SECONDS)
_TILE_HOPS = 2 * _HALF_HOPS
PERIOD_HOPS = COLUMNS * _TILE_HOPS
_APART = 3  # hops between two candidates

Floats = NDArray[np.float64]
Spectra = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """How many times as fast, and as high, as it was marked a sound is played."""

    tempo: float = 1.0
    pitch: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Power spectra of consecutive frames, float32 [frames, bins], of sound at `rate`."""

    spectra: Spectra
    rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place where the pattern may begin: what its tiles spell, and by how much pilots stand out.

    `tiles` is float64 [24, 64], `z` in deviations of chance.
    """

    z: float
    playing: Playing
    tiles: Floats


def steps(stretch: Stretch, playing: Playing) -> Floats:
    """Return what a tile that began at each hop would spell, float64 [hops, 64].

    That is how much louder its first half was than its second, over the spread of such steps.
    Hop `i` is the time `i * 8 ms / tempo` of the stretch.
    """
    weights = band_weights(stretch.rate, stretch.spectra.shape[1], pitch=playing.pitch)
    level = levels(stretch.spectra, weights)
    seen = surprise(level)[0] * above_floor(level)
    if playing.tempo != 1:
        seen = _replayed(seen, playing.tempo)
    total = np.cumsum(np.pad(seen, ((1, _TILE_HOPS - 1), (0, 0))), axis=0, dtype=np.float64)
    half = total[_HALF_HOPS:] - total[:-_HALF_HOPS]
    return np.asarray(half[:-_HALF_HOPS] - half[_HALF_HOPS:])


def fold(hops: Floats) -> Floats:
    """Add up hops [n, 64] that lie whole periods apart: [192, 64]."""
    periods = -(-len(hops) // PERIOD_HOPS)
    padded = np.pad(hops, ((0, periods * PERIOD_HOPS - len(hops)), (0, 0)))
    return np.asarray(padded.reshape(periods, PERIOD_HOPS, BANDS).sum(axis=0))


def correlate(folded: Floats, tiles: Floats) -> Floats:
    """Return by how many deviations tiles [24, 64] stand out in [192, 64] at each shift, [192].

    Tiles are -1, 0 or 1; 0 leaves a tile out.
    """
    power = _correlation(folded**2, np.abs(tiles))
    return np.asarray(_correlation(folded, tiles) / np.sqrt(np.maximum(power, 1e-12)))


def candidates(
    folded: Floats, pattern: Pattern, playing: Playing, *, most: int
) -> Iterator[Candidate]:
    """Yield the `most` shifts of folded steps at which the pilots stand out most, best first."""
    z = correlate(folded, pattern.pilots())
    for _ in range(most):
        best = int(np.argmax(z))
        tiles = np.roll(folded, -best, axis=0)[::_TILE_HOPS]
        yield Candidate(z=float(z[best]), playing=playing, tiles=tiles)
        z[np.arange(best - _APART, best + _APART + 1) % PERIOD_HOPS] = -np.inf


def _correlation(folded: Floats, tiles: Floats) -> Floats:
    spaced = np.zeros((PERIOD_HOPS, BANDS))
    spaced[::_TILE_HOPS] = tiles
    spectrum = (np.fft.rfft(folded, axis=0) * np.fft.rfft(spaced, axis=0).conj()).sum(axis=1)
    return np.asarray(np.fft.irfft(spectrum, PERIOD_HOPS))


def _replayed(frames: Spectra, tempo: float) -> Spectra:
    """Return frames [n, 64] as they would lie if the sound were played at its own tempo."""
    place = np.arange(int((len(frames) - 1) * tempo) + 1) / tempo
    low = np.minimum(place.astype(np.intp), max(len(frames) - 2, 0))
    part = (place - low)[:, None].astype(np.float32)
    following = np.minimum(low + 1, len(frames) - 1)
    return np.asarray(frames[low] * (1 - part) + frames[following] * part, np.float32)
