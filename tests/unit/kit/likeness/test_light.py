import numpy as np
import pytest

from assent.kit.likeness.geometry import Floats, normals
from assent.kit.likeness.light import (
    Albedo,
    colours,
    learn_albedo,
    light_on,
    relit,
    shade_of,
    shading,
)
from assent.kit.likeness.portrait import Portrait, Sitter


@pytest.fixture
def facing(portrait: Portrait) -> Floats:
    return normals(portrait.performer.shape, portrait.layout.triangles)


def lamp(x: float, y: float, z: float, tint: tuple[float, ...] = (1, 1, 1)) -> Floats:
    light = np.zeros((9, 3))
    light[:4] = np.array([0.8, x, y, z])[:, None] * np.array(tint)
    return light


def skin(points: int) -> Albedo:
    random = np.random.default_rng(5)
    colour = np.array([0.6, 0.4, 0.3]) * random.uniform(0.8, 1.2, (points, 1))
    return Albedo(colour, lamp(0, 0, -0.4))


@pytest.mark.parametrize("strength", [1.0, 0.05])
def test_light_is_found_on_a_shaded_face(facing: Floats, strength: float) -> None:
    true = strength * lamp(-0.3, 0.1, -0.3, (1.2, 1, 0.7))
    albedo = skin(len(facing))
    found, explained = light_on(albedo, albedo.colour * shade_of(facing, true), facing, None)
    ahead = facing[:, 2] < -0.3
    assert np.allclose(shade_of(facing, found)[ahead], shade_of(facing, true)[ahead], rtol=0.06)
    assert explained > 0.9


def test_light_is_found_past_a_thing_before_the_face(facing: Floats) -> None:
    true, albedo = lamp(-0.2, 0, -0.3), skin(len(facing))
    seen = albedo.colour * shade_of(facing, true)
    hidden = np.argsort(facing[:, 0])[: len(facing) // 3]
    seen[hidden] = (0.1, 0.2, 0.05)
    found, explained = light_on(albedo, seen, facing, lamp(-0.15, 0, -0.35))
    free = np.setdiff1d(np.flatnonzero(facing[:, 2] < -0.3), hidden)
    assert np.allclose(shade_of(facing, found)[free], shade_of(facing, true)[free], rtol=0.08)
    assert explained < 0.8


def test_a_lamp_that_is_switched_is_noticed(facing: Floats) -> None:
    albedo, now = skin(len(facing)), lamp(0.4, 0, -0.2)
    seen = albedo.colour * shade_of(facing, now)
    found, _ = light_on(albedo, seen, facing, 0.05 * lamp(-0.4, 0, -0.2, (1, 0.3, 0.3)))
    ahead = facing[:, 2] < -0.3
    wanted = shade_of(facing, now)[ahead]
    assert np.median(np.abs(shade_of(facing, found)[ahead] / wanted - 1)) < 0.05


def test_skin_and_light_come_apart(ada_sitter: Sitter, portrait: Portrait) -> None:
    mover = ada_sitter.mover
    triangles = portrait.layout.triangles
    meshes = mover.meshes(ada_sitter.motion)
    true = skin(478)
    across = (mover.shape * (-1, 1, 1))[:, None] - mover.shape[None]
    other = (across**2).sum(2).argmin(1)
    colour = (true.colour + true.colour[other]) / 2
    seen = colour * shading(np.repeat(lamp(-0.3, 0, -0.3)[None], len(meshes), 0), meshes, triangles)
    found, light = learn_albedo(seen, meshes, mover.shape, triangles)
    shades = shading(light, meshes, triangles)
    ahead = normals(meshes, triangles)[..., 2] < -0.4
    assert np.median(np.abs(found.colour * shades / seen - 1)[ahead]) < 0.03
    ratio = found.colour[:, 0] / colour[:, 0]
    assert ratio.std() / ratio.mean() < 0.12


def test_relighting_changes_linear_light() -> None:
    change = relit(np.full((2, 3), 0.5), np.full((2, 3), 1.0))
    assert np.allclose(change**2.2, 2)


def test_colours_are_linear_light_at_the_points() -> None:
    picture = np.full((60, 60, 3), (255, 128, 0), np.uint8)
    found = colours(picture, np.array([[30.0, 20, 0], [500, -3, 0]]))
    assert np.allclose(found, [[1, (128 / 255) ** 2.2, 0]] * 2)
