import threading
from collections.abc import Iterator

import pytest

from assent.kit.ahead import ahead, side_by_side


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


def test_work_is_done_side_by_side_and_given_in_order() -> None:
    met = threading.Barrier(3)

    def work(n: int) -> int:
        met.wait(timeout=10)
        return -n

    with side_by_side(work, range(6), workers=3, depth=3) as results:
        assert list(results) == [0, -1, -2, -3, -4, -5]


def test_no_more_is_fetched_than_may_be_under_way() -> None:
    fetched: list[int] = []

    def numbers() -> Iterator[int]:
        for n in range(50):
            fetched.append(n)
            yield n

    with side_by_side(abs, numbers(), workers=2, depth=4) as results:
        assert [next(results), next(results)] == [0, 1]
        assert len(fetched) == 5


def test_what_fails_is_told_after_all_that_went_before() -> None:
    def numbers() -> Iterator[int]:
        yield from (3, 2, 1)
        raise OSError("the disk is gone")

    with side_by_side(abs, numbers(), workers=2, depth=8) as results:
        assert [next(results) for _ in range(3)] == [3, 2, 1]
        with pytest.raises(OSError, match="the disk is gone"):
            next(results)


def test_work_that_fails_is_told_in_its_place() -> None:
    with side_by_side(lambda n: 1 // n, (1, 1, 0, 1), workers=2, depth=4) as results:
        assert [next(results), next(results)] == [1, 1]
        with pytest.raises(ZeroDivisionError):
            next(results)
    assert not [each for each in threading.enumerate() if each.name.startswith("side by side")]
