"""How many reports are taken at once, and how often from one network: refused aloud, never lost.

A report that was accepted is on the disk before its reporter hears so. What can't be taken in time
is refused at once, with the form as it was filled in, so that nothing is typed again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from assent.apps.public.pace import Pace
from assent.kit.canonical import digest
from assent.kit.errors import FaultError
from assent.kit.store.studio import Studio
from assent.monitor.cases.intake import Opened, settle
from assent.monitor.cases.notice import Notice

__all__ = ["FullError", "Reports"]

_BURST, _EVERY_S = 10, 20.0
_ALL_BURST, _ALL_EVERY_S = 300, 0.2
_AT_ONCE = 32
_REMEMBERED = 500


class FullError(FaultError):
    """All places are taken; nothing of this report was kept."""

    says = "more reports are coming in than can be taken at this moment"
    advice = "Send it again in a minute; what you wrote is still there."
    after_s = 60


class Reports:
    """What the form needs between requests.

    Args:
        pace: reports and looks at them from one network.
        everybody: reports from all of them together.
        at_once: how many may be written down at the same time.
    """

    def __init__(
        self, *, pace: Pace | None = None, everybody: Pace | None = None, at_once: int = _AT_ONCE
    ) -> None:
        self._pace = pace or Pace(burst=_BURST, every_s=_EVERY_S)
        self._everybody = everybody or Pace(burst=_ALL_BURST, every_s=_ALL_EVERY_S)
        self._places = threading.BoundedSemaphore(at_once)
        self._taken: OrderedDict[str, Opened] = OrderedDict()
        self._lock = threading.Lock()
        self._settling = threading.Lock()
        self._unsettled = False

    def wait(self, address: str) -> float:
        """Return in how many seconds this network may report again; 0 if it may now."""
        return self._pace.wait(address) or self._everybody.wait("")

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places; raises `FullError` at once if there is none."""
        if not self._places.acquire(blocking=False):
            raise FullError(FullError.says)
        try:
            yield
        finally:
            self._places.release()

    def once(self, token: str, notice: Notice, take: Callable[[], Opened]) -> Opened:
        """Return the receipt of a form that was sent twice by a second press, or take it.

        A form that was gone back to and filled in otherwise is another report.
        """
        token = f"{token} {digest(notice.to_json())}" if token else ""
        with self._lock:
            known = self._taken.get(token) if token else None
        if known is not None:
            return known
        opened = take()
        with self._lock:
            self._taken[token] = opened
            while len(self._taken) > _REMEMBERED:
                self._taken.popitem(last=False)
        return opened

    def settle(self, studio: Studio) -> None:
        """Join and log what was taken: one thread at a time does, and no other waits for it."""
        self._unsettled = True
        while self._unsettled and self._settling.acquire(blocking=False):
            try:
                self._unsettled = False
                settle(studio)
            finally:
                self._settling.release()
