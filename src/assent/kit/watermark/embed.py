"""Marking pictures: `Embedder` adds one identifier's pattern to luma planes.

>>> import numpy as np
>>> from assent.kit.watermark.key import ReadingKey
>>> key = ReadingKey.from_bytes(bytes(32))
>>> embedder = Embedder(width=320, height=240, bits=8, asset_id=7, key=key)
>>> plane = np.full((240, 320), 120, np.uint8)
>>> marked = embedder.mark(plane)
>>> marked.shape == plane.shape and int(np.abs(marked.astype(int) - plane).max()) < 8
True

The pattern stands still for a segment of eight seconds, so that nothing that happens to time
(dropped frames, another rate, a cut) hurts it, and only its strength follows the picture. Then the
next of eight variants takes over: where in the film a cut piece lay can be told from it, and an
average of the whole film shows no pattern.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby, islice, repeat
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from assent.kit.ahead import side_by_side
from assent.kit.errors import InputError, MediaError
from assent.kit.watermark.carriers import (
    SEGMENT_S,
    SHORT_SIDE,
    VARIANTS,
    Carriers,
    first_variant,
)
from assent.kit.watermark.frontend import detail, working_size
from assent.kit.watermark.geometry import fold
from assent.kit.watermark.key import ReadingKey, SecretKey
from assent.kit.watermark.overlay import Overlay, Plane, Waves, eight_bits
from assent.kit.watermark.payload import CODE, payload_bits
from assent.kit.watermark.secret import SHARE, SecretLayer
from assent.kit.watermark.tile import gains

__all__ = ["SMALLEST_SIDE", "Embedder", "Profile"]

SMALLEST_SIDE = 128
_SAMPLES = 12  # planes of a segment that the pattern is fitted to
_RINGS = (8, 10, 12, 15, 18, 22, 27, 34)  # radii between which the reader's gain is averaged
_ROUNDS = 4
_WORKERS = 2  # threads
# Share of the error that a round takes back. The mask spreads each carrier over its neighbours, so
# that larger steps would overshoot.
_SHARE = 0.35

Complexes = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How strong a mark is: `psnr_db` is never gone below in a frame's luma, `loudness` is the
    pattern's deviation on flat mid grey, in grey levels of 255.
    """

    psnr_db: float = 44.0
    loudness: float = 0.95

    @classmethod
    def stronger(cls) -> "Profile":
        """For releases at high risk: on flat ground whoever looks for the pattern sees it."""
        return cls(psnr_db=42.0, loudness=1.4)

    def __post_init__(self) -> None:
        if not 30 <= self.psnr_db <= 60 or not 0 < self.loudness <= 4:
            raise InputError(
                f"a mark of {self.psnr_db} dB and {self.loudness} grey levels makes no sense",
                advice="Choose 30 to 60 dB, and up to 4 grey levels.",
            )


