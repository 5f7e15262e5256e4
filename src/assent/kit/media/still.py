"""Read a still picture that anybody may have made."""

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError

__all__ = ["LONGEST_SIDE", "read_still", "still_type"]

LONGEST_SIDE = 8192
_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
# OpenCV decodes before it tells the size; a file beyond this is refused unread.
_LARGEST_FILE = 256 << 20


def still_type(head: bytes) -> str | None:
    """Return the MIME type of a JPEG or PNG by its first bytes, or None."""
    return next((mime for magic, mime in _TYPES.items() if head.startswith(magic)), None)


def read_still(data: bytes, *, name: str) -> NDArray[np.uint8]:
    """Return the picture as RGB uint8 [H, W, 3]; raises `MediaError`."""
    if len(data) > _LARGEST_FILE:
        raise MediaError(f"{name} is too large for a still", advice="Use a smaller picture.")
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise MediaError(f"{name} can't be read as a picture") from error
    if bgr is None or max(bgr.shape[:2]) > LONGEST_SIDE:
        raise MediaError(f"{name} can't be read as a picture")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
