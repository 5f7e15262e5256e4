"""Marking pictures: `Embedder` adds one identifier's pattern to luma planes.

>>> import numpy as np
>>> from assent.kit.watermark.key import ReadingKey
>>> key = ReadingKey.from_bytes(bytes(32))
>>> embedder = Embedder(width=320, height=240, bits=8, asset_id=7, key=key)
>>> plane = np.full((240, 320), 120, np.uint8)
>>> marked = embedder.mark(plane)
>>> marked.shape == plane.shape and int(np.abs(marked.astype(int) - plane).max()) < 8
True

The pattern is the same in every frame, so that nothing that happens to time (dropped frames,
another rate, a cut) hurts it; only its strength follows the picture.
"""

from collections.abc import Iterable
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError, MediaError
from assent.kit.watermark.carriers import SHORT_SIDE, TILE, Carriers
from assent.kit.watermark.frontend import detail, working_size
from assent.kit.watermark.geometry import fold
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.mask import strength
from assent.kit.watermark.payload import payload_bits
from assent.kit.watermark.polar import encode
from assent.kit.watermark.tile import gains

__all__ = ["SMALLEST_SIDE", "Embedder"]

SMALLEST_SIDE = 128
_PSNR_DB = 44.0
_LOUDEST = 0.55  # deviation of the pattern on flat ground, grey levels: the eye's limit
_NYQUIST = 0.45  # cycles a pixel above which a carrier wouldn't survive the pixel grid
_SAMPLES = 32
_ROUNDS = (0.9, 0.63)  # share of the host's error that each round takes back

Plane = NDArray[np.uint8] | NDArray[np.uint16]
Complexes = NDArray[np.complex128]


