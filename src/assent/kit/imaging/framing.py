"""Where a release's label lies once a platform has cropped the film, and what players lay over it.

The label is drawn as in a release; the crops are those that the label is made to survive. What
players cover is measured by eye and rounded up: it differs from one version of an app to the next.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from assent.kit.errors import InputError
from assent.kit.imaging.label import Corner, draw_label

__all__ = ["Framing", "frame_label"]

Box = tuple[int, int, int, int]
_RATIOS = {
    "16:9": Fraction(16, 9),
    "1:1": Fraction(1),
    "4:5": Fraction(4, 5),
    "9:16": Fraction(9, 16),
}
# Shares of the crop, from its upper left corner: x0, y0, x1, y1.
_COVERED = {
    "16:9": ((0.0, 0.88, 1.0, 1.0),),
    "1:1": ((0.0, 0.9, 1.0, 1.0),),
    "4:5": ((0.0, 0.9, 1.0, 1.0),),
    "9:16": ((0.0, 0.0, 1.0, 0.07), (0.82, 0.45, 1.0, 0.9), (0.0, 0.8, 1.0, 1.0)),
}
_SMALLEST, _LARGEST = 160, 16384


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """One crop of a frame, in its pixels: `covered` is what players lay over it."""

    ratio: str
    crop: Box
    covered: tuple[Box, ...]
    whole: bool
    """The label lies in the crop."""
    clear: bool
    """And nothing that players show lies over it."""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "ratio": self.ratio,
            "crop": list(self.crop),
            "covered": [list(each) for each in self.covered],
            "whole": self.whole,
            "clear": self.clear,
        }


def frame_label(
    width: int, height: int, *, corner: Corner = Corner.TOP_RIGHT
) -> tuple[Box, tuple[Framing, ...]]:
    """Return where the label of a `width` x `height` film lies, and each usual crop of it.

    Raises `InputError` for sizes that no film has, `MediaError` if no label would be legible.
    """
    if min(width, height) < _SMALLEST or max(width, height) > _LARGEST:
        raise InputError(f"no film has {width} x {height} pixels")
    label = draw_label(width, height, corner=corner)
    high, wide = label.alpha.shape
    box = (label.x, label.y, label.x + wide, label.y + high)
    return box, tuple(_framing(name, width, height, box) for name in _RATIOS)


def _framing(name: str, width: int, height: int, label: Box) -> Framing:
    wide = min(Fraction(width), height * _RATIOS[name])
    high = min(Fraction(height), width / _RATIOS[name])
    left, top = (width - wide) / 2, (height - high) / 2
    crop = (round(left), round(top), round(left + wide), round(top + high))
    covered = tuple(
        (
            round(left + wide * Fraction(x0)),
            round(top + high * Fraction(y0)),
            round(left + wide * Fraction(x1)),
            round(top + high * Fraction(y1)),
        )
        for x0, y0, x1, y1 in _COVERED[name]
    )
    whole = crop[0] <= label[0] and crop[1] <= label[1] and label[2] <= crop[2] + 1
    whole = whole and label[3] <= crop[3] + 1
    clear = whole and not any(_overlap(each, label) for each in covered)
    return Framing(ratio=name, crop=crop, covered=covered, whole=whole, clear=clear)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
