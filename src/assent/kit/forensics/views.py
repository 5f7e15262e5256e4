"""What the forensic network sees of a crop: traces of how pixels were made, not whose face it is.

    seen = views(crop)          # float32 [CHANNELS, SIDE, SIDE]

Detail finer than two pixels and between two and six, each held against how strong it is around;
how strong it is (codecs, resizing and networks each leave less of it); colour against its
surroundings; brightness; and where the face is. Source of the idea: noise residuals, Fridrich and
Kodovsky, "Rich models for steganalysis of digital images", IEEE TIFS 7 (2012).
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.forensics.crops import FaceCrop

__all__ = ["CHANNELS", "views"]

CHANNELS: Final = 8

_FINE, _MIDDLE, _BROAD = 1.0, 3.0, 14.0  # px, deviations of Gaussians
_AROUND = 9.0  # px over which strength is measured
_LEAST = 1.5  # grey levels: weaker detail is not made to look strong


def views(crop: FaceCrop) -> NDArray[np.float32]:
    """Return the views of a crop, each about -2..2: float32 [CHANNELS, SIDE, SIDE]."""
    ycc = cv2.cvtColor(crop.rgb, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    luma = np.ascontiguousarray(ycc[..., 0])
    soft, softer = _blurred(luma, _FINE), _blurred(luma, _MIDDLE)
    fine, middle = luma - soft, soft - softer
    fine_power, middle_power = _power(fine), _power(middle)
    colours = [ycc[..., n] - _blurred(ycc[..., n], _BROAD) for n in (1, 2)]
    seen = (
        fine / fine_power,
        middle / middle_power,
        np.log(fine_power) - 1,
        np.log(middle_power) - 1.5,
        colours[0] / 8,
        colours[1] / 8,
        luma / 64 - 2,
        2 * crop.inner - 1,
    )
    return np.asarray(np.clip(np.stack(seen), -4, 4), np.float32)


def _power(detail: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.sqrt(_blurred(detail * detail, _AROUND) + _LEAST**2), np.float32)


def _blurred(plane: NDArray[np.float32], deviation: float) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), deviation), np.float32)
