"""What happens to copies, on one grey picture: for fitting codes, thousands of times."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CHANGES"]

Grey = NDArray[np.uint8]
Rng = np.random.Generator


def _encoded(grey: Grey, rng: Rng) -> Grey:
    soft = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.4, 1.5)))
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(8, 40))]
    _, data = cv2.imencode(".jpg", soft, quality)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _scaled(grey: Grey, rng: Rng) -> Grey:
    share = float(rng.uniform(0.2, 0.7))
    small = cv2.resize(grey, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, grey.shape[::-1]), np.uint8)


def _drawn_over(grey: Grey, rng: Rng) -> Grey:
    """A station's logo, a caption or a name across the picture."""
    seen, (height, width) = grey.copy(), grey.shape
    kind = int(rng.integers(3))
    if kind == 0:
        size = int(rng.uniform(0.12, 0.25) * height)
        y, x = int(rng.choice([5, height - size - 5])), int(rng.choice([5, width - 2 * size - 5]))
        seen[y : y + size, x : x + int(1.6 * size)] = int(rng.integers(256))
        cv2.putText(seen, "TV", (x + 4, y + size - 6), 0, 0.8, int(rng.integers(256)), 2)
    elif kind == 1:
        tall = int(rng.uniform(0.1, 0.18) * height)
        y = height - tall - int(rng.uniform(0, 0.1) * height)
        seen[y : y + tall, 10 : width - 10] //= 3
        cv2.putText(seen, "a caption that runs here", (20, y + tall - 5), 0, 0.6, 255, 1)
    else:
        at = (int(rng.uniform(0, 0.4) * width), int(rng.uniform(0.3, 0.8) * height))
        cv2.putText(seen, "@somebody 1234", at, 0, 1.2, 255, 3)
    return seen


def _graded(grey: Grey, rng: Rng) -> Grey:
    tone = (grey / 255.0) ** float(rng.uniform(0.6, 1.6))
    tone = (tone - 0.5) * float(rng.uniform(0.7, 1.2)) + 0.5 + float(rng.uniform(-0.08, 0.08))
    return np.clip(tone * 255, 0, 255).astype(np.uint8)


def _moved(grey: Grey, rng: Rng, most: float = 0.03) -> Grey:
    """Cut or placed a little otherwise than was thought."""
    height, width = grey.shape
    a, b, c, d = rng.uniform(-most, most, 4)
    matrix = np.array([[1 + a, 0, b * width], [0, 1 + c, d * height]])
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(grey, matrix, (width, height), borderMode=border), np.uint8)


def _all_of_it(grey: Grey, rng: Rng) -> Grey:
    return _encoded(_drawn_over(_moved(_graded(grey, rng), rng, 0.015), rng), rng)


CHANGES: dict[str, Callable[[Grey, Rng], Grey]] = {
    "encoded": _encoded,
    "scaled": _scaled,
    "drawn over": _drawn_over,
    "graded": _graded,
    "moved": _moved,
    "all of it": _all_of_it,
}
"""Each takes a grey picture, uint8 [H, W], and a source of chance."""
