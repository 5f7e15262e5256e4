"""One frame to look for faces in: only the parts and sizes that are asked for become colours.

>>> frame = frame_of(np.full((90, 160, 3), 50, np.uint8))
>>> frame.cut(np.array([[0.5, 0, 0], [0, 0.5, 0]]), 32).shape
(32, 32, 3)

Converting a whole 1920x1080 picture to RGB takes longer than everything that is then done with it;
a face's crop is a hundredth of that.
"""

from functools import cache
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.media.picture import Picture, luma8

__all__ = ["Frame", "Image", "PictureFrame", "RgbFrame", "frame_of"]

# A plane of a picture or a whole RGB array.
_Samples = NDArray[Any]

# (Kr, Kb) of ITU-R BT.601-7, BT.709-6 and BT.2020-2.
_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}

_FINE = 180
"""Lines that are enough for a thumbnail."""


class Frame(Protocol):
    """An upright frame, read in parts."""

    @property
    def width(self) -> int:
        """Pixels across."""

    @property
    def height(self) -> int:
        """Pixels down."""

    def cut(self, matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
        """The crop RGB uint8 [size, size, 3] that `matrix` describes.

        `matrix` [2, 3] maps frame pixels to crop pixels. Large faces are averaged down, not
        sampled; beyond the frame's edge its border pixels go on.
        """

    def shrunk(self, width: int, height: int) -> NDArray[np.uint8]:
        """The whole frame in another, usually smaller size: RGB uint8 [height, width, 3]."""

    def grey(self, width: int, height: int) -> NDArray[np.uint8]:
        """The whole frame's brightness in another size: uint8 [height, width]."""

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8]:
        """Rough mean colours of the frame's parts: RGB uint8 [height, width, 3]."""


Image = NDArray[np.uint8] | Frame
"""RGB uint8 [H, W, 3], or a frame."""


class RgbFrame:
    """A frame that is there as RGB uint8 [H, W, 3]."""

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self._rgb = rgb
        self.height, self.width = rgb.shape[:2]

    def cut(self, matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
        """See `Frame`."""
        return np.asarray(_cut_plane(self._rgb, matrix, size), np.uint8)

    def shrunk(self, width: int, height: int) -> NDArray[np.uint8]:
        """See `Frame`."""
        return np.asarray(_resized(self._rgb, width, height), np.uint8)

    def grey(self, width: int, height: int) -> NDArray[np.uint8]:
        """See `Frame`."""
        small = self.shrunk(width, height)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8]:
        """See `Frame`."""
        return np.asarray(_resized(_sparse(self._rgb), width, height), np.uint8)


