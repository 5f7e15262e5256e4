"""How close a replaced face comes to the truth: pure measures of pictures.

The truth is the same performance with the donor's real face. Each frame is warped by the truth's
own landmarks to a 256 px crop, and everything is measured inside the hull of those landmarks:

- `ssim`, `psnr`: structural similarity and peak signal-to-noise ratio (dB) to the truth; the same
  for the untouched scene are the floor, and `gain` is the share of the way from floor to truth;
- `detail`: correlation of fine detail with the truth's (a blur scores low);
- `sharpness`: energy of fine detail over the truth's (1 is right);
- `jitter`: mean absolute change of the error from frame to frame, grey levels.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CROP",
    "Report",
    "compare",
    "detail",
    "face_crop",
    "psnr",
    "ssim",
]

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]

CROP = 256
"""Side of the crops that are compared, pixels."""

# Where eyes, nose tip and corners of the mouth come to lie, as shares of the crop's side.
_FIVE = np.array([[0.31, 0.40], [0.69, 0.40], [0.50, 0.60], [0.35, 0.76], [0.65, 0.76]])
_FEWEST = 500  # pixels of a face that is measured at all
# Wang et al., IEEE TIP 13(4), 2004: (0.01 * 255)^2 and (0.03 * 255)^2.
_C1, _C2 = 6.5025, 58.5225


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Means over a clip; see the module's docstring."""

    ssim: float
    psnr: float
    floor_ssim: float
    floor_psnr: float
    gain: float
    detail: float
    sharpness: float
    jitter: float
    frames: int


def compare(
    outputs: Iterable[Rgb],
    scene: Iterable[Rgb],
    truth: Iterable[Rgb],
    landmarks: NDArray[np.floating],
) -> Report:
    """Hold a rendered clip against the truth.

    Args:
        outputs: rendered frames, uint8 [H, W, 3].
        scene: the untouched frames.
        truth: the frames as they should be.
        landmarks: [T, 68, 2], pixels, of the truth.

    Raises:
        ValueError: the clips differ in length, or no frame shows a face large enough.
    """
    rows: list[tuple[float, ...]] = []
    changes: list[float] = []
    before: Floats | None = None
    for frames in zip(outputs, scene, truth, landmarks, strict=True):
        output, untouched, goal, mask = _crops(*frames)
        if mask.sum() < _FEWEST:
            continue
        floor = ssim(untouched, goal, mask), psnr(untouched, goal, mask)
        fine = detail(output, goal, mask)
        rows.append((ssim(output, goal, mask), psnr(output, goal, mask), *floor, *fine))
        error = (output.astype(np.float64) - goal).mean(-1)
        if before is not None:
            changes.append(float((np.abs(error - before) * mask).sum() / mask.sum()))
        before = error
    if not rows:
        raise ValueError("no frame shows a face to measure")
    similar, noise, floor_similar, floor_noise, alike, sharp = np.mean(rows, axis=0).tolist()
    return Report(
        ssim=similar,
        psnr=noise,
        floor_ssim=floor_similar,
        floor_psnr=floor_noise,
        gain=(similar - floor_similar) / max(1 - floor_similar, 1e-9),
        detail=alike,
        sharpness=sharp,
        jitter=float(np.mean(changes)) if changes else 0.0,
        frames=len(rows),
    )


def _crops(
    output: Rgb, untouched: Rgb, goal: Rgb, points: NDArray[np.floating]
) -> tuple[Rgb, Rgb, Rgb, Floats]:
    if output.shape != goal.shape:
        size = (goal.shape[1], goal.shape[0])
        output = np.asarray(cv2.resize(output, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    mask = _hull(points, (goal.shape[0], goal.shape[1]))
    inside = (face_crop(mask, points) > 127).astype(np.float64)
    return face_crop(output, points), face_crop(untouched, points), face_crop(goal, points), inside


def face_crop(picture: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """The face in a picture [H, W] or [H, W, 3], upright and `CROP` pixels wide and high."""
    points = np.asarray(landmarks, np.float32)
    eyes = points[36:42].mean(0), points[42:48].mean(0)
    five = np.stack([*eyes, points[30], points[48], points[54]])
    matrix, _ = cv2.estimateAffinePartial2D(
        five, (_FIVE * CROP).astype(np.float32), method=cv2.LMEDS
    )
    return np.asarray(cv2.warpAffine(picture, matrix, (CROP, CROP)), np.uint8)


def _hull(landmarks: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.uint8]:
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(landmarks.astype(np.int32)), 255)
    return mask


def ssim(a: Rgb, b: Rgb, mask: Floats) -> float:
    """Mean structural similarity of two pictures' grey, Gaussian window 11 px, inside a mask."""
    x, y = _grey(a), _grey(b)
    mean_x, mean_y = _window(x), _window(y)
    vary = _window(x * x) - mean_x**2 + _window(y * y) - mean_y**2
    share = _window(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + _C1) * (2 * share + _C2)
    return _mean(alike / ((mean_x**2 + mean_y**2 + _C1) * (vary + _C2)), mask)


def psnr(a: Rgb, b: Rgb, mask: Floats) -> float:
    """Peak signal-to-noise ratio of two pictures inside a mask, dB."""
    error = ((a.astype(np.float64) - b) ** 2).mean(-1)
    return float(10 * np.log10(255**2 / max(_mean(error, mask), 1e-9)))


def detail(a: Rgb, b: Rgb, mask: Floats) -> tuple[float, float]:
    """Correlation of two pictures' fine detail, and `a`'s energy of it over `b`'s.

    Fine detail is the band between Gaussian blurs of 1 and 4 px.
    """
    x, y = (_blur(_grey(p), 1) - _blur(_grey(p), 4) for p in (a, b))
    power_x, power_y = (x * x * mask).sum(), (y * y * mask).sum()
    together = (x * y * mask).sum() / np.sqrt(power_x * power_y + 1e-9)
    return float(together), float(np.sqrt(power_x / (power_y + 1e-9)))


def _grey(picture: Rgb) -> Floats:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float64)


def _blur(picture: Floats, deviation: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation), np.float64)


def _window(picture: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5), np.float64)


def _mean(values: NDArray[Any], mask: Floats) -> float:
    return float((values * mask).sum() / mask.sum())
