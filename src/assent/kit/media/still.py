"""Read a still picture that anybody may have made."""

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError

__all__ = ["LARGEST_FILE", "LONGEST_SIDE", "read_still", "still_type"]

LONGEST_SIDE = 8192
_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
LARGEST_FILE = 256 << 20
"""Bytes; a file beyond this is refused unread."""

# Of JPEG: frame headers, which tell the size, and markers without a length (ITU-T T.81, table B.1).
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_MOST_SEGMENTS = 10_000


def still_type(head: bytes) -> str | None:
    """Return the MIME type of a JPEG or PNG by its first bytes, or None."""
    return next((mime for magic, mime in _TYPES.items() if head.startswith(magic)), None)


def read_still(data: bytes, *, name: str) -> NDArray[np.uint8]:
    """Return the picture as RGB uint8 [H, W, 3]; raises `MediaError`."""
    if len(data) > LARGEST_FILE:
        raise MediaError(f"{name} is too large for a still", advice="Use a smaller picture.")
    # OpenCV decodes before it tells the size: a few bytes can claim a picture of gigabytes.
    if max(_claimed_size(data)) > LONGEST_SIDE:
        raise MediaError(
            f"{name} can't be read as a picture: a side has over {LONGEST_SIDE} pixels"
        )
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise MediaError(f"{name} can't be read as a picture") from error
    if bgr is None or max(bgr.shape[:2]) > LONGEST_SIDE:
        raise MediaError(f"{name} can't be read as a picture")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _claimed_size(data: bytes) -> tuple[int, int]:
    """Return width and height as the file's header tells them; zeros where it doesn't."""
    if data.startswith(b"\x89PNG"):
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    at = 2
    for _ in range(_MOST_SEGMENTS if data.startswith(b"\xff\xd8") else 0):
        if at + 9 > len(data) or data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        # Fill bytes, and markers without a body.
        alone = marker in _ALONE
        at += 1 if marker == 0xFF else 2 if alone else 2 + int.from_bytes(data[at + 2 : at + 4])
    return 0, 0
