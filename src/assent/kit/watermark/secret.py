"""The second layer: waves that only the studio knows, which confirm that a mark is its own.

Whoever has the reading key can take the public pattern off, or put one on. The secret waves lie
between the public ones, at places that are drawn anew for each release from a key that never
leaves the studio; they carry no bits. Where the public mark was read, they tell whether it is
the studio's work; where it was taken off, they still tell which of the studio's releases a whole
frame is from.

>>> layer = SecretLayer.derive(SecretKey.from_bytes(bytes(32)), asset_id=7)
>>> layer.waves.shape, layer.values.shape
((1024, 2), (8, 1024))
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.carriers import TILE, VARIANTS, gain
from assent.kit.watermark.evidence import nats
from assent.kit.watermark.key import SecretKey

__all__ = ["SECRET_TILE", "SHARE", "SecretLayer"]

SECRET_TILE = 2 * TILE
SHARE = 0.08
"""The layer's share of the whole mark's power."""
_COUNT = 1024
_LOWEST, _HIGHEST, _OFF_AXIS = 12, 72, 5  # periods in 512 units
_RINGS = (0, 16, 20, 24, 30, 36, 44, 54, 999)
_TRUSTS = (0.0, 0.5, 1.0)  # powers of the waves' own gain that they are weighed with

Complexes = NDArray[np.complex128]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretLayer:
    """One release's secret waves.

    `waves` int [1024, 2] are periods (x, y) in 512 units, all odd, so that they never coincide
    with a public carrier and cancel out where a public tile is folded. `values` complex [8, 1024]
    are their coefficients in each variant; the pattern has power 1.
    """

    waves: Ints
    values: Complexes

    @classmethod
    def derive(cls, key: SecretKey, *, asset_id: int) -> "SecretLayer":
        """Draw the layer of one release from the key."""
        lattice = _lattice()
        label = f"secret/{asset_id:016x}"
        waves = lattice[key.stream(f"{label}/waves").permutation(len(lattice))[:_COUNT]]
        size = gain(waves / 2)
        size = size / np.sqrt(np.sum(size**2) / 2)
        bits = np.array(key.stream(f"{label}/phases").bits(2 * VARIANTS * _COUNT), np.float64)
        quarters = bits.reshape(VARIANTS, _COUNT, 2) @ [2.0, 1.0]
        values = size * np.exp(1j * (np.pi / 4 + np.pi / 2 * quarters))
        return cls(waves=waves, values=np.asarray(values, np.complex128))

    def gains(self, spectrum: Complexes) -> Complexes:
        """Return the coefficients on the waves, [1024], from a folded tile's FFT, [512, 512]."""
        k = self.waves
        # Sample j stands for the point j + 1/2.
        centre = np.exp(-1j * np.pi * k.sum(1) / SECRET_TILE)
        values = spectrum[k[:, 1] % SECRET_TILE, k[:, 0] % SECRET_TILE]
        return np.asarray(values * centre * (2 / SECRET_TILE**2), np.complex128)

    def unsigned(self, seen: Complexes, variant: int) -> Complexes:
        """Take a variant's own signs out: what is left of the layer lies near the angle pi/4."""
        values = self.values[variant]
        return np.asarray(
            np.sign(values.real) * seen.real + 1j * np.sign(values.imag) * seen.imag, np.complex128
        )

    def evidence(self, groups: Sequence[Complexes], variants: Sequence[int]) -> float:
        """Return how many nats speak for the layer, given each group's `gains` and variant.

        In a picture without the layer it is c or more with a chance of at most exp(-c). Whether
        the tile begins at a whole period isn't known, so either sign of the sum counts.
        """
        plain = np.sum(
            [self.unsigned(one, v) for one, v in zip(groups, variants, strict=True)], axis=0
        )
        radius = np.hypot(self.waves[:, 0], self.waves[:, 1])
        level = _levels(plain, np.digitize(radius, _RINGS))
        received = np.stack([plain.real, plain.imag], axis=-1) / level[:, None]
        loudness = np.abs(self.values[0])[:, None]
        proof = [
            nats(np.abs(weighed).ravel(), np.array([abs(float(weighed.sum()))]))[0]
            for weighed in (received * loudness**trust for trust in _TRUSTS)
        ]
        return max(0.0, float(max(proof)) - float(np.log(2 * len(_TRUSTS))))


def _lattice() -> Ints:
    """List one of each pair k, -k with two odd periods inside the band, off the axes."""
    odd = np.arange(-_HIGHEST - 1, _HIGHEST + 2, 2)
    ky, kx = np.meshgrid(odd, odd, indexing="ij")
    square = kx**2 + ky**2
    inside = (square >= _LOWEST**2) & (square <= _HIGHEST**2)
    inside &= (np.abs(kx) >= _OFF_AXIS) & (ky >= _OFF_AXIS)
    order = np.argsort(square[inside], kind="stable")
    return np.stack([kx[inside], ky[inside]], axis=1).astype(np.int64)[order]


def _levels(plain: Complexes, ring: Ints) -> Floats:
    power = np.bincount(ring, np.abs(plain) ** 2)
    count = np.maximum(np.bincount(ring), 1)
    level: Floats = np.sqrt(power / count)[ring] + 1e-12
    return level
