"""What a reader sees of a picture: its fine detail at one standard size, evened out, averaged.

The mark stands still while the picture moves, so averaging over frames keeps the mark and
wears the picture down. Evening out (detail over its local deviation, then clipped) keeps a few
strong edges from drowning the rest.

>>> import numpy as np
>>> average = DetailAverage()
>>> average.add(np.random.default_rng(0).integers(0, 256, (240, 320), np.uint8))
>>> average.mean().shape
(512, 683)
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.carriers import SHORT_SIDE

__all__ = ["DetailAverage", "detail", "large_enough", "working_size"]

_LEAST_SIDE = 64  # pixels: below, a picture can't hold enough of the pattern
_LEAST_WORKING_SIDE = 192
_LONGEST = 1024
_FINE, _COARSE = 1.0, 6.0  # deviations of the two Gaussians, in working pixels
_WINDOW = 25
_FLOOR = 0.5  # squared grey levels: keeps rounding noise of flat areas from being blown up
_CLIP = 2.2  # local deviations

Detail = NDArray[np.float32]


def working_size(width: int, height: int) -> tuple[int, int]:
    """Return (width, height) to scale to: shorter side 512, but no longer side over 1024."""
    scale = min(SHORT_SIDE / min(width, height), _LONGEST / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def large_enough(width: int, height: int) -> bool:
    """Tell whether a mark may be looked for in a picture of this size, pixels."""
    return (
        min(width, height) >= _LEAST_SIDE
        and min(working_size(width, height)) >= _LEAST_WORKING_SIDE
    )


def detail(luma: NDArray[np.uint8]) -> Detail:
    """Return the evened-out detail, float32 [h, w], of a plane [H, W] (0..255).

    The plane is scaled to `working_size` first.
    """
    height, width = luma.shape
    w, h = working_size(width, height)
    how = cv2.INTER_AREA if w < width else cv2.INTER_CUBIC
    scaled = luma if (w, h) == (width, height) else cv2.resize(luma, (w, h), interpolation=how)
    plane = np.asarray(scaled, np.float32)
    # Cut at 3 to 4 deviations: the value beyond is under a thousandth of a grey level.
    fine = cv2.GaussianBlur(plane, (7, 7), _FINE)
    band = cv2.subtract(fine, cv2.GaussianBlur(plane, (37, 37), _COARSE))
    power = cv2.blur(cv2.multiply(band, band), (_WINDOW, _WINDOW)) + np.float32(_FLOOR)
    deviation = cv2.sqrt(power)
    # A mark is nearly as strong on flat ground as in texture, where it drowns: so texture counts
    # for less than its own size, between evened out (power 1/2) and a matched filter (power 1).
    clipped = np.clip(band / deviation, -_CLIP, _CLIP)
    even: Detail = np.asarray(clipped / cv2.sqrt(deviation), np.float32)
    return even


class DetailAverage:
    """The mean detail of the frames added so far; holds one plane whatever their number."""

    def __init__(self) -> None:
        self._sum: Detail | None = None
        self.frames = 0

    def add(self, luma: NDArray[np.uint8]) -> None:
        """Add one plane, uint8 [H, W]."""
        self.take(detail(luma))

    def take(self, seen: Detail) -> None:
        """Add one plane's `detail`; one of another shape than the first is stretched."""
        if self._sum is None:
            self._sum = seen.copy()
        else:
            h, w = self._sum.shape
            self._sum += seen if seen.shape == (h, w) else cv2.resize(seen, (w, h))
        self.frames += 1

    def mean(self) -> Detail:
        """Return the mean detail, float32 [h, w]; needs at least one frame."""
        if self._sum is None:
            raise ValueError("no frame was added")
        return self._sum / np.float32(self.frames)

    def sum(self, shape: tuple[int, ...] | None = None) -> Detail:
        """Return the detail added up, stretched to `shape` if that is another, float32 [h, w]."""
        if self._sum is None:
            raise ValueError("no frame was added")
        if shape is None or self._sum.shape == shape:
            return self._sum
        return np.asarray(cv2.resize(self._sum, (shape[1], shape[0])), np.float32)
