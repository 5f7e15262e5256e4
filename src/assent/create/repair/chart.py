"""A face's own map: places on it that stay on it as the head turns and moves.

It is drawn from the performer's own tracks, so that the same clip always has the same chart: what
was painted once is found again.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.data.tracks import PersonTrack
from assent.kit.errors import InputError
from assent.kit.faces.align import align, scale_of, transform
from assent.kit.faces.geometry import frontalness
from assent.kit.likeness.layout import Layout, layout_of

__all__ = ["CHART", "chart_of"]

CHART: Final = 256
"""Side of a chart, pixels."""

_LOOKS: Final = 600  # meshes that are looked at for the one that is most from the front


def chart_of(tracks: Sequence[PersonTrack]) -> Layout:
    """Return the chart of the face that tracks follow: its mesh where it is most from the front.

    Raises `InputError` if there are none.
    """
    if not tracks:
        raise InputError("nobody was followed there", advice="Choose a clip that shows a face.")
    sizes = [len(track.index) for track in tracks]
    total = sum(sizes)
    step = -(-total // _LOOKS)
    spots = [(t, n) for t, size in enumerate(sizes) for n in range(size)][::step]
    best = max(spots, key=lambda spot: frontalness(tracks[spot[0]].landmarks[spot[1]]))
    return layout_of(_upright(tracks[best[0]], best[1]), CHART)


def _upright(track: PersonTrack, place: int) -> NDArray[np.float64]:
    matrix = align(track.landmarks[place], size=CHART, coverage=0.7)
    mesh = track.meshes[place]
    shape = np.empty(mesh.shape)
    shape[:, :2] = transform(mesh[:, :2], matrix)
    shape[:, 2] = mesh[:, 2] * scale_of(matrix)
    return shape
