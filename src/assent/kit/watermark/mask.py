"""How strong the mark may be at each place of a picture before an eye finds it.

>>> import numpy as np
>>> flat = strength(np.full((64, 64), 128, np.uint8), (64, 64))
>>> float(flat.min()) == float(flat.max()) == 1.0
True

Texture hides noise; smooth areas, soft shading, isolated edges and the dark don't. So strength
follows the local deviation of fine detail, eroded so that a lone edge on a smooth ground gets
no halo, and falls in the dark and toward white.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["strength"]

_WINDOW = (5, 5)
_EROSION = (7, 7)
_DEVIATION = 2.0  # grey levels of local deviation that double the strength
# What texture hides at most. Codecs leave least of a pattern in small pictures; in large ones more
# than this costs more in looks and bytes than it helps.
_MOST, _MOST_SMALL = 1.2, 1.5
_LARGE, _SMALL = 512, 420  # pixels of the shorter side
_DARK, _DIM = 70.0, 0.5  # from grey level 70 down the strength falls linearly, to 0.5 at 0
_WHITE, _FADE = 262.0, 24.0  # above 238 it falls, to a third at 255


def strength(luma: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the relative strength, float32 [h, w]; 1 on a flat mid grey.

    `luma` is uint8 [H, W]; `size` is the (w, h) to work at.
    """
    small = cv2.resize(_halved(luma, size), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    mean = cv2.blur(small, _WINDOW)
    fine = small - mean
    deviation = np.sqrt(cv2.blur(fine * fine, _WINDOW))
    texture = cv2.blur(cv2.erode(deviation, np.ones(_EROSION, np.uint8)), _WINDOW)
    hidden = np.minimum(1 + texture / _DEVIATION, _most(min(luma.shape)))
    dark = _DIM + (1 - _DIM) * np.minimum(mean / _DARK, 1)
    white = np.minimum((_WHITE - mean) / _FADE, 1)
    return np.asarray(hidden * dark * white, np.float32)


def _most(short_side: int) -> float:
    small = (_LARGE - short_side) / (_LARGE - _SMALL)
    return _MOST + (_MOST_SMALL - _MOST) * min(max(small, 0.0), 1.0)


def _halved(luma: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale down by a whole number as far as it goes: much quicker than by any other."""
    height, width = luma.shape
    factor = min(width // size[0], height // size[1])
    if factor < 2 or width % factor or height % factor:
        return luma
    whole = (width // factor, height // factor)
    return np.asarray(cv2.resize(luma, whole, interpolation=cv2.INTER_AREA), np.uint8)
