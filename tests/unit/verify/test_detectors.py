"""What a detector may say, and how it is told; others' code may do anything."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from assent.verify.detectors import Opinion, Shots, forensic_layers
from assent.verify.findings import Layer, Status


class Saying:
    name, version, licence = "Example", "1.2", "MIT"
    error = "errs half of the time, on coins"

    def __init__(self, opinion: object) -> None:
        self.opinion = opinion

    def judge(self, pictures: Sequence[NDArray[np.uint8]]) -> Opinion | None:
        return self.opinion  # type: ignore[return-value]


def layer_of(opinion: object) -> Layer:
    shots = Shots(frames=1, taken=[np.zeros((9, 9, 3), np.uint8)])
    (layer,) = forensic_layers([Saying(opinion)], shots)
    return layer


def test_its_licence_and_its_error_are_shown() -> None:
    layer = layer_of(Opinion(score=0.9))
    assert "(licence: MIT)" in layer.rests_on
    assert "its makers say: errs half of the time" in layer.rests_on
    assert layer.facts["licence"] == "MIT"
    assert layer.status is Status.UNKNOWN


def test_who_abstains_says_why() -> None:
    layer = layer_of(Opinion(score=None, says="the face is too small"))
    assert layer.says == "Example abstains: the face is too small."
    assert layer.facts["score"] is None


def test_where_is_told_in_hundredths() -> None:
    layer = layer_of(Opinion(score=0.9, where=np.array([[0.0, 0.256], [2.0, -1.0]])))
    assert layer.facts["where"] == [[0, 26], [100, 0]]


@pytest.mark.parametrize(
    "where",
    [None, np.zeros(4), np.zeros((17, 4)), np.zeros((0, 0)), np.full((2, 2), np.nan)],
)
def test_what_is_no_small_table_of_shares_is_left_out(where: object) -> None:
    layer = layer_of(Opinion(score=0.9, where=where))  # type: ignore[arg-type]
    assert layer.facts["where"] is None
    assert layer.facts["score"] == 90


def test_a_map_of_words_is_a_failure_and_no_opinion() -> None:
    layer = layer_of(Opinion(score=0.9, where=np.array([["a"]])))
    assert "failed (ValueError)" in layer.says
    assert layer.facts["score"] is None
