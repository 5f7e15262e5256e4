"""Pictures to judge the mark by eye: a frame with it at full size, and what it changed.

draw_looks(Path("film.mp4"), Path("looks"), asset_id=7)
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.media.picture import Picture, to_rgb
from assent.kit.media.probe import probe
from marks import marking

__all__ = ["AMPLIFIED", "draw_looks"]

AMPLIFIED = 16
_SIDE = 480
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]


def draw_looks(film: Path, folder: Path, *, asset_id: int) -> list[Path]:
    """Write the middle frame without and with the mark, and the difference of their luma.

    The difference is amplified sixteen times around mid grey. A fourth picture shows the middle of
    the three side by side, pixel for pixel.
    """
    middle = probe(film, name=film.name).frames // 2
    before, after = marking.mark_one(film, middle, asset_id=asset_id)
    change = after.y.astype(np.float32) - before.y
    amplified = np.clip(128 + AMPLIFIED * change / (1 << (before.bits - 8)), 0, 255)
    pictures: dict[str, NDArray[np.uint8]] = {
        "plain": _bgr(before),
        "marked": _bgr(after),
        "difference": np.asarray(amplified, np.uint8)[..., None].repeat(3, axis=-1),
    }
    pictures["side"] = np.hstack([_middle(picture) for picture in pictures.values()])
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, picture in pictures.items():
        paths.append(folder / f"{film.stem}-{name}.jpg")
        cv2.imwrite(str(paths[-1]), picture, _QUALITY)
    return paths


def _middle(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (max(0, (side - _SIDE) // 2) for side in picture.shape[:2])
    return picture[top : top + _SIDE, left : left + _SIDE]


def _bgr(picture: Picture) -> NDArray[np.uint8]:
    return np.ascontiguousarray(to_rgb(picture)[..., ::-1])
