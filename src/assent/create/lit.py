"""The light in the donor's pictures, against the light that a scene asks for.

Both are read off the donor's own skin, so that nobody's complexion counts as light.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.light import GAMMA
from assent.kit.likeness.portrait import Portrait

__all__ = ["LightSeen"]

_EVERY: Final = 8  # texture pixels: enough for what is as broad as light


class LightSeen:
    """How brightly, and from which side, a donor was lit."""

    def __init__(self, portrait: Portrait) -> None:
        shown = portrait.layout.mask[::_EVERY, ::_EVERY] > 0
        column = np.broadcast_to(np.arange(shown.shape[1]), shown.shape)
        middle = np.median(column[shown])
        self._halves = shown & (column < middle), shown & (column > middle)
        self._known = np.array([self._read(texture) for texture in portrait.textures])

    def away(self, texture: NDArray[np.floating]) -> float:
        """Stops between a texture's light and the nearest known: of the face's darker half or
        its brighter one, whichever is further.

        Args:
            texture: [S, S, 3], 0..255, laid out as the portrait's.
        """
        return float(np.abs(self._known - self._read(texture)).max(axis=1).min())

    def _read(self, texture: NDArray[np.generic]) -> NDArray[np.float64]:
        """Mean light of the two halves of the face, in stops."""
        levels = np.asarray(texture[::_EVERY, ::_EVERY], np.float64) / 255
        light = np.clip(levels, 0, 1).mean(axis=2) ** GAMMA
        return np.log2([light[half].mean() + 1e-3 for half in self._halves])
