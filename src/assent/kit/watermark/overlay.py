"""A pattern drawn for planes of one size, and its adding to them.

>>> import numpy as np
>>> from assent.kit.watermark.carriers import Carriers
>>> from assent.kit.watermark.key import ReadingKey
>>> carriers = Carriers.derive(ReadingKey.from_bytes(bytes(32)))
>>> waves = Waves(2 * carriers.all, carriers.coefficients(np.zeros(512, np.uint8), 0))
>>> overlay = Overlay(waves, width=320, height=240, bits=8, psnr_db=44, loudness=1)
>>> overlay.add(np.full((240, 320), 120, np.uint8)).shape
(240, 320)
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.carriers import SHORT_SIDE
from assent.kit.watermark.mask import strength

__all__ = ["Overlay", "Plane", "Waves", "eight_bits"]

_NYQUIST = 0.45  # cycles a pixel above which a carrier wouldn't survive the pixel grid
_STRIP = 32  # rows at a time: all that is computed of them stays in the processor's cache

Plane = NDArray[np.uint8] | NDArray[np.uint16]
_Floats = NDArray[np.float32]
_Complexes = NDArray[np.complex128]


class Waves(NamedTuple):
    """What a pattern is the sum of: `periods` int [n, 2] (x, y) in 512 units, and coefficients [n].

    The pattern at point u is sum(Re(c exp(2 pi i k.u / 512))).
    """

    periods: NDArray[np.int64]
    coefficients: _Complexes


class Overlay:
    """One pattern for planes of `width` x `height` pixels and 8 or 10 `bits`.

    `psnr_db` is aimed at in each plane, but
    flat ground never gets a pattern of more than `loudness` grey levels' deviation.
    """

    def __init__(
        self,
        waves: Waves,
        *,
        width: int,
        height: int,
        bits: int,
        psnr_db: float,
        loudness: float,
    ) -> None:
        self._shape = (height, width)
        self._step = 1 << (bits - 8)  # code values a grey level
        self._aim = 255.0 / 10 ** (psnr_db / 20)
        scale = min(width, height) / SHORT_SIDE
        # The mask needs no more than a quarter of the standard picture's pixels.
        self._mask_size = max(1, round(width / scale / 2)), max(1, round(height / scale / 2))
        pattern = _draw(waves, self._shape, scale)
        squared = pattern * pattern
        self._loudest = loudness / float(squared.mean()) ** 0.5
        self._power = cv2.resize(squared, self._mask_size, interpolation=cv2.INTER_AREA)
        # The rows come again after the shorter side, in an upright picture therefore.
        self._pattern = pattern[: min(width, height)].copy()
        self._dither = _dither(_STRIP, width)
        self._above, self._below, self._share = _rows_between(self._mask_size[1], height)

    def add(self, luma: Plane) -> Plane:
        """Return a marked copy of a plane [H, W] of the overlay's size and depth."""
        mask = self._mask(eight_bits(luma))
        # Across at once, down strip by strip: together what bilinear scaling of the mask gives.
        wide: _Floats = np.asarray(cv2.resize(mask, (self._shape[1], len(mask))), np.float32)
        marked = np.empty_like(luma)
        for rows, pattern in self._strips():
            change = wide[self._above[rows]]
            below = wide[self._below[rows]]
            below -= change
            below *= self._share[rows]
            change += below
            change *= pattern
            change += self._dither[: len(change)]
            if self._step == 1:
                cv2.add(luma[rows], change, dst=marked[rows], dtype=cv2.CV_8U)
            else:
                change *= np.float32(self._step)
                cv2.add(luma[rows], change, dst=marked[rows], dtype=cv2.CV_16U)
                np.minimum(marked[rows], 1023, out=marked[rows])
        return marked

    def _strips(self) -> Iterator[tuple[slice, _Floats]]:
        """Yield the rows of each strip of a plane and the pattern there."""
        height, period = self._shape[0], len(self._pattern)
        for tile in range(0, height, period):
            end = min(tile + period, height)
            for top in range(tile, end, _STRIP):
                bottom = min(top + _STRIP, end)
                yield slice(top, bottom), self._pattern[top - tile : bottom - tile]

    def _mask(self, luma: NDArray[np.uint8]) -> _Floats:
        """Return what the pattern is multiplied by, at the mask's size."""
        relative: _Floats = strength(luma, self._mask_size)
        power = float((relative * relative * self._power).mean())
        relative *= np.float32(min(self._aim / max(power, 1e-9) ** 0.5, self._loudest))
        return relative


def eight_bits(luma: Plane) -> NDArray[np.uint8]:
    """Return a plane's upper eight bits."""
    return np.asarray(luma if luma.dtype == np.uint8 else luma >> 2, np.uint8)


def _rows_between(rows: int, height: int) -> tuple[NDArray[np.intp], NDArray[np.intp], _Floats]:
    """Return between which two of `rows` each of `height` rows lies, and how far, [height, 1]."""
    place = np.clip((np.arange(height) + 0.5) * rows / height - 0.5, 0, rows - 1)
    above = np.floor(place).astype(np.intp)
    return above, np.minimum(above + 1, rows - 1), (place - above).astype(np.float32)[:, None]


def _dither(height: int, width: int) -> _Floats:
    """Spread rounding, so that a pattern weaker than half a grey level isn't rounded away.

    The noise is additive recurrence (Roberts' R2 sequence): even, without clumps.
    """
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    spread = np.mod(0.7548776662466927 * x + 0.5698402909980532 * y, 1.0)
    return ((spread - 0.5) * 0.8).astype(np.float32)


def _draw(waves: Waves, shape: tuple[int, int], scale: float) -> NDArray[np.float32]:
    """Evaluate the pattern at every pixel centre: float32 [H, W], deviation about 1."""
    height, width = shape
    k = waves.periods
    audible = np.hypot(k[:, 0], k[:, 1]) / SHORT_SIDE / scale < _NYQUIST
    k, coefficients = k[audible], waves.coefficients[audible]
    columns, rows = np.unique(k[:, 0]), np.unique(k[:, 1])
    matrix = np.zeros((len(rows), len(columns)), np.complex64)
    matrix[np.searchsorted(rows, k[:, 1]), np.searchsorted(columns, k[:, 0])] = coefficients
    x, y = _waves(columns, width, scale), _waves(rows, height, scale)
    across = matrix @ x
    pattern: NDArray[np.float32] = y.real.T @ across.real - y.imag.T @ across.imag
    return pattern


def _waves(k: NDArray[np.int64], size: int, scale: float) -> NDArray[np.complex64]:
    """Return exp(2 pi i k u / 512) at pixel centres, complex64 [len(k), size]."""
    u = (np.arange(size) + 0.5) / scale
    turns = np.outer(k, u) / SHORT_SIDE
    return np.asarray(np.exp(2j * np.pi * turns), np.complex64)
