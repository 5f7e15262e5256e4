"""Watch a short recording of somebody: where the face was and what it looked like, as numbers.

    watched = watch(pictures, longest=90.0, name="statement.webm")
    watched.seconds, watched.meshes, watched.others

Nothing is judged here. Frames come one at a time and aren't kept; a face leaves about 5 kB a frame.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.faces.detect import DlibDetector, FaceDetector
from assent.kit.faces.embed import FaceEmbedder, sharpness
from assent.kit.faces.frame import Frame
from assent.kit.faces.mesh import POINTS, MeshFinder, landmarks_of
from assent.kit.faces.shots import Change, ShotWatch
from assent.kit.faces.track import Embedder, FaceTracker, MeshFitter
from assent.kit.faces.tracks import Track, TrackPoint

__all__ = ["Tools", "Watched", "watch"]

_FINE: Final = 1280
"""Longest side at which a second look searches for smaller faces."""

_CLOSEST: Final = 0.045
"""Seconds: of a camera that takes more than 22 pictures a second some are left out."""

_SURE: Final = 0.25
"""Best score from which another face is one; faces in plain view score 0.5 to 2."""

_THUMB: Final = (64, 36)
_LOOKS_APART: Final = 0.5
"""Seconds between the frames whose light and sharpness are measured."""


def _searcher() -> DlibDetector:
    return DlibDetector(longest=_FINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a recording is looked at with; loaded at first use."""

    detector: FaceDetector = field(default_factory=DlibDetector)
    searcher: FaceDetector = field(default_factory=_searcher)
    fitter: MeshFitter = field(default_factory=MeshFinder)
    embedder: Embedder = field(default_factory=FaceEmbedder)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watched:
    """What was seen, frame by frame (n of them), of the face that was there most."""

    width: int
    height: int
    seconds: NDArray[np.float64]
    """[n], when each frame was shown; rising."""
    meshes: NDArray[np.float32]
    """[n, 478, 2], pixels; NaN where the face wasn't seen."""
    others: NDArray[np.int64]
    """[n], faces besides it."""
    perhaps: NDArray[np.int64]
    """[n], what the detector was never sure of, a pattern in a curtain say."""
    changes: NDArray[np.float64]
    """[n], mean difference of thumbnails to the frame before, grey levels; 0 for the first."""
    cuts: tuple[float, ...]
    """Seconds at which the whole picture became another."""
    light: NDArray[np.float64]
    """[m], mean grey level of the aligned face, about twice a second."""
    sharpness: NDArray[np.float64]
    """[m], variance of its Laplacian (`embed.sharpness`)."""
    embeddings: NDArray[np.float32]
    """[k, 128], about one a second, and one more after each doubt."""
    embedded_at: NDArray[np.float64]
    """[k], seconds."""

    @property
    def seen(self) -> NDArray[np.bool_]:
        """[n], whether the face was there."""
        return np.asarray(~np.isnan(self.meshes[:, 0, 0]))


def watch(
    frames: Iterable[tuple[float, Frame]],
    *,
    name: str,
    longest: float,
    tools: Tools | None = None,
) -> Watched:
    """Watch (seconds, frame) in rising order of time.

    Raises `MediaError` if there is no frame, or one later than `longest` seconds.
    """
    tools = tools or Tools()
    tracker = FaceTracker(tools.detector, tools.fitter, tools.embedder, searcher=tools.searcher)
    eye = _Eye(tools.embedder)
    for index, (seconds, frame) in enumerate(_thinned(frames)):
        if seconds > longest:
            raise MediaError(
                f"{name} is longer than {longest:.0f} seconds", advice="Record it again, shorter."
            )
        points = tracker.add(index, round(seconds * 1000), seconds, frame)
        eye.see(seconds, frame, points)
    if not eye.seconds:
        raise MediaError(f"{name} holds no pictures")
    return _collect(eye, tracker.finish())


def _thinned(frames: Iterable[tuple[float, Frame]]) -> Iterator[tuple[float, Frame]]:
    last = -1.0
    for seconds, frame in frames:
        if seconds - last >= _CLOSEST:
            last = seconds
            yield seconds, frame


class _Eye:
    """What is measured of the frames while they are there."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._shots = ShotWatch()
        self._thumb: NDArray[np.float32] | None = None
        self._next = 0.0
        self.size = (0, 0)
        self.seconds: list[float] = []
        self.changes: list[float] = []
        self.cuts: list[float] = []
        self.light: list[float] = []
        self.sharpness: list[float] = []

    def see(self, seconds: float, frame: Frame, points: Sequence[TrackPoint]) -> None:
        thumb = frame.thumbnail(*_THUMB).astype(np.float32)
        change = 0.0 if self._thumb is None else float(np.abs(thumb - self._thumb).mean())
        if self._shots.see(frame) is Change.CUT and self._thumb is not None:
            self.cuts.append(seconds)
        self._thumb = thumb
        self.size = (frame.width, frame.height)
        self.seconds.append(seconds)
        self.changes.append(change)
        if points and seconds >= self._next:
            self._next = seconds + _LOOKS_APART
            largest = max(points, key=lambda point: point.box[2] - point.box[0])
            chip = self._embedder.chip(frame, landmarks_of(largest.mesh))
            self.light.append(float(chip.mean()))
            self.sharpness.append(sharpness(chip))


def _collect(eye: _Eye, tracks: Sequence[Track]) -> Watched:
    count = len(eye.seconds)
    meshes = np.full((count, POINTS, 2), np.nan, np.float32)
    others, perhaps = np.zeros(count, np.int64), np.zeros(count, np.int64)
    main = _one_face(tracks)
    for track in tracks:
        sure = max(point.score for point in track.points) >= _SURE
        for point in track.points:
            if track in main:
                meshes[point.index] = point.mesh[:, :2]
            else:
                (others if sure else perhaps)[point.index] += 1
    when = [seconds for track in main for seconds in track.embedded_at]
    found = [track.embeddings for track in main] or [np.empty((0, 128), np.float32)]
    return Watched(
        width=eye.size[0],
        height=eye.size[1],
        seconds=np.array(eye.seconds),
        meshes=meshes,
        others=others,
        perhaps=perhaps,
        changes=np.array(eye.changes),
        cuts=tuple(eye.cuts),
        light=np.array(eye.light),
        sharpness=np.array(eye.sharpness),
        embeddings=np.concatenate(found),
        embedded_at=np.array(when),
    )


def _one_face(tracks: Sequence[Track]) -> list[Track]:
    """The tracks that can be one face: the longest, and those that aren't there beside them."""
    taken: dict[int, bool] = defaultdict(bool)
    chosen: list[Track] = []
    for track in sorted(tracks, key=lambda track: -len(track.points)):
        places = [point.index for point in track.points]
        if not any(taken[place] for place in places):
            taken.update(dict.fromkeys(places, True))
            chosen.append(track)
    return sorted(chosen, key=lambda track: track.points[0].index)
