"""Follow every face through a clip, shot by shot.

    tracker = FaceTracker(DlibDetector(), LandmarkFinder(), FaceEmbedder())
    for index, (pts, seconds, rgb) in enumerate(frames):
        tracker.add(index, pts, seconds, rgb)
    tracks = tracker.finish()

The detector looks every few frames, at cuts, and at each frame while a face is missing; in between
landmarks follow from the last landmarks. A cut ends all tracks. Who a face is gets asked once a
second, at the best-looking frame, and again whenever the face may have been exchanged: after a jump
of the picture or of the face's colours, after it was lost for a moment, after two faces met. If the
answer then differs, the track is split at that frame. Points and embeddings are kept, frames are
not: about 1 kB a face and frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces._living import Embedder, Living
from assent.kit.faces.detect import CERTAIN, FACE_IN_FACE, Detection, FaceDetector
from assent.kit.faces.geometry import (
    Box,
    Landmarks,
    box_of_landmarks,
    covered,
    overlap,
    plausible,
)
from assent.kit.faces.look import coarse_look, is_sudden
from assent.kit.faces.shots import Change, ShotWatch
from assent.kit.faces.tracks import Track, TrackPoint

__all__ = ["Embedder", "FaceTracker", "LandmarkFitter", "Track", "TrackPoint"]

_WEAKEST = -0.5
"""Lowest score that still confirms a face that is already followed."""

_SAME_PLACE = 0.3
"""Overlap from which a detection belongs to a followed face."""

_AGREED = 0.55
"""Overlap with the detection under which followed landmarks have drifted and are fitted anew."""

_ONE_FACE = 0.6
"""Overlap from which two followed faces are one face followed twice."""

_PATIENCE = 12
"""Frames that a face may go undetected before its track ends."""


class LandmarkFitter(Protocol):
    """Anything that places 68 landmarks."""

    def fit(self, rgb: NDArray[np.uint8], box: Box) -> Landmarks:
        """Landmarks float32 [68, 2] of the face in the box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    index: int
    pts: int
    seconds: float
    rgb: NDArray[np.uint8]


