"""Turn decoded frames into upright pictures of one kind.

Planar YUV of 8 or 10 bits in 4:2:0, 4:2:2 or 4:4:4 keeps its samples; everything else goes to
the nearest of these: RGB and palettes to 4:4:4, 12 bits and more to 10, grey to 4:2:0 with
neutral chroma, other subsamplings to 4:2:0. A 4:2:2 picture that is shown turned by a quarter
becomes 4:2:0, since the turn would halve its chroma in the wrong direction.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np
from av.buffer import Buffer
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from assent.kit.errors import MediaError
from assent.kit.media import _colour
from assent.kit.media._container import LONGEST_SIDE
from assent.kit.media.picture import Picture, Samples

__all__ = ["Look", "look_of", "to_picture"]

_FULL = 2  # AVCOL_RANGE_JPEG
_LIMITED = 1  # AVCOL_RANGE_MPEG
_GREY = {"gray": 8, "gray10le": 10, "gray12le": 12, "gray16le": 16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How all frames of a clip become pictures; read from its first frame.

    Attributes:
        width: Coded width.
        height: Coded height.
        turns: Clockwise quarter turns, 0..3, after the flip.
        flip: Whether the rows are turned upside down first.
        pix_fmt: FFmpeg's name of the planar format the planes are taken from.
        bits: 8 or 10.
        subsampling: Of the upright picture.
        full_range: Whether black is 0.
        matrix: As in `Picture`.
        primaries: As in `Clip`.
        transfer: As in `Clip`.
    """

    width: int
    height: int
    turns: int
    flip: bool
    pix_fmt: str
    bits: int
    subsampling: tuple[int, int]
    full_range: bool
    matrix: str
    primaries: str
    transfer: str


def look_of(frame: VideoFrame, *, name: str) -> Look:
    """Read size, orientation, sample format and colour from a clip's first frame.

    Raises:
        MediaError: A size or a colour coding that can't be read.
    """
    if max(frame.width, frame.height) > LONGEST_SIDE:
        raise MediaError(f"{name} is {frame.width}x{frame.height}; that is too large")
    turns, flip = _orientation(frame)
    source = frame.format
    bits = 8 if max(part.bits for part in source.components) <= 8 else 10
    subsampling = _subsampling(source, turns)
    layout = {(1, 1): "444", (2, 1): "422", (2, 2): "420"}[subsampling]
    matrix = _colour.name_matrix(
        frame.colorspace, width=frame.width, height=frame.height, name=name
    )
    return Look(
        width=frame.width,
        height=frame.height,
        turns=turns,
        flip=flip,
        pix_fmt=f"yuv{layout}p" + ("10le" if bits == 10 else ""),
        bits=bits,
        subsampling=subsampling,
        full_range=_is_full_range(frame),
        matrix=matrix,
        primaries=_colour.name_primaries(frame.color_primaries, matrix),
        transfer=_colour.name_transfer(frame.color_trc, matrix),
    )


def to_picture(frame: VideoFrame, look: Look, pts: int) -> Picture:
    """Copy a frame's planes out of the decoder's memory, upright.

    The frame must have the look's coded size.
    """
    if frame.format.name in _GREY:
        planes = _grey_planes(frame, look)
    else:
        planes = [_copy_plane(plane, look) for plane in _convert(frame, look).planes[:3]]
    y, u, v = (_turn(plane, look) for plane in planes)
    return Picture(
        pts=pts,
        y=y,
        u=u,
        v=v,
        bits=look.bits,
        full_range=look.full_range,
        matrix=look.matrix,
    )


def _orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Quarter turns and flip of the display matrix (ISO/IEC 14496-12, 6.2.2)."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(data, Buffer):
        return 0, False
    a, b, _, c, d = struct.unpack("<5i", bytes(data)[:20])
    # Row vectors: (x, y) is shown at (a x + c y, b x + d y), y pointing down.
    turns = round(math.atan2(b, a) / (math.pi / 2)) % 4
    return turns, a * d - b * c < 0


def _subsampling(source: VideoFormat, turns: int) -> tuple[int, int]:
    if source.is_rgb or source.has_palette:
        return 1, 1
    if source.name in _GREY:
        return 2, 2
    found = 64 // source.chroma_width(64), 64 // source.chroma_height(64)
    if found == (1, 1) or (found == (2, 1) and turns % 2 == 0):
        return found
    return 2, 2


def _is_full_range(frame: VideoFrame) -> bool:
    if frame.format.is_rgb or frame.format.has_palette:
        return False  # it is converted to limited range
    return frame.color_range == _FULL or frame.format.name.startswith("yuvj")


def _convert(frame: VideoFrame, look: Look) -> VideoFrame:
    """The frame in the look's sample format; the same frame where it has it."""
    if frame.format.name.replace("yuvj", "yuv") == look.pix_fmt:
        return frame
    numbers = {"bt601": 5, "bt709": 1, "bt2020": 9}
    from_rgb = frame.format.is_rgb or frame.format.has_palette
    target = _FULL if look.full_range else _LIMITED
    return frame.reformat(
        format=look.pix_fmt,
        src_colorspace=numbers[look.matrix],
        dst_colorspace=numbers[look.matrix],
        src_color_range=_FULL if from_rgb else target,
        dst_color_range=target,
    )


def _copy_plane(plane: VideoPlane, look: Look) -> Samples:
    return _rows(plane, look.bits)[: plane.height, : plane.width].copy()


def _grey_planes(frame: VideoFrame, look: Look) -> list[Samples]:
    """Luma as it is (12 and 16 bits cut to 10) and neutral chroma."""
    depth = _GREY[frame.format.name]
    rows = _rows(frame.planes[0], depth)
    luma = rows[: frame.height, : frame.width] >> rows.dtype.type(depth - look.bits)
    shape = (-(-frame.height // 2), -(-frame.width // 2))
    neutral = np.full(shape, 1 << (look.bits - 1), luma.dtype)
    return [luma, neutral, neutral.copy()]


def _rows(plane: VideoPlane, bits: int) -> Samples:
    """A view of a plane's memory, padding at the rows' ends included."""
    kind = np.dtype(np.uint8 if bits == 8 else "<u2")
    samples: Samples = np.frombuffer(memoryview(plane), kind)
    return samples.reshape(-1, plane.line_size // kind.itemsize)


def _turn(plane: Samples, look: Look) -> Samples:
    flipped = plane[::-1] if look.flip else plane
    return np.ascontiguousarray(np.rot90(flipped, -look.turns))
