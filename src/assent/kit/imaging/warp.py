"""Put a crop back where it was cut out: the way back from a face crop to its picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["read_at", "unwarp"]


def unwarp(
    crop: NDArray[np.float32], matrix: NDArray[np.float64], box: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """Warp a crop back into a box of the picture that it came from.

    Bicubic where the crop is enlarged; a crop that must shrink is blurred first, so that it
    doesn't shimmer. Outside the crop the result is 0.

    Args:
        crop: float32 [S, S] or [S, S, C].
        matrix: float64 [2, 3], picture pixels to crop pixels, a similarity.
        box: (x0, y0, x1, y1) of the picture, far edges exclusive.

    Returns:
        float32 [y1 - y0, x1 - x0] or [..., C].
    """
    x0, y0, x1, y1 = box
    shrink = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if shrink > 1:
        # The deviation that leaves what the coarser grid can hold (as in cv2's pyramids).
        deviation = 0.5 * float(np.sqrt(shrink**2 - 1)) + 1e-3
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), deviation), np.float32)
    from_box = matrix.copy()
    from_box[:, 2] += matrix[:, :2] @ (x0, y0)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(crop, from_box, (x1 - x0, y1 - y0), flags=flags), np.float32)


def read_at(
    field: NDArray[np.float32], right: NDArray[np.float32], down: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Read a field, float32 [H, W], at places [h, w]: between its pixels linearly, 0 outside."""
    found = cv2.remap(field, right, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(found, np.float32)
