"""Look for the burnt-in label in a copy that was scaled, cropped or framed anew.

>>> find_label(picture).seen  # doctest: +SKIP
True
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.imaging.label import Corner, Label, draw_label, label_present
from assent.kit.media.picture import Picture, luma8

__all__ = ["LabelFound", "find_label", "label_at_home"]

# Scores from here on are a label. Measured on the samples, at its own place: 0.88 and more with a
# label down to CRF 38, 0.59 with one half transparent, 0.05 without. Anywhere else, in copies at
# half and double size, cropped and padded, as JPEG of quality 30: 0.73 and more; without 0.38.
_AT_HOME, _ELSEWHERE = 0.7, 0.6
# The copy is searched at this height: letters of the smallest size are then 9 pixels high.
_SIDE = 360
# Letters in shares of the shorter side: a label is drawn at 5.1 %; a crop of 16:9 to 9:16 makes
# that 9 %, a film shown in half of a frame 2.6 %.
_SMALLEST, _LARGEST, _STEP = 0.025, 0.13, 1.05
_DRAWN = 0.051
_WIDE = 16 / 9
# Drawings of the label kept: those of the film's size, and those of all sizes searched.
_KEPT = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFound:
    """The place in a picture that is most like the label.

    `seen` says whether it is one, `score` how much alike, 0..1. `box` is x, y, width, height in
    pixels; `at_home` says that it is in a corner where a picture of this size may have it.
    `letters` is their height in the picture that was searched.
    """

    seen: bool
    score: float
    box: tuple[int, int, int, int]
    at_home: bool
    letters: float = 0.0


def label_at_home(picture: Picture) -> LabelFound | None:
    """Look where the label may be drawn in a picture of this size; None for one too small for it.

    Of its corners, the one that is most like it, or the first that holds it.
    """
    best = None
    for corner in Corner:
        label = _drawn(picture.width, picture.height, corner)
        if label is None:
            return None
        score = label_present(picture, label)
        height, width = label.alpha.shape
        box = (label.x, label.y, width, height)
        found = LabelFound(seen=score >= _AT_HOME, score=score, box=box, at_home=True)
        if found.seen:
            return found
        best = found if best is None or found.score > best.score else best
    return best


def find_label(picture: Picture, *, like: LabelFound | None = None) -> LabelFound | None:
    """Return the place most like the label at any size; None if there is no room for one.

    `like` is what was found in another picture of the film: only that size is tried.
    """
    luma = luma8(picture)
    ratio = min(1.0, _SIDE / min(luma.shape))
    size = [max(16, round(side * ratio)) for side in luma.shape[::-1]]
    small = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
    sizes = _sizes(min(small.shape)) if like is None else iter([like.letters])
    found = [
        _match(small, template, letters, ratio)
        for letters in sizes
        if (template := _template(letters)) is not None
        and template.shape[0] <= small.shape[0]
        and template.shape[1] <= small.shape[1]
    ]
    return max(found, key=lambda each: each.score, default=None)


@lru_cache(maxsize=_KEPT)
def _drawn(width: int, height: int, corner: Corner = Corner.TOP_RIGHT) -> Label | None:
    """Return the label as drawn for a size; None for a picture too small for it."""
    try:
        return draw_label(width, height, corner=corner)
    except MediaError:
        return None


def _sizes(side: int) -> Iterator[float]:
    letters = _SMALLEST * side
    while letters <= _LARGEST * side:
        yield letters
        letters *= _STEP


def _match(
    small: NDArray[np.uint8], template: NDArray[np.uint8], letters: float, ratio: float
) -> LabelFound:
    scores = cv2.matchTemplate(small, template, cv2.TM_CCOEFF_NORMED)
    # Flat places have no correlation.
    _, score, _, (x, y) = cv2.minMaxLoc(np.nan_to_num(scores, nan=0.0, posinf=0.0, neginf=0.0))
    x0, y0, width, height = (round(each / ratio) for each in (x, y, *template.shape[::-1]))
    return LabelFound(
        seen=score >= _ELSEWHERE,
        score=min(1.0, max(0.0, float(score))),
        box=(x0, y0, width, height),
        at_home=False,
        letters=letters,
    )


def _template(letters: float) -> NDArray[np.uint8] | None:
    """Return white letters on their dark pill, without its rim; None if they can't be read."""
    height = letters / _DRAWN
    label = _drawn(round(height * _WIDE), round(height))
    if label is None:
        return None
    luma = label.luma * label.alpha
    rim = luma.shape[0] // 6
    return np.asarray(255 * luma[rim : luma.shape[0] - rim, 2 * rim : -2 * rim], np.uint8)
