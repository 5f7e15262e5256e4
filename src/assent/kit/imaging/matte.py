"""How opaque a changed picture must be to be laid over the one it was made from.

opacity = matte(filmed, changed)          # uint8 [H, W]
over = changed * opacity + filmed * (1 - opacity)   # is `changed` again
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.media.picture import Picture

__all__ = ["cover", "matte"]

_CLOSES: Final = 0.012
"""Of the shortest side: gaps that are closed, since skin may be as it was by chance."""
_FADES: Final = 0.006
"""Of the shortest side: how far the edge fades, outwards."""


def matte(before: Picture, after: Picture) -> NDArray[np.uint8]:
    """Return how opaque `after` is over `before`: uint8 `[H, W]`, 255 wherever a sample differs.

    Small gaps are closed. The edge fades outwards, over what is the same in both, so that laying
    the one over the other gives `after` to the bit, and anything else behind it a soft edge.
    """
    changed = (before.y != after.y).astype(np.uint8)
    size = (before.width, before.height)
    for old, new in ((before.u, after.u), (before.v, after.v)):
        thin = (old != new).astype(np.uint8)
        changed |= np.asarray(cv2.resize(thin, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    if not changed.any():
        return np.zeros_like(changed)
    short = min(size)
    closed = _grown(changed, round(_CLOSES * short), cv2.MORPH_CLOSE)
    fade = max(1, round(_FADES * short))
    away = np.asarray(cv2.distanceTransform(1 - closed, cv2.DIST_L2, cv2.DIST_MASK_5))
    share = np.clip(1 - away / (fade + 1), 0, 1)
    return np.asarray(np.rint(255 * share * share * (3 - 2 * share)), np.uint8)


def cover(opacity: NDArray[np.uint8], x: int, y: int, width: int, height: int) -> None:
    """Make a rectangle opaque, in place; what of it lies outside is left away."""
    opacity[max(y, 0) : y + height, max(x, 0) : x + width] = 255


def _grown(mask: NDArray[np.uint8], radius: int, how: int) -> NDArray[np.uint8]:
    if radius < 1:
        return mask
    brush: NDArray[Any] = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    # Beyond the picture's edge is neither.
    framed = cv2.copyMakeBorder(mask, *(radius,) * 4, cv2.BORDER_REPLICATE)
    done = cv2.morphologyEx(framed, how, brush)
    return np.asarray(done[radius:-radius, radius:-radius], np.uint8)
