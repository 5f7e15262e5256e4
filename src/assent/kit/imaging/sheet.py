"""Contact sheets: pictures in a grid under captions, with a band above for the label."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.imaging.label import draw_label

__all__ = ["contact_sheet"]

_GAP = 8
_CAPTION = 26
_PAPER = 24
_INK = (222, 222, 222)


def contact_sheet(
    columns: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]], *, cell: int = 256
) -> NDArray[np.uint8]:
    """Lay out columns of pictures side by side.

    Args:
        columns: a caption and its pictures (RGB uint8 [H, W, 3]) from top to bottom.
        cell: the longest side of each picture on the sheet.

    Returns:
        RGB uint8 [H, W, 3], dark, with room for the disclosure label above everything.
    """
    cells = [[_fit(picture, cell) for picture in pictures] for _, pictures in columns]
    rows = max(len(column) for column in cells)
    high = max(picture.shape[0] for column in cells for picture in column)
    width = len(cells) * (cell + _GAP) + _GAP
    height = rows * (high + _GAP) + _CAPTION + _GAP
    band = _band(width, height)
    sheet = np.full((height + band, width, 3), _PAPER, np.uint8)
    for number, ((caption, _), pictures) in enumerate(zip(columns, cells, strict=True)):
        x = _GAP + number * (cell + _GAP)
        _write(sheet, caption, x, band + _CAPTION - 8)
        for row, picture in enumerate(pictures):
            y = band + _CAPTION + row * (high + _GAP)
            sheet[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return sheet


def _band(width: int, height: int) -> int:
    """Return how high the band must be so that the label covers no picture."""
    band = 0
    for _ in range(4):
        label = draw_label(width, height + band)
        needed = label.y + label.alpha.shape[0] + _GAP
        if needed <= band:
            break
        band = needed
    return band + (height + band) % 2


def _fit(picture: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    ratio = cell / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * ratio)), max(1, round(picture.shape[0] * ratio)))
    how = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _write(sheet: NDArray[np.uint8], text: str, x: int, y: int) -> None:
    cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _INK, 1, cv2.LINE_AA)
