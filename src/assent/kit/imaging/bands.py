"""Bands of detail: what of a picture is finer than one size and coarser than another."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["band"]


def band(grey: NDArray[np.uint8], fine: float, coarse: float) -> NDArray[np.float32]:
    """The difference of two Gaussian blurs of a picture.

    Args:
        grey: uint8 [H, W].
        fine: deviation of the narrower blur, pixels.
        coarse: that of the wider one.

    Returns:
        float32 [H, W], grey levels, around 0.
    """
    levels = grey.astype(np.float32)
    narrow = cv2.GaussianBlur(levels, (0, 0), fine)
    return np.asarray(narrow - cv2.GaussianBlur(levels, (0, 0), coarse), np.float32)
