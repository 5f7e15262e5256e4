"""Grain: how much noise a picture has, and noise that looks like it.

>>> flat = np.full((64, 64), 100, np.float32)
>>> round(noise_of(flat + grain((64, 64), 4.0, seed=1), np.ones((64, 64), bool)))
4
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["grain", "match_grain", "noise_of"]

# The difference of two Laplacians: blind to brightness, slopes and straight edges.
_KERNEL: Final = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_POWER: Final = 6.0  # of the kernel: the root of the sum of its squares
_SEEN: Final = 2.5  # grey levels of noise below which nobody misses it
_TO_DEVIATION: Final = 1.4826  # of the median of absolute values, for a normal distribution


def noise_of(luma: NDArray[np.floating], where: NDArray[np.bool_]) -> float:
    """The standard deviation of a picture's noise, in its own units.

    After Immerkaer, "Fast noise variance estimation", CVIU 64(2), 1996, with a median in place of
    the mean, so that detail isn't taken for noise.

    Args:
        luma: [H, W].
        where: bool [H, W], the part to look at; 0 comes back for less than 100 pixels.
    """
    if np.count_nonzero(where) < 100:
        return 0.0
    response = cv2.filter2D(luma.astype(np.float32), cv2.CV_32F, _KERNEL)
    return float(_TO_DEVIATION * np.median(np.abs(response[where])) / _POWER)


def grain(shape: tuple[int, int], deviation: float, *, seed: int) -> NDArray[np.float32]:
    """Normal noise, float32 [H, W], the same for the same seed."""
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32)
    return noise * np.float32(deviation)


def match_grain(
    rgb: NDArray[np.float32], luma: NDArray[np.floating], where: NDArray[np.bool_], *, seed: int
) -> NDArray[np.float32]:
    """Give a painted patch the grain of the picture that it is set into.

    Args:
        rgb: float32 [h, w, 3], 0..255, the patch.
        luma: [h, w], 0..255, the picture there.
        where: bool [h, w], where the patch will show.
        seed: another one for each picture.

    Returns:
        float32 [h, w, 3]; the patch itself where the picture has no grain that is seen.
    """
    wanted = noise_of(luma, where)
    own = noise_of(rgb.mean(2), where)
    if wanted < _SEEN or wanted <= own:
        return rgb
    added = grain(luma.shape, float(np.sqrt(wanted**2 - own**2)), seed=seed)
    return np.asarray(np.clip(rgb + added[..., None], 0, 255), np.float32)
