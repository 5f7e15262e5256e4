"""What the benchmark counts: areas, shares at the working point, and what was withheld."""

import numpy as np
import pytest
from forensics import Told, area, coded, figures, summed_up, wilson


def told(film: str, odds: float | None, *, fake: bool, rate: int = 28) -> Told:
    group = "splicing" if fake else "genuine"
    return Told(film=film, group=group, rate=rate, way="as filmed", fake=fake, odds=odds)


def test_the_area_is_the_chance_that_a_fake_is_odder() -> None:
    films = [told("a", 0.0, fake=False), told("b", 2.0, fake=False)]
    assert area([*films, told("c", 1.0, fake=True)]) == 0.5
    assert area([*films, told("c", 2.0, fake=True)]) == 0.75
    assert area(films) is None
    # What could not be judged can't be ranked.
    assert area([*films, told("c", None, fake=True)]) is None


def test_the_working_point_leaves_out_what_cannot_be_judged() -> None:
    films = [
        *(told("a", odds, fake=False) for odds in (-3.0, -0.5, 0.5, 2.0)),
        *(told("b", odds, fake=True) for odds in (3.0, 0.5, -2.0, None)),
    ]
    told_of = figures(films, doubt=1.0)
    assert told_of["false_positives"] == 0.25
    assert told_of["found"] == 0.25
    assert told_of["unjudged"] == 0.125
    assert (told_of["genuine_films"], told_of["replaced_films"]) == (1, 1)
    low, high = told_of["false_positives_interval"]
    assert low < 0.25 < high


def test_genuine_films_count_beside_each_method() -> None:
    films = [told("a", -1.0, fake=False), told("cleo", 1.0, fake=True)]
    report = summed_up(films, doubt=0.5)
    assert report["splicing"]["auc"] == 1.0
    assert report["unseen person"]["genuine"] == 0
    assert report["CRF 28"]["replaced"] == 1


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 100, 0.0, 0.037), (50, 100, 0.404, 0.596)]
)
def test_intervals_of_shares_are_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == pytest.approx([low, high], abs=0.001)


def test_films_go_through_a_codec_and_come_back_alike() -> None:
    rows, columns = np.mgrid[:64, :80]
    ground = np.stack([rows * 3, columns * 3, rows + columns], -1).astype(np.uint8)
    shown = coded([ground] * 4, 18)
    assert len(shown) == 4
    assert np.abs(shown[2].astype(int) - ground).mean() < 4
