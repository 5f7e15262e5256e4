"""How long somebody waits for a picture. Only viewings import it."""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock

from assent.kit.media.seek import Scrubber

__all__ = ["Time"]


class Time:
    """Seconds that run from now on; they may be without end.

    >>> Time(0.0).left, Time(math.inf).left
    (0.0, inf)
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Return how many there are still."""
        return max(0.0, self._ends - time.monotonic())

    @contextmanager
    def holding(self, lock: Lock) -> Iterator[bool]:
        """Hold a lock; tells whether it was to be had in time."""
        mine = lock.acquire(timeout=-1 if self._endless else self.left)
        try:
            yield mine
        finally:
            if mine:
                lock.release()

    def given(self, scrubber: Scrubber | None) -> AbstractContextManager[None]:
        """Let a scrubber decode for no longer than that."""
        return nullcontext() if scrubber is None or self._endless else scrubber.within(self.left)

    @property
    def _endless(self) -> bool:
        return math.isinf(self._ends)
