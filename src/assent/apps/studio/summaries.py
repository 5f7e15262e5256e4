"""Figures about footage and drafts that take a while to find out, kept while the server runs.

What is kept are numbers, never pictures; the desk is asked each time they are shown.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from assent.consent.clearance import Act, AskAgain, Clearance
from assent.consent.desk import clear_all
from assent.consent.locker import Locker
from assent.create.draft import Draft
from assent.create.report import QualityReport, quality_of
from assent.data.clips import ClearedClip, faces_of_clip
from assent.data.coverage import Lane, Look, lanes_of, look_of
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose

__all__ = ["ClipSummary", "Clips", "Qualities"]

_MOST = 200
_Value = TypeVar("_Value")


class _Kept(Generic[_Value]):
    """The last few values that were made, by key."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, _Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str, make: Callable[[], _Value]) -> _Value:
        """Return the value of `key`; made outside the lock, perhaps twice at a time."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > _MOST:
                self._values.popitem(last=False)
        return value


class Qualities:
    """How good drafts are."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._kept: _Kept[QualityReport] = _Kept()

    def of(self, draft: Draft, ask: AskAgain) -> QualityReport:
        """Return a draft's quality; raises `NotClearedError` unless everyone is cleared now."""
        ask()
        return self._kept.get(draft.digest, lambda: quality_of(draft, Locker(self._studio), ask))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSummary:
    """Who is in a clip and when, and how they are seen."""

    lanes: tuple[Lane, ...]
    looks: tuple[Look, ...]
    seconds: float
    """Until the last face is gone."""


class Clips:
    """What clips show, in figures."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._kept: _Kept[ClipSummary] = _Kept()

    def of(self, purpose: Purpose, clip: ClearedClip) -> ClipSummary:
        """Return what a clip shows; raises `NotClearedError` unless all in it are cleared now."""
        clearances = clear_all(self._studio, purpose, clip.needs(Act.INGEST))
        return self._kept.get(clip.blob, lambda: self._look(purpose, clip, clearances))

    def _look(
        self, purpose: Purpose, clip: ClearedClip, clearances: Sequence[Clearance]
    ) -> ClipSummary:
        locker = Locker(self._studio)
        tracks = clip.tracks(locker, clearances)
        lanes = lanes_of(tracks)
        looks = tuple(
            look_of(
                person,
                tracks,
                faces_of_clip(self._studio, purpose, locker, clip, person, clearances),
            )
            for person in clip.people
        )
        seconds = max((lane.ends for lane in lanes), default=0.0)
        return ClipSummary(lanes=lanes, looks=looks, seconds=seconds)
