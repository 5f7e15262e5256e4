"""Reading a folded tile: does it hold the pattern, and if so, which code bits?

`align` finds where the pattern's origin lies by the pilots and says by how many deviations
(`z`) the best place beats the rest: the statistic that gates everything after it.
`read_identifier` then turns carriers to log-likelihoods and decodes them; it reports an
identifier only if its CRC is right.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.carriers import TILE, Carriers
from assent.kit.watermark.payload import identifier_of
from assent.kit.watermark.polar import CODE_BITS, decode

__all__ = ["Alignment", "align", "gains", "read_identifier"]

_NEAR = 3  # half units around the expected origin
_LOUDEST_LLR = 40.0
_FINE = np.arange(-8, 9) / 16  # units
_EULER = 0.5772  # E log of a unit exponential variable is minus this
# Degrees in |k| of the fits of the pilots' gain and of the log of their noise.
_MODELS = ((2, 2), (1, 1), (1, 0))

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Where the pattern lies in a tile: `spectrum` complex [104 + n] with its shift taken out."""

    z: float
    shift: tuple[float, float]
    spectrum: Complexes


def gains(tile: Floats, carriers: Carriers) -> Complexes:
    """Return the tile's coefficient on each of `carriers.all`, on the pattern's own scale."""
    k = carriers.all
    # Sample j stands for the point j + 1/2.
    centre = np.exp(-2j * np.pi * k.sum(1) / (2 * TILE))
    spectrum: Complexes = np.fft.fft2(tile)[k[:, 1] % TILE, k[:, 0] % TILE] * centre
    return spectrum * (2 / TILE**2)


def align(tile: Floats, carriers: Carriers, *, near: bool) -> Alignment:
    """Find the pattern's origin; `near` looks only within 1.5 units of the tile's corner.

    A tile without any detail has z = 0.
    """
    seen = gains(tile, carriers)
    pilots = seen[: len(carriers.pilots)]
    size = np.abs(pilots)
    typical = float(np.median(size))
    if typical <= 0:
        return Alignment(z=0.0, shift=(0.0, 0.0), spectrum=seen)
    # Weights saturate, so that a few strong host frequencies can't carry the vote.
    expected = carriers.pilot_values / np.abs(carriers.pilot_values)
    votes = pilots * expected.conj() / np.hypot(size, typical)
    plane = np.zeros((2 * TILE, 2 * TILE), np.complex128)
    plane[carriers.pilots[:, 1] % (2 * TILE), carriers.pilots[:, 0] % (2 * TILE)] = votes
    score = np.fft.ifft2(plane).real
    if near:
        places = np.arange(-_NEAR, _NEAR + 1)
        window = score[np.ix_(places, places)]
        row, column = np.unravel_index(int(window.argmax()), window.shape)
        y, x = float(places[row]), float(places[column])
    else:
        row, column = np.unravel_index(int(score.argmax()), score.shape)
        y, x = float(row), float(column)
    z = float((score[int(y), int(x)] - score.mean()) / score.std())
    shift = _sharpen(np.array([x, y]) / 2, votes, carriers)
    return Alignment(
        z=z,
        shift=(float(shift[0]), float(shift[1])),
        spectrum=seen * np.exp(2j * np.pi * (carriers.all @ shift) / TILE),
    )


def read_identifier(spectrum: Complexes, carriers: Carriers) -> int | None:
    """Decode an aligned spectrum, complex [104 + n]; None unless a CRC is right."""
    for llr in _likelihoods(spectrum, carriers):
        for message in decode(llr):
            identifier = identifier_of(message)
            if identifier is not None:
                return identifier
    return None


def _sharpen(shift: Floats, votes: Complexes, carriers: Carriers) -> Floats:
    """Refine `shift` within the half-unit grid to where the pilots' votes agree best."""
    x, y = shift[0] + _FINE, shift[1] + _FINE
    across = np.exp(2j * np.pi / TILE * np.outer(x, carriers.pilots[:, 0]))
    down = np.exp(2j * np.pi / TILE * np.outer(y, carriers.pilots[:, 1]))
    agreement = ((down * votes) @ across.T).real
    row, column = np.unravel_index(int(agreement.argmax()), agreement.shape)
    return np.array([x[column], y[row]])


def _likelihoods(spectrum: Complexes, carriers: Carriers) -> Iterator[Floats]:
    """Yield log-likelihood ratios, float [1024], under each model of gain and noise."""
    count = len(carriers.pilots)
    pilots, data = spectrum[:count], spectrum[count:]
    radius, data_radius = _radius(carriers.pilots), _radius(carriers.data)
    gain = pilots / carriers.pilot_values
    mean_gain = max(float(gain.real.mean()), 1e-9)
    for gain_degree, noise_degree in _MODELS:
        gain_fit = np.polyfit(radius, gain.real, gain_degree)
        residue = (gain - np.polyval(gain_fit, radius)) * np.abs(carriers.pilot_values)
        noise_fit = np.polyfit(radius, np.log(np.abs(residue) ** 2 + 1e-12), noise_degree)
        variance = np.exp(np.polyval(noise_fit, data_radius) + _EULER) / 2
        size = np.maximum(np.polyval(gain_fit, data_radius), 0.1 * mean_gain) * carriers.data_gain
        components = np.empty(2 * len(data))
        components[0::2] = 2 * size * data.real / variance
        components[1::2] = 2 * size * data.imag / variance
        llr = np.zeros(CODE_BITS)
        np.add.at(llr, carriers.bit_of, components * carriers.sign)
        yield np.clip(llr, -_LOUDEST_LLR, _LOUDEST_LLR)


def _radius(k: NDArray[np.int64]) -> Floats:
    length: Floats = np.hypot(k[:, 0], k[:, 1])
    return length
