"""The carriers: which frequencies of the tile hold the mark, with which phases.

A mark is a pattern that repeats every 256 units of a picture scaled so that its shorter side
measures 512 units. A carrier is a pair of integers (kx, ky): a wave with kx periods across the
tile and ky down it. 128 carriers, the pilots, look the same in every mark under one key and tell a
reader where the pattern lies; the others hold two code bits each (QPSK). Both come in eight
variants, which follow each other in time: the same frequencies with other phases and signs.

Low frequencies are loudest: they are what encoders and small copies leave. The faint high ones
serve copies that were cut or turned but encoded well, where the picture is in the way of low ones.

>>> from assent.kit.watermark.key import ReadingKey
>>> carriers = Carriers.derive(ReadingKey.from_bytes(bytes(32)))
>>> len(carriers.pilots), len(carriers.data), carriers.sign.shape
(128, 2626, (8, 5252))
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.key import KeyStream, ReadingKey
from assent.kit.watermark.payload import CODE

__all__ = ["SEGMENT_S", "SHORT_SIDE", "TILE", "VARIANTS", "Carriers", "first_variant", "gain"]

TILE = 256
SHORT_SIDE = 512
VARIANTS = 8
SEGMENT_S = 8.0  # seconds that a variant stays
_PILOTS = 64  # in each of two bands, (more than, up to, boost)
_PILOT_BANDS = ((0, 20, 1.25), (20, 40, 2.5))
_LOWEST, _HIGHEST, _OFF_AXIS = 6, 44, 2
_ROLL_OFF, _PLATEAU = 9.5, 0.1

Complexes = NDArray[np.complex128]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def gain(k: Ints | Floats) -> Floats:
    """Return the amplitude of carriers `k` [n, 2] before normalisation: high ones are softer."""
    rolled: Floats = np.exp(-np.hypot(k[:, 0], k[:, 1]) / _ROLL_OFF)
    return np.hypot(rolled, _PLATEAU)


def first_variant(key: ReadingKey, asset_id: int) -> int:
    """Return which variant a film with this identifier begins with."""
    return key.stream(f"start/{asset_id:016x}").below(VARIANTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """One key's carriers: `pilots` int [128, 2] and `data` int [n, 2] hold (kx, ky).

    `pilot_values` complex [8, 128] are the pilots' coefficients in each variant, `data_gain` float
    [n] the size of each of a data carrier's two components. Component c (real parts at even c,
    imaginary at odd) holds code bit `bit_of[c]` times `sign[variant, c]`.
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
        chosen, boost = _choose_pilots(key, lattice)
        pilots, data = lattice[chosen], np.delete(lattice, chosen, axis=0)
        loud, soft = boost * np.sqrt(2.0) * gain(pilots), gain(data)
        # A cosine of amplitude a has power a**2 / 2: the whole pattern gets power 1.
        unit = np.sqrt((np.sum(loud**2) + np.sum(2 * soft**2)) / 2)
        quarters = np.array([_draw(key, f"phase/{v}", 4, len(pilots)) for v in range(VARIANTS)])
        signs = np.array([key.stream(f"sign/{v}").bits(2 * len(data)) for v in range(VARIANTS)])
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
        """All carriers, pilots first, int [128 + n, 2]."""
        return np.concatenate([self.pilots, self.data])

    def coefficients(self, codeword: NDArray[np.uint8], variant: int) -> Complexes:
        """Return the coefficients c of `all` for uint8 [512] code bits.

        The pattern at point u is sum(Re(c exp(2 pi i k.u / 256))): mean 0, power 1.
        """
        components = self.words(codeword, variant)
        qpsk = components[0::2] + 1j * components[1::2]
        return np.concatenate([self.pilot_values[variant], qpsk * self.data_gain])

    def words(self, codewords: NDArray[np.uint8], variant: int) -> Floats:
        """Return the signs of the data components for uint8 [..., 512] code bits, [..., 2 n]."""
        return np.asarray((1.0 - 2.0 * codewords[..., self.bit_of]) * self.sign[variant])

    def unsigned(self, spectrum: Complexes, variant: int) -> Complexes:
        """Take a variant's own signs out of coefficients of `all`, [128 + n].

        What is left of a mark is the same in every variant: pilots near the angle pi/4, data with
        the code bits' signs.
        """
        pilots = self.pilot_values[variant]
        real = np.concatenate([np.sign(pilots.real), self.sign[variant][0::2]])
        imaginary = np.concatenate([np.sign(pilots.imag), self.sign[variant][1::2]])
        plain: Complexes = spectrum.real * real + 1j * (spectrum.imag * imaginary)
        return plain


def _choose_pilots(key: ReadingKey, lattice: Ints) -> tuple[Ints, Floats]:
    """Return which entries of the lattice are pilots, and how much louder than data, [128] each."""
    square = (lattice**2).sum(1)
    numbers = key.stream("pilots")
    chosen = []
    for above, highest, _ in _PILOT_BANDS:
        band = np.flatnonzero((square > above**2) & (square <= highest**2))
        chosen.append(band[numbers.permutation(len(band))[:_PILOTS]])
    return np.concatenate(chosen), np.repeat([boost for _, _, boost in _PILOT_BANDS], _PILOTS)


def _lattice() -> Ints:
    """List one of each pair k, -k inside the band, off the axes, from low to high frequencies."""
    span = np.arange(-_HIGHEST, _HIGHEST + 1)
    ky, kx = np.meshgrid(span, span, indexing="ij")
    square = kx**2 + ky**2
    # Block grids, bars and interlacing live on the axes.
    inside = (square >= _LOWEST**2) & (square <= _HIGHEST**2) & (np.abs(kx) >= _OFF_AXIS)
    inside &= ky >= _OFF_AXIS
    order = np.argsort(square[inside], kind="stable")
    return np.stack([kx[inside], ky[inside]], axis=1).astype(np.int64)[order]


def _draw(key: ReadingKey, label: str, below: int, count: int) -> list[int]:
    numbers = key.stream(label)
    return [numbers.below(below) for _ in range(count)]


def _assign(numbers: KeyStream, components: int) -> list[int]:
    """Give every component a code bit: whole permutations of the 512, the last one cut short."""
    places: list[int] = []
    while len(places) < components:
        places += numbers.permutation(CODE.bits)
    return places[:components]
