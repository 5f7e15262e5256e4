"""The spectrum of a working picture, whitened so that a mark's carriers stand out as points.

>>> import numpy as np
>>> lines = Lines.of(np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32))
>>> lines.power.shape
(1024, 513)
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.carriers import TILE

__all__ = ["HIGHEST_FREQUENCY", "Lines"]

HIGHEST_FREQUENCY = 0.47  # cycles a pixel, along either axis
_TAPER = 0.06  # share of each side that fades out
_NEIGHBOURHOOD = (41, 41)
_CAP = 10.0
_SMALL = 560  # sides up to this fit a transform of 1024 with room between the lines

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """`power` float32 [rows, columns // 2 + 1]: row rows/2 + Y, column X is (X, Y) periods.

    Its local mean is 0. `rows` and `columns` are the transform's size.
    """

    power: NDArray[np.float32]
    rows: int
    columns: int

    @classmethod
    def of(cls, detail: NDArray[np.float32]) -> "Lines":
        """Take the whitened power spectrum of float32 [h, w] detail."""
        height, width = detail.shape
        rows, columns = _transform_size(height), _transform_size(width)
        faded = detail * np.outer(_taper(height), _taper(width)).astype(np.float32)
        spectrum = np.fft.rfft2(faded, (rows, columns))
        power = np.fft.fftshift((spectrum.real**2 + spectrum.imag**2).astype(np.float32), 0)
        white = np.minimum(power / (_smooth(power) + 1e-6), _CAP)
        # Block grids, bars and borders pile up on the axes.
        white[:, :3] = 1
        white[rows // 2 - 3 : rows // 2 + 4] = 1
        return cls(power=white - _smooth(white), rows=rows, columns=columns)

    def sample(self, fx: Floats, fy: Floats) -> NDArray[np.float32]:
        """Return the power at frequencies in cycles a pixel (2-D arrays), 0 beyond the band."""
        negative = fx < 0
        x = np.where(negative, -fx, fx) * self.columns
        y = np.where(negative, -fy, fy) * self.rows + self.rows // 2
        power = cv2.remap(
            self.power,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
        )
        return np.where(in_band(fx, fy), np.asarray(power, np.float32), np.float32(0))

    def score(self, matrices: Floats, carriers: NDArray[np.int64], weights: Floats) -> Floats:
        """Say how well the lines fit carriers int [n, 2] under each of float [m, 2, 2] matrices.

        The score is a weighted sum of power in units of its deviation by chance, [m].
        """
        # A wave k.u over the pattern is (M^-T k).x over the picture.
        frequency = np.einsum("mji,nj->mni", np.linalg.inv(matrices), carriers / TILE)
        fx, fy = frequency[..., 0], frequency[..., 1]
        power = self.sample(fx, fy) @ weights
        count = in_band(fx, fy) @ weights**2
        score: Floats = power / np.sqrt(np.maximum(count, 1.0))
        return score


def in_band(fx: Floats, fy: Floats) -> NDArray[np.bool_]:
    """Say which frequencies (cycles a pixel) the working picture can show."""
    band: NDArray[np.bool_] = (np.abs(fx) <= HIGHEST_FREQUENCY) & (np.abs(fy) <= HIGHEST_FREQUENCY)
    return band


def _transform_size(side: int) -> int:
    return 1024 if side <= _SMALL else 2048


def _taper(side: int) -> Floats:
    place = np.arange(side)
    to_border = np.minimum(place + 1, side - place)
    taper: Floats = np.minimum(1.0, to_border / (_TAPER * side))
    return taper


def _smooth(power: NDArray[np.float32]) -> NDArray[np.float32]:
    smooth = cv2.blur(power, _NEIGHBOURHOOD, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth, np.float32)
