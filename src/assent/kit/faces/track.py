"""Follow every face through a clip, shot by shot.

    tracker = FaceTracker(DlibDetector(), MeshFinder(), FaceEmbedder())
    for index, (pts, seconds, frame) in enumerate(frames):
        tracker.add(index, pts, seconds, frame)
    tracks = tracker.finish()

The detector looks every few frames, at cuts, and at each frame while a face is missing; in between
the mesh follows from the last mesh, as long as its network says that there is a face. A face found
between two looks is followed back through the frames since the look before. A cut ends all tracks.
Who a face is gets asked once a second, at the best-looking frame, and again whenever the face may
have been exchanged: after a jump of the picture or of the face's colours, after it was lost for a
moment, after two faces met. If the answer then differs, the track is split at that frame. Points
and embeddings are kept, about 3 kB a face and frame; of the frames only the last twenty are.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from assent.kit.faces._living import Embedder, Living
from assent.kit.faces.detect import CERTAIN, FACE_IN_FACE, Detection, FaceDetector
from assent.kit.faces.frame import Frame, Image, frame_of
from assent.kit.faces.geometry import (
    Box,
    Landmarks,
    box_of_landmarks,
    covered,
    overlap,
    plausible,
)
from assent.kit.faces.look import coarse_look, is_sudden
from assent.kit.faces.mesh import LOST, Mesh, MeshFit, landmarks_of
from assent.kit.faces.packed import PackedMesh
from assent.kit.faces.shots import Change, ShotWatch
from assent.kit.faces.tracks import Track, TrackPoint

__all__ = ["Embedder", "FaceTracker", "MeshFitter", "Track", "TrackPoint"]

_WEAKEST = -0.5
"""Lowest score that still confirms a face that is already followed."""

_SAME_PLACE = 0.3
"""Overlap from which a detection belongs to a followed face."""

_AGREED = 0.55
"""Overlap with the detection under which a followed mesh has drifted and are fitted anew."""

_ONE_FACE = 0.6
"""Overlap from which two followed faces are one face followed twice."""

_PATIENCE = 12
"""Frames that a face may go undetected before its track ends."""

_LAG = 20
"""Frames after which the thorough detector's answer is waited for."""

_SURE = 0.9
"""Presence from which a face that the detector misses, in profile say, is followed all the same."""


