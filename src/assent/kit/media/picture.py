"""One upright picture of a clip, kept in the codec's planar YUV.

Only a region (a face, a label) is converted to RGB and back; everything else stays
bit-identical from the decoder to the encoder.

>>> import numpy as np
>>> grey = Picture(
...     pts=0,
...     y=np.full((4, 4), 126, np.uint8),
...     u=np.full((2, 2), 128, np.uint8),
...     v=np.full((2, 2), 128, np.uint8),
...     bits=8, full_range=False, matrix="bt709",
... )
>>> to_rgb(grey, (0, 0, 1, 1)).tolist()
[[[128, 128, 128]]]
>>> black = np.zeros((2, 2, 3), np.uint8)
>>> paste_rgb(grey, black, np.ones((2, 2), np.float32), 0, 0).y.tolist()[0]
[16, 16, 126, 126]
"""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Picture", "crop", "luma8", "paste_rgb", "to_rgb", "with_luma"]

Samples: TypeAlias = NDArray[Any]
"""A plane: uint8, or uint16 that holds 10-bit values."""

_Floats: TypeAlias = NDArray[np.float32]

# (Kr, Kb) of ITU-R BT.601-7, BT.709-6 and BT.2020-2 (non-constant luminance).
_WEIGHTS = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
_SUBSAMPLINGS = ((1, 1), (2, 1), (2, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One upright planar YUV picture.

    Attributes:
        pts: Presentation time in units of the clip's time base.
        y: Luma `[H, W]`, uint8, or uint16 that holds 10-bit values.
        u: Blue difference `[ceil(H / sy), ceil(W / sx)]`, same type as `y`.
        v: Red difference, same shape and type as `u`.
        bits: 8 or 10.
        full_range: True when black is 0 rather than 16 (8 bit) or 64 (10 bit).
        matrix: "bt601", "bt709" or "bt2020".

    Raises:
        ValueError: The planes don't fit each other, the bits or the matrix.
    """

    pts: int
    y: Samples
    u: Samples
    v: Samples
    bits: int
    full_range: bool
    matrix: str

    def __post_init__(self) -> None:
        if self.matrix not in _WEIGHTS:
            raise ValueError(f"unknown colour matrix {self.matrix!r}")
        if self.bits not in (8, 10):
            raise ValueError(f"pictures have 8 or 10 bits a sample, not {self.bits}")
        wanted = np.uint8 if self.bits == 8 else np.uint16
        if any(plane.dtype != wanted for plane in (self.y, self.u, self.v)):
            raise ValueError(f"planes of {self.bits} bits must be {wanted.__name__}")
        sx, sy = self.subsampling
        shape = (-(-self.height // sy), -(-self.width // sx))
        if (sx, sy) not in _SUBSAMPLINGS or self.u.shape != shape or self.v.shape != shape:
            raise ValueError(
                f"chroma planes {self.u.shape} and {self.v.shape} don't fit luma {self.y.shape}"
            )

    @property
    def width(self) -> int:
        """Width in luma samples."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Height in luma samples."""
        return int(self.y.shape[0])

    @property
    def subsampling(self) -> tuple[int, int]:
        """Luma samples a chroma sample, across and down: (1, 1), (2, 1) or (2, 2)."""
        across = 1 if self.u.shape[1] == self.y.shape[1] else 2
        down = 1 if self.u.shape[0] == self.y.shape[0] else 2
        return across, down


def to_rgb(picture: Picture, box: tuple[int, int, int, int] | None = None) -> NDArray[np.uint8]:
    """Convert a box of a picture, or all of it, to RGB.

    Chroma is taken to lie on every second luma column and midway between two luma rows
    (MPEG-2 siting, the default of H.264, H.265 and swscale) and is interpolated linearly. A
    box gives exactly what the same box of the whole converted picture holds.

    Args:
        picture: The picture.
        box: Integer `(x0, y0, x1, y1)` inside the picture, far edges exclusive.

    Returns:
        uint8 `[y1 - y0, x1 - x0, 3]`, 0..255.

    Raises:
        ValueError: The box is empty or reaches outside the picture.
    """
    x0, y0, x1, y1 = box or (0, 0, picture.width, picture.height)
    if not (0 <= x0 < x1 <= picture.width and 0 <= y0 < y1 <= picture.height):
        raise ValueError(f"box {box} is not inside {picture.width}x{picture.height}")
    forward, offset = _rgb_to_yuv(picture)
    inverse = np.linalg.inv(forward)
    shift = -(inverse @ offset)
    luma = picture.y[y0:y1, x0:x1].astype(np.float32)
    luma *= np.float32(inverse[0, 0])
    u, v, grid = _chroma_around(picture, x0, y0, x1, y1)
    channels = []
    for row, constant in zip(inverse.astype(np.float32), shift.astype(np.float32), strict=True):
        # Every colour takes the same share of luma; chroma is weighed while it is small.
        chroma = row[1] * u
        chroma += row[2] * v
        chroma += constant
        full = _upsample(chroma, picture.subsampling)[grid]
        # Rounded to the nearest and held to 0..255.
        channels.append(np.asarray(cv2.add(luma, full, dtype=cv2.CV_8U)))
    return np.asarray(cv2.merge(channels), np.uint8)


def crop(
    picture: Picture, box: tuple[int, int, int, int]
) -> tuple[Picture, tuple[int, int]] | None:
    """The part of a picture inside a box, and the column and row where it begins.

    Args:
        picture: The picture.
        box: (x0, y0, x1, y1), far edges exclusive; any integers.

    Returns:
        A picture whose planes are views of the other's, its edges on the chroma grid: the box grown
        to even edges and cut off at the picture's. None if the box lies outside.
    """
    x0, y0 = max(0, box[0] // 2 * 2), max(0, box[1] // 2 * 2)
    x1 = min(picture.width, -(-box[2] // 2) * 2)
    y1 = min(picture.height, -(-box[3] // 2) * 2)
    if x0 >= x1 or y0 >= y1:
        return None
    sx, sy = picture.subsampling
    chroma = np.s_[y0 // sy : -(-y1 // sy), x0 // sx : -(-x1 // sx)]
    part = replace(picture, y=picture.y[y0:y1, x0:x1], u=picture.u[chroma], v=picture.v[chroma])
    return part, (x0, y0)


def paste_rgb(
    picture: Picture,
    rgb: NDArray[np.uint8] | NDArray[np.float32],
    alpha: NDArray[np.float32],
    x: int,
    y: int,
) -> Picture:
    """Blend an RGB patch over a picture: `alpha * patch + (1 - alpha) * picture`.

    Chroma is blended with the down-sampled alpha, each colour weighted by its own alpha, so
    that what the patch holds where alpha is 0 never shows. Samples that no pixel with alpha
    above 0 touches keep their bits. What lies outside the picture is cut off.

    Args:
        picture: The picture; not changed.
        rgb: `[h, w, 3]`, 0..255; float32 keeps more than 8 bits for 10-bit pictures.
        alpha: float32 `[h, w]`, 0..1.
        x: Column of the patch's left edge in the picture; any integer.
        y: Row of the patch's upper edge in the picture; any integer.

    Returns:
        A new picture of the same kind.

    Raises:
        ValueError: `alpha` and `rgb` differ in size.
    """
    if rgb.shape != (*alpha.shape, 3):
        raise ValueError(f"alpha {alpha.shape} doesn't fit patch {rgb.shape}")
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + rgb.shape[1], picture.width), min(y + rgb.shape[0], picture.height)
    if x0 >= x1 or y0 >= y1:
        return picture
    inside = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
    forward, offset = _rgb_to_yuv(picture)
    affine = np.concatenate([forward, offset[:, None]], axis=1)
    patch = np.ascontiguousarray(rgb[inside], np.float32)
    weight = np.ascontiguousarray(alpha[inside], np.float32)
    filled, *others = (np.asarray(cv2.transform(patch, row[None]), np.float32) for row in affine)
    luma = picture.y.copy()
    _blend(luma[y0:y1, x0:x1], filled, weight, picture.bits)
    thin, (left, top) = _downsample(picture, weight, x0, y0)
    chroma = picture.u.copy(), picture.v.copy()
    for plane, values in zip(chroma, others, strict=True):
        values *= weight
        premultiplied, _ = _downsample(picture, values, x0, y0)
        region = plane[top : top + thin.shape[0], left : left + thin.shape[1]]
        np.subtract(premultiplied, thin * region, out=premultiplied)
        _add(region, premultiplied, picture.bits)
    return replace(picture, y=luma, u=chroma[0], v=chroma[1])


def luma8(picture: Picture) -> NDArray[np.uint8]:
    """The luma plane as uint8 `[H, W]` in the picture's own range; 10 bits are rounded to 8.

    An 8-bit picture's own plane is returned, not a copy: don't write to it.
    """
    if picture.bits == 8:
        eight: NDArray[np.uint8] = picture.y
        return eight
    rounded: NDArray[np.uint16] = (picture.y + np.uint16(2)) >> np.uint16(2)
    return np.minimum(rounded, 255).astype(np.uint8)


def with_luma(picture: Picture, y: Samples) -> Picture:
    """The picture with another luma plane.

    Args:
        picture: The picture; not changed.
        y: `[H, W]`, either in the picture's own sample type or uint8 as from `luma8`. With
            uint8 for a 10-bit picture the change from `luma8` is applied to the 10-bit
            samples, so that unchanged samples keep all their bits.

    Raises:
        ValueError: Another size than the picture's.
    """
    if y.shape != picture.y.shape:
        raise ValueError(f"luma {y.shape} doesn't fit picture {picture.y.shape}")
    if y.dtype == picture.y.dtype:
        return replace(picture, y=y)
    change = (y.astype(np.int32) - luma8(picture)) * 4
    return replace(picture, y=np.clip(picture.y + change, 0, 1023).astype(np.uint16))


def _rgb_to_yuv(picture: Picture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 3x3 matrix and offset from RGB 0..255 to the picture's sample values."""
    red, blue = _WEIGHTS[picture.matrix]
    luma = np.array([red, 1 - red - blue, blue])
    u = (np.array([0.0, 0.0, 1.0]) - luma) / (2 * (1 - blue))
    v = (np.array([1.0, 0.0, 0.0]) - luma) / (2 * (1 - red))
    scale = 1 << (picture.bits - 8)
    if picture.full_range:
        peak = 256 * scale - 1
        gains, black = np.array([peak, peak, peak]), 0
    else:
        gains, black = np.array([219, 224, 224]) * scale, 16 * scale
    matrix = np.stack([luma, u, v]) * (gains / 255)[:, None]
    return matrix, np.array([black, 128 * scale, 128 * scale], np.float64)


def _blend(region: Samples, values: _Floats, weight: _Floats, bits: int) -> None:
    """Move samples towards values, by a weight for each."""
    change = np.subtract(values, region, dtype=np.float32)
    change *= weight
    _add(region, change, bits)


def _add(region: Samples, change: _Floats, bits: int) -> None:
    """Add to samples in place, rounding to the nearest that they can hold."""
    if bits == 8:
        region[...] = cv2.add(region, change, dtype=cv2.CV_8U)
    else:
        region[...] = np.minimum(cv2.add(region, change, dtype=cv2.CV_16U), (1 << bits) - 1)


def _chroma_around(
    picture: Picture, x0: int, y0: int, x1: int, y1: int
) -> tuple[_Floats, _Floats, tuple[slice, slice]]:
    """The chroma samples from which those of a box of luma are interpolated.

    The third value says where the box lies in what `_upsample` makes of them.
    """
    sx, sy = picture.subsampling
    left, top, right, bottom = x0 // sx, y0 // sy, -(-x1 // sx), -(-y1 // sy)
    rows = np.arange(top - (sy - 1), bottom + (sy - 1))
    columns = np.arange(left, right + (sx - 1))
    # Beyond the picture's edge its last samples are repeated.
    u, v = (
        plane.take(rows, axis=0, mode="clip").take(columns, axis=1, mode="clip").astype(np.float32)
        for plane in (picture.u, picture.v)
    )
    return u, v, np.s_[y0 - sy * top : y1 - sy * top, x0 - sx * left : x1 - sx * left]


def _upsample(chroma: _Floats, subsampling: tuple[int, int]) -> _Floats:
    """Samples at every luma position, from chroma with one more row above and below, and right."""
    sx, sy = subsampling
    if sx == 2:
        wide = np.empty((len(chroma), 2 * (chroma.shape[1] - 1)), np.float32)
        wide[:, 0::2] = chroma[:, :-1]
        between = chroma[:, :-1] + chroma[:, 1:]
        between *= np.float32(0.5)
        wide[:, 1::2] = between
        chroma = wide
    if sy == 2:
        tall = np.empty((2 * (len(chroma) - 2), chroma.shape[1]), np.float32)
        near, far = np.float32(0.75) * chroma[1:-1], np.float32(0.25) * chroma
        np.add(near, far[:-2], out=tall[0::2])
        np.add(near, far[2:], out=tall[1::2])
        chroma = tall
    return chroma


def _downsample(
    picture: Picture, values: _Floats, x: int, y: int
) -> tuple[_Floats, tuple[int, int]]:
    """Bring `values` `[h, w]`, which lie at (x, y) inside the picture, to the chroma grid.

    Around the values there is 0. The result covers every chroma sample that a value reaches;
    its left and top edge on the chroma grid come second.
    """
    sx, sy = picture.subsampling
    height, width = values.shape
    left, top = x // sx, y // sy
    # With sx == 2 an odd last column also reaches the chroma sample to its right.
    right = min((x + width - 1) // sx + sx, picture.u.shape[1])
    bottom = (y + height - 1) // sy + 1
    # One column more than is needed on the left, and on the right where columns come in pairs.
    canvas: _Floats = np.zeros((sy * (bottom - top), sx * (right - left) + sx), np.float32)
    row, column = y - sy * top, x - sx * left + 1
    last = sx * (right - left)
    canvas[row : row + height, column : column + width] = values
    # Beyond the picture's edge its last samples are repeated.
    if left == 0:
        canvas[:, 0] = canvas[:, 1]
    if sx * right > picture.width:
        canvas[:, last] = canvas[:, last - 1]
    if sy * bottom > picture.height:
        canvas[-1] = canvas[-2]
    if sy == 2:
        canvas = canvas[0::2] + canvas[1::2]
        canvas *= np.float32(0.5)
    thin: _Floats = canvas[:, 1:]
    if sx == 2:
        sides, middle = canvas[:, 0::2], canvas[:, 1::2]
        thin = sides[:, :-1] + sides[:, 1:]
        thin *= np.float32(0.25)
        thin += np.float32(0.5) * middle[:, :-1]
    return thin, (left, top)
