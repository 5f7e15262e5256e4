"""What a person's footage covers: when they are seen, how they turn, how sharp and how bright.

It says what to film next, before anything is trained. Angles are those of a quality report: to the
right of the picture and lowered are above 0.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.data.tracks import PersonTrack
from assent.kit.faces.face_set import FaceSet
from assent.kit.imaging.focus import fineness
from assent.kit.likeness.geometry import axes_of

__all__ = [
    "Coverage",
    "Lane",
    "Look",
    "advise",
    "coverage_of",
    "lanes_of",
    "look_of",
    "merge_looks",
]

_LOOKED_AT: Final = 48
"""Crops of a face set whose sharpness and light are measured."""
_MOST_POSES: Final = 600
_SAME: Final = 0.5  # seconds between two runs that are one in a lane
_SMALL: Final = 90.0  # pixels across a face
_SOFT: Final = -1.4  # `imaging.focus.fineness`; 200 pixels in focus have -0.8
_DARK, _BRIGHT = 60.0, 205.0  # grey levels
_FEW: Final = 100
_NEAR: Final = 12.0  # degrees
_LUMA: Final = np.array([0.299, 0.587, 0.114])
_WANTED: Final = (
    (0.0, 0.0, "looking into the camera"),
    (-25.0, 0.0, "turned to the left of the picture, a quarter of the way to profile"),
    (25.0, 0.0, "turned to the right of the picture, a quarter of the way to profile"),
    (0.0, -14.0, "with the chin raised"),
    (0.0, 14.0, "with the chin lowered"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A run of seconds in which somebody is in the frame; frames count from 0, both included."""

    person_id: str
    begins: float
    ends: float
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one person is seen in one clip.

    Attributes:
        person_id: who.
        faces: in how many frames.
        poses: (yaw, pitch) in degrees, at most 600.
        across: median width of the face in pixels of the frame.
        fineness: median of `imaging.focus.fineness`; None if no crop was kept.
        light: median brightness of the face, grey levels; None likewise.
    """

    person_id: str
    faces: int
    poses: tuple[tuple[float, float], ...]
    across: float
    fineness: float | None = None
    light: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What there is of one person, and what to film next.

    Attributes:
        look: of all clips together.
        yaw, pitch: least and largest angle, without the outermost hundredth.
        cells: how many poses lie in each field of ten degrees, by (column, row), 0 in the middle.
        warnings: what is wrong with the footage.
        advice: what to film next, the most important first.
    """

    look: Look
    yaw: tuple[float, float]
    pitch: tuple[float, float]
    cells: dict[tuple[int, int], int]
    warnings: tuple[str, ...]
    advice: tuple[str, ...]

    @property
    def most(self) -> int:
        """How many poses the fullest field holds."""
        return max(self.cells.values(), default=1)

    def is_wanted(self, column: int, row: int) -> bool:
        """Whether a field lies where a pose is missing that one should film."""
        return any(
            f"Film some seconds {words}." in self.advice
            and math.hypot(10 * column - yaw, 10 * row - pitch) <= _NEAR
            for yaw, pitch, words in _WANTED
        )


def lanes_of(tracks: Iterable[PersonTrack]) -> tuple[Lane, ...]:
    """Return when each person is seen, in order of person and time."""
    runs = sorted(
        (t.person_id, float(t.seconds[0]), float(t.seconds[-1]), int(t.index[0]), int(t.index[-1]))
        for t in tracks
    )
    found: list[Lane] = []
    for person, begins, ends, first, last in runs:
        before = found[-1] if found and found[-1].person_id == person else None
        if before is not None and begins - before.ends <= _SAME:
            found.pop()
            begins, first = before.begins, before.first
            ends, last = max(before.ends, ends), max(before.last, last)
        found.append(Lane(person_id=person, begins=begins, ends=ends, first=first, last=last))
    return tuple(found)


