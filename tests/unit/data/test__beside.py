from threading import Event, get_ident

import pytest

from assent.data._beside import beside


def test_work_is_done_in_order_in_another_thread() -> None:
    done: list[tuple[int, int]] = []

    def note(number: int) -> None:
        done.append((number, get_ident()))

    with beside(most=2) as queue:
        for number in range(9):
            queue.add(note, number)
    assert [number for number, _ in done] == list(range(9))
    assert get_ident() not in {thread for _, thread in done}


def test_it_falls_no_further_behind_than_told() -> None:
    go = Event()
    begun: list[int] = []

    def wait() -> None:
        begun.append(len(begun))
        assert go.wait(20)

    with beside(most=3) as queue:
        for _ in range(3):
            queue.add(wait)
        assert len(begun) <= 1
        go.set()
        queue.add(wait)
        assert begun
    assert len(begun) == 4


def test_an_error_is_raised_to_who_adds_more() -> None:
    done: list[int] = []

    def fail() -> None:
        raise ValueError("no")

    def run() -> None:
        with beside(most=1) as queue:
            queue.add(fail)
            for number in range(5):
                queue.add(done.append, number)

    with pytest.raises(ValueError, match="no"):
        run()
    assert done == []


def test_an_error_in_the_last_piece_is_raised_at_the_end() -> None:
    def fail() -> None:
        raise ValueError("late")

    def run() -> None:
        with beside(most=4) as queue:
            queue.add(fail)

    with pytest.raises(ValueError, match="late"):
        run()


def test_after_an_error_outside_the_rest_is_dropped() -> None:
    go = Event()
    done: list[str] = []

    def first() -> None:
        go.wait(20)
        done.append("first")

    def run() -> None:
        with beside(most=4) as queue:
            queue.add(first)
            queue.add(done.append, "second")
            try:
                raise KeyError("outside")
            finally:
                queue.drop()
                go.set()

    with pytest.raises(KeyError, match="outside"):
        run()
    assert done == ["first"]