class Embedder:
    """Marks planes of one size with one identifier.

    `width` and `height` in pixels, at least 128 each; `bits` is 8 (uint8 planes) or 10 (uint16
    planes holding 0..1023); `psnr_db` is the luma PSNR aimed at in each frame (less change than
    that is made where it would show). Raises MediaError for pictures too small or of another
    depth, InputError for an identifier beyond 64 bits.
    """

    def __init__(
        self,
        *,
        width: int,
        height: int,
        bits: int,
        asset_id: int,
        key: ReadingKey,
        psnr_db: float = _PSNR_DB,
    ) -> None:
        _check_format(width, height, bits, psnr_db)
        self._shape = (height, width)
        self._step = 1 << (bits - 8)  # code values a grey level
        self._dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
        self._aim = 255.0 / 10 ** (psnr_db / 20)
        self._scale = min(width, height) / SHORT_SIDE
        # The mask needs no more than a quarter of the standard picture's pixels.
        self._mask_size = (
            max(1, round(width / self._scale / 2)),
            max(1, round(height / self._scale / 2)),
        )
        self._carriers = Carriers.derive(key)
        self._ideal = self._carriers.coefficients(encode(payload_bits(asset_id)))
        self._dither = _dither(height, width)
        self._use(self._ideal)

    def prepare(self, sampled_luma: Iterable[Plane]) -> None:
        """Fit the pattern to the footage: about a dozen planes [H, W] spread over a segment.

        What the footage itself puts on each carrier is measured with the reader's own eyes and
        mostly taken back (informed embedding), which makes the mark much easier to read at the
        same strength. Optional; at most 32 planes are used. Calling it again starts anew.
        """
        planes = list(islice(sampled_luma, _SAMPLES))
        self._use(self._ideal)
        if not planes:
            return
        wish = self._ideal
        for share in _ROUNDS:
            wish = _correct(wish, self._ideal, self._measure(planes), self._radius(), share)
            self._use(wish)

    def mark(self, luma: Plane) -> Plane:
        """Return a marked copy of a plane [H, W]; `luma` itself is never written to.

        Raises MediaError when its shape or depth isn't the one that this embedder was made for.
        """
        if luma.shape != self._shape or luma.dtype != self._dtype:
            raise MediaError(
                f"a picture of {luma.shape[::-1]} {luma.dtype} came amid pictures of "
                f"{self._shape[::-1]} {self._dtype}",
                advice="Use footage that keeps one size and depth throughout.",
            )
        change = self._change(_eight_bits(luma))
        if self._step == 1:
            return np.asarray(cv2.add(luma, change, dtype=cv2.CV_8U), np.uint8)
        deep = cv2.add(luma, change * np.float32(self._step), dtype=cv2.CV_16U)
        return np.minimum(np.asarray(deep, np.uint16), np.uint16(1023))

    def _change(self, luma: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what to add to a plane, float32 [H, W] grey levels."""
        height, width = self._shape
        relative = strength(luma, self._mask_size)
        power = float((relative * relative * self._power).mean())
        relative *= np.float32(min(self._aim / max(power, 1e-9) ** 0.5, self._loudest))
        full = cv2.resize(relative, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.add(cv2.multiply(full, self._pattern), self._dither), np.float32)

    def _use(self, coefficients: Complexes) -> None:
        self._pattern = _draw_pattern(self._carriers, coefficients, self._shape, self._scale)
        squared = self._pattern * self._pattern
        self._loudest = _LOUDEST / float(squared.mean()) ** 0.5
        self._power = cv2.resize(squared, self._mask_size, interpolation=cv2.INTER_AREA)

    def _measure(self, planes: list[Plane]) -> Complexes:
        """Return the coefficients that a reader would find in these planes, once marked."""
        height, width = self._shape
        w, h = working_size(width, height)
        matrix = np.diag([w / width, h / height]) * self._scale
        seen = np.zeros((h, w), np.float32)
        for plane in planes:
            seen += detail(_eight_bits(self.mark(plane)))
        return gains(fold(seen, matrix), self._carriers)

    def _radius(self) -> NDArray[np.float64]:
        k = self._carriers.all
        radius: NDArray[np.float64] = np.hypot(k[:, 0], k[:, 1])
        return radius


def _check_format(width: int, height: int, bits: int, psnr_db: float) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise MediaError(
            f"a picture of {width}x{height} is too small to carry a mark",
            advice=f"Use footage of at least {SMALLEST_SIDE} pixels a side.",
        )
    if bits not in (8, 10):
        raise MediaError(
            f"{bits}-bit pictures can't be marked", advice="Use 8-bit or 10-bit footage."
        )
    if not 30 <= psnr_db <= 60:
        raise InputError(
            f"a PSNR of {psnr_db} dB makes no sense for a mark",
            advice="Choose 30 to 60 dB; 44 is customary.",
        )


def _eight_bits(luma: Plane) -> NDArray[np.uint8]:
    return np.asarray(luma if luma.dtype == np.uint8 else luma >> 2, np.uint8)


def _dither(height: int, width: int) -> NDArray[np.float32]:
    """Spread rounding, so that a pattern weaker than half a grey level isn't rounded away.

    The noise is additive recurrence (Roberts' R2 sequence): even, without clumps.
    """
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    spread = np.mod(0.7548776662466927 * x + 0.5698402909980532 * y, 1.0)
    return ((spread - 0.5) * 0.8).astype(np.float32)


def _draw_pattern(
    carriers: Carriers, coefficients: Complexes, shape: tuple[int, int], scale: float
) -> NDArray[np.float32]:
    """Evaluate the pattern at every pixel centre: float32 [H, W], deviation about 1."""
    height, width = shape
    k = carriers.all
    audible = np.hypot(k[:, 0], k[:, 1]) / TILE / scale < _NYQUIST
    k, coefficients = k[audible], coefficients[audible]
    columns, rows = np.unique(k[:, 0]), np.unique(k[:, 1])
    matrix = np.zeros((len(rows), len(columns)), np.complex64)
    matrix[np.searchsorted(rows, k[:, 1]), np.searchsorted(columns, k[:, 0])] = coefficients
    x, y = _waves(columns, width, scale), _waves(rows, height, scale)
    across = matrix @ x
    pattern: NDArray[np.float32] = y.real.T @ across.real - y.imag.T @ across.imag
    return pattern


def _waves(k: NDArray[np.int64], size: int, scale: float) -> NDArray[np.complex64]:
    """Return exp(2 pi i k u / 128) at pixel centres, complex64 [len(k), size]."""
    u = (np.arange(size) + 0.5) / scale
    waves: NDArray[np.complex64] = np.exp(2j * np.pi / TILE * np.outer(k, u)).astype(np.complex64)
    return waves


def _correct(
    wish: Complexes,
    ideal: Complexes,
    seen: Complexes,
    radius: NDArray[np.float64],
    share: float,
) -> Complexes:
    """Move `wish` so that what is seen comes nearer to a smooth multiple of `ideal`."""
    size = np.abs(ideal)
    fit = np.polyfit(radius, (seen / ideal).real, 2, w=size)
    gain = np.polyval(fit, radius)
    gain = np.maximum(gain, max(0.3 * float(gain.max()), 1e-9))
    step = share * (seen - np.polyval(fit, radius) * ideal) / gain
    moved = wish - _at_most(step, 0.8 * size) - ideal
    return ideal + _at_most(moved, 1.2 * size)


def _at_most(values: Complexes, limit: NDArray[np.float64]) -> Complexes:
    """Shorten each complex value to at most `limit`."""
    return values * np.minimum(1.0, limit / (np.abs(values) + 1e-9))
