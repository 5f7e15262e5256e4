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
_KERNEL: Final = np.array([1, -2, 1], np.float32)  # across and down
_POWER: Final = 6.0  # of the kernel: the root of the sum of its squares
_SEEN: Final = 2.5  # grey levels of noise below which nobody misses it
_TO_DEVIATION: Final = 1.4826  # of the median of absolute values, for a normal distribution
_GREY: Final = np.full((1, 3), 1 / 3, np.float32)


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
    response = cv2.sepFilter2D(luma.astype(np.float32), cv2.CV_32F, _KERNEL, _KERNEL)
    return _TO_DEVIATION * _median(np.abs(response[where])) / _POWER


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
    if wanted < _SEEN:
        return rgb
    own = noise_of(np.asarray(cv2.transform(rgb, _GREY), np.float32), where)
    if wanted <= own:
        return rgb
    added = grain(luma.shape, float(np.sqrt(wanted**2 - own**2)), seed=seed)
    grained = np.asarray(cv2.merge([added, added, added]), np.float32)
    grained += rgb
    return np.asarray(np.clip(grained, 0, 255, out=grained), np.float32)


def _median(values: NDArray[np.floating]) -> float:
    """The median; one partition finds it sooner than numpy's function, which makes three."""
    middle = len(values) // 2
    parted = np.partition(values, middle)
    if len(values) % 2:
        return float(parted[middle])
    return (float(parted[:middle].max()) + float(parted[middle])) / 2
