"""Make time stamps rise strictly, whatever a file says.

>>> timeline = Timeline(step=10)
>>> [timeline.place(stamp) for stamp in (0, 10, 10, None, 30, 40)]
[0, 10, 11, 21, 30, 40]

A jump back of many steps is taken for a recording that begins again: all that follows is moved.

>>> timeline = Timeline(step=10)
>>> [timeline.place(stamp) for stamp in (500, 510, 0, 10)]
[500, 510, 520, 530]
"""

__all__ = ["Timeline"]

_STEPS_OF_A_RESTART = 8


class Timeline:
    """Places stamps one after another; `step` is a usual gap, in the stamps' own unit."""

    def __init__(self, step: int) -> None:
        self._step = max(step, 1)
        self._last: int | None = None
        self._shift = 0

    def place(self, stamp: int | None) -> int:
        """The stamp itself where it is later than the last one, else the next sensible one."""
        placed = self._repair(stamp)
        self._last = placed
        return placed

    def _repair(self, stamp: int | None) -> int:
        if self._last is None:
            return 0 if stamp is None else stamp
        if stamp is None:
            return self._last + self._step
        placed = stamp + self._shift
        if placed > self._last:
            return placed
        if self._last - placed > _STEPS_OF_A_RESTART * self._step:
            self._shift += self._last + self._step - placed
            return self._last + self._step
        return self._last + 1
