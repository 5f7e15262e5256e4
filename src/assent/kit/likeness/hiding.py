"""What stands before a face: a hand, a microphone, hair. It stays where it is.

A pixel is hidden if light on this person's skin doesn't explain its colour, and its neighbours'
neither. Colours are looked up in the layout of the texture at half its size.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats
from assent.kit.likeness.layout import Layout
from assent.kit.likeness.light import GAMMA, Albedo, unlike

__all__ = ["Hiding"]

Field = NDArray[np.float32]

_CALM: Final = (30, 0.3)  # of a face with nothing before it, that percent are less odd than that
_LOW, _HIGH = 1.1, 2.4  # how odd, in usual oddities, what hides the face may be, and must be
_PATIENCE: Final = 0.05  # how unlike its expected colour any skin may be
_SHARP: Final = 2.0  # how much odder it is on this side of its edge than beyond
_SPECK: Final = 0.04  # share of the texture's side: what is smaller is a wrinkle, a brow, a gleam
_LEAST: Final = 0.004  # share of the texture: less that is surely hidden is nothing
_SOFT: Final = 0.012  # share of the texture's side: softness of the edge
_AROUND: Final = 0.13  # share of the texture's side: how far what can't be judged looks around
_ASIDE: Final = 0.2  # how much a point must face the camera to be judged
# The insides of mouth and eyes, which come and go.
_INNER: Final = (
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95),
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)


@dataclass(frozen=True, eq=False)
class Hiding:
    """Tells what hides a person's face.

    Attributes:
        layout: of the textures.
        skin: the person's.
    """

    layout: Layout
    skin: Albedo

    def unwrapped(self, crop: NDArray[np.uint8], mesh: Floats) -> NDArray[np.uint8]:
        """The face in a crop, in half the layout's size: uint8 [S / 2, S / 2, 3]."""
        right, down = cv2.split(self.layout.half.places(mesh))
        texture = cv2.remap(crop, right, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(texture, np.uint8)

    def covering(self, texture: NDArray[np.uint8], shade: Floats, facing: Floats) -> Field | None:
        """How much something covers each pixel of the layout: float32 [S, S], 0..1; None: nothing.

        Args:
            texture: what is seen (`unwrapped`).
            shade: [P, 3], how brightly the points are lit.
            facing: [P, 3], normals.
        """
        odd, judged = self._oddness(texture, shade, facing)
        if not judged.any():
            return None
        # Where light is hard to explain everywhere, more oddness is usual.
        usual = max(1.0, float(np.percentile(odd[judged > 0], _CALM[0])) / _CALM[1])
        surely = self._without_specks(odd > _HIGH * usual)
        if surely.sum() < _LEAST * surely.size:
            return None
        mask = _together(odd, judged, surely, self._without_specks(odd > _LOW))
        return self._edged(self._filled(mask, judged)) if mask.any() else None

    def _oddness(
        self, texture: NDArray[np.uint8], shade: Floats, facing: Floats
    ) -> tuple[Field, Field]:
        """How unlike skin each pixel is, 1 being usual, and where that can be told, 0 or 1."""
        wanted = (self.skin.colour * shade).astype(np.float32) ** np.float32(1 / GAMMA)
        turned = (facing[:, 2:] < -_ASIDE).astype(np.float32)
        fields = self.layout.half.spread(np.concatenate([wanted, turned], axis=1))
        judged = self._judged * np.float32(1) * (fields[..., 3] > 0.99)
        soft = cv2.blur(texture, (3, 3)) * np.float32(1 / 255)
        odd = unlike(soft, fields[..., :3]) / self._usual * judged
        return np.asarray(odd, np.float32), judged

    def _without_specks(self, mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        speck = self._speck
        return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, speck), np.uint8)

    def _filled(self, mask: Field, judged: Field) -> Field:
        """What can't be judged is as most of what is around it."""
        wide = round(_AROUND * self.layout.half.size) | 1
        known = cv2.blur(judged, (wide, wide)) + np.float32(1e-3)
        share = cv2.blur(mask * judged, (wide, wide)) / known
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, self._hole)
        return np.where(judged > 0, closed, (share > 0.5).astype(np.float32))

    def _edged(self, mask: Field) -> Field:
        """A mask in the layout's size, with soft edges."""
        whole = (self.layout.size, self.layout.size)
        wide = cv2.resize(mask, whole, interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.GaussianBlur(wide, (0, 0), _SOFT * self.layout.size), np.float32)

    @cached_property
    def _speck(self) -> NDArray[np.uint8]:
        return _disc(round(_SPECK * self.layout.half.size) | 1)

    @cached_property
    def _hole(self) -> NDArray[np.uint8]:
        return _disc(2 * len(self._speck) + 1)

    @cached_property
    def _usual(self) -> Field:
        usual = self.layout.half.spread(self.skin.odd.astype(np.float32)[:, None])[..., 0]
        return usual + np.float32(_PATIENCE)

    @cached_property
    def _judged(self) -> NDArray[np.bool_]:
        """Where colours say something."""
        inner = np.zeros((self.layout.half.size, self.layout.half.size), np.uint8)
        for ring in _INNER:
            hull = cv2.convexHull(np.round(self.layout.half.points[list(ring)]).astype(np.int32))
            cv2.fillConvexPoly(inner, hull, 1)
        inner = np.asarray(cv2.dilate(inner, np.ones((3, 3), np.uint8)), np.uint8)
        return np.asarray(self.layout.half.mask & (inner == 0), np.bool_)


def _disc(wide: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide)), np.uint8)


def _together(
    odd: Field, judged: Field, surely: NDArray[np.uint8], perhaps: NDArray[np.uint8]
) -> Field:
    """What hangs together with enough that is sure, and has an edge: float32, 0 or 1."""
    count, parts = cv2.connectedComponents(np.maximum(surely, perhaps))
    numbers = np.asarray(parts)
    sizes = np.bincount(numbers[surely > 0], minlength=count)
    mask = np.zeros_like(odd)
    for number in np.flatnonzero(sizes >= _LEAST * surely.size):
        part = (numbers == number).astype(np.uint8)
        if number > 0 and _is_sharp(odd, judged, part):
            mask[part > 0] = 1
    return mask


def _is_sharp(odd: Field, judged: Field, part: NDArray[np.uint8]) -> bool:
    """Whether a part ends suddenly, as things do; light that isn't understood fades."""
    inside = part - np.asarray(cv2.erode(part, np.ones((5, 5), np.uint8)))
    near, far = (cv2.dilate(part, np.ones((wide, wide), np.uint8)) for wide in (5, 11))
    beyond = np.asarray(far) - np.asarray(near)
    here, there = (odd[(ring > 0) & (judged > 0)] for ring in (inside, beyond))
    if not len(here) or not len(there):
        return True
    return bool(np.median(here) > _SHARP * np.median(there))
