"""Measure painted faces against those that they replace, on some frames.

Which frames depends on their numbers alone, and a frame is compared with none but the one before
it in its segment: a render that goes on measures what an uninterrupted one would.

Whether the painted faces are recognised as the donor is measured against the pictures that the
model paints from. The enrolled face has no part in it: it was given to keep strangers out of
footage, and for nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.create.patches import Patch, apply
from assent.create.quality import Measures
from assent.data.matching import Exemplar
from assent.data.tracks import PersonTrack
from assent.kit.faces.align import align, hull_mask, transform, warp
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.frame import PictureFrame
from assent.kit.imaging.bands import band
from assent.kit.media.picture import Picture, luma8

__all__ = ["EVERY", "Gauge"]

EVERY: Final = 8
"""Of so many frames two in a row are measured; a segment holds a whole number of them."""
_RECOGNISED: Final = 4
"""Of so many measured frames one is recognised, which takes longest."""
_KNOWN: Final = 6  # of the donor's pictures that faces are held to
_SIZE, _COVERAGE = 256, 0.8
_BAND: Final = (1.0, 4.0)  # px of the crop: finer is noise, coarser is light
_FAINT: Final = 0.3  # grey levels of fine detail below which there is nothing to compare with


@dataclass(frozen=True, slots=True)
class _Pair:
    number: int
    change: NDArray[np.float32]
    mask: NDArray[np.bool_]


class Gauge:
    """Measures the frames of one render, in order.

    Args:
        tracks: the performer's.
        exemplars: the donor's pictures in the model, if it holds any.
    """

    def __init__(self, tracks: Sequence[PersonTrack], exemplars: Sequence[Exemplar] = ()) -> None:
        self._embedder = FaceEmbedder()
        self._donor = [
            self._embedder.embed(*exemplars[n])
            for n in range(0, len(exemplars), -(-len(exemplars) // _KNOWN) or 1)
        ]
        self._landmarks = {
            int(number): points
            for track in tracks
            for number, points in zip(track.index, track.landmarks, strict=True)
        }
        self._last: _Pair | None = None

    def measure(self, number: int, filmed: Picture, patch: Patch) -> Measures:
        """Measure one frame; most are passed over.

        Args:
            number: of the frame.
            filmed: the frame as it was.
            patch: what is painted over it.
        """
        place = number % EVERY
        points = self._landmarks.get(number)
        if place > 1 or points is None or patch.planes is None:
            return Measures()
        matrix = align(points, _SIZE, _COVERAGE)
        mask = hull_mask(transform(points, matrix), (_SIZE, _SIZE), 0.0) > 0
        painted = apply(patch, filmed)
        before, after = (warp(luma8(each), matrix, _SIZE) for each in (filmed, painted))
        here = _Pair(number, after.astype(np.float32) - before, mask)
        last, self._last = self._last, here
        if place == 1:
            return Measures(jitter=_jitter(last, here))
        recognised = number % (_RECOGNISED * EVERY) == 0
        return Measures(
            sharpness=_sharpness(before, after, mask),
            identity=self._identity(painted, points) if recognised else None,
        )

    def _identity(self, painted: Picture, points: NDArray[np.float32]) -> float | None:
        """How far a face is from the donor's pictures, the middle one of them."""
        if not self._donor:
            return None
        face = self._embedder.embed(PictureFrame(painted), points)
        away = [float(np.linalg.norm(face - known)) for known in self._donor]
        return round(float(np.median(away)), 3)


def _sharpness(
    before: NDArray[np.uint8], after: NDArray[np.uint8], mask: NDArray[np.bool_]
) -> float | None:
    filmed, painted = (float(band(each, *_BAND)[mask].std()) for each in (before, after))
    return round(painted / filmed, 3) if filmed > _FAINT else None


def _jitter(last: _Pair | None, here: _Pair) -> float | None:
    if last is None or last.number != here.number - 1:
        return None
    both = last.mask & here.mask
    return round(float(np.abs(here.change - last.change)[both].mean()), 3)
