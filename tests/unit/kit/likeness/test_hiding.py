import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.likeness.geometry import normals
from assent.kit.likeness.hiding import Hiding
from assent.kit.likeness.light import GAMMA, shade_of
from assent.kit.likeness.portrait import Portrait

Picture = NDArray[np.uint8]


@pytest.fixture
def hiding(portrait: Portrait) -> Hiding:
    return Hiding(portrait.layout, portrait.skin)


@pytest.fixture
def facing(portrait: Portrait) -> NDArray[np.float64]:
    return normals(portrait.performer.shape, portrait.layout.triangles)


@pytest.fixture
def shade(portrait: Portrait, facing: NDArray[np.float64]) -> NDArray[np.float64]:
    return shade_of(facing, portrait.skin.usual)


@pytest.fixture
def bare(portrait: Portrait, shade: NDArray[np.float64]) -> Picture:
    """The skin as it should look, with a sensor's noise."""
    wanted = (portrait.skin.colour * shade).astype(np.float32) ** np.float32(1 / GAMMA)
    noise = np.random.default_rng(3).normal(0, 4, (portrait.layout.half.size,) * 2 + (3,))
    return np.clip(portrait.layout.half.spread(wanted) * 255 + noise, 0, 255).astype(np.uint8)


def test_nothing_hides_a_bare_face(
    hiding: Hiding, bare: Picture, shade: NDArray[np.float64], facing: NDArray[np.float64]
) -> None:
    assert hiding.covering(bare, shade, facing) is None


@pytest.mark.parametrize("colour", [(90, 120, 60), (40, 40, 44), (70, 90, 160), (250, 250, 250)])
def test_a_box_covers_as_much_as_it_does(
    hiding: Hiding,
    bare: Picture,
    shade: NDArray[np.float64],
    facing: NDArray[np.float64],
    colour: tuple[int, int, int],
) -> None:
    bare[:, 30:46] = colour
    covering = hiding.covering(bare, shade, facing)
    assert covering is not None
    inner = hiding.layout.half.mask
    half = covering[::2, ::2]
    assert half[:, 33:43][inner[:, 33:43]].mean() > 0.95
    assert half[:, 50:][inner[:, 50:]].mean() < 0.02
    edge = np.abs(np.diff((covering > 0.5).astype(int), axis=1))
    places = np.nonzero(edge[60:150])[1]
    assert np.abs(np.median(places[places > 76]) - 2 * 46) <= 3


def test_light_that_fades_hides_nothing(
    hiding: Hiding, bare: Picture, shade: NDArray[np.float64], facing: NDArray[np.float64]
) -> None:
    fall = np.linspace(1.0, 0.55, bare.shape[1])[None, :, None]
    assert hiding.covering((bare * fall).astype(np.uint8), shade, facing) is None


def test_specks_hide_nothing(
    hiding: Hiding, bare: Picture, shade: NDArray[np.float64], facing: NDArray[np.float64]
) -> None:
    bare[40:41, 30:60] = 60
    bare[60:62, 60:62] = 255
    assert hiding.covering(bare, shade, facing) is None


def test_a_face_that_looks_away_cannot_be_judged(
    hiding: Hiding, bare: Picture, shade: NDArray[np.float64], facing: NDArray[np.float64]
) -> None:
    assert hiding.covering(bare, shade, -facing) is None


def test_a_crop_is_unwrapped_into_half_the_layout(portrait: Portrait, hiding: Hiding) -> None:
    size = portrait.layout.size
    mesh = np.column_stack([portrait.layout.points, np.zeros(478)])
    crop = np.zeros((size, size, 3), np.uint8)
    crop[..., 0] = np.arange(size)
    texture = hiding.unwrapped(crop, mesh)
    rows, columns = np.nonzero(portrait.layout.half.mask)
    assert np.abs(texture[rows, columns, 0] - 2.0 * columns).mean() < 1.5
