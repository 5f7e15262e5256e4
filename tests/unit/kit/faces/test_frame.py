from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import Clips
from numpy.typing import NDArray

from assent.kit.faces.align import warp
from assent.kit.faces.frame import PictureFrame, RgbFrame, frame_of
from assent.kit.media.picture import Picture, to_rgb
from assent.kit.media.read import read_pictures

Shape = Callable[[Clips], Path]

SHAPES: dict[str, Shape] = {
    "plain": lambda clips: clips.plain(frames=1, width=320, height=240),
    "odd": lambda clips: clips.odd(),
    "ten_bit": lambda clips: clips.ten_bit(),
    "full_range": lambda clips: clips.full_range(),
    "four_four_four": lambda clips: clips.plain(frames=1, pix_fmt="yuv444p"),
    "four_two_two": lambda clips: clips.plain(frames=1, pix_fmt="yuv422p"),
}
# Frame pixels to crop pixels: much smaller, a little larger, turned and reaching out of the frame.
MATRICES = {
    "smaller": [[0.21, 0, 3], [0, 0.21, 4]],
    "larger": [[1.3, 0, -10], [0, 1.3, -5]],
    "turned": [[0.4, -0.3, 20], [0.3, 0.4, -9]],
}


@pytest.fixture(params=SHAPES)
def picture(request: pytest.FixtureRequest, clips: Clips) -> Picture:
    return next(read_pictures(SHAPES[request.param](clips), name="clip"))


def apart(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    assert one.shape == other.shape
    assert one.dtype == other.dtype == np.uint8
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_a_crop_of_planes_is_that_of_colours(picture: Picture, matrix: list[list[float]]) -> None:
    frame, colours = PictureFrame(picture), RgbFrame(to_rgb(picture))
    place = np.array(matrix)
    assert apart(frame.cut(place, 60), colours.cut(place, 60)) < 2.0


def test_whole_frames_in_other_sizes_are_alike(picture: Picture) -> None:
    frame, colours = PictureFrame(picture), RgbFrame(to_rgb(picture))
    assert (frame.width, frame.height) == (colours.width, colours.height)
    for size in ((40, 30), (frame.width, frame.height), (2 * frame.width, 2 * frame.height)):
        assert apart(frame.shrunk(*size), colours.shrunk(*size)) < 3.0
        # The two weigh colours differently; what matters is where it is lighter and darker.
        one, other = frame.grey(*size).astype(float), colours.grey(*size).astype(float)
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.97
        assert abs(one.mean() - other.mean()) < 12
    assert apart(frame.thumbnail(32, 18), colours.thumbnail(32, 18)) < 4.0


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
def test_colours_are_those_of_the_picture(bits: int, full_range: bool, matrix: str) -> None:
    rng = np.random.default_rng(1)
    kind = np.uint8 if bits == 8 else np.uint16
    y, u, v = rng.integers(0, 1 << bits, (3, 90, 120)).astype(kind)
    picture = Picture(pts=0, y=y, u=u, v=v, bits=bits, full_range=full_range, matrix=matrix)
    # Both round; a tie may go either way.
    assert apart(PictureFrame(picture).shrunk(120, 90), to_rgb(picture)) < 1e-3


@pytest.mark.parametrize("scale", [0.1, 0.25, 0.34, 0.5, 0.8, 1.0, 2.5])
def test_a_crop_neither_shifts_nor_flickers_at_any_size(scale: float) -> None:
    rng = np.random.default_rng(1)
    rough = rng.integers(0, 255, (12, 12, 3), np.uint8)
    rgb = np.asarray(cv2.resize(rough, (600, 600), interpolation=cv2.INTER_CUBIC), np.uint8)
    matrix = np.array([[scale, 0, -7.3], [0, scale, 4.6]])
    assert apart(RgbFrame(rgb).cut(matrix, 64), warp(rgb, matrix, 64)) < 2.5
    stripes = np.zeros((600, 600, 3), np.uint8)
    stripes[::2] = 255
    crop = RgbFrame(stripes).cut(matrix, 40)[8:].astype(float)
    if scale <= 0.5:
        assert np.abs(crop - 127.5).max() < 3


def test_a_crop_beyond_the_frame_goes_on_with_its_border() -> None:
    rgb = np.full((50, 80, 3), (10, 200, 90), np.uint8)
    for matrix in ([[0.2, 0, 300], [0, 0.2, 0]], [[1, 0, -500], [0, 1, -500]]):
        assert (RgbFrame(rgb).cut(np.array(matrix), 16) == (10, 200, 90)).all()


def test_a_frame_stays_itself_and_an_array_becomes_one() -> None:
    frame = RgbFrame(np.zeros((4, 6, 3), np.uint8))
    assert frame_of(frame) is frame
    made = frame_of(np.zeros((4, 6, 3), np.uint8))
    assert (made.width, made.height) == (6, 4)
