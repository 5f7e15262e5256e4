"""Fine detail: bring back some of what a painted face lacks."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["sharpen"]


def sharpen(rgb: NDArray[np.float32], amount: float, deviation: float) -> NDArray[np.float32]:
    """Unsharp masking of a picture's luma.

    Args:
        rgb: float32 [H, W, 3], 0..1.
        amount: 0 leaves the picture as it is; 1 doubles the finest detail.
        deviation: of the blur that tells detail from shape, pixels.

    Returns:
        float32 [H, W, 3], 0..1.
    """
    if amount <= 0:
        return rgb
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    fine = luma - cv2.GaussianBlur(luma, (0, 0), deviation)
    return np.clip(rgb + amount * fine[..., None], 0, 1)
