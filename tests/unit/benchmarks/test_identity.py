import numpy as np
import pytest
from _disguises import DISGUISES, morph
from identity import (
    Trial,
    drawn,
    false_matches,
    false_non_matches,
    summary,
    told,
    wilson,
)
from scenes import pictures, truth_landmarks

GALLERY = {name: np.zeros((1, 128), np.float32) for name in ("ada", "ben", "cleo")}


def trials() -> list[Trial]:
    made = [
        Trial("ada", name, {"ada": 0.3 + 0.01 * number, "ben": 0.7, "cleo": 0.8})
        for number, name in enumerate(DISGUISES)
    ]
    return [*made, Trial("ben", "as filmed", {"ada": 0.42, "ben": 0.55, "cleo": 0.9}),
            Trial("ben", "as filmed", None)]  # fmt: skip


def test_errors_are_counted_of_the_faces_that_were_found() -> None:
    assert (false_matches(trials(), 0.5).count, false_matches(trials(), 0.4).count) == (1, 0)
    assert false_matches(trials(), 0.5).of == 2 * (len(DISGUISES) + 1)
    plain = [trial for trial in trials() if trial.disguise == "as filmed"]
    assert (false_non_matches(plain, 0.5).count, false_non_matches(plain, 0.5).of) == (1, 2)
    assert false_non_matches(plain, 0.6).count == 0


def test_wilsons_interval() -> None:
    # Textbook values.
    rate = wilson(10, 100)
    assert rate.low == pytest.approx(0.0552, abs=1e-3)
    assert rate.high == pytest.approx(0.1744, abs=1e-3)
    assert wilson(0, 100).low == 0.0
    assert wilson(0, 100).high == pytest.approx(0.037, abs=1e-3)
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


def test_the_report_says_how_little_three_people_tell() -> None:
    report = summary(trials(), [], GALLERY)
    assert report["pairs_wrong_at_most"] == pytest.approx(1 - 0.05 ** (1 / 3))
    text = told(report)
    assert "3 people make 3 pairs" in text
    assert "63%" in text
    plain = next(row for row in report["disguises"] if row["disguise"] == "as filmed")
    assert (plain["pictures"], plain["found"]) == (3, 2)
    assert plain["zones"] == {"same": 1, "unsure": 1, "other": 0}
    assert plain["strangers"] == {"same": 1, "unsure": 0, "other": 3}
    assert drawn(report).count("<polyline") == 9


@pytest.mark.parametrize("name", list(DISGUISES))
def test_disguises_change_the_face_and_keep_the_size(name: str) -> None:
    rgb, points = pictures("scene1_ada", 0, 1)[0], truth_landmarks()[0]
    made = DISGUISES[name](rgb, points, 3)
    assert made.shape == rgb.shape
    assert made.dtype == np.uint8
    assert np.array_equal(made, DISGUISES[name](rgb, points, 3))
    assert np.array_equal(made, rgb) == (name == "as filmed")


def test_a_mixture_begins_at_one_face_and_ends_at_the_other() -> None:
    one, other = pictures("scene1_ada", 0, 1)[0], pictures("ben_train", 0, 1)[0]
    points = truth_landmarks()[0]
    none, half = morph(one, points, other, points, 0.0), morph(one, points, other, points, 0.5)
    assert np.abs(none.astype(int) - one).mean() < 1
    x, y = points[30].astype(int)
    middle = slice(y - 8, y + 8), slice(x - 8, x + 8)
    wanted = 0.5 * one[middle].astype(float) + 0.5 * other[middle]
    assert np.abs(half[middle] - wanted).mean() < 6
    assert np.array_equal(half[:20], none[:20])
