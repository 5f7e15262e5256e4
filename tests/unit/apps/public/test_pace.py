import pytest

from assent.apps.public.pace import Pace, neighbourhood


class Hand:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_tries_come_back_one_after_the_other() -> None:
    hand = Hand()
    pace = Pace(burst=3, every_s=10, monotonic=hand)
    assert [pace.wait("a") for _ in range(5)] == [0, 0, 0, 10, 10]
    hand.now += 4
    assert pace.wait("a") == pytest.approx(6)
    hand.now += 6
    assert [pace.wait("a"), pace.wait("a")] == [0, pytest.approx(10)]
    hand.now += 1000
    assert [pace.wait("a") for _ in range(4)] == [0, 0, 0, 10]


def test_addresses_are_counted_apart_and_not_without_end() -> None:
    pace = Pace(burst=1, every_s=10, monotonic=Hand(), most=2)
    assert [pace.wait(each) for each in ("a", "b", "c")] == [0, 0, 0]
    assert pace.wait("c") > 0
    # The oldest was forgotten.
    assert pace.wait("a") == 0


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
def test_who_has_a_network_has_no_more_tries(host: str | None, counted: str) -> None:
    assert neighbourhood(host) == counted
