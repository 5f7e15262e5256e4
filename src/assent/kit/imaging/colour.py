"""Colour transfer: give one face the colour and contrast of another."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["match_colour"]

_Rgb = NDArray[np.float32]

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


def _moments(
    lab: _Rgb, weights: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = np.einsum("hwc,hw->c", lab, weights, dtype=np.float64)
    square = np.einsum("hwc,hw->c", (lab - mean) ** 2, weights, dtype=np.float64)
    return mean, np.sqrt(square)
