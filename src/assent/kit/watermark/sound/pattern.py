"""Where the mark lies: tiles of time and pitch, what each of them carries, and with which sign.

>>> pattern = Pattern.derive(ReadingKey.from_bytes(bytes(32)))
>>> pattern.signs.shape, int((pattern.bits == PILOT).sum())
((24, 64), 256)

A period of 1.536 s is cut into 24 columns of 64 ms and 64 bands of pitch. Within each quarter of
the period a sixth of the tiles are pilots, which are always the same; five tiles each spell one
code bit. A tile is a bit louder in its first half and softer in its second, or the other way
round. docs/specs/watermark-sound.md, sections 3 to 5.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.key import KeyStream, ReadingKey
from assent.kit.watermark.sound.code import CODE, TILES_PER_BIT

__all__ = [
    "BANDS",
    "COLUMNS",
    "HALF_SECONDS",
    "PERIOD_SECONDS",
    "PILOT",
    "QUARTER_COLUMNS",
    "Pattern",
    "band_centres",
    "band_edges",
]

HALF_SECONDS = 0.032
COLUMNS = 24
QUARTER_COLUMNS = 6
BANDS = 64
PERIOD_SECONDS = 2 * HALF_SECONDS * COLUMNS
PILOT = -1

_LABEL = b"assent-sound-1/"
_QUARTERS = COLUMNS // QUARTER_COLUMNS
_QUARTER_TILES = QUARTER_COLUMNS * BANDS
_QUARTER_BITS = CODE.bits // _QUARTERS
_QUARTER_PILOTS = _QUARTER_TILES - _QUARTER_BITS * TILES_PER_BIT
_LOWEST = 350.0
_HIGHEST = 7300.0
_BEND = 1000.0

Floats = NDArray[np.float64]


def band_edges() -> Floats:
    """Return the 65 edges of the bands in Hz, float64, ascending.

    They are evenly spaced in log(f + 1000 Hz), between even steps and the ear's.
    """
    steps = np.linspace(math.log(_LOWEST + _BEND), math.log(_HIGHEST + _BEND), BANDS + 1)
    return np.asarray(np.exp(steps) - _BEND, np.float64)


def band_centres() -> Floats:
    """Return the middle of each band in Hz, float64 [64]."""
    edges = band_edges()
    return np.asarray((edges[1:] + edges[:-1]) / 2)


def _stream(key: ReadingKey, label: str) -> KeyStream:
    # The version is in the label: another version's pattern has nothing in common with this one.
    return KeyStream(key.value, _LABEL + label.encode("ascii"))


@dataclass(frozen=True, slots=True)
class Pattern:
    """What each tile of a period carries.

    `bits` is int16 [24, 64]: the code bit that a tile spells, or `PILOT`. `signs` is int8
    [24, 64]: 1 where a tile that spells 0 is louder first, -1 where it is softer first.
    """

    bits: NDArray[np.int16]
    signs: NDArray[np.int8]

    @classmethod
    def derive(cls, key: ReadingKey) -> "Pattern":
        """Draw the pattern from a reading key: the same key gives the same pattern."""
        order = _stream(key, "order").permutation(CODE.bits)
        place = _stream(key, "place")
        sign = _stream(key, "sign")
        bits = np.full((_QUARTERS, _QUARTER_TILES), PILOT, np.int16)
        for quarter in range(_QUARTERS):
            tiles = place.permutation(_QUARTER_TILES)
            held = order[quarter * _QUARTER_BITS : (quarter + 1) * _QUARTER_BITS]
            bits[quarter, tiles[_QUARTER_PILOTS:]] = np.repeat(held, TILES_PER_BIT)
        signs = [1 - 2 * sign.below(2) for _ in range(COLUMNS * BANDS)]
        return cls(
            bits=bits.reshape(COLUMNS, BANDS),
            signs=np.array(signs, np.int8).reshape(COLUMNS, BANDS),
        )

    def spell(self, codeword: NDArray[np.uint8]) -> NDArray[np.int8]:
        """Return the direction of every tile, int8 [24, 64]: 1 louder first, -1 softer first."""
        values = np.append(1 - 2 * codeword.astype(np.int8), np.int8(1))
        return np.asarray(self.signs * values[self.bits], np.int8)

    def pilots(self) -> Floats:
        """Return the pilots' directions, float64 [24, 64], 0 where a tile is no pilot."""
        return np.where(self.bits == PILOT, self.signs, 0).astype(np.float64)

    def gather(self, tiles: Floats) -> Floats:
        """Add up float [24, 64] values by code bit, each with its tile's sign: float64 [256]."""
        data = self.bits != PILOT
        sums = np.bincount(
            self.bits[data].astype(np.intp), (tiles * self.signs)[data], minlength=CODE.bits
        )
        return np.asarray(sums, np.float64)
