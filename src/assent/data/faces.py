"""Cut the faces out of a clip: aligned crops, one set a person, spread over the whole clip."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assent.data.tracks import PersonTrack
from assent.kit.faces.align import align, hull_mask, transform, warp
from assent.kit.faces.face_set import FaceSet
from assent.kit.media.picture import Picture, to_rgb
from assent.kit.media.probe import Clip
from assent.kit.media.read import read_pictures
from assent.kit.progress import Progress

__all__ = ["COVERAGE", "CROP_SIZE", "collect_faces"]

CROP_SIZE = 160
"""Side of a stored crop in pixels; models of any smaller size are trained from it."""
COVERAGE = 0.8
"""Share of the crop's side that the mean face takes up, chin to brow."""
GROW = 0.02
"""How far the mask reaches beyond the landmarks' hull, as a share of its larger side."""
FOREHEAD = 0.15
"""How far it reaches above the brows, so that no brow but the donor's shows."""
# So that a set fits in memory however long the clip is: 1,500 crops are 150 MB.
MOST_FACES = 1500


def collect_faces(
    path: Path, clip: Clip, tracks: Sequence[PersonTrack], progress: Progress
) -> dict[str, FaceSet]:
    """Return each person's face set from the clip at `path`; at most `MOST_FACES` each."""
    wanted = _choose(tracks)
    cut: dict[str, list[tuple[NDArray[np.uint8], NDArray[np.float32], float]]] = defaultdict(list)
    last = max(wanted)
    for index, picture in enumerate(read_pictures(path, name=path.name)):
        for person, landmarks, seconds in wanted.get(index, ()):
            crop, points = _cut(picture, landmarks)
            cut[person].append((crop, points, seconds))
        progress("cutting out faces", index + 1, clip.frames)
        if index >= last:
            break
    return {person: _face_set(pieces) for person, pieces in cut.items()}


def _choose(
    tracks: Sequence[PersonTrack],
) -> Mapping[int, list[tuple[str, NDArray[np.float32], float]]]:
    """Return what to cut at which frame: all of it, or evenly spread if there is too much."""
    of_person: dict[str, list[tuple[int, NDArray[np.float32], float]]] = defaultdict(list)
    for track in tracks:
        of_person[track.person_id] += [
            (int(index), landmarks, float(seconds))
            for index, landmarks, seconds in zip(
                track.index, track.landmarks, track.seconds, strict=True
            )
        ]
    wanted = defaultdict(list)
    for person, moments in of_person.items():
        kept = np.unique(np.linspace(0, len(moments) - 1, MOST_FACES).round().astype(int))
        for index, landmarks, seconds in (moments[number] for number in kept):
            wanted[index].append((person, landmarks, seconds))
    return wanted


def _cut(
    picture: Picture, landmarks: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    matrix = align(landmarks, CROP_SIZE, COVERAGE)
    crop = warp(to_rgb(picture), matrix, CROP_SIZE)
    return crop, transform(landmarks, matrix).astype(np.float32)


def _face_set(
    pieces: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32], float]],
) -> FaceSet:
    landmarks = np.stack([points for _, points, _ in pieces])
    masks = [hull_mask(points, (CROP_SIZE, CROP_SIZE), GROW, FOREHEAD) for points in landmarks]
    return FaceSet(
        faces=np.stack([crop for crop, _, _ in pieces]),
        masks=(np.stack(masks) * 255).round().astype(np.uint8),
        landmarks=landmarks,
        seconds=np.array([seconds for _, _, seconds in pieces], np.float64),
    )
