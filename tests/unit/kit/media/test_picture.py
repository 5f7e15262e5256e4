import av
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.media.picture import Picture, crop, luma8, paste_rgb, to_rgb, with_luma

MATRICES = {"bt601": 5, "bt709": 1, "bt2020": 9}  # swscale's numbers
KINDS = [
    (sub, bits, full, matrix)
    for sub in ((1, 1), (2, 1), (2, 2))
    for bits in (8, 10)
    for full in (False, True)
    for matrix in MATRICES
]


def random_picture(
    width: int = 37,
    height: int = 29,
    sub: tuple[int, int] = (2, 2),
    bits: int = 8,
    full: bool = False,
    matrix: str = "bt709",
) -> Picture:
    random = np.random.default_rng(5)
    kind = np.uint8 if bits == 8 else np.uint16
    chroma = (-(-height // sub[1]), -(-width // sub[0]))
    low, high = 30 << (bits - 8), 220 << (bits - 8)
    y, u, v = (
        random.integers(low, high, size=shape).astype(kind)
        for shape in ((height, width), chroma, chroma)
    )
    return Picture(pts=3, y=y, u=u, v=v, bits=bits, full_range=full, matrix=matrix)


def smooth_rgb(width: int, height: int) -> NDArray[np.uint8]:
    across = np.linspace(20, 230, width)[None, :]
    down = np.linspace(230, 20, height)[:, None]
    planes = np.broadcast_arrays(across, down, (across + down) / 2)
    return np.stack(planes, axis=-1).round().astype(np.uint8)


def by_swscale(rgb: NDArray[np.uint8], kind: tuple[tuple[int, int], int, bool, str]) -> Picture:
    sub, bits, full, matrix = kind
    layout = {(1, 1): "444", (2, 1): "422", (2, 2): "420"}[sub]
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format=f"yuv{layout}p" + ("10le" if bits == 10 else ""),
        dst_colorspace=MATRICES[matrix],
        dst_color_range=2 if full else 1,
    )
    kind_of = np.dtype(np.uint8 if bits == 8 else np.uint16)
    planes = []
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), kind_of)
        rows = rows.reshape(-1, plane.line_size // kind_of.itemsize)
        planes.append(rows[: plane.height, : plane.width].copy())
    y, u, v = planes
    return Picture(pts=0, y=y, u=u, v=v, bits=bits, full_range=full, matrix=matrix)


@pytest.mark.parametrize("kind", KINDS)
def test_colours_agree_with_swscale(kind: tuple[tuple[int, int], int, bool, str]) -> None:
    rgb = smooth_rgb(64, 48)
    theirs = by_swscale(rgb, kind)
    got = to_rgb(theirs).astype(int)
    # Samples of 8 bits can't hold every colour, and swscale rounds full range half a step low.
    subsampled = kind[0] != (1, 1)
    assert np.abs(got - rgb).mean() < (1.6 if subsampled else 0.9)
    assert np.abs(got - rgb)[2:-2, 2:-2].max() <= (4 if subsampled else 2)
    blank = Picture(
        pts=0,
        y=np.zeros_like(theirs.y),
        u=np.zeros_like(theirs.u),
        v=np.zeros_like(theirs.v),
        bits=theirs.bits,
        full_range=theirs.full_range,
        matrix=theirs.matrix,
    )
    ours = paste_rgb(blank, rgb, np.ones((48, 64), np.float32), 0, 0)
    scale = 1 << (theirs.bits - 8)
    assert np.abs(ours.y.astype(int) - theirs.y).max() <= scale
    for mine, other in ((ours.u, theirs.u), (ours.v, theirs.v)):
        assert np.abs(mine.astype(int) - other).max() <= 2 * scale


def test_swscale_reads_the_same_rgb_from_444() -> None:
    picture = random_picture(sub=(1, 1), matrix="bt709")
    frame = av.VideoFrame(picture.width, picture.height, "yuv444p")
    for plane, samples in zip(frame.planes, (picture.y, picture.u, picture.v), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        rows[: picture.height, : picture.width] = samples
    theirs = frame.reformat(format="rgb24", src_colorspace=1, src_color_range=1).to_ndarray()
    assert np.abs(to_rgb(picture).astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_box_is_a_part_of_the_whole(kind: tuple[tuple[int, int], int, bool, str]) -> None:
    picture = random_picture(37, 29, *kind)
    whole = to_rgb(picture)
    for box in ((0, 0, 37, 29), (5, 3, 20, 18), (4, 2, 5, 3), (36, 28, 37, 29), (1, 0, 36, 29)):
        x0, y0, x1, y1 = box
        assert np.array_equal(to_rgb(picture, box), whole[y0:y1, x0:x1])


@pytest.mark.parametrize("box", [(0, 0, 38, 1), (-1, 0, 2, 2), (3, 3, 3, 5), (0, 20, 4, 30)])
def test_a_box_outside_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="not inside"):
        to_rgb(random_picture(), box)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [(0, 0), (5, 3), (4, 2), (30, 22), (-3, -5)])
def test_only_the_region_changes(
    kind: tuple[tuple[int, int], int, bool, str], place: tuple[int, int]
) -> None:
    picture = random_picture(37, 29, *kind)
    x, y = place
    patch = np.full((11, 13, 3), 250, np.uint8)
    got = paste_rgb(picture, patch, np.full((11, 13), 0.5, np.float32), x, y)
    inside = np.zeros((29, 37), bool)
    inside[max(y, 0) : y + 11, max(x, 0) : x + 13] = True
    assert np.array_equal(got.y[~inside], picture.y[~inside])
    assert not np.array_equal(got.y, picture.y)
    # A chroma sample may change when a pixel that it is made from did: one to its left or
    # right, and below it.
    sx, sy = picture.subsampling
    touched = np.zeros((picture.u.shape[0], picture.u.shape[1]), bool)
    for row, column in np.argwhere(inside).tolist():
        columns = {column} if sx == 1 else {column // 2, (column + 1) // 2}
        for reached in columns:
            if reached < touched.shape[1]:
                touched[row // sy, reached] = True
    for mine, old in ((got.u, picture.u), (got.v, picture.v)):
        assert np.array_equal(mine[~touched], old[~touched])
    assert (got.pts, got.bits, got.full_range) == (picture.pts, picture.bits, picture.full_range)


@pytest.mark.parametrize("kind", KINDS)
def test_zero_alpha_changes_nothing(kind: tuple[tuple[int, int], int, bool, str]) -> None:
    picture = random_picture(37, 29, *kind)
    patch = np.random.default_rng(1).integers(0, 256, (9, 9, 3)).astype(np.uint8)
    got = paste_rgb(picture, patch, np.zeros((9, 9), np.float32), 7, 7)
    for mine, old in ((got.y, picture.y), (got.u, picture.u), (got.v, picture.v)):
        assert np.array_equal(mine, old)


def test_what_a_patch_holds_where_alpha_is_zero_never_shows() -> None:
    picture = random_picture(40, 40)
    alpha = np.zeros((16, 16), np.float32)
    alpha[:, :7] = 1
    red, blue = np.zeros((2, 16, 16, 3), np.uint8)
    red[:, :7], blue[:, :7] = (90, 200, 90), (90, 200, 90)
    red[:, 7:, 0], blue[:, 7:, 2] = 255, 255
    first, second = (paste_rgb(picture, patch, alpha, 9, 9) for patch in (red, blue))
    assert np.array_equal(first.y, second.y)
    assert np.array_equal(first.u, second.u)
    assert np.array_equal(first.v, second.v)


@pytest.mark.parametrize("place", [(0, 0), (3, 5), (13, 7)])
def test_a_flat_patch_comes_back(place: tuple[int, int]) -> None:
    x, y = place
    patch = np.full((12, 12, 3), (200, 60, 120), np.uint8)
    got = paste_rgb(random_picture(37, 29), patch, np.ones((12, 12), np.float32), x, y)
    middle = to_rgb(got, (x + 3, y + 3, x + 9, y + 9)).astype(int)
    assert np.abs(middle - (200, 60, 120)).max() <= 2


def test_float_patches_keep_ten_bits() -> None:
    picture = random_picture(bits=10)
    ramp = np.linspace(100, 101, 32, dtype=np.float32)
    patch = np.repeat(np.tile(ramp, (8, 1))[..., None], 3, axis=2)
    got = paste_rgb(picture, patch, np.ones((8, 32), np.float32), 0, 0)
    assert len(np.unique(got.y[0, :32])) >= 4


def test_a_patch_beside_the_picture_is_ignored() -> None:
    picture = random_picture()
    patch, alpha = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.float32)
    assert paste_rgb(picture, patch, alpha, 37, 0) is picture
    assert paste_rgb(picture, patch, alpha, 0, -4) is picture


def test_alpha_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha"):
        paste_rgb(
            random_picture(), np.zeros((4, 4, 3), np.uint8), np.ones((4, 5), np.float32), 0, 0
        )


def test_luma_of_ten_bits_survives_a_trip_through_eight() -> None:
    picture = random_picture(bits=10)
    assert luma8(picture).dtype == np.uint8
    assert np.array_equal(with_luma(picture, luma8(picture)).y, picture.y)
    raised = with_luma(picture, luma8(picture) + np.uint8(3)).y.astype(int)
    assert np.array_equal(raised, picture.y.astype(int) + 12)


def test_luma_stays_within_its_bits() -> None:
    picture = random_picture(bits=10)
    assert with_luma(picture, np.full(picture.y.shape, 255, np.uint8)).y.max() <= 1023
    top = with_luma(picture, np.full(picture.y.shape, 1023, np.uint16))
    assert luma8(top).min() == 255


def test_luma_of_eight_bits_is_the_plane_itself() -> None:
    picture = random_picture()
    assert luma8(picture) is picture.y
    assert with_luma(picture, picture.y + np.uint8(1)).y[0, 0] == picture.y[0, 0] + 1


def test_luma_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="luma"):
        with_luma(random_picture(), np.zeros((3, 3), np.uint8))


@pytest.mark.parametrize(
    "changes",
    [
        {"matrix": "ycgco"},
        {"bits": 12},
        {"bits": 10},
        {"u": np.zeros((3, 3), np.uint8)},
        {"v": np.zeros((29, 19), np.uint8)},
    ],
)
def test_planes_that_do_not_fit_are_refused(changes: dict[str, object]) -> None:
    picture = random_picture()
    fields: dict[str, object] = {
        "y": picture.y,
        "u": picture.u,
        "v": picture.v,
        "bits": 8,
        "matrix": "bt709",
    }
    with pytest.raises(ValueError, match=r"matrix|bits|planes"):
        Picture(pts=0, full_range=False, **(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("sub", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("at", [(9, 7), (-5, -4), (27, 20)])
def test_what_is_pasted_into_a_part_is_what_is_pasted_into_the_whole(
    sub: tuple[int, int], at: tuple[int, int]
) -> None:
    picture, (x, y) = random_picture(sub=sub), at
    random = np.random.default_rng(1)
    rgb = random.integers(0, 256, (11, 13, 3), np.uint8)
    alpha = random.random((11, 13), np.float32)
    found = crop(picture, (x - 3, y - 3, x + 13 + 3, y + 11 + 3))
    assert found is not None
    part, (left, top) = found
    assert (left % 2, top % 2) == (0, 0)
    assert np.shares_memory(part.y, picture.y)
    whole = paste_rgb(picture, rgb, alpha, x, y)
    pasted = paste_rgb(part, rgb, alpha, x - left, y - top)
    again = crop(whole, (left, top, left + part.width, top + part.height))
    assert again is not None
    for one, other in zip(
        (again[0].y, again[0].u, again[0].v), (pasted.y, pasted.u, pasted.v), strict=True
    ):
        assert np.array_equal(one, other)


def test_there_is_no_part_beyond_the_edge() -> None:
    assert crop(random_picture(), (40, 0, 60, 10)) is None
    assert crop(random_picture(), (-9, 0, 0, 10)) is None
