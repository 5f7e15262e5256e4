"""Between keyframes: which two a frame lies between, how far, and how much a repair counts there.

>>> between([10, 20], 15, Blend.LINEAR)
(0, 1, 0.5)
"""

from bisect import bisect_right
from collections.abc import Sequence

from assent.create.repair.document import Blend, Span

__all__ = ["between", "strength_at"]


def between(frames: Sequence[int], frame: int, blend: Blend) -> tuple[int, int, float]:
    """Return the numbers of the keys before and after `frame`, and the share of the latter.

    Before the first and after the last key, that key counts alone.

    Args:
        frames: of the keys, rising.
        frame: any.
        blend: how it goes from one to the next.
    """
    after = bisect_right(frames, frame)
    if after == 0:
        return 0, 0, 0.0
    if after == len(frames) or blend is Blend.HOLD:
        return after - 1, after - 1, 0.0
    before = after - 1
    share = (frame - frames[before]) / (frames[after] - frames[before])
    return before, after, share * share * (3 - 2 * share) if blend is Blend.SMOOTH else share


def strength_at(span: Span, ease: int, frame: int) -> float:
    """Return how much a repair counts in a frame: 0 outside its span, rising over `ease` frames."""
    if not span.covers(frame):
        return 0.0
    inside = min(frame - span.first, span.last - frame) + 1
    return min(1.0, inside / (ease + 1))