class FaceTracker:
    """Turns frames in presentation order into tracks.

    `detect_every` is in frames, `embed_every` in seconds. `searcher` is a more thorough and slower
    detector (say, `DlibDetector(longest=1920)`) for small faces; it takes the detector's place at
    cuts and every `search_every` frames.
    """

    def __init__(
        self,
        detector: FaceDetector,
        landmarks: LandmarkFitter,
        embedder: Embedder,
        *,
        detect_every: int = 3,
        embed_every: float = 1.0,
        searcher: FaceDetector | None = None,
        search_every: int = 25,
    ) -> None:
        self._detector = detector
        self._searcher = searcher
        self._fitter = landmarks
        self._embedder = embedder
        self._detect_every = detect_every
        self._search_every = search_every
        self._embed_every = embed_every
        self._reset()

    def _reset(self) -> None:
        self._shots = ShotWatch()
        self._since_look = 0
        self._since_search = 0
        self._living: list[Living] = []
        self._done: list[Living] = []

    def add(self, index: int, pts: int, seconds: float, rgb: NDArray[np.uint8]) -> None:
        """Take the next frame, RGB uint8 [H, W, 3]; its points carry the three numbers."""
        frame = _Frame(index=index, pts=pts, seconds=seconds, rgb=rgb)
        change = self._shots.see(rgb)
        if change is Change.CUT:
            self._end(self._living)
        for track in self._living:
            track.doubtful |= change is Change.JUMP
            self._follow(track, rgb)
        self._look_if_due(change, rgb, seconds)
        self._end([track for track in self._living if track.misses > _PATIENCE])
        for track in self._living:
            self._record(track, frame)
        self._part_doubles()

    def finish(self) -> tuple[Track, ...]:
        """End all tracks and return them in order of their first frame; the tracker starts anew."""
        self._end(self._living)
        done = sorted(self._done, key=lambda track: (track.points[0].index, track.points[0].box))
        self._reset()
        return tuple(track.finished(number) for number, track in enumerate(done))

    def _follow(self, track: Living, rgb: NDArray[np.uint8]) -> None:
        landmarks = self._fitter.fit(rgb, track.box)
        track.landmarks = landmarks if plausible(landmarks, track.box) else None

    def _look_if_due(self, change: Change, rgb: NDArray[np.uint8], seconds: float) -> None:
        self._since_look += 1
        self._since_search += 1
        missing = any(track.misses or track.landmarks is None for track in self._living)
        search = change is Change.CUT or self._since_search >= self._search_every
        due = self._since_look >= self._detect_every or change is not Change.STEADY
        if self._searcher and search:
            self._since_search = self._since_look = 0
            self._look(self._searcher, rgb, seconds)
        elif due or missing:
            self._since_look = 0
            self._look(self._detector, rgb, seconds)

    def _look(self, detector: FaceDetector, rgb: NDArray[np.uint8], seconds: float) -> None:
        """Detect, and match what is found to the faces followed."""
        found = detector.find(rgb, weakest=_WEAKEST)
        pairs = _match(self._living, found)
        for number, track in enumerate(self._living):
            if number in pairs:
                self._confirm(track, found[pairs[number]], rgb)
            else:
                track.misses += 1
        for i in sorted(set(range(len(found))) - set(pairs.values())):
            self._begin(found[i], rgb, seconds)

    def _confirm(self, track: Living, detection: Detection, rgb: NDArray[np.uint8]) -> None:
        track.doubtful |= track.misses > 0
        track.points += track.unsure
        track.unsure, track.misses, track.score = [], 0, detection.score
        agreement = _agreement(track.landmarks, detection.box)
        if agreement < _AGREED:
            track.doubtful |= agreement < _SAME_PLACE
            track.landmarks = self._fitter.fit(rgb, detection.box)

    def _begin(self, detection: Detection, rgb: NDArray[np.uint8], seconds: float) -> None:
        if detection.score < CERTAIN or any(_echoes(detection, track) for track in self._living):
            return
        landmarks = self._fitter.fit(rgb, detection.box)
        self._living.append(
            Living(box=detection.box, landmarks=landmarks, score=detection.score, since=seconds)
        )

    def _record(self, track: Living, frame: _Frame) -> None:
        """Add this frame's point to the track, and ask who it is if the time has come."""
        if track.landmarks is None:
            return
        track.box = box_of_landmarks(track.landmarks)
        point = TrackPoint(
            index=frame.index,
            pts=frame.pts,
            seconds=frame.seconds,
            box=track.box,
            landmarks=track.landmarks,
            score=track.score,
        )
        if track.misses:
            track.unsure.append(point)
            return
        look = coarse_look(frame.rgb, track.landmarks)
        if track.doubtful or (track.look is not None and is_sudden(track.look, look)):
            self._keep(track.doubt(frame.seconds, self._embedder))
        track.look = look
        track.points.append(point)
        track.keep_best(frame.rgb, frame.seconds, self._embedder)
        if frame.seconds - track.since >= self._embed_every:
            self._keep(track.ask_who(frame.seconds, self._embedder))

    def _part_doubles(self) -> None:
        """Where two tracks have come to follow one face, end the one that was seen less clearly."""
        ranked = sorted(self._living, key=lambda track: (track.misses, -len(track.points)))
        doubles: list[Living] = []
        for rank, track in enumerate(ranked):
            rivals = [other for other in ranked[:rank] if other not in doubles]
            if any(overlap(track.box, other.box) > _ONE_FACE for other in rivals):
                doubles.append(track)
        for track in doubles:
            for other in self._living:
                other.doubtful |= overlap(track.box, other.box) > _ONE_FACE
        self._end(doubles)

    def _end(self, tracks: Sequence[Living]) -> None:
        ending = list(tracks)
        self._living = [track for track in self._living if track not in ending]
        for track in ending:
            self._keep(track.ask_who(track.since, self._embedder))
            self._keep(track)

    def _keep(self, track: Living | None) -> None:
        if track is not None and track.points:
            self._done.append(track)


def _echoes(detection: Detection, track: Living) -> bool:
    """Whether this is a second answer for a face that is followed already."""
    return covered(detection.box, track.box) > FACE_IN_FACE


def _agreement(landmarks: Landmarks | None, box: Box) -> float:
    """How well followed landmarks sit in a detected box, 0 to 1; 0 if they were lost."""
    return 0.0 if landmarks is None else overlap(box_of_landmarks(landmarks), box)


def _match(tracks: Sequence[Living], found: Sequence[Detection]) -> dict[int, int]:
    """Number of the detection for each track number, best overlap first, one to one."""
    ranked = sorted(
        (
            (overlap(track.box, detection.box), number, i)
            for number, track in enumerate(tracks)
            for i, detection in enumerate(found)
        ),
        reverse=True,
    )
    pairs: dict[int, int] = {}
    for share, number, i in ranked:
        if share >= _SAME_PLACE and number not in pairs and i not in pairs.values():
            pairs[number] = i
    return pairs
