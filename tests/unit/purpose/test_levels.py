from itertools import pairwise

import pytest

from assent.purpose.levels import LEVELS, highest


def test_each_level_asks_for_no_less_than_the_one_before() -> None:
    for lower, higher in pairwise(LEVELS.values()):
        assert higher.shortest_side < lower.shortest_side
        assert higher.sign_off >= lower.sign_off
        assert higher.second_reviewer >= lower.second_reviewer
        assert higher.ticks >= lower.ticks
        assert higher.persistent_label >= lower.persistent_label


def test_the_highest_counts() -> None:
    assert highest(["medium", "severe", "low"]) == LEVELS["severe"]
    assert highest([]) == LEVELS["low"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("low", ("a picture of at most 2160 lines",)),
        ("medium", ("a picture of at most 1080 lines", "the label for the whole length")),
        (
            "severe",
            (
                "a picture of at most 540 lines",
                "the label for the whole length",
                "a reviewer's signature",
                "a second reviewer's signature",
                "a reviewer's tick at each claim",
                "a stronger watermark",
            ),
        ),
    ],
)
def test_what_it_asks_is_said(name: str, said: tuple[str, ...]) -> None:
    assert LEVELS[name].demands() == said
