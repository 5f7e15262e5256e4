"""A run of learning: for a time or a number of steps, saved as it goes, stopped and gone on with.

class Walker(Run):
    def step(self, share): ...    # learn a little
    def state(self): ...          # bytes to go on from

Walker().run(seconds=240, on_progress=print)
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Losses", "Progress", "Run"]


@dataclass(frozen=True, slots=True)
class Losses:
    """How far from right a step was, averaged over its faces: the whole, and by person."""

    total: float
    people: dict[str, float]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands.

    Attributes:
        iteration: steps taken since the model was new.
        seconds: time trained since the model was new.
        share: 0..1, of what this run was asked for.
        losses: of the latest step.
        total: steps after which nothing more is to be learned, if that is known.
    """

    iteration: int
    seconds: float
    share: float
    losses: Losses
    total: int | None = None


class Run(ABC):
    """What every engine's training has in common.

    Attributes:
        iteration: steps taken since the model was new.
        seconds: of training since the model was new.
        history: each step's loss.
        total: steps after which nothing more is to be learned; None if there is no such number.
    """

    total: int | None = None

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.iteration = 0
        self.seconds = 0.0
        self.history: list[float] = []
        self._clock = clock

    @abstractmethod
    def step(self, share: float = 0.0) -> Losses:
        """Learn a little; adds to `iteration` and `history`.

        Args:
            share: 0..1, how much of the run is over.
        """

    @abstractmethod
    def state(self) -> bytes:
        """Everything that going on needs, the face sets apart."""

    @property
    def learned(self) -> bool:
        """Whether another step would teach nothing."""
        return False

    def run(
        self,
        *,
        seconds: float | None = None,
        iterations: int | None = None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        should_stop: Callable[[], bool] = lambda: False,
        checkpoint_every_s: float = math.inf,
        save: Callable[[bytes], None] = lambda state: None,
    ) -> Progress | None:
        """Learn until the model has had its time or its steps in all, or is told to stop.

        Time and steps of earlier runs count, so that a run that was cut off is finished by the
        same call on the resumed trainer. The state is saved at the end as well.

        Args:
            seconds: of training since the model was new.
            iterations: since the model was new; where both are given, the first to be reached
                ends the run.
            on_progress: told after each step.
            should_stop: asked before each step.
            checkpoint_every_s: seconds of training between saves.
            save: is given the state.

        Returns:
            where the run stood at its last step; None if there was nothing to do.
        """
        progress, saved_at = None, self.seconds
        while not self.learned and (share := self._left(seconds, iterations, should_stop)) < 1:
            started = self._clock()
            losses = self.step(share)
            self.seconds = self.agree(self.seconds + self._clock() - started)
            progress = Progress(
                self.iteration, self.seconds, self._share(seconds, iterations), losses, self.total
            )
            on_progress(progress)
            if self.seconds - saved_at >= checkpoint_every_s:
                save(self.state())
                saved_at = self.seconds
        if progress is not None:
            save(self.state())
        return progress

    def agree(self, number: float) -> float:
        """The number that all processes go by which run this together: here there is one."""
        return number

    def _left(
        self, seconds: float | None, iterations: int | None, should_stop: Callable[[], bool]
    ) -> float:
        """The share that is done; 1 also where the run is told to stop."""
        share = self._share(seconds, iterations)
        return self.agree(1.0 if share < 1 and should_stop() else share)

    def _share(self, seconds: float | None, iterations: int | None) -> float:
        """How much of what was asked for is done."""
        # Asked for nothing, an engine that comes to an end goes there; another doesn't begin.
        shares = [1.0 if (seconds, iterations, self.total) == (None, None, None) else 0.0]
        if seconds is not None:
            shares.append(self.seconds / seconds if seconds > 0 else 1.0)
        if iterations is not None:
            shares.append(self.iteration / iterations if iterations > 0 else 1.0)
        return min(1.0, max(shares))
