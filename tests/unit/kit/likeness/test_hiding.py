import cv2
import numpy as np
import pytest
from footage import Footage
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.faces import models
from assent.kit.likeness.geometry import Floats, normals
from assent.kit.likeness.hiding import Hiding, unwrapped
from assent.kit.likeness.motion import sharpened
from assent.kit.likeness.portrait import Portrait

Picture = NDArray[np.uint8]
Shape = NDArray[np.uint8]
NUMBERS = (0, 7, 14, 19)


@pytest.fixture(scope="module")
def hiding(portrait: Portrait) -> Hiding:
    return Hiding(portrait.layout, portrait.look)


@pytest.fixture(scope="module")
def meshes(portrait: Portrait, scene: Footage) -> dict[int, Floats]:
    """Ada's mesh in the crops of another clip, as she is followed there."""
    mover = portrait.performer
    return {
        number: mover.meshes(mover.follow(sharpened(scene.crops[number]), scene.meshes[number]))[0]
        for number in NUMBERS
    }


def covered(
    hiding: Hiding, crop: Picture, mesh: Floats, alpha: NDArray[np.float32] | None = None
) -> tuple[float, float]:
    """How much of what is before the face is found, and how much of the rest is taken for it."""
    facing = normals(mesh, hiding.layout.triangles)
    found = hiding.covering(unwrapped(hiding.layout, crop, mesh), facing)
    size = hiding.layout.size
    covering = np.zeros((size, size), np.float32) if found is None else found
    inner = cv2.erode(hiding.layout.mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    if alpha is None:
        return 0.0, float(covering[inner].mean())
    wide = np.repeat((alpha * 255).astype(np.uint8)[..., None], 3, axis=2)
    there = cv2.resize(unwrapped(hiding.layout, wide, mesh)[..., 0], (size, size))
    beside = cv2.dilate(there, np.ones((11, 11), np.uint8)) < 25
    return float(covering[inner & (there > 200)].mean()), float(covering[inner & beside].mean())


def fingers(size: int, mesh: Floats) -> NDArray[np.float32]:
    """Three fingers from below, before the mouth."""
    mask = np.zeros((size, size), np.uint8)
    for point, beside in ((61, -4), (13, 0), (291, 4)):
        tip, way = mesh[point, :2] + (beside, -14), np.array([2 * beside, 90])
        ends = np.round(16 * np.stack([tip, tip + way])).astype(np.int32)
        cv2.polylines(mask, [ends], False, 255, 17, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.8) / 255.0, np.float32)


def strands(size: int, mesh: Floats) -> NDArray[np.float32]:
    """Hair over the forehead, down to the cheeks."""
    mask = np.zeros((size, size), np.uint8)
    for point in (104, 9, 333):
        middle = mesh[point, :2]
        way = middle + np.array([[-8, -60], [2, -20], [0, 10], [9, 55]])
        cv2.polylines(mask, [np.round(16 * way).astype(np.int32)], False, 255, 4, cv2.LINE_AA, 4)
    return np.asarray(mask / 255.0, np.float32)


def laid_over(crop: Picture, alpha: NDArray[np.float32], colour: NDArray[np.floating]) -> Picture:
    share = alpha[..., None]
    return np.asarray(np.round(crop * (1 - share) + colour * share), np.uint8)


def skin(crop: Picture, mesh: Floats, shade: NDArray[np.float32]) -> NDArray[np.float32]:
    """The cheek's own colour, darker towards the edges of what has that shape."""
    right, down = mesh[50, :2].round().astype(int)
    colour = np.median(crop[down - 4 : down + 5, right - 4 : right + 5].reshape(-1, 3), axis=0)
    round_ = cv2.GaussianBlur(shade, (0, 0), 3.0)[..., None] * 0.35 + 0.65
    return np.asarray(colour * round_, np.float32)


def test_nothing_hides_a_bare_face(
    hiding: Hiding, scene: Footage, meshes: dict[int, Floats]
) -> None:
    for number in NUMBERS:
        assert covered(hiding, scene.crops[number], meshes[number])[1] < 0.01


