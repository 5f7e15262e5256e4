import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.imaging.label import Corner, Label, burn, draw_label, label_present, simulate_crops
from assent.kit.media.picture import Picture

SIZES = [(384, 384), (1920, 1080), (1080, 1920), (1280, 720), (720, 576), (333, 501), (2560, 1080)]
KINDS = ["modified", "generated"]
CASES = list(product(SIZES, KINDS))


def noise(
    width: int,
    height: int,
    *,
    bits: int = 8,
    full_range: bool = False,
    subsampling: tuple[int, int] = (2, 2),
    seed: int = 0,
) -> Picture:
    rng = np.random.default_rng(seed)
    kind = np.uint8 if bits == 8 else np.uint16
    sx, sy = subsampling

    def plane(rows: int, columns: int) -> NDArray[Any]:
        return rng.integers(0, 1 << bits, (rows, columns), dtype=kind)

    small = (-(-height // sy), -(-width // sx))
    return Picture(
        pts=3,
        y=plane(height, width),
        u=plane(*small),
        v=plane(*small),
        bits=bits,
        full_range=full_range,
        matrix="bt709",
    )


def grey(luma: NDArray[Any]) -> Picture:
    height, width = luma.shape
    chroma = np.full((-(-height // 2), -(-width // 2)), 128, np.uint8)
    return Picture(pts=0, y=luma, u=chroma, v=chroma, bits=8, full_range=False, matrix="bt709")


def covered(label: Label) -> tuple[int, int, int, int]:
    """Return the box of pixels that the label changes."""
    rows, columns = np.nonzero(label.alpha)
    return (
        label.x + int(columns.min()),
        label.y + int(rows.min()),
        label.x + int(columns.max()) + 1,
        label.y + int(rows.max()) + 1,
    )


@pytest.mark.parametrize(("size", "kind"), CASES)
def test_every_crop_leaves_the_whole_label(size: tuple[int, int], kind: str) -> None:
    x0, y0, x1, y1 = covered(draw_label(*size, kind=kind))
    for left, top, right, bottom in simulate_crops(*size).values():
        assert left < x0 < x1 < right
        assert top < y0 < y1 < bottom


@pytest.mark.parametrize(("size", "kind"), CASES)
def test_it_sits_at_the_top_right_of_what_the_crops_leave(size: tuple[int, int], kind: str) -> None:
    crops = simulate_crops(*size).values()
    x0, y0, x1, _ = covered(draw_label(*size, kind=kind))
    left, top = max(crop[0] for crop in crops), max(crop[1] for crop in crops)
    right = min(crop[2] for crop in crops)
    margin = 0.03 * min(size)
    assert right - x1 <= margin
    assert y0 - top <= margin
    assert x0 - left >= right - x1 - 2


PLACED = list(product([*SIZES, (160, 120), (256, 256)], KINDS, Corner))


@pytest.mark.parametrize(("size", "kind", "corner"), PLACED)
def test_every_corner_is_as_safe_and_the_label_as_large(
    size: tuple[int, int], kind: str, corner: Corner
) -> None:
    label, usual = draw_label(*size, kind=kind, corner=corner), draw_label(*size, kind=kind)
    x0, y0, x1, y1 = covered(label)
    for left, top, right, bottom in simulate_crops(*size).values():
        assert left < x0 < x1 < right
        assert top < y0 < y1 < bottom
        # What players lay over the foot of a crop that fills their screen.
        assert y1 <= bottom - 0.1 * (bottom - top) or (bottom - top) > (size[0] + 1)
    assert label.text == usual.text
    assert [n % 2 for n in (label.x, label.y, *label.alpha.shape)] == [0, 0, 0, 0]
    assert label.alpha.sum() == pytest.approx(usual.alpha.sum(), rel=0.01)
    a, b, c, d = covered(usual)
    assert abs((x1 - x0) - (c - a)) <= 2
    assert abs((y1 - y0) - (d - b)) <= 2
    assert (y0 == b) == corner.at_top
    assert x0 >= a - 1 if corner.at_right else x0 <= a


@given(st.integers(90, 1200), st.integers(90, 1200), st.sampled_from(KINDS))
@settings(max_examples=40, deadline=None)
def test_what_fits_one_corner_fits_all(width: int, height: int, kind: str) -> None:
    def fits(corner: Corner) -> bool:
        try:
            label = draw_label(width, height, kind=kind, corner=corner)
        except MediaError:
            return False
        high, wide = label.alpha.shape
        assert label.x >= 0
        assert label.y >= 0
        assert label.x + wide <= width + 1
        assert label.y + high <= height + 1
        return True

    assert len({fits(corner) for corner in Corner}) == 1


@pytest.mark.parametrize(("size", "kind"), CASES)
def test_letters_are_large_enough(size: tuple[int, int], kind: str) -> None:
    label = draw_label(*size, kind=kind)
    rows = np.flatnonzero(((label.luma > 0.5) & (label.alpha > 0.9)).any(axis=1))
    first_line = rows[: np.flatnonzero(np.diff(rows, append=10**6) > 1)[0] + 1]
    assert len(first_line) >= 0.05 * min(size) - 1
    assert draw_label(1000, 1000).alpha.shape[0] > 2 * 50


@pytest.mark.parametrize(("size", "kind"), CASES)
def test_positions_are_even_and_values_in_range(size: tuple[int, int], kind: str) -> None:
    label = draw_label(*size, kind=kind)
    assert [n % 2 for n in (label.x, label.y, *label.alpha.shape)] == [0, 0, 0, 0]
    assert label.luma.shape == label.alpha.shape
    assert {label.luma.dtype, label.alpha.dtype} == {np.dtype(np.float32)}
    for plane in (label.luma, label.alpha):
        assert plane.min() >= 0
        assert plane.max() == pytest.approx(1)


def test_words_break_where_the_crops_leave_too_little() -> None:
    wide, narrow = draw_label(720, 720, kind="generated"), draw_label(720, 720)
    assert wide.alpha.shape[0] > 1.5 * narrow.alpha.shape[0]
    assert (wide.text, narrow.text) == ("AI + GENERATED", "AI + MODIFIED")


def test_small_pictures_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(MediaError, match="96x64"):
        draw_label(96, 64)
    assert draw_label(160, 120).text == "AI + MODIFIED"
    with pytest.raises(ValueError, match="invented"):
        draw_label(384, 384, kind="invented")


def test_crops_are_centred_and_keep_their_shape() -> None:
    assert simulate_crops(1920, 1080) == {
        "1:1": (420, 0, 1500, 1080),
        "4:5": (528, 0, 1392, 1080),
        "9:16": (657, 0, 1263, 1080),
    }
    assert simulate_crops(1080, 1920)["1:1"] == (0, 420, 1080, 1500)


FORMATS = list(product([8, 10], [False, True], [(1, 1), (2, 1), (2, 2)]))


@pytest.mark.parametrize(("bits", "full_range", "subsampling"), FORMATS)
@pytest.mark.parametrize("size", [(320, 240), (321, 241)])
def test_only_the_label_changes(
    size: tuple[int, int], bits: int, full_range: bool, subsampling: tuple[int, int]
) -> None:
    before = noise(*size, bits=bits, full_range=full_range, subsampling=subsampling)
    kept = [plane.copy() for plane in (before.y, before.u, before.v)]
    label = draw_label(*size)
    after = burn(before, label)
    sx, sy = subsampling
    boxes = [covered(label)] + 2 * [chroma_box(covered(label), sx, sy)]
    planes = zip(kept, (after.y, after.u, after.v), boxes, strict=True)
    for old, new, (x0, y0, x1, y1) in planes:
        outside = np.ones(old.shape, bool)
        outside[y0:y1, x0:x1] = False
        assert (old[outside] == new[outside]).all()
        assert (old != new).any()
        assert old.dtype == new.dtype
    assert (before.y == kept[0]).all(), "the picture given is not changed"
    assert (after.pts, after.bits, after.full_range) == (3, bits, full_range)


def chroma_box(box: tuple[int, int, int, int], sx: int, sy: int) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = box
    return x0 // sx, y0 // sy, -(-x1 // sx), -(-y1 // sy)


@pytest.mark.parametrize(
    ("bits", "full_range", "black", "white"),
    [(8, False, 16, 235), (8, True, 0, 255), (10, False, 64, 940), (10, True, 0, 1023)],
)
def test_letters_are_white_and_the_pill_is_dark(
    bits: int, full_range: bool, black: int, white: int
) -> None:
    label = draw_label(320, 320)
    blank = noise(320, 320, bits=bits, full_range=full_range)
    bright = replace(blank, y=np.full_like(blank.y, white))
    burnt = burn(bright, label)
    y, x = label.alpha.shape
    region = burnt.y[label.y : label.y + y, label.x : label.x + x]
    assert region.max() == white
    pill = round(black + (white - black) * 0.32)
    assert abs(int(np.median(region)) - pill) <= 1
    letters = label.luma * (label.alpha == 1) == 1
    assert (region[letters] == white).all()
    neutral = 1 << (bits - 1)
    sy, sx = label.y // 2, label.x // 2
    under = burnt.u[sy : sy + y // 2, sx : sx + x // 2].astype(int) - neutral
    before = blank.u[sy : sy + y // 2, sx : sx + x // 2].astype(int) - neutral
    assert np.abs(under).mean() < 0.45 * np.abs(before).mean()


def test_a_label_for_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="320x240"):
        burn(noise(320, 240), draw_label(640, 480))


def encode(pictures: list[NDArray[np.uint8]], crf: int) -> Iterator[NDArray[np.uint8]]:
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": str(crf)})
        stream.height, stream.width = pictures[0].shape
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray8")))
        container.mux(stream.encode(None))
    sink.seek(0)
    with av.open(sink, "r") as decoded:
        for frame in decoded.decode(video=0):
            plane = np.frombuffer(bytes(frame.planes[0]), np.uint8)
            yield plane.reshape(frame.height, -1)[:, : frame.width]


def halve(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    half: NDArray[np.uint8] = np.asarray(
        cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    )
    return half


BACKGROUNDS = {
    "white": np.full((384, 640), 235, np.uint8),
    "black": np.full((384, 640), 16, np.uint8),
    "noise": np.random.default_rng(4).integers(16, 236, (384, 640), dtype=np.uint8),
    "bars": (np.indices((384, 640))[1] // 20 % 2 * 219 + 16).astype(np.uint8),
}


@pytest.mark.parametrize("background", sorted(BACKGROUNDS))
@pytest.mark.parametrize("kind", KINDS)
def test_the_label_is_found_after_compression_and_scaling(background: str, kind: str) -> None:
    plain = BACKGROUNDS[background]
    label, half = draw_label(640, 384, kind=kind), draw_label(320, 192, kind=kind)
    burnt = burn(grey(plain), label).y
    for seen in encode([burnt] * 2, crf=30):
        assert label_present(grey(seen), label) > 0.8
    for seen in encode([halve(burnt)] * 2, crf=30):
        assert label_present(grey(seen), half) > 0.8
    for seen in encode([plain] * 2, crf=30):
        assert label_present(grey(seen), label) < 0.1


def test_other_words_and_faint_labels_do_not_pass() -> None:
    plain = grey(BACKGROUNDS["noise"] // 2 + 60)
    label = draw_label(640, 384)
    other = burn(plain, draw_label(640, 384, kind="generated"))
    assert label_present(other, label) < 0.4
    ghost = replace(label, alpha=label.alpha * np.float32(0.2))
    assert label_present(burn(plain, ghost), label) < 0.2


def test_a_label_moved_by_a_pixel_or_two_is_found() -> None:
    label = draw_label(640, 384)
    burnt = burn(grey(BACKGROUNDS["bars"]), label)
    moved = replace(burnt, y=np.roll(burnt.y, (2, -1), axis=(0, 1)))
    assert label_present(moved, label) > 0.8
    far = replace(burnt, y=np.roll(burnt.y, (0, 12), axis=(0, 1)))
    assert label_present(far, label) < 0.6


def test_a_picture_that_the_label_does_not_fit_holds_none() -> None:
    assert label_present(noise(320, 240), draw_label(1280, 720)) == 0.0


@pytest.mark.parametrize(("bits", "full_range"), [(8, True), (10, False), (10, True)])
def test_presence_is_the_same_in_every_format(bits: int, full_range: bool) -> None:
    label = draw_label(320, 240)
    picture = noise(320, 240, bits=bits, full_range=full_range)
    assert label_present(burn(picture, label), label) > 0.85
    assert label_present(picture, label) < 0.2
