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

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError, MediaError
from assent.kit.watermark.carriers import SHORT_SIDE, Carriers
from assent.kit.watermark.frontend import detail, working_size
from assent.kit.watermark.geometry import fold
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.overlay import Overlay, Plane, eight_bits
from assent.kit.watermark.payload import payload_bits
from assent.kit.watermark.polar import encode
from assent.kit.watermark.tile import gains

__all__ = ["SMALLEST_SIDE", "Embedder"]

SMALLEST_SIDE = 128
_PSNR_DB = 44.0
_SAMPLES = 32
_ROUNDS = (0.9, 0.63)  # share of the host's error that each round takes back

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
        self._size = {"width": width, "height": height, "bits": bits}
        self._dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
        self._psnr_db = psnr_db
        self._carriers = Carriers.derive(key)
        self._ideal = self._carriers.coefficients(encode(payload_bits(asset_id)))
        self._overlay = self._draw(self._ideal, **self._size)

    def prepare(self, sampled_luma: Iterable[Plane]) -> None:
        """Fit the pattern to the footage: about a dozen planes spread over a segment.

        What the footage itself puts on each carrier is measured with the reader's own eyes and
        mostly taken back (informed embedding), which makes the mark much easier to read at the
        same strength. The planes are all of one size, the embedder's [H, W] or smaller with the
        same proportions; a shorter side of 512 shows all that a reader sees. Optional; at most 32
        planes are used. Calling it again starts anew.
        """
        planes = [eight_bits(plane) for plane in islice(sampled_luma, _SAMPLES)]
        wish = self._ideal
        for share in _ROUNDS if planes else ():
            wish = _correct(wish, self._ideal, self._measure(planes, wish), self._radius(), share)
        self._overlay = self._draw(wish, **self._size)

    def mark(self, luma: Plane) -> Plane:
        """Return a marked copy of a plane [H, W]; `luma` itself is never written to.

        Raises MediaError when its shape or depth isn't the one that this embedder was made for.
        """
        shape = (self._size["height"], self._size["width"])
        if luma.shape != shape or luma.dtype != self._dtype:
            raise MediaError(
                f"a picture of {luma.shape[::-1]} {luma.dtype} came amid pictures of "
                f"{shape[::-1]} {self._dtype}",
                advice="Use footage that keeps one size and depth throughout.",
            )
        return self._overlay.add(luma)

    def _draw(self, coefficients: Complexes, *, width: int, height: int, bits: int) -> Overlay:
        return Overlay(
            self._carriers,
            coefficients,
            width=width,
            height=height,
            bits=bits,
            psnr_db=self._psnr_db,
        )

    def _measure(self, planes: list[NDArray[np.uint8]], coefficients: Complexes) -> Complexes:
        """Return the coefficients that a reader would find in these planes, once marked."""
        height, width = planes[0].shape
        overlay = self._draw(coefficients, width=width, height=height, bits=8)
        w, h = working_size(width, height)
        matrix = np.diag([w / width, h / height]) * (min(width, height) / SHORT_SIDE)
        seen = np.zeros((h, w), np.float32)
        for plane in planes:
            seen += detail(np.asarray(overlay.add(plane), np.uint8))
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
