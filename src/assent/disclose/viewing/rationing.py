"""How many pictures are given of a thing: enough to look, too few to take a film away.

>>> ration = Ration(most=3, burst=2, a_second=1.0, clock=lambda: 0.0)
>>> ration.take(), ration.take(), ration.given
(None, None, 2)
"""

from collections.abc import Callable

from assent.kit.errors import TooOftenError

__all__ = ["Ration", "Rations"]

_BURST, _A_SECOND = 120, 24.0
"""Pictures of a thing that are given at once, and a second after that."""


class Ration:
    """Counts what is given; for one thread at a time.

    Args:
        most: in all.
        burst: at once, after a pause.
        a_second: in the long run.
        clock: monotonic seconds.
    """

    def __init__(
        self, *, most: int, burst: int, a_second: float, clock: Callable[[], float]
    ) -> None:
        self.given = 0
        self._most = most
        self._burst = burst
        self._a_second = a_second
        self._clock = clock
        self._credit, self._credited = float(burst), clock()

    def take(self) -> None:
        """Count one; raises `TooOftenError` if there is none to be had, or not yet."""
        now = self._clock()
        earned = (now - self._credited) * self._a_second
        self._credit, self._credited = min(self._burst, self._credit + earned), now
        if self.given >= self._most:
            raise TooOftenError(
                f"a viewing gives {self._most} pictures, and no more",
                advice="Go on in a quarter of an hour.",
            )
        if self._credit < 1:
            raise TooOftenError("too many pictures were asked for", advice="Wait a second.")
        self._credit -= 1
        self.given += 1

    def give_back(self) -> None:
        """Count one less, which wasn't given after all."""
        self._credit += 1
        self.given -= 1


class Rations:
    """What each account gets of each thing, however often it is opened; for one thread at a time.

    Args:
        most: pictures of a thing, in all.
        lasts: seconds after which a ration begins anew.
        clock: monotonic seconds.
    """

    def __init__(self, *, most: int, lasts: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._lasts = lasts
        self._clock = clock
        self._begun: dict[tuple[str, ...], tuple[float, Ration]] = {}

    def take(self, *of: str) -> None:
        """Count one; raises as `Ration.take`."""
        now = self._clock()
        for key in [key for key, (begun, _) in self._begun.items() if now - begun >= self._lasts]:
            del self._begun[key]
        new = Ration(most=self._most, burst=_BURST, a_second=_A_SECOND, clock=self._clock)
        self._begun.setdefault(of, (now, new))[1].take()

    def give_back(self, *of: str) -> None:
        """Count one less, which wasn't given after all."""
        if of in self._begun:
            self._begun[of][1].give_back()
