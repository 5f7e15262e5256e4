"""Bring a picture's planes into the memory of an encoder's frame.

H.264 as players accept it has 4:2:0 and even sides, so chroma is reduced and odd sides are
padded by repeating the last row and column.
"""

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from assent.kit.media import _colour
from assent.kit.media.picture import Picture, Samples

__all__ = ["MATTE_FORMAT", "even_size", "pix_fmt", "to_frame", "to_matte_frame"]

MATTE_FORMAT = "yuva444p10le"
"""The pixel format of pictures with opacity."""

_LAYOUTS = {(1, 1): "444", (2, 1): "422", (2, 2): "420"}


def even_size(width: int, height: int) -> tuple[int, int]:
    """The size with odd sides raised by one."""
    return width + width % 2, height + height % 2


def pix_fmt(bits: int) -> str:
    """The pixel format in which pictures of 8 or 10 bits are encoded."""
    return "yuv420p" if bits == 8 else "yuv420p10le"


def to_frame(picture: Picture) -> VideoFrame:
    """A frame in the encoder's pixel format; time stamps are left to the caller."""
    return _frame(picture, pix_fmt(picture.bits))


def to_matte_frame(picture: Picture, opacity: NDArray[np.uint8]) -> VideoFrame:
    """A frame of `MATTE_FORMAT` with that opacity, `[H, W]`; time stamps are left to the caller."""
    frame = _frame(picture, MATTE_FORMAT)
    # 255 becomes 1023.
    deep = (opacity.astype(np.uint16) << 2) | (opacity >> 6)
    _fill(frame, 3, deep, *even_size(picture.width, picture.height))
    return frame


def _frame(picture: Picture, wanted: str) -> VideoFrame:
    width, height = even_size(picture.width, picture.height)
    sx, sy = picture.subsampling
    layout = pix_fmt(picture.bits).replace("420", _LAYOUTS[sx, sy])
    frame = VideoFrame(width, height, layout)
    _fill(frame, 0, picture.y, width, height)
    _fill(frame, 1, picture.u, width // sx, height // sy)
    _fill(frame, 2, picture.v, width // sx, height // sy)
    if frame.format.name != wanted:
        # The same matrix and range on both sides: only the chroma planes change.
        matrix, colour_range = _colour.MATRICES[picture.matrix], 2 if picture.full_range else 1
        frame = frame.reformat(
            format=wanted,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=colour_range,
            dst_color_range=colour_range,
        )
    return frame


def _fill(frame: VideoFrame, index: int, samples: Samples, width: int, height: int) -> None:
    plane = frame.planes[index]
    rows = np.frombuffer(memoryview(plane), samples.dtype)
    rows = rows.reshape(-1, plane.line_size // samples.dtype.itemsize)
    high, wide = samples.shape
    rows[:high, :wide] = samples
    rows[:high, wide:width] = samples[:, -1:]
    rows[high:height, :width] = rows[high - 1, :width]
