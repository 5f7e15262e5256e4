"""Let a second thread do what the first need not wait for, in order, and not far behind.

>>> done = []
>>> with beside(most=2) as work:
...     for number in range(5):
...         work.add(done.append, number)
>>> done
[0, 1, 2, 3, 4]
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec

__all__ = ["Beside", "beside"]

P = ParamSpec("P")


class Beside:
    """A queue of at most `most` pieces of work, done one after another in a thread of its own."""

    def __init__(self, worker: ThreadPoolExecutor, most: int) -> None:
        self._worker = worker
        self._most = most
        self._waiting: deque[Future[object]] = deque()

    def add(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Have the work done later; raises what an earlier piece raised.

        Waits where the queue is full.
        """
        if len(self._waiting) >= self._most:
            self._waiting.popleft().result()
        self._waiting.append(self._worker.submit(work, *args, **kwargs))

    def finish(self) -> None:
        """Wait until all is done; raises what the first piece to fail raised."""
        while self._waiting:
            self._waiting.popleft().result()

    def drop(self) -> None:
        """Leave what has not begun undone."""
        for piece in self._waiting:
            piece.cancel()


@contextmanager
def beside(*, most: int) -> Iterator[Beside]:
    """Give a queue, whose work is done when the block ends; after an error it is dropped."""
    with ThreadPoolExecutor(1, thread_name_prefix="beside") as worker:
        queue = Beside(worker, most)
        try:
            yield queue
            queue.finish()
        finally:
            queue.drop()
