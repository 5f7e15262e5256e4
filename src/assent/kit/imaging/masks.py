"""Soft edges for masks."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["feather"]


def feather(mask: NDArray[np.bool_], radius: float) -> NDArray[np.float32]:
    """Let a mask rise smoothly from its edge inwards.

    The soft edge lies wholly inside the mask, so nothing beyond it is touched.

    Args:
        mask: bool [H, W].
        radius: pixels from the edge to full strength; below 1 the edge stays hard.

    Returns:
        float32 [H, W], 0..1, with flat ends (a smooth step).
    """
    if radius < 1:
        return mask.astype(np.float32)
    # The picture's border isn't an edge of the face: a face cut off by it stays whole.
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    rise = np.clip(depth / (radius + 1), 0, 1)
    return np.asarray(rise * rise * (3 - 2 * rise), np.float32)
