"""What light falls on a face, and what the face would look like in another.

Skin is taken to be matt: its colour is an albedo, one a point and person and the same on both sides
of the face, times how much light comes from where it faces (a constant and a direction, one a
colour: the first-order harmonics of Ramamoorthi and Hanrahan, SIGGRAPH 2001, and Basri and Jacobs,
IEEE PAMI 25(2), 2003). Albedo and light come apart because the head turns while the light stays.
Values are linear light.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats, normals

__all__ = ["Albedo", "colours", "learn_albedo", "light_on", "relit", "shading", "steadied"]

GAMMA: Final = 2.2
_BLUR: Final = 2.5
_TERMS: Final = 4
_FLAT: Final = 0.3  # how firmly light is held to come evenly from everywhere
_COMMON: Final = 0.05  # how firmly one picture's light is held to its clip's
_ODD: Final = 0.25  # how far from its expected colour a point is when it counts half
_LEAST, _MOST = 0.05, 6.0
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
        usual: float64 [4, 3], the light in the pictures that it was learned from.
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
        the skin, and the light [T, 4, 3] in each picture.
    """
    facing = normals(meshes, triangles)
    trust = _trust(facing)
    other = _mirrored(shape)
    albedo = (seen * trust[..., None]).sum(0) / (trust.sum(0)[:, None] + 1e-6)
    albedo = (albedo + albedo[other]) / 2 + 0.01
    usual = np.zeros((_TERMS, 3))
    usual[0] = 1
    weights = trust
    for _ in range(rounds):
        usual = _fit(seen / albedo, facing, weights, _ridge(len(seen)))
        light = _solve(seen / albedo, facing, weights, usual)
        shade = _shade(facing, light)
        weights = trust / (1 + (np.abs(seen / albedo - shade).mean(-1) / _ODD) ** 2)
        top = (seen * shade * weights[..., None]).sum(0)
        bottom = (shade * shade * weights[..., None]).sum(0)
        albedo = (top + top[other] + 0.01) / (bottom + bottom[other] + 0.01 / 0.3)
        # Only the product is seen: let the light be 1 on average.
        albedo *= shade.mean((0, 1))
    usual = _fit(seen / albedo, facing, weights, _ridge(len(seen)))
    return Albedo(albedo, usual), _solve(seen / albedo, facing, weights, usual)


def light_on(albedo: Albedo, seen: Floats, meshes: Floats, triangles: NDArray[np.int32]) -> Floats:
    """The light [T, 4, 3] in pictures of a person whose skin is known (arguments as above)."""
    facing = normals(meshes, triangles)
    trust = _trust(facing)
    ratio = seen / albedo.colour
    usual = albedo.usual
    weights = trust
    for _ in range(3):
        usual = _fit(ratio, facing, weights, _ridge(len(seen)))
        shade = _shade(facing, np.broadcast_to(usual, (len(seen), _TERMS, 3)))
        weights = trust / (1 + (np.abs(ratio - shade).mean(-1) / _ODD) ** 2)
    return _solve(ratio, facing, weights, usual)


def shading(light: Floats, meshes: Floats, triangles: NDArray[np.int32]) -> Floats:
    """How bright skin is where the mesh faces: [T, P, 3] of light [T, 4, 3]."""
    return _shade(normals(meshes, triangles), light)


def relit(old: Floats, new: Floats) -> Floats:
    """By how much to multiply gamma-coded colours to change shading `old` into `new`."""
    return np.asarray(np.clip(new / old, 0.3, 3.0) ** (1 / GAMMA), np.float64)


def steadied(series: Floats, frames: float) -> Floats:
    """A Gaussian along the first axis, without lag; the ends are repeated."""
    if len(series) < 2 or frames <= 0:
        return series
    reach = max(1, round(3 * frames))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / frames) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate([series[:1].repeat(reach, 0), series, series[-1:].repeat(reach, 0)])
    flat = padded.reshape(len(padded), -1)
    smooth = np.stack([np.convolve(column, kernel, "valid") for column in flat.T], axis=1)
    return smooth.reshape(series.shape)


def _trust(facing: Floats) -> Floats:
    trust = np.clip(-facing[..., 2] - 0.15, 0, 1)
    trust[..., list(_WET)] = 0
    return np.asarray(trust, np.float64)


def _terms(facing: Floats) -> Floats:
    return np.concatenate([np.ones((*facing.shape[:-1], 1)), facing], axis=-1)


def _shade(facing: Floats, light: Floats) -> Floats:
    shade = np.einsum("tpi,tic->tpc", _terms(facing), light)
    return np.asarray(np.clip(shade, _LEAST, _MOST), np.float64)


def _ridge(pictures: int) -> Floats:
    return np.diag([0.0, 1, 1, 1]) * _FLAT * pictures


def _fit(ratio: Floats, facing: Floats, weights: Floats, ridge: Floats) -> Floats:
    """The one light that explains all pictures best, [4, 3]."""
    terms = _terms(facing)
    normal = np.einsum("tp,tpi,tpj->ij", weights, terms, terms, optimize=True)
    right = np.einsum("tp,tpi,tpc->ic", weights, terms, ratio, optimize=True)
    return np.asarray(np.linalg.solve(normal + ridge, right), np.float64)


def _solve(ratio: Floats, facing: Floats, weights: Floats, usual: Floats) -> Floats:
    """Each picture's light, held to what is usual."""
    terms = _terms(facing)
    hold = np.eye(_TERMS) * _COMMON * weights.sum(1).mean()
    normal = np.einsum("tp,tpi,tpj->tij", weights, terms, terms, optimize=True) + hold
    right = np.einsum("tp,tpi,tpc->tic", weights, terms, ratio, optimize=True) + hold @ usual
    return np.asarray(np.linalg.solve(normal, right), np.float64)


def _mirrored(shape: Floats) -> NDArray[np.int64]:
    """For each point of a shape, looking straight ahead, the one across."""
    across = shape * np.array([-1, 1, 1])
    square = ((across[:, None] - shape[None]) ** 2).sum(2)
    return np.asarray(square.argmin(1), np.int64)