class Embedder:
    """Marks planes of one size with one identifier.

    `width` and `height` in pixels, at least 128 each; `bits` is 8 (uint8 planes) or 10 (uint16
    planes holding 0..1023); `psnr_db` in place of the profile's. Raises MediaError for pictures too
    small or of another depth, InputError for an identifier beyond 64 bits. With `secret` a part of
    the pattern is what only its holder can find.
    """

    def __init__(
        self,
        *,
        width: int,
        height: int,
        bits: int,
        asset_id: int,
        key: ReadingKey,
        secret: SecretKey | None = None,
        profile: Profile | None = None,
        psnr_db: float | None = None,
    ) -> None:
        _check_format(width, height, bits)
        profile = profile or Profile()
        self._profile = profile if psnr_db is None else replace(profile, psnr_db=psnr_db)
        self._size = (width, height, bits)
        self._dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
        self._carriers = Carriers.derive(key)
        self._codeword = CODE.encode(payload_bits(asset_id))
        self._first = first_variant(key, asset_id)
        self._secret = SecretLayer.derive(secret, asset_id=asset_id) if secret else None
        self._changing = Lock()
        # By segment: what footage puts on the carriers, to be taken back.
        self._corrections: dict[int, Complexes] = {}
        self._current = (0, self._overlay_of(0))

    def prepare(
        self, sampled_luma: Iterable[Plane], *, seconds: Iterable[float] | None = None
    ) -> None:
        """Fit the pattern to the footage: about a dozen planes spread over each segment.

        What the footage itself puts on each carrier is measured with the reader's own eyes and
        mostly taken back (informed embedding), which makes the mark much easier to read at the
        same strength. The planes are all of one size, the embedder's [H, W] or smaller with the
        same proportions; a shorter side of 512 shows all that a reader sees. `seconds` tells for
        each when it is shown, ascending; without it all are taken to be of the first segment.
        Optional; at most 12 planes of a segment are used. Calling it again starts anew.
        """
        self._corrections = {}
        times = repeat(0.0) if seconds is None else seconds
        timed = zip(sampled_luma, times, strict=False)
        for segment, part in groupby(timed, lambda one: int(one[1] // SEGMENT_S)):
            planes = [eight_bits(plane) for plane, _ in islice(part, _SAMPLES)]
            self._corrections[segment] = self._fit(planes, self._ideal(segment))
        self._current = (0, self._overlay_of(0))

    def mark(self, luma: Plane, *, seconds: float = 0.0) -> Plane:
        """Return a marked copy of a plane [H, W]; `luma` itself is never written to.

        May be called from several threads at once; quickest in about the planes' order.

        `seconds` tells when it is shown, from the film's beginning. Raises MediaError when its
        shape or depth isn't the one that this embedder was made for.
        """
        width, height, _ = self._size
        if luma.shape != (height, width) or luma.dtype != self._dtype:
            raise MediaError(
                f"a picture of {luma.shape[::-1]} {luma.dtype} came amid pictures of "
                f"{(width, height)} {self._dtype}",
                advice="Use footage that keeps one size and depth throughout.",
            )
        return self._overlay_at(max(0, int(seconds // SEGMENT_S))).add(luma)

    def _overlay_at(self, segment: int) -> Overlay:
        with self._changing:
            if segment != self._current[0]:
                self._current = (segment, self._overlay_of(segment))
            return self._current[1]

    def _ideal(self, segment: int) -> Complexes:
        return self._carriers.coefficients(self._codeword, (self._first + segment) % VARIANTS)

    def _overlay_of(self, segment: int) -> Overlay:
        width, height, bits = self._size
        wish = self._ideal(segment)
        if self._corrections:
            # A segment that no plane was sampled from looks most like its neighbour.
            nearest = min(self._corrections, key=lambda fitted: abs(fitted - segment))
            wish = wish + self._corrections[nearest]
        return self._draw(self._with_secret(wish, segment), width, height, bits)

    def _with_secret(self, wish: Complexes, segment: int) -> Waves:
        periods = 2 * self._carriers.all
        if self._secret is None:
            return Waves(periods, wish)
        # What is fitted to the footage is the public layer; its power is what was wished for.
        power = float(np.sum(np.abs(wish) ** 2) / 2)
        values = self._secret.values[(self._first + segment) % VARIANTS]
        return Waves(
            np.concatenate([periods, self._secret.waves]),
            np.concatenate([wish * (1 - SHARE) ** 0.5, values * (SHARE * power) ** 0.5]),
        )

    def _draw(self, waves: Waves, width: int, height: int, bits: int) -> Overlay:
        return Overlay(
            waves,
            width=width,
            height=height,
            bits=bits,
            psnr_db=self._profile.psnr_db,
            loudness=self._profile.loudness,
        )

    def _fit(self, planes: list[NDArray[np.uint8]], ideal: Complexes) -> Complexes:
        """Return what to add to the pattern so that a reader sees it most clearly."""
        radius = self._radius()
        best, seen = ideal, self._measure(planes, ideal)
        agreement, share = _agreement(seen, ideal, radius), _SHARE
        for _ in range(_ROUNDS):
            wish = _correct(best, ideal, seen, radius, share)
            seen_then = self._measure(planes, wish)
            then = _agreement(seen_then, ideal, radius)
            if then > agreement:
                best, seen, agreement = wish, seen_then, then
            else:
                # Footage louder than what may be added; taking back too much of it does harm.
                share /= 2
        return best - ideal

    def _measure(self, planes: list[NDArray[np.uint8]], coefficients: Complexes) -> Complexes:
        """Return the coefficients that a reader would find in these planes, once marked."""
        height, width = planes[0].shape
        overlay = self._draw(Waves(2 * self._carriers.all, coefficients), width, height, 8)
        w, h = working_size(width, height)
        matrix = np.diag([w / width, h / height]) * (min(width, height) / SHORT_SIDE)
        seen = np.zeros((h, w), np.float32)

        def look(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
            return detail(np.asarray(overlay.add(plane), np.uint8))

        with side_by_side(look, planes, workers=_WORKERS, depth=2 * _WORKERS) as looks:
            for one in looks:
                seen += one
        return gains(fold(seen, matrix), self._carriers)

    def _radius(self) -> NDArray[np.float64]:
        k = self._carriers.all
        radius: NDArray[np.float64] = np.hypot(k[:, 0], k[:, 1])
        return radius


def _check_format(width: int, height: int, bits: int) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise MediaError(
            f"a picture of {width}x{height} is too small to carry a mark",
            advice=f"Use footage of at least {SMALLEST_SIDE} pixels a side.",
        )
    if bits not in (8, 10):
        raise MediaError(
            f"{bits}-bit pictures can't be marked", advice="Use 8-bit or 10-bit footage."
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
    gain = _smooth_gain(seen, ideal, radius)
    step = share * (seen - gain * ideal) / np.maximum(gain, max(0.3 * float(gain.max()), 1e-9))
    moved = wish - _at_most(step, size) - ideal
    return ideal + _at_most(moved, 1.2 * size)


def _agreement(seen: Complexes, ideal: Complexes, radius: NDArray[np.float64]) -> float:
    """Return how alike the two are, ring by ring as a reader weighs them: 1 if one is the other."""
    ring = np.digitize(radius, _RINGS)
    total = 0.0
    for r in np.unique(ring):
        a, b = seen[ring == r], ideal[ring == r]
        along = float((a * b.conj()).real.sum())
        total += along / (float(np.linalg.norm(a) * np.linalg.norm(b)) + 1e-9) * len(a)
    return total / len(ring)


def _smooth_gain(
    seen: Complexes, ideal: Complexes, radius: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what a reader multiplies each carrier by, as a line through the rings' means."""
    ring = np.digitize(radius, _RINGS)
    rings = np.unique(ring)
    weight = np.abs(ideal) ** 2
    along = (seen * ideal.conj()).real
    gains = [along[ring == r].sum() / weight[ring == r].sum() for r in rings]
    middles = [np.average(radius[ring == r], weights=weight[ring == r]) for r in rings]
    return np.asarray(np.interp(radius, middles, gains), np.float64)


def _at_most(values: Complexes, limit: NDArray[np.float64]) -> Complexes:
    """Shorten each complex value to at most `limit`."""
    return values * np.minimum(1.0, limit / (np.abs(values) + 1e-9))
