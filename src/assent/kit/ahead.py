"""Run an iterator ahead of its consumer, or work on several of its items at once, in threads.

Decoders, encoders and array arithmetic let go of Python's lock while they work, so that a stage
that fetches and one that uses what was fetched fill two cores. Order is kept, and the number of
items under way is bounded.

>>> with ahead(range(5), depth=2) as items:
...     list(items)
[0, 1, 2, 3, 4]
>>> with side_by_side(abs, range(-3, 0), workers=2, depth=4) as items:
...     list(items)
[3, 2, 1]
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

__all__ = ["ahead", "side_by_side"]

T = TypeVar("T")
R = TypeVar("R")
# Seconds between two looks at whether the consumer has left.
_PATIENCE = 0.05


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    """The last thing in the queue; `error` is what ended the iterator early."""

    error: BaseException | None


@contextmanager
def ahead(items: Iterable[T], *, depth: int) -> Iterator[Iterator[T]]:
    """Give an iterator over `items`, of which up to `depth` wait and one more is being fetched.

    What `items` raises is raised to the consumer in its place. When the block is left, a
    generator is closed, in its own thread, before this returns.
    """
    queue: Queue[_Item[T] | _End] = Queue(depth)
    left = Event()
    thread = Thread(target=_fetch, args=(items, queue, left), name="ahead", daemon=True)
    thread.start()
    try:
        yield _taken(queue)
    finally:
        left.set()
        thread.join()


@contextmanager
def side_by_side(
    work: Callable[[T], R], items: Iterable[T], *, workers: int, depth: int
) -> Iterator[Iterator[R]]:
    """Give an iterator over what `work` makes of each of `items`, in their order.

    Up to `depth` items have been fetched and not yet been given, `workers` of them being worked
    on. `items` is run by the consumer's thread. What it or `work` raises is raised to the consumer
    in its place. When the block is left, no work goes on.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="side by side")
    try:
        yield _in_order(pool, work, iter(items), depth)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterator[T], depth: int
) -> Iterator[R]:
    waiting: deque[Future[R]] = deque()
    error: Exception | None = None
    while error is None:
        try:
            waiting.append(pool.submit(work, next(items)))
        except StopIteration:
            break
        except Exception as raised:  # noqa: BLE001 - raised again after what came before it
            error = raised
        if len(waiting) >= depth:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
    if error is not None:
        raise error


def _taken(queue: "Queue[_Item[T] | _End]") -> Iterator[T]:
    while isinstance(found := queue.get(), _Item):
        yield found.value
    # For whoever asks again.
    queue.put(_End(None))
    if found.error is not None:
        raise found.error


def _fetch(items: Iterable[T], queue: "Queue[_Item[T] | _End]", left: Event) -> None:
    error: BaseException | None = None
    try:
        for item in items:
            if not _put(queue, _Item(item), left):
                break
    except BaseException as raised:  # noqa: BLE001 - raised again to the consumer
        error = raised
    finally:
        if isinstance(items, Generator):
            items.close()
        _put(queue, _End(error), left)


def _put(queue: "Queue[_Item[T] | _End]", what: "_Item[T] | _End", left: Event) -> bool:
    """Wait for room; returns False if the consumer has left meanwhile."""
    while not left.is_set():
        try:
            queue.put(what, timeout=_PATIENCE)
        except Full:
            continue
        return True
    return False
