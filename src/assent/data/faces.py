"""Cut the faces out of a clip: aligned crops, one set a person, spread over the whole clip.

    cutter = FaceCutter()
    for index, (pts, seconds, frame) in enumerate(frames):
        cutter.add(frame, tracker.add(index, pts, seconds, frame))
    sets = cutter.face_sets(named)   # once it is known whose the tracks are

Crops are made while the clip is looked at, so that it is decoded once. They stay in memory until
everyone in the clip is known to have agreed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.align import align, hull_mask, scale_of, transform
from assent.kit.faces.face_set import FaceSet
from assent.kit.faces.frame import Image, frame_of
from assent.kit.faces.mesh import Mesh, landmarks_of
from assent.kit.faces.tracks import Track, TrackPoint

__all__ = ["COVERAGE", "CROP_SIZE", "MOST_FACES", "FaceCutter"]

CROP_SIZE = 256
"""Side of a stored crop in pixels; models of any smaller size are trained from it."""
COVERAGE = 0.8
"""Share of the crop's side that the mean face takes up, chin to brow."""
GROW = 0.02
"""How far the mask reaches beyond the landmarks' hull, as a share of its larger side."""
FOREHEAD = 0.15
"""How far it reaches above the brows, so that no brow but the donor's shows."""
MOST_FACES = 1200
"""So that a clip's crops fit in memory however long it is: 240 MB, and 80 MB of masks."""

_Crop = NDArray[np.uint8]


@dataclass(slots=True, eq=False)
class _Run:
    """Every `step`-th face of one run."""

    step: int = 1
    seen: int = 0
    kept: list[tuple[TrackPoint, _Crop]] = field(default_factory=list)

    def thin(self) -> None:
        self.step *= 2
        # A run of a single face gives that up, or there would be no end of many short runs.
        self.kept = self.kept[::2] if len(self.kept) > 1 else []


class FaceCutter:
    """Keeps at most `most` crops of a clip, those of a run evenly spread in time.

    When there are too many, the run that has most loses every second one: who is in the picture for
    a moment only is kept whole longest.
    """

    def __init__(self, *, most: int = MOST_FACES) -> None:
        self._most = most
        self._count = 0
        self._runs: dict[int, _Run] = defaultdict(_Run)

    def add(self, image: Image, points: Iterable[TrackPoint]) -> None:
        """Cut the faces at `points` out of their frame, or pass them over."""
        frame = frame_of(image)
        for point in points:
            run = self._runs[point.run]
            if run.seen % run.step == 0:
                matrix = align(point.landmarks, CROP_SIZE, COVERAGE)
                run.kept.append((point, frame.cut(matrix, CROP_SIZE)))
                self._count += 1
            run.seen += 1
        while self._count > self._most:
            fullest = max(self._runs.values(), key=lambda run: len(run.kept))
            before = len(fullest.kept)
            fullest.thin()
            self._count -= before - len(fullest.kept)

    def face_sets(self, named: Iterable[tuple[str, Track]]) -> dict[str, FaceSet]:
        """Return each person's face set, of the crops that belong to one of their tracks.

        A person all of whose faces were passed over has none.
        """
        crops = {point: crop for run in self._runs.values() for point, crop in run.kept}
        own: dict[str, list[tuple[TrackPoint, _Crop]]] = defaultdict(list)
        for person, track in named:
            own[person] += [(point, crops[point]) for point in track.points if point in crops]
        return {person: _face_set(pieces) for person, pieces in own.items() if pieces}


def _face_set(pieces: Sequence[tuple[TrackPoint, _Crop]]) -> FaceSet:
    meshes = np.stack([_in_crop(point.mesh) for point, _ in pieces])
    landmarks = np.stack([landmarks_of(mesh) for mesh in meshes])
    masks = np.empty((len(pieces), CROP_SIZE, CROP_SIZE), np.uint8)
    for mask, marks in zip(masks, landmarks, strict=True):
        mask[...] = hull_mask(marks, mask.shape, GROW, FOREHEAD) * 255
    return FaceSet(
        faces=np.stack([crop for _, crop in pieces]),
        masks=masks,
        landmarks=landmarks,
        meshes=meshes,
        seconds=np.array([point.seconds for point, _ in pieces], np.float64),
    )


def _in_crop(mesh: Mesh) -> Mesh:
    """The mesh in pixels of the crop that is cut out for it."""
    matrix = align(landmarks_of(mesh), CROP_SIZE, COVERAGE)
    depth = mesh[:, 2:] * np.float32(scale_of(matrix))
    return np.concatenate([transform(mesh[:, :2], matrix), depth], axis=1)
