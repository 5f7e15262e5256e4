"""Put a mark into sound: a generator between decoder and encoder, with bounded memory.

    marker = SoundMarker(rate=48000, number=0xC0FFEE, pattern=Pattern.derive(key))
    for block in marker.mark(blocks):      # float32 [channels, n], full scale 1
        ...

The sound is filtered by a gain that varies over time and pitch and is the same for all channels.
So silence stays silent, and volume, down-mix and polarity don't matter. Embedding is informed
(Malvar and Florencio, IEEE Trans. Signal Process. 51, 2003): where the sound itself already spells
a code bit, its tiles are changed less, and more where it speaks against it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.sound.code import CODE, message_of
from assent.kit.watermark.sound.levels import (
    HOP_SECONDS,
    band_weights,
    levels,
    power_spectra,
    surprise,
)
from assent.kit.watermark.sound.masking import allowed_db, flatness_db
from assent.kit.watermark.sound.pattern import (
    BANDS,
    COLUMNS,
    HALF_SECONDS,
    PILOT,
    QUARTER_COLUMNS,
    Pattern,
    band_centres,
)

__all__ = ["SoundMarker"]

_HALVES = 2 * QUARTER_COLUMNS  # of tiles, in a quarter
_HALF_HOPS = round(HALF_SECONDS / HOP_SECONDS)
_QUARTER_HOPS = _HALVES * _HALF_HOPS
_QUARTER_SECONDS = _HALVES * HALF_SECONDS
_AROUND_HOPS = 20  # frames before and after a quarter that its levels are compared with
_AROUND_SECONDS = _AROUND_HOPS * HOP_SECONDS + 0.03
_FILTER_SECONDS = 0.032
_OVERLAP = 4

# Share of the allowed change: for a code bit that the sound is neutral on, at least, at most.
_USUAL, _LEAST, _MOST = 0.9, 0.25, 1.0
_HEARD = 0.7  # of a change in decibels arrives in what the reader sees

Block = NDArray[np.float32]
Floats = NDArray[np.float64]


class SoundMarker:
    """Marks one stream of sound with a number (0 to 2**32 - 1).

    Args:
        rate: Samples a second, 8000 or more; bands above half of it stay unmarked.
        number: What to spell; InputError if it doesn't fit into 32 bits.
        pattern: Where, and with which signs.
    """

    def __init__(self, *, rate: int, number: int, pattern: Pattern) -> None:
        self._rate = rate
        self._groups = pattern.bits.astype(np.intp) - PILOT
        self._directions = pattern.spell(CODE.encode(message_of(number))).astype(np.float64)
        self._hop = round(_FILTER_SECONDS * rate / _OVERLAP)
        self._width = self._hop * _OVERLAP
        # Its square is a Hann window, of which four that overlap add up to 2.
        self._window = np.sqrt(np.hanning(self._width + 1)[:-1]).astype(np.float32)
        self._reach = _interpolation(np.arange(self._width // 2 + 1) * (rate / self._width))

    def mark(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield the blocks' sound marked: as many samples, in blocks of about 0.4 s.

        All blocks have the same number of channels. About a second of sound is held at a time.
        """
        held: Block | None = None  # samples from number `origin` on
        origin, quarter = 0, 0
        tail = np.zeros((1, 0), np.float32)
        for block in blocks:
            held = block if held is None else np.concatenate([held, block], axis=1)
            while origin + held.shape[1] >= self._sample(quarter + 1, _AROUND_SECONDS):
                done, tail = self._step(held, origin, quarter, tail)
                yield done
                quarter += 1
                keep = max(origin, self._sample(quarter, -_AROUND_SECONDS))
                held, origin = held[:, keep - origin :], keep
        end = origin + held.shape[1] if held is not None else 0
        while held is not None and self._finished(quarter) < end:
            done, tail = self._step(held, origin, quarter, tail)
            yield done[:, : end - self._finished(quarter)]
            quarter += 1

    def _sample(self, quarter: int, later: float) -> int:
        return round((quarter * _QUARTER_SECONDS + later) * self._rate)

    def _frame(self, quarter: int) -> int:
        """Return a quarter's first frame; frame `m` has its centre at sample `m` hops."""
        # Two frames before the first sample also reach it.
        return -(-self._sample(quarter, 0.0) // self._hop) if quarter else 1 - _OVERLAP // 2

    def _finished(self, quarter: int) -> int:
        """Return how many samples are finished before a quarter's frames are added."""
        return max(0, self._frame(quarter) * self._hop - self._width // 2)

    def _step(self, held: Block, origin: int, quarter: int, tail: Block) -> tuple[Block, Block]:
        """Filter one quarter; return the samples that are finished, and the unfinished rest."""
        gains = self._gains(held, origin, quarter)
        first, last = self._frame(quarter), self._frame(quarter + 1)
        begin = first * self._hop - self._width // 2
        total = np.zeros((held.shape[0], (last - first - 1) * self._hop + self._width), np.float32)
        total[:, : tail.shape[1]] += tail
        for frame in range(first, last):
            at = (frame - first) * self._hop
            piece = _cut(held, begin + at - origin, self._width) * self._window
            seconds = frame * self._hop / self._rate - quarter * _QUARTER_SECONDS
            half = min(max(int(seconds / HALF_SECONDS), 0), _HALVES - 1)
            total[:, at : at + self._width] += self._filter(piece, gains[half])
        ready = self._finished(quarter + 1) - begin
        return total[:, self._finished(quarter) - begin : ready], total[:, ready:]

    def _filter(self, piece: Block, gains: Floats) -> Block:
        """Filter a windowed piece [channels, width] by the bands' gains in dB."""
        factor = (10 ** (gains @ self._reach / 20)).astype(np.float32)
        filtered = np.fft.irfft(np.fft.rfft(piece, axis=1) * factor, self._width, axis=1)
        return np.asarray(filtered * self._window * (2 / _OVERLAP), np.float32)

    def _gains(self, held: Block, origin: int, quarter: int) -> Floats:
        """Return the gain in dB of each half of a tile of a quarter, float64 [12, 64]."""
        first = quarter * _QUARTER_HOPS - _AROUND_HOPS
        count = _QUARTER_HOPS + 2 * _AROUND_HOPS
        spectra = power_spectra(held.mean(axis=0), self._rate, first, count, origin)
        weights = band_weights(self._rate, spectra.shape[1])
        level = levels(spectra, weights)
        allowed = allowed_db(level, flatness_db(spectra, weights))
        return self._inform(quarter, *(_by_half(a) for a in (allowed, *surprise(level))))

    def _inform(self, quarter: int, allowed: Floats, host: Floats, weight: Floats) -> Floats:
        columns = slice(first := quarter * QUARTER_COLUMNS % COLUMNS, first + QUARTER_COLUMNS)
        directions = np.repeat(self._directions[columns], 2, axis=0)
        directions[1::2] *= -1
        groups = np.repeat(self._groups[columns], 2, axis=0)
        spoken = _sums(groups, directions * host)
        room = _sums(groups, _HEARD * allowed * weight)
        share = _USUAL - spoken / np.maximum(room, 1e-9)
        return np.asarray(directions * allowed * np.clip(share, _LEAST, _MOST)[groups])


def _sums(groups: NDArray[np.intp], values: Floats) -> Floats:
    """Add up values by group: the pilots are group 0, each code bit is one."""
    sums = np.bincount(groups.ravel(), values.ravel(), minlength=CODE.bits + 1)
    return np.asarray(sums, np.float64)


def _interpolation(frequencies: NDArray[np.floating[Any]]) -> Floats:
    """Return [64, bins]: the bands' gains in dB linearly interpolated, fading to 0 outside."""
    centres = band_centres()
    ends = 2 * centres[[0, -1]] - centres[[1, -2]]
    points = np.concatenate([ends[:1], centres, ends[1:]])
    values = np.vstack([np.zeros(BANDS), np.eye(BANDS), np.zeros(BANDS)])
    return np.stack([np.interp(frequencies, points, values[:, b]) for b in range(BANDS)])


def _by_half(frames: NDArray[np.float32]) -> Floats:
    """Average the frames of a quarter and around it over each half of a tile: float64 [12, 64]."""
    inside = frames[_AROUND_HOPS:-_AROUND_HOPS]
    halves = inside.reshape(_HALVES, _HALF_HOPS, BANDS)
    return np.asarray(halves.mean(axis=1), np.float64)


def _cut(held: Block, start: int, width: int) -> Block:
    """Return `width` samples from `start` on; what lies outside is silence."""
    piece = np.zeros((held.shape[0], width), np.float32)
    first, last = max(0, start), min(held.shape[1], start + width)
    if first < last:
        piece[:, first - start : last - start] = held[:, first:last]
    return piece
