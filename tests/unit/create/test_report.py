"""What the report of a render says, and when it doesn't."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from casts import SCENE_FRAMES, Cast, Stage

from assent.consent.locker import Locker
from assent.create.findings import Span
from assent.create.quality import FrameNote, FrameQuality, Measures
from assent.create.report import QualityReport, donor_poses, quality_of, report_on
from assent.kit.errors import NotClearedError

FINE: dict[str, float] = {
    "yaw": 10.0, "pitch": 2.0, "near_yaw": 9.0, "near_pitch": 2.0, "away": 1.0, "scale": 0.8,
    "relit": 0.1, "hidden": 0.0, "strangeness": 0.1, "confidence": 0.95,
}  # fmt: skip


def note(number: int, *, painted: bool = True, **changes: Any) -> FrameNote:  # noqa: ANN401
    """A frame of a film of 25 a second; `measures` and fields of its quality may be given."""
    measures = changes.pop("measures", Measures())
    known = FrameQuality(number=number, **{**FINE, **changes})
    return FrameNote(seconds=number / 25, painted=painted, quality=known, measures=measures)


def report(worse: Sequence[int] = (), count: int = 100, **changes: Any) -> QualityReport:  # noqa: ANN401
    return report_on(note(n, **(changes if n in worse else {})) for n in range(count))


def test_nothing_stands_out() -> None:
    found = report()
    assert found.verdict.startswith("Good")
    assert not any((found.advice, found.worst, found.far, found.hidden, found.relit))
    assert (found.frames, found.painted, found.judged, found.covered) == (100, 100, 100, 1.0)
    assert (found.yaw, found.mean, found.scale) == ((10.0, 10.0), 0.95, 0.8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"yaw": 38.0, "near_yaw": 22.0, "away": 16.0},
         "turns to 38 degrees to the right of the picture; the donor's nearest picture is at 22."),
        ({"yaw": -38.0, "near_yaw": -22.0, "away": 16.0},
         "turns to 38 degrees to the left of the picture; the donor's nearest picture is at 22."),
        ({"pitch": 30.0, "near_pitch": 12.0, "away": 18.0}, "Film the donor looking further down"),
        ({"pitch": -30.0, "near_pitch": -12.0, "away": 18.0}, "Film the donor looking further up"),
        ({"away": 20.0}, "tilts the head"),
        ({"away": 20.0}, "fades out at 0.8-1.6 s"),
        ({"relit": 2.1}, "2.1 stops"),
        ({"hidden": 0.3}, "hides the face at 0.8-1.6 s"),
        ({"strangeness": 0.5}, "unlike themselves at 0.8-1.6 s"),
        ({"painted": False, "away": 30.0}, "left as it was filmed at 0.8-1.6 s"),
    ],
)  # fmt: skip
def test_advice_on_a_stretch(changes: dict[str, Any], words: str) -> None:
    assert any(words in sentence for sentence in report(range(20, 41), **changes).advice)
    assert report((20,), **changes).advice == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scale": 2.0}, "2.0 times as large"),
        ({"scale": 0.2}, "very small"),
        ({"strangeness": 0.5}, "unlike their own footage"),
        ({"measures": Measures(sharpness=0.4)}, "40% of the fine detail"),
        ({"measures": Measures(sharpness=1.9)}, "1.9 times as crisp"),
        ({"measures": Measures(jitter=9.0)}, "trembles"),
        ({"measures": Measures(identity=0.56)}, "isn't surely recognised"),
    ],
)
def test_advice_on_all_of_it(changes: dict[str, Any], words: str) -> None:
    (sentence,) = report(range(100), **changes).advice
    assert words in sentence


def test_a_part_of_it_is_not_told_as_all_of_it() -> None:
    (sentence,) = report(range(30), strangeness=0.5).advice
    assert "themselves at 0.0-1.2 s" in sentence
    assert report(range(30), scale=2.0).advice == ()


def test_large_faces_are_soft_for_one_reason_only() -> None:
    (sentence,) = report(range(100), scale=2.0, measures=Measures(sharpness=0.4)).advice
    assert "as large" in sentence


@pytest.mark.parametrize(
    ("confidence", "count", "verdict"),
    [(0.7, 100, "Fair"), (0.2, 10, "Fair"), (0.2, 2, "Good"), (0.2, 60, "Poor")],
)
def test_the_verdict(confidence: float, count: int, verdict: str) -> None:
    assert report(range(count), confidence=confidence).verdict.startswith(verdict)


def test_stretches_near_each_other_are_one() -> None:
    worse = [*range(10), *range(15, 20), *range(60, 70), 90, 91]
    assert report(worse, hidden=0.2).hidden == (Span(0.0, 0.76), Span(2.4, 2.76))


def test_the_worst_frames_lie_apart_and_say_why() -> None:
    found = report(range(30, 60), confidence=0.3, hidden=0.6).worst
    assert [(each.number, each.seconds) for each in found] == [(30, 1.2), (55, 2.2)]
    assert {each.why for each in found} == {"something hides the face"}
    assert len(report(range(1000), 1000, confidence=0.3).worst) == 8


def test_confidence_over_time_keeps_what_is_not_known() -> None:
    unseen = FrameNote(seconds=1.0, painted=False, quality=None, measures=Measures())
    found = report_on([note(0), unseen, note(26)])
    assert found.confidence == ((0.0, 0.95), (1.0, None), (1.04, 0.95))
    assert (found.frames, found.judged, found.painted) == (3, 2, 2)
    long = report(range(500, 1000), 1000, confidence=0.1)
    assert len(long.confidence) == 400
    assert [value for _, value in long.confidence][::399] == [0.95, 0.1]
    assert len(long.poses) <= 400


def test_nothing_is_known() -> None:
    found = report_on([])
    assert (found.frames, found.mean, found.yaw, found.advice) == (0, None, None, ())
    assert "can't tell" in found.verdict
    assert dict(found.rows())["confidence"] == "-"


def test_the_other_engine_is_measured_but_not_judged(rendered: Cast, tmp_path: Path) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    found = report_of(stage)
    assert (found.frames, found.judged) == (SCENE_FRAMES, 0)
    assert found.painted == stage.draft.replaced
    assert found.sharpness is not None
    assert found.jitter is not None
    assert poses_of(stage) == ()
    json.dumps(found.as_dict(), allow_nan=False)
    stage.withdraw(stage.ben)
    for read in (report_of, poses_of):
        with pytest.raises(NotClearedError):
            read(stage)


def report_of(stage: Stage) -> QualityReport:
    asking = stage.asking(stage.draft.needs(to_release=False))
    return quality_of(stage.draft, Locker(stage.studio), asking)


def poses_of(stage: Stage) -> tuple[tuple[float, float], ...]:
    asking = stage.asking(stage.draft.needs(to_release=False))
    return donor_poses(stage.studio, stage.draft, asking())


def test_a_model_that_has_gone_has_no_poses(rendered: Cast, tmp_path: Path) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    stage.fit(iterations=3)
    assert poses_of(stage) == ()
