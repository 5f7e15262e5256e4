import json
from hashlib import shake_256
from pathlib import Path

import numpy as np
import pytest

from assent.kit.errors import MediaError
from assent.kit.fingerprint.frame import DIGITS, frame_signature

# Made by make_vectors.py with ffmpeg's own signature filter.
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["frames"]


@pytest.mark.parametrize("size", sorted(VECTORS))
def test_digits_are_those_of_another_implementation(size: str) -> None:
    width, height = map(int, size.split("x"))
    noise = shake_256(size.encode()).digest(width * height)
    luma = np.frombuffer(noise, np.uint8).reshape(height, width)
    assert "".join(map(str, frame_signature(luma))) == VECTORS[size]


def test_an_even_picture_is_about_the_same_everywhere() -> None:
    signature = frame_signature(np.full((50, 70), 99, np.uint8))
    assert signature.shape == (DIGITS,)
    assert (signature == 1).all()


def test_size_and_brightness_hardly_matter() -> None:
    ramp = np.linspace(0, 200, 64)[None] + np.linspace(0, 50, 64)[:, None]
    small = frame_signature(ramp.astype(np.uint8))
    large = frame_signature(np.kron(ramp, np.ones((3, 2))).astype(np.uint8))
    assert (small == large).all()
    # The first 32 digits compare with mid-grey, the others regions with each other.
    brighter = frame_signature((ramp + 5).astype(np.uint8))
    assert (small[32:] == brighter[32:]).all()


def test_the_largest_picture_does_not_overflow() -> None:
    # 8191 is odd, so its cells are of 255 and 256 pixels: the largest common unit of all sizes.
    luma = np.zeros((8191, 8191), np.uint8)
    luma[:, 4096:] = 255
    luma[:4000, 4096:] = 254
    luma[:4000, :4096] = 1
    signature = frame_signature(luma)
    # The means of nine squares: dark on the left, bright on the right, the middle undecided.
    columns = signature[20:29].reshape(3, 3)
    assert (columns[:, 0] == 0).all()
    assert (columns[:, 2] == 2).all()


@pytest.mark.parametrize("shape", [(31, 64), (64, 31), (8193, 32), (32, 8193)])
def test_sides_out_of_range_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(MediaError, match=f"{shape[1]}x{shape[0]}"):
        frame_signature(np.zeros(shape, np.uint8))
