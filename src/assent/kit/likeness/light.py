"""What light falls on a face, and what the face would look like in another.

Skin is taken to be matt: its colour is an albedo, one a point and person and the same on both sides
of the face, times how much light comes from where it faces (harmonics up to the second order, for
each colour: Ramamoorthi and Hanrahan, SIGGRAPH 2001; Basri and Jacobs, IEEE PAMI 25(2), 2003).
Albedo and light come apart because the head turns while the light stays. Things before the face
are no part of it: points that no light explains don't count (Geman and McClure's weights).
Values are linear light.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats, normals

__all__ = [
    "GAMMA",
    "Albedo",
    "colours",
    "learn_albedo",
    "light_on",
    "relit",
    "shade_of",
    "shading",
    "terms_of",
]

GAMMA: Final = 2.2
_BLUR: Final = 2.5
_TERMS: Final = 9
_STIFF: Final = (0.0, *[0.3] * 3, *[3.0] * 5)  # how firmly light is held to come from everywhere
_COMMON: Final = 0.05  # how firmly one picture's light is held to its clip's
_ODD: Final = 0.25  # how far from its expected colour a point is when it counts half
_LEAST, _MOST = 0.003, 6.0
_HOLD: Final = (0.01,) * _TERMS  # how firmly light is held to what it was guessed to be
_BETTER: Final = 0.04  # how much more of the face another light must explain to be believed
_PATIENCE: Final = (3.0, 2.0, 1.5, 1.0, 1.0, 1.0)  # search afresh: the odd are dropped bit by bit
# Lips, eyes and irises: not matt, and not always there.
_WET: Final = (
    61, 291, 0, 17, 13, 14, 78, 308, 37, 267, 84, 314, 40, 270, 91, 321, 80, 82, 312, 310, 88, 87,
    317, 318, 33, 133, 159, 145, 158, 153, 160, 144, 263, 362, 386, 374, 385, 380, 387, 373,
    *range(468, 478),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Albedo:
    """A person's skin.

    Attributes:
        colour: float64 [P, 3], linear, 0..1 and a little more.
        usual: float64 [9, 3], the light in the pictures that it was learned from.
    """

    colour: Floats
    usual: Floats


def colours(rgb: NDArray[np.uint8], mesh: Floats) -> Floats:
    """The colours of the mesh's points in a picture, linear light: float64 [P, 3]."""
    soft = cv2.GaussianBlur(rgb, (0, 0), _BLUR)
    spots = mesh[:, :2].astype(np.float32)
    found = cv2.remap(
        soft,
        spots[:, None, 0],
        spots[:, None, 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray((found[:, 0] / 255.0) ** GAMMA, np.float64)


def learn_albedo(
    seen: Floats, meshes: Floats, shape: Floats, triangles: NDArray[np.int32], rounds: int = 8
) -> tuple[Albedo, Floats]:
    """Tell skin from light in pictures of one person.

    Args:
        seen: [T, P, 3], each picture's colours.
        meshes: [T, P, 3] pixels.
        shape: [P, 3], looking straight ahead.
        triangles: [M, 3].

    Returns:
        the skin, and the light [T, 9, 3] in each picture.
    """
    facing = normals(meshes, triangles)
    trust = _trust(facing)
    dry = _dry(trust)
    other = _mirrored(shape)
    albedo = (seen * trust[..., None]).sum(0) / (trust.sum(0)[:, None] + 1e-6)
    albedo = (albedo + albedo[other]) / 2 + 0.01
    usual = np.zeros((_TERMS, 3))
    usual[0] = 1
    weights = trust
    for _ in range(rounds):
        usual = _fit(seen / albedo, facing, weights * dry, _ridge(len(seen)))
        light = _solve(seen / albedo, facing, weights * dry, usual)
        shade = _shade(facing, light)
        weights = trust / (1 + (np.abs(seen / albedo - shade).mean(-1) / _ODD) ** 2)
        top = (seen * shade * weights[..., None]).sum(0)
        bottom = (shade * shade * weights[..., None]).sum(0)
        albedo = (top + top[other] + 0.01) / (bottom + bottom[other] + 0.01 / 0.3)
        # Only the product is seen: let the light be 1 on average.
        albedo *= shade.mean((0, 1))
    usual = _fit(seen / albedo, facing, weights * dry, _ridge(len(seen)))
    light = _solve(seen / albedo, facing, weights * dry, usual)
    return Albedo(albedo, usual), light


def light_on(
    albedo: Albedo, seen: Floats, facing: Floats, before: Floats | None
) -> tuple[Floats, float]:
    """The light in a picture of a person whose skin is known, whatever stands before the face.

    Points that light can't explain don't count. Light changes slowly: what fell on the face before
    is where the search starts, unless most of the face speaks against it.

    Args:
        albedo: their skin.
        seen: [P, 3], the picture's colours.
        facing: [P, 3], normals.
        before: [9, 3], the light a little earlier, if it is known.

    Returns:
        the light [9, 3], and which share of the face it explains, 0..1.
    """
    trust = _trust(facing)
    trust = trust * _dry(trust)
    ratio = seen / albedo.colour
    terms = np.asarray(terms_of(facing), np.float64)
    # The usual light, as strong and of the colour that most of the face says.
    strength = np.median(ratio[trust > 0.1] / (terms @ albedo.usual)[trust > 0.1], axis=0)
    afresh = _explain(ratio, terms, trust, albedo.usual * strength, _PATIENCE)
    if before is None:
        return afresh
    steady = _explain(ratio, terms, trust, before, _PATIENCE[-3:])
    return afresh if afresh[1] > steady[1] + _BETTER else steady


def _explain(
    ratio: Floats, terms: Floats, trust: Floats, light: Floats, patience: Sequence[float]
) -> tuple[Floats, float]:
    """Fit light [9, 3] to ratios [P, 3] from a first guess; and the share of points it fits."""
    hold = np.diag(_HOLD) * trust.sum()
    guess, weights = light, trust
    for much in patience:
        shade = np.maximum(terms @ light, _LEAST)
        rest = np.abs(ratio - shade).mean(1) / shade.mean(1)
        # Geman and McClure's weight, which takes no notice of what is far off.
        likely = 1 / (1 + (rest / (_ODD * much)) ** 2) ** 2
        weights = trust * likely
        weighed = terms.T * weights
        light = np.linalg.solve(weighed @ terms + hold, weighed @ ratio + hold @ guess)
    return light, float(weights.sum() / (trust.sum() + 1e-9))


def shade_of(facing: Floats, light: Floats) -> Floats:
    """How bright skin is where it faces: [P, 3] of normals [P, 3] and light [9, 3]."""
    return np.asarray(np.clip(terms_of(facing) @ light, _LEAST, _MOST), np.float64)


def shading(light: Floats, meshes: Floats, triangles: NDArray[np.int32]) -> Floats:
    """How bright skin is where the mesh faces: [T, P, 3] of light [T, 9, 3]."""
    return _shade(normals(meshes, triangles), light)


def relit(old: Floats, new: Floats) -> Floats:
    """By how much to multiply gamma-coded colours to change shading `old` into `new`."""
    return np.asarray(np.clip(new / old, 0.02, 4.0) ** (1 / GAMMA), np.float64)


def _trust(facing: Floats) -> Floats:
    return np.asarray(np.clip(-facing[..., 2] - 0.15, 0, 1), np.float64)


def _dry(like: Floats) -> Floats:
    """1 where skin is matt, 0 elsewhere, in the shape of an array [..., P]."""
    dry = np.ones(like.shape[-1])
    dry[list(_WET)] = 0
    return dry


def terms_of(facing: NDArray[np.floating]) -> NDArray[np.floating]:
    """The harmonics of normals: [..., 3] to [..., 9]."""
    x, y, z = facing[..., 0], facing[..., 1], facing[..., 2]
    second = (x * y, x * z, y * z, (x * x - y * y) / 2, (3 * z * z - 1) / 2)
    return np.stack([np.ones_like(x), x, y, z, *second], axis=-1)


def _shade(facing: Floats, light: Floats) -> Floats:
    shade = np.einsum("tpi,tic->tpc", terms_of(facing), light)
    return np.asarray(np.clip(shade, _LEAST, _MOST), np.float64)


def _ridge(pictures: int) -> Floats:
    return np.diag(_STIFF) * pictures


def _fit(ratio: Floats, facing: Floats, weights: Floats, ridge: Floats) -> Floats:
    """The one light that explains all pictures best, [9, 3]."""
    terms = terms_of(facing)
    normal = np.einsum("tp,tpi,tpj->ij", weights, terms, terms, optimize=True)
    right = np.einsum("tp,tpi,tpc->ic", weights, terms, ratio, optimize=True)
    return np.asarray(np.linalg.solve(normal + ridge, right), np.float64)


def _solve(ratio: Floats, facing: Floats, weights: Floats, usual: Floats) -> Floats:
    """Each picture's light, held to what is usual."""
    terms = terms_of(facing)
    hold = np.eye(_TERMS) * _COMMON * weights.sum(1).mean()
    normal = np.einsum("tp,tpi,tpj->tij", weights, terms, terms, optimize=True) + hold
    right = np.einsum("tp,tpi,tpc->tic", weights, terms, ratio, optimize=True) + hold @ usual
    return np.asarray(np.linalg.solve(normal, right), np.float64)


def _mirrored(shape: Floats) -> NDArray[np.int64]:
    """For each point of a shape, looking straight ahead, the one across."""
    across = shape * np.array([-1, 1, 1])
    square = ((across[:, None] - shape[None]) ** 2).sum(2)
    return np.asarray(square.argmin(1), np.int64)
