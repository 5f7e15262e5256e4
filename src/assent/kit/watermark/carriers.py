"""The carriers: which frequencies of the tile hold the mark, with which phases.

A mark is a pattern that repeats every 128 units of a picture scaled so that its shorter side
measures 512 units. A carrier is a pair of integers (kx, ky): a wave with kx periods across the
tile and ky down it. 104 carriers, the pilots, always look the same under one key and tell a
reader where the pattern lies; the others hold two code bits each (QPSK).

>>> from assent.kit.watermark.key import ReadingKey
>>> carriers = Carriers.derive(ReadingKey.from_bytes(bytes(32)))
>>> len(carriers.pilots), len(carriers.data)
(104, 584)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.key import KeyStream, ReadingKey
from assent.kit.watermark.polar import CODE_BITS

__all__ = ["SHORT_SIDE", "TILE", "Carriers", "gain"]

TILE = 128
SHORT_SIDE = 512
_PILOTS = 104
_PILOT_BOOST = 1.45
_LOWEST, _HIGHEST, _OFF_AXIS, _ROLL_OFF = 4, 23, 2, 20.0

Complexes = NDArray[np.complex128]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def gain(k: Ints) -> Floats:
    """Return the amplitude of carriers `k` [n, 2] before normalisation: high ones are softer."""
    rolled: Floats = 1.0 / (1.0 + (np.hypot(k[:, 0], k[:, 1]) / _ROLL_OFF) ** 2)
    return rolled


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """One key's carriers: `pilots` int [104, 2] and `data` int [n, 2] hold (kx, ky).

    `pilot_values` complex [104] are the pilots' coefficients, `data_gain` float [n] the size of
    each of a data carrier's two components. Component c (real parts at even c, imaginary at
    odd) holds code bit `bit_of[c]` times `sign[c]`; both are [2 n].
    """

    pilots: Ints
    data: Ints
    pilot_values: Complexes
    data_gain: Floats
    bit_of: Ints
    sign: Floats

    @classmethod
    def derive(cls, key: ReadingKey) -> "Carriers":
        """Draw the carriers from the key: docs/specs/watermark.md, section 4."""
        lattice = _lattice()
        shuffled = lattice[key.stream("order").permutation(len(lattice))]
        pilots, data = shuffled[:_PILOTS], shuffled[_PILOTS:]
        quarters = np.array(_draw(key.stream("phase"), 4, _PILOTS))
        signs = np.array(_draw(key.stream("sign"), 2, 2 * len(data)))
        loud, soft = _PILOT_BOOST * np.sqrt(2.0) * gain(pilots), gain(data)
        # A cosine of amplitude a has power a**2 / 2: the whole pattern gets power 1.
        unit = np.sqrt((np.sum(loud**2) + np.sum(2 * soft**2)) / 2)
        return cls(
            pilots=pilots,
            data=data,
            pilot_values=loud / unit * np.exp(1j * (np.pi / 4 + np.pi / 2 * quarters)),
            data_gain=soft / unit,
            bit_of=np.array(_assign(key.stream("place"), 2 * len(data)), np.int64),
            sign=1.0 - 2.0 * signs,
        )

    @property
    def all(self) -> Ints:
        """All carriers, pilots first, int [104 + n, 2]."""
        return np.concatenate([self.pilots, self.data])

    def coefficients(self, codeword: NDArray[np.uint8]) -> Complexes:
        """Return the coefficients c of `all` for uint8 [1024] code bits.

        The pattern at point u is sum(Re(c exp(2 pi i k.u / 128))): mean 0, power 1.
        """
        components = (1.0 - 2.0 * codeword[self.bit_of]) * self.sign
        qpsk = components[0::2] + 1j * components[1::2]
        return np.concatenate([self.pilot_values, qpsk * self.data_gain])


def _lattice() -> Ints:
    """List one of each pair k, -k inside the band, off the axes, by ky and then kx."""
    span = np.arange(-_HIGHEST, _HIGHEST + 1)
    ky, kx = np.meshgrid(span, span, indexing="ij")
    square = kx**2 + ky**2
    # Block grids, bars and interlacing live on the axes.
    inside = (square >= _LOWEST**2) & (square <= _HIGHEST**2) & (np.abs(kx) >= _OFF_AXIS)
    inside &= ky >= _OFF_AXIS
    return np.stack([kx[inside], ky[inside]], axis=1).astype(np.int64)


def _draw(numbers: KeyStream, below: int, count: int) -> list[int]:
    return [numbers.below(below) for _ in range(count)]


def _assign(numbers: KeyStream, components: int) -> list[int]:
    """Give every component a code bit: whole permutations of the 1024, the last one cut short."""
    places: list[int] = []
    while len(places) < components:
        places += numbers.permutation(CODE_BITS)
    return places[:components]
