"""How well faces were followed, where the truth is known: pure measures of points and names.

>>> marks = np.random.default_rng(1).uniform(40, 90, (2, 1, 68, 2)).astype(np.float32)
>>> seen = [Sight(frame=0, track=0, name="ada", landmarks=marks[0, 0] + np.float32(1))]
>>> report = follow_up(seen, marks, ["ada"])
>>> report.found, report.strangers, round(report.error, 2), report.switches
(0.5, 0, 1.41, 0)
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.geometry import Landmarks, box_of_landmarks, overlap

__all__ = ["Report", "Sight", "follow_up"]

_SAME_FACE = 0.5
"""Overlap of the landmarks' boxes from which a face was found, as in most detection benchmarks."""

_OUTER_EYE_CORNERS = (36, 45)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """A face that was followed, in one frame: its track's number, its name, its landmarks."""

    frame: int
    track: int
    name: str | None
    landmarks: Landmarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a clip's faces; a face is one performer in one frame."""

    faces: int
    found: float
    """Share of them that was found."""
    strangers: int
    """Followed where there is no face."""
    box: float
    """Mean overlap of what was found with the truth's box."""
    error: float
    """Mean distance of a landmark to the true one, pixels."""
    relative: float
    """The same as a share of the distance between the outer corners of the eyes."""
    spread: float
    """The same in pixels, after each landmark's mean offset in the clip was taken off."""
    tracks: int
    switches: int
    """Times that a track passed from one performer to another."""
    misnamed: int
    """Faces found that were given another's name, or none."""


def follow_up(seen: Iterable[Sight], truth: NDArray[np.floating], names: Sequence[str]) -> Report:
    """Hold what was seen against the true landmarks [T, P, 68, 2] of the performers `names` [P].

    What lies over no performer's face by half, or over one that a nearer one was seen at, is a
    stranger. Without anything found the measures of places are NaN.
    """
    by_frame: dict[int, list[Sight]] = defaultdict(list)
    for sight in seen:
        by_frame[sight.frame].append(sight)
    pairs = [
        (frame, person, sight, share)
        for frame, sights in sorted(by_frame.items())
        for person, (sight, share) in _matched(sights, truth[frame]).items()
    ]
    count = sum(map(len, by_frame.values()))
    of_track: dict[int, list[int]] = defaultdict(list)
    for _, person, sight, _ in pairs:
        of_track[sight.track].append(person)
    faces = truth.shape[0] * truth.shape[1]
    offsets = [
        (person, sight.landmarks - truth[frame, person]) for frame, person, sight, _ in pairs
    ]
    error, spread = _distances(offsets)
    eyes = [truth[frame, person][list(_OUTER_EYE_CORNERS)] for frame, person, _, _ in pairs]
    apart = [float(np.linalg.norm(left - right)) for left, right in eyes]
    return Report(
        faces=faces,
        found=len(pairs) / faces if faces else float("nan"),
        strangers=count - len(pairs),
        box=_mean([share for *_, share in pairs]),
        error=error,
        relative=error / _mean(apart),
        spread=spread,
        tracks=len(of_track),
        switches=sum(
            before != after for people in of_track.values() for before, after in pairwise(people)
        ),
        misnamed=sum(sight.name != names[person] for _, person, sight, _ in pairs),
    )


def _matched(
    sights: Sequence[Sight], truth: NDArray[np.floating]
) -> Mapping[int, tuple[Sight, float]]:
    """Who was seen in a frame, and by how much the boxes overlap: the best first, one to one."""
    ranked = sorted(
        (
            (-overlap(box_of_landmarks(sight.landmarks), box_of_landmarks(marks)), person, number)
            for person, marks in enumerate(truth)
            for number, sight in enumerate(sights)
        ),
    )
    matched: dict[int, tuple[Sight, float]] = {}
    used: set[int] = set()
    for less, person, number in ranked:
        if -less >= _SAME_FACE and person not in matched and number not in used:
            matched[person] = sights[number], -less
            used.add(number)
    return matched


def _distances(offsets: Sequence[tuple[int, NDArray[np.floating]]]) -> tuple[float, float]:
    """Mean length of the offsets [68, 2], and of what they differ from their person's mean."""
    of_person: dict[int, list[NDArray[np.floating]]] = defaultdict(list)
    for person, offset in offsets:
        of_person[person].append(offset)
    raw: list[float] = []
    rest: list[float] = []
    for several in of_person.values():
        stack = np.stack(several)
        raw += np.linalg.norm(stack, axis=-1).mean(axis=-1).tolist()
        rest += np.linalg.norm(stack - stack.mean(axis=0), axis=-1).mean(axis=-1).tolist()
    return _mean(raw), _mean(rest)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
