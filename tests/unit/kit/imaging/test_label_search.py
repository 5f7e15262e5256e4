from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.imaging.label import Corner, burn, draw_label
from assent.kit.imaging.label_search import find_label, label_at_home
from assent.kit.media.convert import from_rgb
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures

Frame = NDArray[np.uint8]


@pytest.fixture(scope="module")
def plain(samples: Path) -> Picture:
    return next(iter(read_pictures(samples / "scene1_ada.mp4", name="scene")))


@pytest.fixture(scope="module")
def labelled(plain: Picture) -> Picture:
    return burn(plain, draw_label(plain.width, plain.height))


def handled(picture: Picture, change: str) -> Picture:
    """Return the picture as somebody's tool leaves it, as a JPEG of low quality."""
    luma = picture.y
    side = luma.shape[0]
    made = {
        "same": luma,
        "half": cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        "double": cv2.resize(luma, None, fx=2, fy=2),
        "square": luma[:, side // 8 : -side // 8],
        "tall": luma[:, int(side * 0.22) : int(side * 0.78)],
        "framed": cv2.copyMakeBorder(luma, 0, side, side // 2, side // 2, cv2.BORDER_CONSTANT),
        "dark": (luma // 2).astype(np.uint8),
    }[change]
    pressed = cv2.imdecode(
        cv2.imencode(".jpg", np.ascontiguousarray(made), [cv2.IMWRITE_JPEG_QUALITY, 30])[1],
        cv2.IMREAD_GRAYSCALE,
    )
    assert pressed is not None
    return from_rgb(np.ascontiguousarray(np.repeat(pressed[..., None], 3, axis=2)))


HANDLINGS = ["same", "half", "double", "square", "tall", "framed", "dark"]


def test_the_label_is_seen_where_it_was_drawn(labelled: Picture, plain: Picture) -> None:
    found = label_at_home(labelled)
    assert found is not None
    assert (found.seen, found.at_home) == (True, True)
    assert found.score > 0.9
    without = label_at_home(plain)
    assert without is not None
    assert not without.seen


@pytest.mark.parametrize("corner", Corner)
def test_it_is_at_home_in_every_corner(plain: Picture, corner: Corner) -> None:
    label = draw_label(plain.width, plain.height, corner=corner)
    found = label_at_home(burn(plain, label))
    assert found is not None
    assert (found.seen, found.at_home, found.box[:2]) == (True, True, (label.x, label.y))
    # Half way between two corners is no place for it.
    elsewhere = replace(label, y=plain.height // 2)
    assert not (label_at_home(burn(plain, elsewhere)) or found).seen


@pytest.mark.parametrize("name", ["scene1_ada", "two_people", "no_face", "ben_train"])
def test_no_corner_of_a_film_without_one_looks_like_it(samples: Path, name: str) -> None:
    pictures = list(read_pictures(samples / f"{name}.mp4", name=name))[::12]
    found = [label_at_home(picture) for picture in pictures]
    assert max(each.score for each in found if each is not None) < 0.4


@pytest.mark.parametrize("change", HANDLINGS)
def test_the_label_is_found_in_a_changed_copy(labelled: Picture, change: str) -> None:
    copy = handled(labelled, change)
    found = find_label(copy)
    assert found is not None
    assert found.seen, found
    again = find_label(copy, like=found)
    assert again == found


@pytest.mark.parametrize("change", HANDLINGS)
def test_none_is_found_where_none_is(plain: Picture, change: str) -> None:
    found = find_label(handled(plain, change))
    assert found is not None
    assert not found.seen
    assert found.score < 0.5


def test_a_covered_label_is_not_seen(labelled: Picture) -> None:
    label = draw_label(labelled.width, labelled.height)
    luma = labelled.y.copy()
    height, width = label.alpha.shape
    luma[label.y : label.y + height, label.x : label.x + width] = 90
    covered = replace(labelled, y=luma)
    found, home = find_label(covered), label_at_home(covered)
    assert found is not None
    assert home is not None
    assert not found.seen
    assert not home.seen


@pytest.mark.parametrize("shape", [(16, 16), (64, 3000), (2, 2), (100, 90)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_and_tiny_pictures_hold_none(shape: tuple[int, int], value: int) -> None:
    flat = from_rgb(np.full((*shape, 3), value, np.uint8))
    found = find_label(flat)
    assert found is None or not found.seen
    home = label_at_home(flat)
    assert home is None or not home.seen


def test_noise_holds_none() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (360, 640, 3), np.uint8)
    found = find_label(from_rgb(noise))
    assert found is not None
    assert not found.seen
