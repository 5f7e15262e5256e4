"""What a person's face usually looks like, and how a picture of it differs from that.

A face unwrapped into the layout at half its size is its mean look, times some ways of looking
different (moving, making up, growing a beard), times a light that is smooth over the face. It is
told in logarithms, where products are sums: brightness, and two ratios of colours. Ways and light
are fitted to a picture so that what they can't explain doesn't count (Geman and McClure's weights):
a hand before the face leaves the fit alone and stays over as a difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats
from assent.kit.likeness.layout import Layout
from assent.kit.likeness.light import terms_of

__all__ = ["Difference", "Look", "Usual", "learn_usual"]

Field = NDArray[np.float32]

_BLACK: Final = 8.0  # grey levels added before logarithms: what differs by less is noise
_SOFT: Final = 0.7  # px
_GREY: Final = np.array([0.3, 0.59, 0.11], np.float32)
_WAYS: Final = 16
_HEED: Final = np.array([1, 2, 2], np.float32)  # how much brightness and colours count in a way
_STIFF: Final = 0.3 * np.diag(np.array([1e-3, *[0.02] * 3, *[0.1] * 5], np.float32))
_FOLDS: Final = 4  # parts, each of which is held against what the others teach
_NORMAL: Final = 0.455  # median of a normal variable's square
_FIRM: Final = 0.4  # no pixel is surer than this share of them
_TURNED: Final = (0.2, 0.3)  # a point that faces away so much says nothing; says all, so much more
_PATIENCE: Final = (6.0, 4.0, 3.0, 2.5, 2.5)  # deviations that count half, fit by fit


@dataclass(frozen=True, slots=True)
class Look:
    """What a person usually looks like; P pixels of the half layout's face.

    Attributes:
        mean: float32 [P, 3].
        ways: float32 [K, P, 3].
        spread: float32 [K], how far each way is usually gone.
        deviation: float32 [P, 3], how far a pixel usually strays from all that.
    """

    mean: Field
    ways: Field
    spread: Field
    deviation: Field


@dataclass(frozen=True, slots=True)
class Difference:
    """How a picture differs from what is usual, float32; P pixels of the half layout's face.

    Attributes:
        rest: [P, 3], what neither the person's ways nor light explains.
        sizes: [P, 3], the same in deviations; 1 is usual.
        told: [P, 3], what the picture shows, in logarithms.
        ahead: [P], how much a pixel faces the camera, -1..1.
    """

    rest: Field
    sizes: Field
    told: Field
    ahead: Field


class Usual:
    """Holds pictures of one person against what they usually look like."""

    def __init__(self, layout: Layout, look: Look) -> None:
        self._half, self._look = layout.half, look

    def difference(self, texture: NDArray[np.uint8], facing: Floats) -> Difference:
        """How a picture differs.

        Args:
            texture: uint8 [S / 2, S / 2, 3], the face unwrapped.
            facing: [P, 3], normals of the mesh's points.
        """
        told = _logarithms(texture)
        normals = self._half.spread(facing.astype(np.float32))
        terms, ahead = _light_terms(normals[self.where])
        light, ways, scale = self._fit(told, normals)
        look = self._look
        told = told[self.where]
        rest = told - look.mean - terms @ light - _mixed(ways, look.ways)
        return Difference(rest, rest / (look.deviation * scale), told, ahead)

    @cached_property
    def where(self) -> NDArray[np.bool_]:
        """The face in the half layout: bool [S / 2, S / 2]."""
        return _where(self._half)

    def _fit(self, told: Field, normals: Field) -> tuple[Field, Field, np.float32]:
        """Light [9, 3] and ways [K] in a picture, and how many deviations are usual there."""
        small = self._small
        terms, ahead = _light_terms(_halved(normals)[self._where_small])
        counts = np.clip((ahead - _TURNED[0]) / _TURNED[1], 0, 1).astype(np.float32)
        rest = _halved(told)[self._where_small] - small.mean
        precise = np.float32(1) / small.deviation**2
        flat = small.ways.reshape(len(small.ways), -1)
        hold = np.diag(1 / np.maximum(small.spread, 1e-4) ** 2)
        ways = np.zeros(len(flat), np.float32)
        light = np.zeros((terms.shape[1], 3), np.float32)
        weights, scale = counts, np.float32(1)
        for patience in _PATIENCE:
            light = _lit(terms, rest - _mixed(ways, small.ways), weights, precise)
            left = rest - terms @ light
            weighed = flat * (weights[:, None] * precise).ravel()
            solved = np.linalg.solve(weighed @ flat.T + hold, weighed @ left.ravel())
            ways = solved.astype(np.float32)
            odd = self._odd(left - _mixed(ways, small.ways))
            # Where all is hard to explain, more is usual.
            judged = odd[counts > 0.5]
            scale = np.float32(max(1.0, float(np.median(judged)) if len(judged) else 1.0))
            likely = 1 / (1 + (odd / scale / patience) ** 2) ** 2
            weights = np.asarray(counts * likely, np.float32)
        return light, ways, scale

    def _odd(self, rest: Field) -> Field:
        """How odd each pixel and its neighbours are, in deviations: [P]."""
        field = np.zeros(self._where_small.shape, np.float32)
        field[self._where_small] = ((rest / self._small.deviation) ** 2).mean(-1)
        near = np.asarray(cv2.blur(field, (3, 3)), np.float32)
        return np.asarray(np.sqrt(near[self._where_small] / self._beside), np.float32)

    @cached_property
    def _where_small(self) -> NDArray[np.bool_]:
        return _halved(self.where.astype(np.float32)) > 0.99

    @cached_property
    def _beside(self) -> Field:
        inside = cv2.blur(self._where_small.astype(np.float32), (3, 3))
        return np.asarray(inside[self._where_small], np.float32)

    @cached_property
    def _small(self) -> Look:
        """What is usual at half the size."""
        look = self._look
        mean, deviation = (self._shrunk(values) for values in (look.mean, look.deviation))
        ways = np.array([self._shrunk(way) for way in look.ways], np.float32)
        return Look(mean, ways.reshape(-1, *mean.shape), look.spread, deviation)

    def _shrunk(self, values: Field) -> Field:
        field = np.zeros((*self.where.shape, 3), np.float32)
        field[self.where] = values
        return _halved(field)[self._where_small]


def learn_usual(
    layout: Layout, textures: Sequence[NDArray[np.uint8]], facings: Sequence[Floats]
) -> Look:
    """Learn from pictures of one person.

    Args:
        layout: of their texture.
        textures: uint8 [S / 2, S / 2, 3], the face in each, unwrapped.
        facings: [P, 3], normals of the mesh's points in each.
    """
    half = layout.half
    where = _where(half)
    told = np.array([_logarithms(texture)[where] for texture in textures], np.float32)
    lit = [_light_terms(half.spread(facing.astype(np.float32))[where]) for facing in facings]
    counts = np.array([np.clip((ahead - 0.15) / 0.3, 0, 1) for _, ahead in lit], np.float32)
    mean = told.mean(0)
    rest = np.empty_like(told)
    for _ in range(3):
        for number, (terms, _) in enumerate(lit):
            left = told[number] - mean
            light = _lit(terms, left, counts[number] ** 2, np.ones_like(left))
            rest[number] = (left - terms @ light) * np.sqrt(counts[number])[:, None]
        mean = mean + rest.sum(0) / (counts.sum(0)[:, None] + 1e-3)
    rest = (rest - rest.mean(0)) * _HEED
    flat = rest.reshape(len(rest), -1)
    ways, spread = _strongest(flat)
    return Look(mean, ways.reshape(-1, *mean.shape) / _HEED, spread, _straying(flat, mean.shape))


def _straying(flat: Field, shape: tuple[int, ...]) -> Field:
    """How far pixels stray from what the other pictures teach: [P, 3]."""
    fold = np.arange(len(flat)) * _FOLDS // len(flat)
    strayed = np.empty_like(flat)
    for number in range(_FOLDS):
        here = fold == number
        ways, _ = _strongest(flat[~here])
        strayed[here] = flat[here] - (flat[here] @ ways.T) @ ways
    squares = (strayed.reshape(len(flat), *shape) / _HEED) ** 2
    deviation = np.sqrt(np.median(squares, axis=0) / _NORMAL)
    return np.asarray(np.maximum(deviation, np.quantile(deviation, _FIRM, axis=0)), np.float32)


def _strongest(flat: Field) -> tuple[Field, Field]:
    """The ways [K, n] in which rows [T, n] differ most, of unit length, and how far they go."""
    values, vectors = np.linalg.eigh(flat @ flat.T)
    kept = min(_WAYS, max(0, len(flat) - 1))
    strongest = vectors[:, ::-1][:, :kept].T @ flat
    strongest /= np.linalg.norm(strongest, axis=1, keepdims=True) + 1e-9
    spread = np.sqrt(np.maximum(values[::-1][:kept], 1e-9) / len(flat))
    return np.asarray(strongest, np.float32), np.asarray(spread, np.float32)


def _lit(terms: Field, rest: Field, weights: Field, precise: Field) -> Field:
    """The light [9, 3] that explains most of what is left [P, 3]."""
    light = np.empty((terms.shape[1], 3), np.float32)
    for channel in range(3):
        weighed = terms * (weights * precise[:, channel])[:, None]
        normal = weighed.T @ terms + _STIFF * (weights * precise[:, channel]).sum()
        # A face that is turned away altogether tells nothing.
        normal += 1e-6 * np.eye(len(normal), dtype=np.float32)
        light[:, channel] = np.linalg.solve(normal, weighed.T @ rest[:, channel])
    return light


def _mixed(ways: Field, of: Field) -> Field:
    return np.asarray((ways @ of.reshape(len(of), -1)).reshape(of.shape[1:]), np.float32)


def _logarithms(texture: NDArray[np.uint8]) -> Field:
    """Brightness and two ratios of colours, [S, S, 3]."""
    soft = cv2.GaussianBlur(texture, (0, 0), _SOFT).astype(np.float32) + np.float32(_BLACK)
    red, green, blue = cv2.split(np.log(soft))
    return np.stack([np.log(soft @ _GREY), red - green, blue - green], axis=-1)


def _light_terms(normals: Field) -> tuple[Field, Field]:
    """Harmonics [n, 9] at normals [n, 3], and how much they face the camera [n]."""
    unit = normals / (np.sqrt((normals * normals).sum(-1, keepdims=True)) + np.float32(1e-6))
    return np.asarray(terms_of(unit), np.float32), -normals[:, 2]


def _where(half: Layout) -> NDArray[np.bool_]:
    return np.asarray(cv2.erode(half.mask.astype(np.uint8), np.ones((3, 3))) > 0, np.bool_)


def _halved(field: Field) -> Field:
    size = (field.shape[1] // 2, field.shape[0] // 2)
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_AREA), np.float32)
