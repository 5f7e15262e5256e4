"""Finding the scale of an upright part of a marked picture, wherever it was cut out.

Cut and scaled copies are the commonest of all. For them the pilots' phases can be used, not only
their power: at each scale tried, the pilots vote for every origin at once, by FFT. That finds
marks far fainter than the spectrum's lines show.
"""

from collections.abc import Iterator
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.ahead import side_by_side
from assent.kit.watermark.carriers import TILE, VARIANTS, Carriers
from assent.kit.watermark.lines import in_band
from assent.kit.watermark.search import Candidate

__all__ = ["find_upright"]

_SMALLEST, _LARGEST, _STEP = 0.3, 2.7, 0.012
_FINER = (-0.008, -0.004, 0.0, 0.004, 0.008)
_CELLS = 128
_SIDE = 2048
_WORKERS = 2  # threads

Complexes = NDArray[np.complex128]
Floats = NDArray[np.float64]


def find_upright(detail: NDArray[np.float32], carriers: Carriers, most: int) -> list[Candidate]:
    """List the `most` best scales of an upright or mirrored pattern, best first.

    `detail` is float32 [h, w], no side over 1024. A candidate's score is by how many deviations
    its pilots' votes stand out.
    """
    spectrum = _Spectrum(detail)
    scales = np.exp(np.arange(np.log(_SMALLEST), np.log(_LARGEST), _STEP))

    def tried(share: Floats) -> list[Candidate]:
        return list(_tried(spectrum, carriers, share))

    shares = np.array_split(scales, _WORKERS)
    with side_by_side(tried, shares, workers=_WORKERS, depth=_WORKERS) as parts:
        found = sorted(chain.from_iterable(parts), key=lambda one: -one.score)
    best = []
    for one in found[:most]:
        finer = one.matrix[1, 1] * (1 + np.array(_FINER))
        best.append(max(_tried(spectrum, carriers, finer), key=lambda other: other.score))
    return sorted(best, key=lambda one: -one.score)


class _Spectrum:
    """The transform of a picture about its middle, so that it changes slowly between points."""

    def __init__(self, detail: NDArray[np.float32]) -> None:
        height, width = detail.shape
        padded = np.zeros((_SIDE, _SIDE), np.float32)
        padded[:height, :width] = detail
        middle = np.roll(padded, (-(height // 2), -(width // 2)), axis=(0, 1))
        half = np.fft.fftshift(np.fft.rfft2(middle), axes=0)
        self._real, self._imaginary = (
            np.ascontiguousarray(part, np.float32) for part in (half.real, half.imag)
        )

    def at(self, fx: Floats, fy: Floats) -> Complexes:
        """Return the value at frequencies in cycles a pixel, [n]; 0 beyond the band."""
        negative = fx < 0
        x = (np.where(negative, -fx, fx) * _SIDE).astype(np.float32)[None]
        y = (np.where(negative, -fy, fy) * _SIDE + _SIDE // 2).astype(np.float32)[None]
        real = cv2.remap(self._real, x, y, cv2.INTER_LINEAR)[0]
        imaginary = cv2.remap(self._imaginary, x, y, cv2.INTER_LINEAR)[0]
        value = real + 1j * np.where(negative, -imaginary, imaginary)
        return np.where(in_band(fx, fy), value, 0)


def _tried(spectrum: _Spectrum, carriers: Carriers, scales: Floats) -> Iterator[Candidate]:
    pilots = carriers.pilots
    size = np.abs(carriers.pilot_values[0])
    expected = carriers.pilot_values.conj() / size
    half = len(pilots) // 2
    plane = np.zeros((VARIANTS, _CELLS, _CELLS), np.complex64)
    rows, columns = pilots[:, 1] % _CELLS, pilots[:, 0] % _CELLS
    for scale in scales:
        for side in (1.0, -1.0):
            seen = spectrum.at(side * pilots[:, 0] / (TILE * scale), pilots[:, 1] / (TILE * scale))
            level = np.repeat([_level(seen[:half]), _level(seen[half:])], [half, len(seen) - half])
            weight = size / (np.hypot(np.abs(seen), level) + 1e-9)
            deviation = float(np.sqrt(np.sum((weight * np.abs(seen)) ** 2) / 2)) + 1e-9
            plane[:, rows, columns] = seen * weight * expected
            score = float(np.fft.ifft2(plane).real.max()) * _CELLS**2 / deviation
            yield Candidate(score=score, matrix=np.diag([side * scale, scale]))


def _level(seen: Complexes) -> float:
    return float(np.sqrt(np.mean(np.abs(seen) ** 2)))
