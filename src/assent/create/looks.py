"""Looks: rendered frames made small, so close to each other that they show all of the film.

Rendering has each frame in its hands and keeps a look twice a second. Review sees the film in
these without decoding it, the mark is fitted to them, and whoever opens the frames themselves
checks each look against its frame.

>>> look_at([0.0, 0.2, 0.4, 0.6, 0.8], since=None, following=1.0)
(0, 2, 4)
"""

from collections.abc import Sequence

import numpy as np

from assent.kit.media.convert import fit_shortest_side, scale
from assent.kit.media.picture import Picture

__all__ = ["LONGEST_GAP", "is_look_of", "look_at", "take_look"]

LONGEST_GAP = 0.5
"""Seconds between two looks, unless two frames lie further apart."""
# Pixels of the shorter side: what the mark's reader scales pictures to.
_SIDE = 512


def look_at(
    times: Sequence[float], *, since: float | None, following: float | None
) -> tuple[int, ...]:
    """Return which frames of a run to keep a look of.

    `times` are theirs in seconds, `since` is that of the look before (None at the film's start,
    whose first frame is kept) and `following` that of the frame after the run (None at the film's
    end, whose last frame is kept).
    """
    chosen = []
    for n, (time, after) in enumerate(zip(times, (*times[1:], following), strict=True)):
        if since is None or after is None or after - since > LONGEST_GAP:
            chosen.append(n)
            since = time
    return tuple(chosen)


def take_look(picture: Picture) -> Picture:
    """Return `picture` with a shorter side of 512 pixels at most."""
    return scale(picture, *fit_shortest_side(picture.width, picture.height, _SIDE))


def is_look_of(look: Picture, picture: Picture) -> bool:
    """Tell whether `look` is what `take_look` makes of `picture`, to the last bit."""
    again = take_look(picture)
    return (again.bits, again.full_range, again.matrix) == (
        look.bits,
        look.full_range,
        look.matrix,
    ) and all(
        np.array_equal(a, b) for a, b in ((again.y, look.y), (again.u, look.u), (again.v, look.v))
    )