def test_a_hand_in_the_colour_of_the_face_stays_before_it(
    hiding: Hiding, scene: Footage, meshes: dict[int, Floats]
) -> None:
    figures = []
    for number in NUMBERS:
        crop, mesh = scene.crops[number], meshes[number]
        alpha = fingers(len(crop), mesh)
        hand = laid_over(crop, alpha, skin(crop, mesh, alpha))
        figures.append(covered(hiding, hand, mesh, alpha))
    kept, lost = np.mean(figures, axis=0)
    assert kept > 0.5
    assert lost < 0.05


@pytest.mark.parametrize("colour", [(92, 58, 38), (190, 160, 120), (25, 20, 20)])
def test_strands_of_hair_stay_before_the_face(
    hiding: Hiding,
    scene: Footage,
    meshes: dict[int, Floats],
    colour: tuple[int, int, int],
) -> None:
    figures = []
    for number in NUMBERS:
        crop, mesh = scene.crops[number], meshes[number]
        alpha = strands(len(crop), mesh)
        figures.append(covered(hiding, laid_over(crop, alpha, np.array(colour)), mesh, alpha))
    kept, lost = np.mean(figures, axis=0)
    assert kept > 0.35
    assert lost < 0.05


@pytest.mark.parametrize("colour", [(90, 120, 60), (40, 40, 44), (70, 90, 160), (250, 250, 250)])
def test_a_box_covers_as_much_as_it_does(
    hiding: Hiding,
    scene: Footage,
    meshes: dict[int, Floats],
    colour: tuple[int, int, int],
) -> None:
    figures = []
    for number in NUMBERS:
        crop, mesh = scene.crops[number], meshes[number]
        alpha = np.zeros(crop.shape[:2], np.float32)
        alpha[:, int(mesh[4, 0]) - 40 : int(mesh[4, 0]) - 5] = 1
        figures.append(covered(hiding, laid_over(crop, alpha, np.array(colour)), mesh, alpha))
    kept, lost = np.mean(figures, axis=0)
    assert kept > 0.75
    assert lost < 0.08


@pytest.mark.parametrize("across", [1.0, 0.45, 0.2])
def test_light_that_falls_off_hides_nothing(
    hiding: Hiding, scene: Footage, meshes: dict[int, Floats], across: float
) -> None:
    for number in NUMBERS:
        crop = scene.crops[number]
        fall = np.linspace(1.0, across, crop.shape[1])[None, :, None] ** (1 / 2.2)
        tinted = np.clip(crop * fall * (1.0, 0.92, 0.85), 0, 255).astype(np.uint8)
        assert covered(hiding, tinted, meshes[number])[1] < 0.01


def test_a_face_that_looks_away_cannot_be_judged(
    hiding: Hiding, scene: Footage, meshes: dict[int, Floats]
) -> None:
    facing = normals(meshes[0], hiding.layout.triangles)
    texture = unwrapped(hiding.layout, scene.crops[0], meshes[0])
    assert hiding.covering(texture, -facing) is None


def test_a_crop_is_unwrapped_into_half_the_layout(portrait: Portrait) -> None:
    size = portrait.layout.size
    mesh = np.column_stack([portrait.layout.points, np.zeros(478)])
    crop = np.zeros((size, size, 3), np.uint8)
    crop[..., 0] = np.arange(size)
    texture = unwrapped(portrait.layout, crop, mesh)
    rows, columns = np.nonzero(portrait.layout.half.mask)
    assert np.abs(texture[rows, columns, 0] - 2.0 * columns).mean() < 1.5


def test_another_network_is_refused() -> None:
    model = models.find_model("assent-hiding")
    exchanged = type(model)(
        **{name: getattr(model, name) for name in model.__slots__ if name != "sha256"},
        sha256="0" * 64,
    )
    with pytest.raises(IntegrityError, match="differ from the register"):
        models.weights(exchanged)
