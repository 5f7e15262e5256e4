"""Run an iterator ahead of its consumer, in a thread of its own, by a bounded number of items.

Decoders, encoders and array arithmetic let go of Python's lock while they work, so that a stage
that fetches and one that uses what was fetched fill two cores.

>>> with ahead(range(5), depth=2) as items:
...     list(items)
[0, 1, 2, 3, 4]
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Full, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

__all__ = ["ahead"]

T = TypeVar("T")
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
