"""Colour transfer: give one face the colour and contrast of another, by one of several methods."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Colour", "ColourMap", "map_colours", "match_colour"]

_Rgb = NDArray[np.float32]
_Floats = NDArray[np.float64]

_TOUCH: Final = 0.15  # how far a tone is drawn to another's


class Colour(StrEnum):
    """How a face that replaces another gets its colours."""

    OWN = "own"
    """They stay its own."""
    TOUCH = "touch"
    """Its tone is drawn a little to the other's."""
    TONE = "tone"
    """Its tone becomes the other's."""
    REINHARD = "reinhard"
    """Mean and deviation of each colour become the other's."""
    MKL = "mkl"
    """All moments up to the second become the other's, by the smallest change."""


@dataclass(frozen=True, slots=True)
class ColourMap:
    """Colours c to matrix @ c + shift."""

    matrix: _Floats
    shift: _Floats

    def weaker(self, strength: float) -> "ColourMap":
        """Return what goes only that share of the way, 0..1."""
        return ColourMap(np.eye(3) + strength * (self.matrix - np.eye(3)), strength * self.shift)

    def apply(self, rgb: _Rgb) -> _Rgb:
        """Change colours, float32 [H, W, 3]."""
        return np.asarray(
            cv2.transform(rgb, np.column_stack([self.matrix, self.shift]).astype(np.float32)),
            np.float32,
        )


# Contrast may be stretched or pressed by this factor at most: small masks have odd statistics.
_LIMIT = 1.6


def match_colour(rgb: _Rgb, like: _Rgb, weights: NDArray[np.float32], strength: float) -> _Rgb:
    """Move a picture's mean and deviation in CIE L*a*b* towards another's.

    After Reinhard et al., "Color transfer between images", IEEE CG&A 21(5), 2001, in L*a*b*.

    Args:
        rgb: float32 [H, W, 3], 0..1.
        like: the same shape, whose colours are wanted.
        weights: float32 [H, W], 0 or more: which pixels' colours count.
        strength: 0 (leave as it is) to 1 (take over wholly).

    Returns:
        float32 [H, W, 3], 0..1.
    """
    total = float(weights.sum())
    if strength <= 0 or total < 1:
        return rgb
    ours, theirs = (
        np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), np.float32) for picture in (rgb, like)
    )
    (mean, deviation), (goal_mean, goal_deviation) = (
        _moments(lab, weights / total) for lab in (ours, theirs)
    )
    ratio = np.clip(goal_deviation / np.maximum(deviation, 1e-3), 1 / _LIMIT, _LIMIT)
    gain = 1 + strength * (ratio - 1)
    shifted = (ours - mean) * gain + mean + strength * (goal_mean - mean)
    return np.clip(cv2.cvtColor(shifted.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1)


def map_colours(own: _Floats, theirs: _Floats, method: Colour) -> ColourMap:
    """Find what takes the colours of one face to those of another.

    `Colour.REINHARD` after Reinhard et al., "Color transfer between images", IEEE CG&A 21(5), 2001,
    on red, green and blue; `Colour.MKL` after Pitie and Kokaram, "The linear Monge-Kantorovitch
    linear colour mapping", CVMP 2007. Contrast changes by a bounded factor at most.

    Args:
        own: float64 [n, 3], colours of spots of the face, gamma-coded.
        theirs: float64 [n, 3], the other's, on the same scale.
        method: which way.
    """
    if method is Colour.OWN or len(own) < 2:
        return ColourMap(np.eye(3), np.zeros(3))
    if method in (Colour.TOUCH, Colour.TONE):
        ratio = np.median(theirs, axis=0) / np.maximum(np.median(own, axis=0), 1e-3)
        strength = _TOUCH if method is Colour.TOUCH else 1.0
        return ColourMap(np.diag(ratio**strength), np.zeros(3))
    matrix = _by_deviation(own, theirs) if method is Colour.REINHARD else _by_moments(own, theirs)
    return ColourMap(matrix, theirs.mean(0) - matrix @ own.mean(0))


def _by_deviation(own: _Floats, theirs: _Floats) -> _Floats:
    ratio = theirs.std(0) / np.maximum(own.std(0), 1e-6)
    return np.diag(np.clip(ratio, 1 / _LIMIT, _LIMIT))


def _by_moments(own: _Floats, theirs: _Floats) -> _Floats:
    faint = 1e-6 * np.eye(3) * (np.trace(np.cov(own.T)) + 1e-9)
    first, second = np.cov(own.T) + faint, np.cov(theirs.T) + faint
    root, back = _power(first, 0.5), _power(first, -0.5)
    values, vectors = np.linalg.eigh(back @ _power(root @ second @ root, 0.5) @ back)
    return np.asarray((vectors * np.clip(values, 1 / _LIMIT, _LIMIT)) @ vectors.T, np.float64)


def _power(matrix: _Floats, exponent: float) -> _Floats:
    """A power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T, np.float64)


def _moments(
    lab: _Rgb, weights: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = np.einsum("hwc,hw->c", lab, weights, dtype=np.float64)
    square = np.einsum("hwc,hw->c", (lab - mean) ** 2, weights, dtype=np.float64)
    return mean, np.sqrt(square)