class PictureFrame:
    """A frame that is there as a decoded picture: planes of brightness and colour."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.height, self.width = picture.height, picture.width

    def cut(self, matrix: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
        """See `Frame`."""
        picture = self._picture
        across, down = picture.subsampling
        # A colour sample lies on its left column and between its two rows (see `to_rgb`).
        to_luma = np.array([[across, 0, 0], [0, down, (down - 1) / 2], [0, 0, 1]])
        y = _cut_plane(picture.y, matrix, size)
        u, v = (_cut_plane(plane, matrix @ to_luma, size) for plane in (picture.u, picture.v))
        return self._colours(y, u, v)

    def shrunk(self, width: int, height: int) -> NDArray[np.uint8]:
        """See `Frame`."""
        planes = (self._picture.y, self._picture.u, self._picture.v)
        return self._colours(*(_resized(plane, width, height) for plane in planes))

    def grey(self, width: int, height: int) -> NDArray[np.uint8]:
        """See `Frame`."""
        small = _resized(luma8(self._picture), width, height)
        if not self._picture.full_range:
            small = cv2.convertScaleAbs(
                np.maximum(small, 16), alpha=255 / 219, beta=-16 * 255 / 219
            )
        return np.asarray(small, np.uint8)

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8]:
        """See `Frame`."""
        planes = (self._picture.y, self._picture.u, self._picture.v)
        return self._colours(*(_resized(_sparse(plane), width, height) for plane in planes))

    def _colours(self, y: _Samples, u: _Samples, v: _Samples) -> NDArray[np.uint8]:
        """RGB of planes of one size, as `to_rgb` has it."""
        picture = self._picture
        affine = _yuv_to_rgb(picture.bits, picture.full_range, picture.matrix)
        rgb = cv2.transform(np.asarray(cv2.merge([y, u, v]), np.float32), affine)
        # It rounds, and cuts at 255, but takes what lies below 0 for positive.
        return np.asarray(cv2.convertScaleAbs(np.maximum(rgb, 0)), np.uint8)


def frame_of(image: Image) -> Frame:
    """The frame itself, or an RGB array as one."""
    return RgbFrame(image) if isinstance(image, np.ndarray) else image


@cache
def _yuv_to_rgb(bits: int, full_range: bool, matrix: str) -> NDArray[np.float64]:
    """What turns samples of such pictures into RGB 0..255: [3, 4]; see `Picture`."""
    red, blue = _WEIGHTS[matrix]
    green = 1 - red - blue
    scale = 1 << (bits - 8)
    reach = (256 * scale - 1,) * 2 if full_range else (219 * scale, 224 * scale)
    luma, chroma = 255 / reach[0], 255 / reach[1]
    u, v = 2 * (1 - blue) * chroma, 2 * (1 - red) * chroma
    turn = np.array([[luma, 0, v], [luma, -u * blue / green, -v * red / green], [luma, u, 0]])
    black = np.array([0 if full_range else 16, 128, 128]) * scale
    return np.column_stack([turn, -turn @ black])


def _sparse(plane: _Samples) -> _Samples:
    step = max(1, min(plane.shape[:2]) // _FINE)
    return plane[::step, ::step]


def _resized(plane: _Samples, width: int, height: int) -> _Samples:
    if plane.shape[:2] == (height, width):
        return plane
    smaller = width < plane.shape[1]
    filter_ = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, (width, height), interpolation=filter_))


def _cut_plane(plane: _Samples, matrix: NDArray[np.float64], size: int) -> _Samples:
    """The crop [size, size] of a plane [h, w], or [size, size, 3] of [h, w, 3]."""
    part, to_part = _near_samples(plane, matrix, size)
    crop = cv2.warpAffine(
        part,
        matrix @ to_part,
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crop)


def _near_samples(
    plane: _Samples, matrix: NDArray[np.float64], size: int
) -> tuple[_Samples, NDArray[np.float64]]:
    """What the crop covers, averaged down if it is much finer than the crop, and where it lies.

    The second is [3, 3]: pixels of that part to pixels of the plane.
    """
    shrink = [max(1, int(1.01 / max(n, 1e-9))) for n in np.linalg.norm(matrix[:, :2], axis=0)]
    if max(shrink) == 1:
        return plane, np.eye(3)
    height, width = plane.shape[:2]
    back = np.linalg.inv(matrix[:, :2])
    corners = (np.array([[0, 0], [size, 0], [0, size], [size, size]]) - matrix[:, 2]) @ back.T
    low = np.floor(corners.min(axis=0)).astype(int) - np.array(shrink)
    high = np.ceil(corners.max(axis=0)).astype(int) + np.array(shrink)
    # Whole blocks only, so that block n starts at exactly n * shrink samples.
    x0, y0 = (
        int(n) for n in np.clip(low, 0, [max(0, width - shrink[0]), max(0, height - shrink[1])])
    )
    across = max(1, (min(int(high[0]), width) - x0) // shrink[0])
    down = max(1, (min(int(high[1]), height) - y0) // shrink[1])
    part = plane[y0 : y0 + down * shrink[1], x0 : x0 + across * shrink[0]]
    small = cv2.resize(part, (across, down), interpolation=cv2.INTER_AREA)
    offset = [x0 + (shrink[0] - 1) / 2, y0 + (shrink[1] - 1) / 2]
    to_plane = np.array([[shrink[0], 0, offset[0]], [0, shrink[1], offset[1]], [0, 0, 1]])
    return np.asarray(small), to_plane
