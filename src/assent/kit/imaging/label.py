"""The burnt-in disclosure: "AI + MODIFIED" in white on a dark translucent pill.

The label lies where every usual re-framing leaves it whole, and its letters are at least 5 % of
the shortest side high (GB 45438-2025; the EU Code of Practice asks for capital letters "AI",
unobstructed and top right). Four corners fit it, the top right unless another is chosen; its size
and words are the same in all of them. The artwork is our own.

>>> label = draw_label(1920, 1080)
>>> label.text, label.x % 2, label.y % 2
('AI + MODIFIED', 0, 0)
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.imaging._lettering import draw_text, measure_text
from assent.kit.media.picture import Picture

__all__ = [
    "FILMED",
    "Corner",
    "Label",
    "burn",
    "draw_label",
    "draw_notice",
    "label_present",
    "simulate_crops",
]

_WORDS = {"modified": "MODIFIED", "generated": "GENERATED"}
FILMED = ("AS FILMED", "FOR THIS PRODUCTION ALONE")
"""The lines of the notice on what no model changed."""
_CROPS = {"1:1": Fraction(1), "4:5": Fraction(4, 5), "9:16": Fraction(9, 16)}
# Of the shortest side: a little more than the 5 % asked for, so that no rounding undercuts it.
_LETTER_HEIGHT = 0.051
# Of the notice on what was only filmed.
_NOTICE_HEIGHT = 0.03
# Smaller letters can't be read, whatever share of the picture they are.
_SMALLEST_LETTERS = 6.0
# White on this over a white picture still has a contrast of 7.8 to 1 (WCAG 2.1 AAA: 7).
_PILL_ALPHA = 0.68
# In letter heights: inside the pill beside and above the letters, between two lines, and from
# the pill to the edge of the safe area.
_PAD_X, _PAD_Y, _LEADING, _MARGIN = 0.68, 0.56, 0.5, 0.36
# Of the height that all crops leave: what players lay over the foot of a film.
_FOOT = 0.12
# A label whose letters stand out by less than this share of the range is washed out.
_FULL_CONTRAST = 0.4
_SEARCH = 2


class Corner(StrEnum):
    """The corner that a label lies in, of what all of `simulate_crops` leave."""

    TOP_RIGHT = "top-right"
    TOP_LEFT = "top-left"
    BOTTOM_RIGHT = "bottom-right"
    BOTTOM_LEFT = "bottom-left"

    @property
    def at_top(self) -> bool:
        """Whether it is an upper corner; a lower one is above what players lay over the foot."""
        return self in (Corner.TOP_RIGHT, Corner.TOP_LEFT)

    @property
    def at_right(self) -> bool:
        """Whether it is a right corner."""
        return self in (Corner.TOP_RIGHT, Corner.BOTTOM_RIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A drawn label: `luma` (0 black, 1 white) and `alpha`, float32 `[h, w]`, h and w even.

    `x` and `y` (even) are where its upper left corner lies in the frame; `text` is what it says.
    """

    x: int
    y: int
    luma: NDArray[np.float32]
    alpha: NDArray[np.float32]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the pill lies in the frame, in fractions of pixels, and what it holds."""

    left: float
    top: float
    width: float
    height: float
    lines: tuple[str, ...]
    letters: float


def simulate_crops(width: int, height: int) -> dict[str, tuple[int, int, int, int]]:
    """Return the centred crops to 1:1, 4:5 and 9:16 as whole pixels `(x0, y0, x1, y1)`."""
    return {name: _crop(width, height, ratio) for name, ratio in _CROPS.items()}


def draw_label(
    width: int, height: int, *, kind: str = "modified", corner: Corner = Corner.TOP_RIGHT
) -> Label:
    """Return the label for frames of `width` x `height`; `kind` is "modified" or "generated".

    It lies in a corner of what all of `simulate_crops` leave. Where the words don't fit beside each
    other, "AI" stands above the second one. Raises MediaError when the frame is too small for
    letters that can be read, ValueError for another `kind`.
    """
    if kind not in _WORDS:
        raise ValueError(f"there is no label of the kind {kind!r}")
    return _drawn(_lay_out(width, height, _WORDS[kind], corner), f"AI + {_WORDS[kind]}")


def draw_notice(width: int, height: int, lines: tuple[str, ...] = FILMED) -> Label:
    """Return a notice of plain words at the top left of frames of `width` x `height`.

    Its letters are smaller than the label's, which disclosure asks for; nobody may take one for the
    other. Raises MediaError when the frame is too small for letters that can be read.
    """
    letters = max(_NOTICE_HEIGHT * min(width, height), _SMALLEST_LETTERS)
    margin = _MARGIN * letters
    wide, high = _pill_size(lines, letters)
    if wide + 2 * margin > width or high + 2 * margin > height:
        raise _too_small(width, height)
    return _drawn(
        _Layout(
            left=margin,
            top=margin,
            width=wide,
            height=high,
            lines=lines,
            letters=letters,
        ),
        ", ".join(lines),
    )


def burn(picture: Picture, label: Label) -> Picture:
    """Return `picture` with `label` blended in: its luma, and its chroma towards neutral.

    Samples that the label doesn't cover keep their bits. Raises ValueError when the label
    reaches outside the picture, so was drawn for another size.
    """
    height, width = label.alpha.shape
    if label.x + width > picture.width + 1 or label.y + height > picture.height + 1:
        raise ValueError(f"the label doesn't fit a picture of {picture.width}x{picture.height}")
    black, white = _levels(picture)
    sx, sy = picture.subsampling
    neutral = np.float32(1 << (picture.bits - 1))
    thin = label.alpha.reshape(height // sy, sy, width // sx, sx).mean(axis=(1, 3))
    corner = (label.x // sx, label.y // sy)
    return replace(
        picture,
        y=_blend(picture.y, black + label.luma * (white - black), label.alpha, (label.x, label.y)),
        u=_blend(picture.u, np.full_like(thin, neutral), thin, corner),
        v=_blend(picture.v, np.full_like(thin, neutral), thin, corner),
    )


def label_present(picture: Picture, label: Label) -> float:
    """Return how surely `picture` shows `label`, 0..1: above 0.7 it does, below 0.4 it doesn't.

    The score is the correlation of the luma under the pill with the drawing, at the best place
    within two pixels, scaled down when the letters stand out by less than 40 % of the range.
    For a resized copy, give the label drawn for that size.
    """
    black, white = _levels(picture)
    inside = label.alpha > _PILL_ALPHA / 2
    drawn = label.luma[inside]
    drawn = drawn - drawn.mean()
    best = 0.0
    for dy in range(-_SEARCH, _SEARCH + 1):
        for dx in range(-_SEARCH, _SEARCH + 1):
            region = _region(picture, label, dx, dy)
            if region is not None:
                seen = (region[inside].astype(np.float32) - black) / (white - black)
                best = max(best, _score(seen, drawn))
    return best


def _drawn(layout: _Layout, text: str) -> Label:
    x, y = 2 * floor(layout.left / 2), 2 * floor(layout.top / 2)
    shape = (
        2 * ceil((layout.top + layout.height - y) / 2),
        2 * ceil((layout.left + layout.width - x) / 2),
    )
    placed = replace(layout, left=layout.left - x, top=layout.top - y)
    letters = _draw_lines(placed, shape)
    pill = _draw_pill(placed, shape) * np.float32(_PILL_ALPHA)
    alpha = letters + (1 - letters) * pill
    luma = np.divide(letters, alpha, out=np.zeros_like(alpha), where=alpha > 0)
    return Label(x=x, y=y, luma=luma, alpha=alpha, text=text)


def _pill_size(lines: tuple[str, ...], letters: float) -> tuple[float, float]:
    """Return width and height of a pill around lines of that height, in pixels."""
    wide = (max(measure_text(line) for line in lines) + 2 * _PAD_X) * letters
    return wide, (len(lines) + (len(lines) - 1) * _LEADING + 2 * _PAD_Y) * letters


def _lay_out(width: int, height: int, word: str, corner: Corner) -> _Layout:
    crops = simulate_crops(width, height).values()
    x0, y0 = max(crop[0] for crop in crops), max(crop[1] for crop in crops)
    x1, y1 = min(crop[2] for crop in crops), min(crop[3] for crop in crops)
    foot = y1 - _FOOT * (y1 - y0)
    letters = max(_LETTER_HEIGHT * min(width, height), _SMALLEST_LETTERS)
    margin = _MARGIN * letters
    for lines in ((f"AI + {word}",), ("AI +", word)):
        wide, high = _pill_size(lines, letters)
        if wide + 2 * margin <= x1 - x0 and high + 2 * margin <= y1 - y0:
            return _Layout(
                left=x1 - margin - wide if corner.at_right else x0 + margin,
                top=y0 + margin if corner.at_top else foot - margin - high,
                width=wide,
                height=high,
                lines=lines,
                letters=letters,
            )
    raise _too_small(width, height)


def _too_small(width: int, height: int) -> MediaError:
    return MediaError(
        f"a picture of {width}x{height} is too small for a label that can be read",
        advice="Use footage of at least 160 pixels on its shorter side.",
    )


def _crop(width: int, height: int, ratio: Fraction) -> tuple[int, int, int, int]:
    wide = min(Fraction(width), height * ratio)
    high = min(Fraction(height), width / ratio)
    left, top = (width - wide) / 2, (height - high) / 2
    return ceil(left), ceil(top), floor(left + wide), floor(top + high)


def _draw_lines(layout: _Layout, shape: tuple[int, int]) -> NDArray[np.float32]:
    drawn = np.zeros(shape, np.float32)
    top = layout.top + _PAD_Y * layout.letters
    left = layout.left + _PAD_X * layout.letters
    for line in layout.lines:
        line_drawn = draw_text(line, shape=shape, left=left, top=top, height=layout.letters)
        np.maximum(drawn, line_drawn, out=drawn)
        top += (1 + _LEADING) * layout.letters
    return drawn


def _draw_pill(layout: _Layout, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the coverage of a rectangle whose corners are round: half a line's height."""
    radius = (0.5 + _PAD_Y) * layout.letters
    rows, columns = np.indices(shape, np.float32) + np.float32(0.5)
    across = np.abs(columns - layout.left - layout.width / 2) - layout.width / 2 + radius
    down = np.abs(rows - layout.top - layout.height / 2) - layout.height / 2 + radius
    outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    distance = outside + np.minimum(np.maximum(across, down), 0) - radius
    covered: NDArray[np.float32] = np.clip(0.5 - distance, 0, 1).astype(np.float32)
    return covered


