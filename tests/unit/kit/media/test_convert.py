import numpy as np
import pytest

from assent.kit.media.convert import fit_shortest_side, from_rgb, scale
from assent.kit.media.picture import Picture, to_rgb


def flat(width: int, height: int, sampling: tuple[int, int], bits: int = 8) -> Picture:
    kind = np.uint8 if bits == 8 else np.uint16
    chroma = (-(-height // sampling[1]), -(-width // sampling[0]))
    return Picture(
        pts=3, y=np.full((height, width), 100, kind), u=np.full(chroma, 90, kind),
        v=np.full(chroma, 140, kind), bits=bits, full_range=False, matrix="bt709",
    )  # fmt: skip


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("sampling", [(1, 1), (2, 1), (2, 2)])
def test_each_plane_is_scaled(sampling: tuple[int, int], bits: int) -> None:
    small = scale(flat(64, 48, sampling, bits), 32, 24)
    assert (small.width, small.height, small.subsampling) == (32, 24, sampling)
    assert (small.pts, small.bits, small.y.dtype.itemsize) == (3, bits, 1 if bits == 8 else 2)
    assert {int(small.y.min()), int(small.y.max())} == {100}
    assert {int(small.u.min()), int(small.v.max())} == {90, 140}


def test_what_fits_is_not_touched() -> None:
    picture = flat(64, 48, (2, 2))
    assert scale(picture, 64, 48) is picture


@pytest.mark.parametrize(
    ("size", "most", "fitted"),
    [
        ((3840, 2160), 1080, (1920, 1080)),
        ((2160, 3840), 1080, (1080, 1920)),
        ((1920, 1080), 1080, (1920, 1080)),
        ((100, 75), 1080, (100, 75)),
        ((1001, 667), 333, (498, 332)),
    ],
)
def test_the_shortest_side_is_capped(
    size: tuple[int, int], most: int, fitted: tuple[int, int]
) -> None:
    assert fit_shortest_side(*size, most) == fitted
    assert min(fitted) <= most


def test_capped_sizes_are_even_and_never_above_the_cap() -> None:
    for most in range(128, 300, 7):
        for width, height in ((333, 1001), (640, 480), (1919, 1081)):
            fitted = fit_shortest_side(width, height, most)
            assert min(fitted) <= most
            assert fitted == (width, height) or not any(side % 2 for side in fitted)


def test_an_rgb_still_keeps_its_colours() -> None:
    rgb = np.random.default_rng(1).integers(0, 255, (18, 26, 3), np.uint8)
    picture = from_rgb(rgb)
    assert (picture.subsampling, picture.full_range, picture.bits) == ((1, 1), True, 8)
    assert np.abs(to_rgb(picture).astype(int) - rgb).max() <= 3