class MeshFitter(Protocol):
    """Anything that lays a mesh over a face."""

    def fit(self, image: Image, around: Box | Mesh) -> MeshFit:
        """The mesh of the face in the box, or of the face whose mesh was that a frame ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    index: int
    pts: int
    seconds: float
    image: Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """A frame that the thorough detector looks at, and the faces followed in it."""

    frame: _Frame
    followed: tuple[Box, ...]
    answer: "Future[list[Detection]]"


class FaceTracker:
    """Turns frames in presentation order into tracks.

    `detect_every` is in frames, `embed_every` in seconds. `searcher` is a more thorough and slower
    detector (say, `DlibDetector(longest=1920)`) for small faces. At cuts it takes the detector's
    place; every `search_every` frames (at least 20) it looks in a thread of its own. A face that it
    found beside those followed joins in twenty frames later, with points from where it was found.
    """

    def __init__(
        self,
        detector: FaceDetector,
        fitter: MeshFitter,
        embedder: Embedder,
        *,
        detect_every: int = 8,
        embed_every: float = 1.0,
        searcher: FaceDetector | None = None,
        search_every: int = 25,
    ) -> None:
        self._detector = detector
        self._searcher = searcher
        self._fitter = fitter
        self._embedder = embedder
        self._detect_every = detect_every
        self._search_every = search_every
        self._embed_every = embed_every
        self._reset()

    def _reset(self) -> None:
        self._shots = ShotWatch()
        self._since_look = 0
        self._since_search = 0
        self._runs = 0
        self._search: _Search | None = None
        self._worker = ThreadPoolExecutor(1)
        self._recent: deque[_Frame] = deque(maxlen=max(self._detect_every, _LAG))
        self._living: list[Living] = []
        self._done: list[Living] = []

    def add(self, index: int, pts: int, seconds: float, image: Image) -> tuple[TrackPoint, ...]:
        """Take the next frame, or RGB uint8 [H, W, 3]; its points carry the three numbers.

        Returns the points of the faces now followed; some of them may not last.
        """
        frame = _Frame(index=index, pts=pts, seconds=seconds, image=frame_of(image))
        change = self._shots.see(frame.image)
        if change is Change.CUT:
            self._join_search()
            self._end(self._living)
            self._recent.clear()
        elif self._search and index >= self._search.frame.index + _LAG:
            self._join_search()
        for track in self._living:
            track.doubtful |= change is Change.JUMP
            self._follow(track, frame.image)
        self._look_if_due(change, frame.image, seconds)
        self._search_if_due(change, frame)
        self._end([track for track in self._living if track.misses > _PATIENCE])
        made = tuple(
            point for track in self._living if (point := self._record(track, frame)) is not None
        )
        self._part_doubles()
        self._recent.append(frame)
        return made

    def finish(self) -> tuple[Track, ...]:
        """End all tracks and return them in order of their first frame; the tracker starts anew."""
        self._join_search()
        self._worker.shutdown()
        self._end(self._living)
        done = sorted(self._done, key=lambda track: (track.points[0].index, track.points[0].box))
        self._reset()
        return tuple(track.finished(number) for number, track in enumerate(done))

    def _follow(self, track: Living, image: Frame) -> None:
        fit = self._fitter.fit(image, track.box if track.mesh is None else track.mesh)
        sound = fit.score >= LOST and plausible(landmarks_of(fit.points), track.box)
        track.mesh = fit.points if sound else None
        track.presence = fit.score

    def _look_if_due(self, change: Change, image: Frame, seconds: float) -> None:
        self._since_look += 1
        missing = any(track.misses or track.mesh is None for track in self._living)
        due = self._since_look >= self._detect_every or change is not Change.STEADY
        if due or missing:
            self._since_look = 0
            thorough = self._searcher if change is Change.CUT else None
            self._look(thorough or self._detector, image, seconds)

    def _search_if_due(self, change: Change, frame: _Frame) -> None:
        self._since_search = 0 if change is Change.CUT else self._since_search + 1
        if self._searcher and not self._search and self._since_search >= self._search_every:
            self._since_search = 0
            self._search = _Search(
                frame=frame,
                followed=tuple(track.box for track in self._living),
                answer=self._worker.submit(self._searcher.find, frame.image),
            )

    def _join_search(self) -> None:
        """Follow what the thorough detector found beside the faces that were followed already."""
        search, self._search = self._search, None
        if search is None:
            return
        here = search.frame
        for detection in search.answer.result():
            known = any(covered(detection.box, box) > FACE_IN_FACE for box in search.followed)
            if not known and not self._is_taken(here.index, detection.box):
                track = self._start(detection, here.image, here.seconds)
                self._record(track, here)
                self._catch_up(track, [each for each in self._recent if each.index > here.index])

    def _catch_up(self, track: Living, frames: Iterable[_Frame]) -> None:
        """Follow a face that was found late through the frames since, or to where another has it.

        Two faces at one place of one frame would be one person twice.
        """
        for frame in frames:
            self._follow(track, frame.image)
            if track.mesh is None:
                continue
            if self._is_taken(frame.index, box_of_landmarks(landmarks_of(track.mesh))):
                self._end([track])
                return
            self._record(track, frame)

    def _look(self, detector: FaceDetector, image: Frame, seconds: float) -> None:
        """Detect, and match what is found to the faces followed."""
        found = detector.find(image, weakest=_WEAKEST)
        pairs = _match(self._living, found)
        for number, track in enumerate(self._living):
            if number in pairs:
                self._confirm(track, found[pairs[number]], image)
            elif track.mesh is None or track.presence < _SURE:
                track.misses += 1
        for i in sorted(set(range(len(found))) - set(pairs.values())):
            self._begin(found[i], image, seconds)

    def _confirm(self, track: Living, detection: Detection, image: Frame) -> None:
        track.doubtful |= track.misses > 0
        track.points += track.unsure
        track.unsure, track.misses, track.score = [], 0, detection.score
        agreement = _agreement(track.landmarks, detection.box)
        if agreement < _AGREED:
            track.doubtful |= agreement < _SAME_PLACE
            track.mesh = self._fitter.fit(image, detection.box).points

    def _begin(self, detection: Detection, image: Frame, seconds: float) -> None:
        if detection.score < CERTAIN or any(_echoes(detection, track) for track in self._living):
            return
        track = self._start(detection, image, seconds)
        self._trace_back(track, image)

    def _trace_back(self, track: Living, image: Frame) -> None:
        """Give a new track its points in the frames that passed before the detector looked."""
        mesh, box = track.mesh, track.box
        if mesh is None:
            return
        look = coarse_look(image, landmarks_of(mesh))
        points: list[TrackPoint] = []
        for frame in reversed(self._recent):
            fit = self._fitter.fit(frame.image, mesh)
            landmarks = landmarks_of(fit.points)
            if fit.score < _SURE or not plausible(landmarks, box):
                break
            later, look = look, coarse_look(frame.image, landmarks)
            mesh, box = fit.points, box_of_landmarks(landmarks)
            if is_sudden(look, later) or self._is_taken(frame.index, box):
                break
            points.append(_point(track, frame, mesh, box))
        track.points[:0] = reversed(points)

    def _is_taken(self, index: int, box: Box) -> bool:
        """Whether another track has its face at that place of that frame."""
        return any(
            point.index == index and overlap(point.box, box) > _SAME_PLACE
            for track in (*self._living, *self._done)
            for point in track.points[-2 * _LAG :]
        )

    def _start(self, detection: Detection, image: Frame, seconds: float) -> Living:
        mesh = self._fitter.fit(image, detection.box).points
        self._runs += 1
        track = Living(
            run=self._runs, box=detection.box, mesh=mesh, score=detection.score, since=seconds
        )
        self._living.append(track)
        return track

    def _record(self, track: Living, frame: _Frame) -> TrackPoint | None:
        """Add this frame's point to the track, and ask who it is if the time has come."""
        if track.mesh is None:
            return None
        landmarks = landmarks_of(track.mesh)
        track.box = box_of_landmarks(landmarks)
        point = _point(track, frame, track.mesh, track.box)
        if track.misses:
            track.unsure.append(point)
            return point
        look = coarse_look(frame.image, landmarks)
        if track.doubtful or (track.look is not None and is_sudden(track.look, look)):
            self._keep(track.doubt(frame.seconds, self._embedder))
        track.look = look
        track.points.append(point)
        track.keep_best(frame.image, frame.seconds, self._embedder)
        if frame.seconds - track.since >= self._embed_every:
            self._keep(track.ask_who(frame.seconds, self._embedder))
        return point

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


def _point(track: Living, frame: _Frame, mesh: Mesh, box: Box) -> TrackPoint:
    return TrackPoint(
        index=frame.index,
        run=track.run,
        pts=frame.pts,
        seconds=frame.seconds,
        box=box,
        packed=PackedMesh.of(mesh),
        score=track.score,
    )


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
