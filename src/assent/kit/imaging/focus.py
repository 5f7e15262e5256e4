"""Focus: how fine a picture's detail is, and softening one picture to be as fine as another.

A lens out of focus takes more from fine detail than from coarse: the ratio of the two tells how
soft a picture is, whatever its contrast. Noise is taken off both.

>>> sharp = np.random.default_rng(0).integers(0, 255, (128, 128)).astype(np.float32)
>>> everywhere = np.ones((128, 128), bool)
>>> soft = cv2.GaussianBlur(sharp, (0, 0), 2.0)
>>> fineness(soft, everywhere) < fineness(cv2.GaussianBlur(sharp, (0, 0), 1.0), everywhere)
True
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.imaging.grain import noise_of

__all__ = ["fineness", "softened", "softening"]

Grey = NDArray[np.float32]

_FINE, _MIDDLE, _COARSE = 1.0, 2.0, 4.0  # px: bands lie between Gaussians of these deviations
_MARGIN: Final = 8  # px
_LITTLE: Final = 0.02  # grey levels squared: less energy than that is none
# By how much a blur, px, lowers the fineness of faces in focus: means of the sample performers'.
_BLURS: Final = (0.0, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_DROPS: Final = (0.0, 0.19, 0.34, 0.61, 0.87, 1.22, 1.43, 1.7)
_TRIES: Final = 2  # after which the blur that is found is near enough


def fineness(grey: NDArray[np.floating] | NDArray[np.uint8], where: NDArray[np.bool_]) -> float:
    """How fine a picture's detail is: the logarithm of fine detail's energy over coarser detail's.

    Args:
        grey: [H, W], 0..255; bands are of one and two, two and four pixels.
        where: bool [H, W], the part to look at.

    Returns:
        about -0.8 for a face of 200 pixels in focus, -1.7 under a blur of two pixels.
    """
    plain = np.asarray(grey, np.float32)
    return _ratio(plain, where, noise_of(plain, where))


def softening(
    grey: NDArray[np.floating] | NDArray[np.uint8], where: NDArray[np.bool_], goal: float
) -> float:
    """The deviation of the Gaussian, pixels, under which a picture is no finer than `goal`.

    0 if it isn't to begin with; a picture can be softened by 6 pixels at most.
    """
    plain = np.asarray(grey, np.float32)
    before = _ratio(plain, where, noise_of(plain, where))
    if before <= goal:
        return 0.0
    found = asked = float(np.interp(before - goal, _DROPS, _BLURS))
    for _ in range(_TRIES):
        drop = before - _ratio(plain, where, 0.0, found)
        found = float(np.clip(found * asked / max(np.interp(drop, _DROPS, _BLURS), 0.1), 0, 6))
    return found


def softened(rgb: NDArray[np.float32], inside: NDArray[np.bool_], deviation: float) -> Grey:
    """A patch under a Gaussian; what lies outside it doesn't bleed in.

    Args:
        rgb: float32 [h, w, 3].
        inside: bool [h, w], where the patch is.
        deviation: pixels.

    Returns:
        float32 [h, w, 3].
    """
    there = inside.astype(np.float32)
    weight = np.asarray(cv2.GaussianBlur(there, (0, 0), deviation))[..., None]
    sums = np.asarray(cv2.GaussianBlur(rgb * there[..., None], (0, 0), deviation))
    return np.where(inside[..., None], sums / np.maximum(weight, 1e-3), rgb)


def _ratio(grey: Grey, where: NDArray[np.bool_], noise: float, blur: float = 0.0) -> float:
    """The fineness of a picture under a blur."""
    part = _around(where)
    grey, where = grey[part], where[part]
    fine, middle, coarse = (
        np.asarray(cv2.GaussianBlur(grey, (0, 0), float(np.hypot(deviation, blur))), np.float32)
        for deviation in (_FINE, _MIDDLE, _COARSE)
    )
    energies = (_energy(fine - middle, where), _energy(middle - coarse, where))
    small, large = (
        max(energy - noise * noise * share, _LITTLE)
        for energy, share in zip(energies, _OF_NOISE, strict=True)
    )
    return float(np.log(small / large))


def _around(where: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns that a mask reaches to, and a margin."""
    spans = []
    for axis in (1, 0):
        (set_,) = np.nonzero(where.any(axis=axis))
        first, last = (int(set_[0]), int(set_[-1])) if len(set_) else (0, 0)
        spans.append(slice(max(0, first - _MARGIN), last + _MARGIN + 1))
    return spans[0], spans[1]


def _energy(band: Grey, where: NDArray[np.bool_]) -> float:
    values = band[where]
    return float(values @ values) / max(len(values), 1)


def _passed(narrow: float, wide: float) -> float:
    """Which share of white noise's energy a band between two Gaussians lets through."""
    both = narrow**2 + wide**2
    return (1 / (4 * narrow**2) + 1 / (4 * wide**2) - 1 / both) / np.pi


_OF_NOISE: Final = (_passed(_FINE, _MIDDLE), _passed(_MIDDLE, _COARSE))
