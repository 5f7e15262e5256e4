import math

import numpy as np
import pytest
from _followed import Report, Sight, follow_up
from numpy.typing import NDArray

Marks = NDArray[np.float32]
NAMES = ["ada", "ben"]


@pytest.fixture
def truth() -> Marks:
    """Two performers in ten frames, side by side."""
    face = np.random.default_rng(1).uniform(0, 100, (68, 2)).astype(np.float32)
    return np.stack([np.stack([face + i, face + i + (300, 0)]) for i in range(10)]).astype("f4")


def sights(truth: Marks, tracks: list[list[int]], names: list[str | None]) -> list[Sight]:
    """Faces exactly where they are; `tracks[person]` tells the track of each frame."""
    return [
        Sight(frame=frame, track=track, name=names[track], landmarks=truth[frame, person])
        for person, numbers in enumerate(tracks)
        for frame, track in enumerate(numbers)
    ]


def of(seen: list[Sight], truth: Marks) -> Report:
    return follow_up(seen, truth, NAMES)


def test_everyone_followed_where_they_are(truth: Marks) -> None:
    report = of(sights(truth, [[0] * 10, [1] * 10], ["ada", "ben"]), truth)
    assert (report.faces, report.found, report.strangers) == (20, 1.0, 0)
    assert (report.box, report.error, report.relative, report.spread) == (1.0, 0.0, 0.0, 0.0)
    assert (report.tracks, report.switches, report.misnamed) == (2, 0, 0)


def test_tracks_that_cross_over_are_switches(truth: Marks) -> None:
    report = of(sights(truth, [[0] * 6 + [1] * 4, [1] * 6 + [0] * 4], ["ada", "ben"]), truth)
    assert (report.found, report.switches, report.misnamed) == (1.0, 2, 8)


def test_who_is_not_followed_or_has_no_name_counts(truth: Marks) -> None:
    seen = sights(truth, [[0] * 10, [1] * 5], ["ada", None])
    report = of(seen, truth)
    assert (report.found, report.tracks, report.misnamed) == (0.75, 2, 5)


def test_an_offset_is_an_error_and_no_spread(truth: Marks) -> None:
    seen = sights(truth + np.array([3, 4], np.float32), [[0] * 10, [1] * 10], ["ada", "ben"])
    report = of(seen, truth)
    assert report.error == pytest.approx(5, abs=1e-3)
    assert report.spread == pytest.approx(0, abs=1e-3)
    eyes = np.linalg.norm(truth[0, 0, 36] - truth[0, 0, 45])
    assert report.relative == pytest.approx(5 / eyes, rel=1e-3)
    assert 0.8 < report.box < 1


def test_a_face_elsewhere_or_seen_twice_is_a_stranger(truth: Marks) -> None:
    far = Sight(
        frame=2, track=2, name="ada", landmarks=truth[2, 0] + np.array([0, 500], np.float32)
    )
    twice = Sight(
        frame=3, track=2, name="ada", landmarks=truth[3, 0] + np.array([2, 0], np.float32)
    )
    report = of([*sights(truth, [[0] * 10, [1] * 10], ["ada", "ben"]), far, twice], truth)
    assert (report.found, report.strangers, report.misnamed) == (1.0, 2, 0)


def test_an_empty_set(truth: Marks) -> None:
    report = follow_up([], truth[:, :0], [])
    assert (report.faces, report.strangers) == (0, 0)
    assert math.isnan(report.found)
    assert of([], truth).found == 0
