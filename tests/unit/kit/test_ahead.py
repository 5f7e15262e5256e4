import threading
from collections.abc import Iterator

import pytest

from assent.kit.ahead import ahead


def test_everything_comes_in_order() -> None:
    with ahead((n * n for n in range(100)), depth=3) as items:
        assert list(items) == [n * n for n in range(100)]
        assert list(items) == []
        assert next(items, None) is None


def test_it_runs_ahead_by_no_more_than_it_may() -> None:
    fetched: list[int] = []
    more = threading.Semaphore(0)

    def numbers() -> Iterator[int]:
        for n in range(50):
            fetched.append(n)
            more.release()
            yield n

    with ahead(numbers(), depth=4) as items:
        assert next(items) == 0
        # One taken, four waiting, one that finds no room.
        for _ in range(6):
            assert more.acquire(timeout=10)
        assert not more.acquire(timeout=0.2)
        assert len(fetched) == 6


def test_an_error_comes_where_it_happened() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the disk is gone")

    with ahead(numbers(), depth=8) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(OSError, match="the disk is gone"):
            next(items)


def test_who_leaves_early_closes_the_generator() -> None:
    closed: list[str] = []

    def numbers() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    with ahead(numbers(), depth=2) as items:
        next(items)
    assert closed == ["ahead"]
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]


def test_the_consumers_own_error_is_the_one_that_counts() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        raise OSError

    with pytest.raises(KeyError), ahead(numbers(), depth=2) as items:
        raise KeyError(next(items))


def test_any_iterable_will_do() -> None:
    with ahead([1, 2, 3], depth=1) as items:
        assert next(items) == 1
