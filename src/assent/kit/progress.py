"""How long work tells how far it is; the command line draws a bar, a job stores it.

>>> nothing("reading", 1, 10)
"""

from collections.abc import Callable

__all__ = ["Progress", "nothing"]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many units are done, and how many there are (0: unknown)."""


def nothing(stage: str, done: int, total: int) -> None:
    """Report to nobody."""
