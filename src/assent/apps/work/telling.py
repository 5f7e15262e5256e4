"""What a job tells while it runs: its share, its speed, the time left; at most once a moment.

>>> teller = Teller(stages=(("looking", 3), ("hiding", 1)), clock=lambda: 0.0)
>>> teller.progress("looking for faces", 50, 100)
>>> teller.news().share
0.375
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from assent.kit.errors import StoppedError
from assent.kit.jobs.claims import Progress

__all__ = ["Teller"]

_EVERY_S = 1.0
_SETTLED_S = 1.0


@dataclass(kw_only=True)
class Teller:
    """Collects what work tells, for the thread that stores it; the newest alone counts.

    Attributes:
        stages: how each stage's name begins, and its part of the whole.
        stopped: set by others once the work shall stop; the next word of it then raises.
    """

    stages: tuple[tuple[str, float], ...] = ()
    clock: Callable[[], float] = time.monotonic
    stopped: bool = False
    _now: Progress | None = None
    _told: float = float("-inf")
    _far: float | None = None
    _stage: str = ""
    _began: tuple[float, int] = (0.0, 0)
    _details: dict[str, Any] = field(default_factory=dict)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Take a word of the work; raises `StoppedError` if it shall stop."""
        self.tell(stage, done, total)
        if self.stopped:
            raise StoppedError("the job was told to stop")

    def tell(self, stage: str, done: int, total: int) -> None:
        """Take a word of work that asks itself whether to stop."""
        name, _, note = stage.partition("|")
        moment = self.clock()
        if name != self._stage:
            self._stage, self._began = name, (moment, done)
        since, before = self._began
        rate = (done - before) / (moment - since) if moment - since >= _SETTLED_S else None
        left = (total - done) / rate if rate and total else None
        share = self._share(name, done, total)
        self._far = self._far if share is None else max(share, self._far or 0.0)
        self._now = Progress(
            share=self._far,
            rate=rate,
            seconds_left=left,
            message=f"{name}: {note}" if note else name,
            details={**self._details, "done": done, "total": total},
        )

    def detail(self, told: dict[str, Any]) -> None:
        """Take what else is worth showing."""
        self._details = {**self._details, **told}

    def news(self) -> Progress | None:
        """Return what has changed since it was last asked, if that is long enough ago."""
        if self._now is None or self.clock() - self._told < _EVERY_S:
            return None
        news, self._now, self._told = self._now, None, self.clock()
        return news

    def _share(self, name: str, done: int, total: int) -> float | None:
        if not total:
            return None
        part = min(1.0, done / total)
        number = next(
            (n for n, (begins, _) in enumerate(self.stages) if name.startswith(begins)), None
        )
        if number is None:
            return None if self.stages else part
        whole = sum(weight for _, weight in self.stages)
        before = sum(weight for _, weight in self.stages[:number])
        return (before + self.stages[number][1] * part) / whole
