import pytest

from assent.apps.work.telling import Teller
from assent.kit.errors import StoppedError


class Ticking:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_share_rate_and_time_left() -> None:
    clock = Ticking()
    teller = Teller(clock=clock)
    teller.progress("rendering", 0, 100)
    clock.now = 10.0
    teller.progress("rendering|a note", 20, 100)
    news = teller.news()
    assert news is not None
    assert (news.share, news.rate, news.seconds_left) == (0.2, 2.0, 40.0)
    assert news.message == "rendering: a note"
    assert (news.details["done"], news.details["total"]) == (20, 100)


def test_stages_add_up_and_never_go_back() -> None:
    clock = Ticking()
    teller = Teller(stages=(("looking", 3), ("hiding", 1)), clock=clock)
    shares = []
    for stage, done in (("looking for faces", 50), ("hiding", 0), ("looking again", 0), ("x", 9)):
        clock.now += 2.0
        teller.progress(stage, done, 100)
        news = teller.news()
        assert news is not None
        shares.append(news.share)
    assert shares == [0.375, 0.75, 0.75, 0.75]


def test_without_a_total_there_is_no_share() -> None:
    teller = Teller(clock=Ticking())
    teller.progress("fetching", 3, 0)
    news = teller.news()
    assert news is not None
    assert (news.share, news.seconds_left) == (None, None)


def test_news_come_at_most_once_a_second_and_only_if_there_are_any() -> None:
    clock = Ticking()
    teller = Teller(clock=clock)
    assert teller.news() is None
    teller.tell("a", 1, 9)
    assert teller.news() is not None
    teller.tell("a", 2, 9)
    assert teller.news() is None
    clock.now = 1.5
    assert teller.news() is not None
    assert teller.news() is None


def test_told_to_stop_the_next_word_stops_it() -> None:
    teller = Teller(clock=Ticking())
    teller.progress("a", 1, 9)
    teller.stopped = True
    with pytest.raises(StoppedError):
        teller.progress("a", 2, 9)
    # Work that asks itself is let speak.
    teller.tell("a", 2, 9)


def test_details_are_told_with_the_next_word() -> None:
    teller = Teller(clock=Ticking())
    teller.detail({"loss": 1.0})
    teller.detail({"iteration": 2})
    teller.tell("training", 1, 9)
    news = teller.news()
    assert news is not None
    assert news.details == {"loss": 1.0, "iteration": 2, "done": 1, "total": 9}