def look_of(person_id: str, tracks: Iterable[PersonTrack], faces: FaceSet | None) -> Look:
    """Return how a person is seen in a clip, by its tracks and the crops that were kept."""
    own = [track for track in tracks if track.person_id == person_id]
    count = sum(len(track.index) for track in own)
    if not count:
        return Look(person_id=person_id, faces=0, poses=(), across=0.0)
    meshes = np.concatenate([track.meshes for track in own]).astype(np.float64)
    marks = np.concatenate([track.landmarks for track in own])
    # Outermost points of the jaw.
    across = np.linalg.norm(marks[:, 16] - marks[:, 0], axis=1)
    seen = [] if faces is None else [_measured(faces, n) for n in _evenly(len(faces), _LOOKED_AT)]
    fine, light = (
        (float(np.median(each)) for each in zip(*seen, strict=True)) if seen else (None, None)
    )
    return Look(
        person_id=person_id,
        faces=count,
        poses=tuple(_pose(meshes[n]) for n in _evenly(count, _MOST_POSES)),
        across=float(np.median(across)),
        fineness=fine,
        light=light,
    )


def merge_looks(looks: Sequence[Look]) -> Look:
    """Return one person's looks in several clips as one; there is at least one."""
    counts = [max(look.faces, 1) for look in looks]

    def mean(values: Sequence[float | None]) -> float | None:
        known = [(v, c) for v, c in zip(values, counts, strict=True) if v is not None]
        return sum(v * c for v, c in known) / sum(c for _, c in known) if known else None

    return Look(
        person_id=looks[0].person_id,
        faces=sum(look.faces for look in looks),
        poses=tuple(pose for look in looks for pose in look.poses),
        across=max(look.across for look in looks),
        fineness=mean([look.fineness for look in looks]),
        light=mean([look.light for look in looks]),
    )


def coverage_of(look: Look) -> Coverage:
    """Return what a look means."""
    poses = np.array(look.poses, np.float64).reshape(-1, 2)
    cells: dict[tuple[int, int], int] = {}
    for yaw, pitch in poses:
        cell = (round(float(yaw) / 10), round(float(pitch) / 10))
        cells[cell] = cells.get(cell, 0) + 1
    low, high = (np.percentile(poses, q, axis=0) if len(poses) else (0.0, 0.0) for q in (1, 99))
    return Coverage(
        look=look,
        yaw=(round(float(low[0]), 1), round(float(high[0]), 1)),
        pitch=(round(float(low[1]), 1), round(float(high[1]), 1)),
        cells=cells,
        warnings=warnings_of(look),
        advice=advise(look),
    )


def warnings_of(look: Look) -> tuple[str, ...]:
    """Say what is wrong with footage of a person, beside its poses."""
    found = []
    if look.faces < _FEW:
        found.append(f"Few frames show this face: {look.faces}. Some hundreds are better.")
    if 0 < look.across < _SMALL:
        found.append(
            f"The face is small: {look.across:.0f} pixels across. Film closer; from "
            f"{_SMALL:.0f} pixels on it holds enough detail."
        )
    if look.fineness is not None and look.fineness < _SOFT:
        found.append("The face is soft: out of focus, moving, or worn by compression.")
    if look.light is not None and look.light < _DARK:
        found.append("The face is dark: add light from the front.")
    if look.light is not None and look.light > _BRIGHT:
        found.append("The face is overexposed: its bright parts hold no detail.")
    return tuple(found)


def advise(look: Look) -> tuple[str, ...]:
    """Say in which poses to film a person next."""
    if not look.poses:
        return ()
    poses = np.array(look.poses, np.float64)
    enough = max(3, len(poses) // 100)
    return tuple(
        f"Film some seconds {words}."
        for yaw, pitch, words in _WANTED
        if np.sum(np.hypot(poses[:, 0] - yaw, poses[:, 1] - pitch) <= _NEAR) < enough
    )


def _pose(mesh: NDArray[np.float64]) -> tuple[float, float]:
    """Return yaw and pitch of a face mesh [478, 3], degrees."""
    away = axes_of(mesh)[2]
    yaw = float(np.degrees(np.arctan2(-away[0], away[2])))
    pitch = float(np.degrees(np.arcsin(np.clip(-away[1], -1, 1))))
    return round(yaw, 1), round(pitch, 1)


def _measured(faces: FaceSet, number: int) -> tuple[float, float]:
    """Return fineness and brightness of a crop."""
    grey = (faces.faces[number] @ _LUMA).astype(np.float32)
    where = faces.masks[number] > 127
    return fineness(grey, where), float(np.median(grey[where]))


def _evenly(count: int, most: int) -> list[int]:
    step = max(1.0, count / most)
    return [int(n * step) for n in range(min(count, most))]
