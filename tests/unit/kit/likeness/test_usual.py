import numpy as np
import pytest
from footage import Footage
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats, normals
from assent.kit.likeness.hiding import unwrapped
from assent.kit.likeness.motion import sharpened
from assent.kit.likeness.portrait import Portrait
from assent.kit.likeness.usual import Usual, learn_usual


@pytest.fixture(scope="module")
def usual(portrait: Portrait) -> Usual:
    return Usual(portrait.layout, portrait.look)


@pytest.fixture(scope="module")
def seen(portrait: Portrait, scene: Footage) -> tuple[NDArray[np.uint8], Floats]:
    """Ada in another clip, and where her face's points face."""
    mover = portrait.performer
    mesh = mover.meshes(mover.follow(sharpened(scene.crops[5]), scene.meshes[5]))[0]
    return unwrapped(portrait.layout, scene.crops[5], mesh), normals(
        mesh, portrait.layout.triangles
    )


def test_her_own_face_is_usual(usual: Usual, seen: tuple[NDArray[np.uint8], Floats]) -> None:
    found = usual.difference(*seen)
    judged = found.ahead > 0.4
    assert 0.3 < np.median(np.abs(found.sizes[judged])) < 1.5
    assert np.abs(found.rest[judged]).mean() < 0.06


def test_light_makes_no_difference(usual: Usual, seen: tuple[NDArray[np.uint8], Floats]) -> None:
    texture, facing = seen
    across = np.linspace(1.0, 0.4, texture.shape[1])[None, :, None] * (1.0, 0.8, 0.6)
    bright, dim = (
        usual.difference(np.round(texture * light).astype(np.uint8), facing)
        for light in (1.0, across)
    )
    judged = bright.ahead > 0.4
    assert np.abs(bright.rest - dim.rest)[judged].mean() < 0.04


def test_what_covers_a_part_changes_nothing_elsewhere(
    usual: Usual, seen: tuple[NDArray[np.uint8], Floats]
) -> None:
    texture, facing = seen
    size = len(texture)
    half = texture.copy()
    half[size * 5 // 8 :] = (70, 110, 60)
    bare, hidden = (usual.difference(each, facing) for each in (texture, half))
    down = np.nonzero(usual.where)[0]
    judged = bare.ahead > 0.4
    above, below = judged & (down < size * 9 // 16), judged & (down > size * 11 // 16)
    assert np.abs(bare.rest - hidden.rest)[above].mean() < 0.08
    assert np.median(np.abs(hidden.sizes[below]).max(1)) > 4


def test_few_pictures_and_one_that_looks_away_are_no_trouble(
    portrait: Portrait, seen: tuple[NDArray[np.uint8], Floats]
) -> None:
    texture, facing = seen
    few = [np.roll(texture, shift, axis=1) for shift in range(8)]
    look = learn_usual(portrait.layout, few, [facing] * 8)
    assert 0 < len(look.ways) < 8
    assert np.isfinite(look.deviation).all()
    found = Usual(portrait.layout, look).difference(texture, -facing)
    assert np.isfinite(found.sizes).all()