def _levels(picture: Picture) -> tuple[np.float32, np.float32]:
    """Return the luma of black and of white."""
    scale = 1 << (picture.bits - 8)
    if picture.full_range:
        return np.float32(0), np.float32((256 * scale) - 1)
    return np.float32(16 * scale), np.float32(235 * scale)


def _blend(
    plane: NDArray[Any],
    colour: NDArray[np.float32],
    alpha: NDArray[np.float32],
    corner: tuple[int, int],
) -> NDArray[Any]:
    x, y = corner
    blended = plane.copy()
    region = blended[y : y + alpha.shape[0], x : x + alpha.shape[1]]
    # An odd frame's last row or column may lie inside the label's even box.
    cut = np.s_[: region.shape[0], : region.shape[1]]
    weight = alpha[cut]
    mixed = np.rint(region + weight * (colour[cut] - region))
    region[...] = np.where(weight > 0, mixed, region).astype(plane.dtype)
    return blended


def _region(picture: Picture, label: Label, dx: int, dy: int) -> NDArray[Any] | None:
    x, y = label.x + dx, label.y + dy
    height, width = label.alpha.shape
    if x < 0 or y < 0 or x + width > picture.width or y + height > picture.height:
        return None
    return picture.y[y : y + height, x : x + width]


def _score(seen: NDArray[np.float32], drawn: NDArray[np.float32]) -> float:
    """Return the correlation of `seen` with `drawn` (of mean 0), less where it is faint."""
    seen = seen - seen.mean()
    shared = float(seen @ drawn)
    energy = float(drawn @ drawn)
    correlation = shared / max(float(np.sqrt(energy * float(seen @ seen))), 1e-9)
    contrast = shared / energy
    return max(0.0, correlation) * min(1.0, max(0.0, contrast) / _FULL_CONTRAST)
