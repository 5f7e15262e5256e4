"""A picture's code: 256 bits that stay when it is encoded anew, scaled, graded or drawn over.

Luma is made small, evened out (each place by the mean and the spread around it), and put through
256 fixed projections; each bit is the sign of one. The projections were fitted on computer-made
pictures and what happens to copies, so that bits differ most between pictures and least between
copies: linear discriminants, turned so that all bits carry about as much (Strecha et al.,
"LDAHash", IEEE TPAMI 34(1), 2012). docs/specs/fingerprints.md has the error rates;
`benchmarks/fit_codes.py` fits them anew.

Only the middle 80 % of a window is coded. A copy that lost its edges still has that middle, at one
of the `CROPS`, so a release needs one code a picture and a query tries a few windows.

>>> import numpy as np
>>> wave = (127 + 100 * np.sin(np.arange(192) / 9)).astype(np.uint8)
>>> code_of(np.tile(wave, (192, 1))).shape, code_of(np.full((192, 192), 90, np.uint8)) is None
((32,), True)
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CODE_BYTES",
    "CROPS",
    "CUTS",
    "MIDDLE",
    "THUMB",
    "WHOLE",
    "Window",
    "code_of",
    "distances",
    "even_out",
    "middle_of",
    "projections",
    "thumb_of",
]

CODE_BYTES = 32
THUMB = 192
"""Pixels across and down of the small pictures that codes are taken from."""
MIDDLE = 0.8
"""The share of a window's width and height that is coded."""
_SIDE = 64
_FEATURES = 24
_REACH = 8.0  # pixels of 64 over which a place is compared with what is around it
_FLOOR = 3.0  # grey levels: less spread than this isn't stretched
_CLIP = 2.0
# Of the evened out picture: under this there is too little to tell it by.
_LEAST_DETAIL = 0.22
_DATA = "projections.npy"  # int8 [257, 576]: the mean times 60, then the projections
_MEAN_SCALE = 60.0

Thumb = NDArray[np.uint8]
Code = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a picture, in shares of its width and height."""

    x: float
    y: float
    width: float
    height: float

    def within(self, outer: "Window") -> "Window":
        """Return this part of `outer` as a part of the picture."""
        return Window(
            outer.x + self.x * outer.width,
            outer.y + self.y * outer.height,
            self.width * outer.width,
            self.height * outer.height,
        )


WHOLE = Window(0.0, 0.0, 1.0, 1.0)

_M = (1 - MIDDLE) / 2
_CENTRE = Window(_M, _M, MIDDLE, MIDDLE)


def middle_of(kept: float, x: float, y: float, *, tall: float | None = None) -> Window:
    """Return where the middle of a picture lies in a copy of which the share `kept` was left.

    `x` and `y` (0..1) say from where it was cut: 0 kept the left or upper edge, 1 the other. With
    `tall` that share of its height was left, and `kept` of its width.
    """
    tall = kept if tall is None else tall
    left, top = (1 - kept) * x, (1 - tall) * y
    return Window((_M - left) / kept, (_M - top) / tall, MIDDLE / kept, MIDDLE / tall)


_EDGES = (0.5, 0.0, 1.0)
CROPS = tuple(
    middle_of(kept, x, y)
    for kept, places in (
        (0.95, ((0.5, 0.5),)),
        (0.9, tuple((x, y) for y in _EDGES for x in _EDGES)),
        (0.82, ((0.5, 0.5),)),
    )
    for x, y in places
)
"""Where the middle may lie in a copy that was cropped."""

_STRIP = 0.84
CUTS = tuple(
    middle_of(wide, x, y, tall=tall)
    for wide, tall, places in (
        (1.0, _STRIP, ((0.5, 0.0), (0.5, 1.0))),
        (_STRIP, 1.0, ((0.0, 0.5), (1.0, 0.5))),
        (_STRIP, _STRIP, ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))),
        (0.75, 1.0, ((0.5, 0.5),)),
    )
    for x, y in places
)
"""The same for a copy that lost a strip or two, as who wants a label, a name or 16:9 away cuts it.

A part of the middle is gone then too, so that fewer bits agree.
"""


def thumb_of(luma: NDArray[np.uint8]) -> Thumb:
    """Return luma, uint8 [H, W], as a square of `THUMB` pixels, whatever its shape was."""
    method = cv2.INTER_AREA if min(luma.shape) >= THUMB else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (THUMB, THUMB), interpolation=method), np.uint8)


def code_of(thumb: Thumb, *, middle: Window = _CENTRE, mirrored: bool = False) -> Code | None:
    """Return the code of a thumb, uint8 [32], or None if it shows too little to be told by.

    `middle` is the part that is coded, by default the middle of the whole.
    """
    features = even_out(thumb, middle=middle, mirrored=mirrored)
    if np.abs(features).mean() < _LEAST_DETAIL:
        return None
    mean, weights = projections()
    return np.packbits((features - mean) @ weights > 0)


def even_out(thumb: Thumb, *, middle: Window = _CENTRE, mirrored: bool = False) -> Floats:
    """Return what bits are made of: float32 [576], rows of 24 places, about -2 to 2."""
    small = _cut(thumb, middle)
    if mirrored:
        small = small[:, ::-1]
    off = small - cv2.GaussianBlur(small, (0, 0), _REACH)
    spread = np.sqrt(cv2.GaussianBlur(off * off, (0, 0), _REACH))
    even = np.clip(off / (spread + _FLOOR), -_CLIP, _CLIP)
    places = cv2.resize(even, (_FEATURES, _FEATURES), interpolation=cv2.INTER_AREA)
    return np.asarray(places, np.float32).ravel()


def _cut(thumb: Thumb, part: Window) -> Floats:
    """Return a part of a thumb as float32 [64, 64]; beyond the edge the edge goes on."""
    if part.width * THUMB >= _SIDE and _inside(part):
        x0, y0 = round(part.x * THUMB), round(part.y * THUMB)
        x1, y1 = round((part.x + part.width) * THUMB), round((part.y + part.height) * THUMB)
        cut = cv2.resize(thumb[y0:y1, x0:x1], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(cut, np.float32)
    scale = np.array([part.width, part.height]) * THUMB / _SIDE
    start = np.array([part.x, part.y]) * THUMB + scale / 2 - 0.5
    matrix = np.array([[scale[0], 0, start[0]], [0, scale[1], start[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(
        thumb, matrix, (_SIDE, _SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, np.float32)


def _inside(part: Window) -> bool:
    return min(part.x, part.y) >= 0 and max(part.x + part.width, part.y + part.height) <= 1


@cache
def projections() -> tuple[Floats, Floats]:
    """Return the mean, float32 [576], and the projections, float32 [576, 256]."""
    data = (files("assent.kit.fingerprint") / _DATA).read_bytes()
    table = np.load(BytesIO(data), allow_pickle=False).astype(np.float32)
    return table[0] / _MEAN_SCALE, np.ascontiguousarray(table[1:].T)


def distances(one: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many bits differ: of `one` [32] from each of `others` [n, 32]."""
    return np.asarray(np.bitwise_count(others ^ one).sum(axis=-1), np.int64)
