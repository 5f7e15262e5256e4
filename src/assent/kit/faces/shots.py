"""Notice when the picture jumps: a cut, or a change too sudden for comfort.

>>> import numpy as np
>>> shots = ShotWatch()
>>> [shots.see(np.full((90, 160, 3), grey, np.uint8)).name for grey in (10, 10, 200)]
['CUT', 'STEADY', 'CUT']
"""

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.frame import Image, frame_of

__all__ = ["Change", "ShotWatch"]

_THUMB = (32, 18)
_CUT = 12.0
_CUT_RATIO = 4.0
_JUMP = 2.0
_JUMP_RATIO = 2.5
_MEMORY = 0.2


class Change(Enum):
    """How a frame follows the one before it."""

    STEADY = "steady"
    JUMP = "jump"
    CUT = "cut"


class ShotWatch:
    """Compares thumbnails of successive frames.

    The measure is the mean absolute difference of 32 x 18 thumbnails in grey levels. A cut is at
    least 12 and 4 times the running mean; a jump at least 2 and 2.5 times. The ratios keep a fast
    pan from looking like a string of cuts. Dissolves and fades are not noticed.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._usual = 0.0

    def see(self, image: Image) -> Change:
        """Take the next frame, or RGB uint8 [H, W, 3]; the first one counts as a cut."""
        thumb, last = frame_of(image).thumbnail(*_THUMB).astype(np.float32), self._last
        self._last = thumb
        if last is None:
            return Change.CUT
        difference = float(np.abs(thumb - last).mean())
        change = self._judge(difference)
        if change is Change.CUT:
            self._usual = 0.0
        else:
            self._usual += _MEMORY * (difference - self._usual)
        return change

    def _judge(self, difference: float) -> Change:
        if difference > max(_CUT, _CUT_RATIO * self._usual):
            return Change.CUT
        if difference > max(_JUMP, _JUMP_RATIO * self._usual):
            return Change.JUMP
        return Change.STEADY
