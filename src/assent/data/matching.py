"""Match again: before footage is used, its faces are held to the enrolments once more.

    matching = Matching(clip.name, tracks, read_enrolments(studio, clearances), handles)
    for number, (seconds, frame) in enumerate(frames):
        matching.see(number, seconds, frame)
    matching.finish()

What was accepted at ingestion may have been edited since, or somebody's enrolment may have changed
with a newer version of their consent. A face that a person judged at ingestion passes here as well
as long as it isn't plainly somebody else's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assent.data.look import clock_time
from assent.data.tracks import PersonTrack
from assent.kit.errors import UnlistedFaceError
from assent.kit.faces.calibration import APART, Zone, explain, zone_of
from assent.kit.faces.detect import DlibDetector, FaceDetector
from assent.kit.faces.embed import FaceEmbedder
from assent.kit.faces.face_set import FaceSet
from assent.kit.faces.frame import Image
from assent.kit.faces.geometry import Box, Landmarks, box_of_landmarks
from assent.kit.faces.identity import Gallery, nearest
from assent.kit.faces.mesh import MeshFinder
from assent.kit.faces.rematch import Answer, Rematch
from assent.kit.faces.track import Embedder, MeshFitter

__all__ = ["Exemplar", "Matching", "exemplars_of", "match_faces"]

# Frames before and after in which a face that is seen may have been followed.
_NEAR = 6
# Pictures of a set of somebody's faces that are looked at.
_LOOKS = 9

Exemplar = tuple[NDArray[np.uint8], Landmarks]
"""A picture of a face, RGB uint8 [H, W, 3], and its landmarks in it."""


class Matching:
    """Holds a clip's faces to the enrolments while it is read again.

    Args:
        name: the clip's, for messages.
        tracks: everyone's, as they were found at ingestion.
        gallery: the enrolments of everyone in the clip, by person.
        handles: what people are called, by person.
        decided: numbers of tracks about which a person at the studio has decided: they are known
            of, and not asked about.
    """

    def __init__(
        self,
        name: str,
        tracks: Iterable[PersonTrack],
        gallery: Gallery,
        handles: Mapping[str, str],
        *,
        decided: Collection[int] = (),
        detector: FaceDetector | None = None,
        fitter: MeshFitter | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        self._name = name
        self._tracks = tuple(tracks)
        self._gallery = gallery
        self._handles = handles
        self._rematch = Rematch(
            detector or DlibDetector(), fitter or MeshFinder(), embedder or FaceEmbedder()
        )
        self._where: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._boxes: dict[int, list[Box]] = defaultdict(list)
        for run, track in enumerate(self._tracks):
            for place, number in enumerate(track.index.tolist()):
                if run not in decided:
                    self._where[number].append((run, place))
                self._boxes[number].append(box_of_landmarks(track.landmarks[place]))

    def see(self, number: int, seconds: float, image: Image) -> None:
        """Take the next frame; raises `UnlistedFaceError` with the time."""
        here = {run: self._tracks[run].meshes[place] for run, place in self._where[number]}
        near = [
            box
            for around in range(number - _NEAR, number + _NEAR + 1)
            for box in self._boxes.get(around, ())
        ]
        self._check(self._rematch.see(seconds, image, here, near=near))

    def finish(self) -> None:
        """Take the end of the clip; raises as `see`."""
        self._check(self._rematch.finish())

    def _check(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            when = f"{self._name}, at {clock_time(answer.seconds)}"
            if answer.face is None or answer.embedding is None:
                raise UnlistedFaceError(f"{when}, shows a face that was not in it when it came in")
            person = self._tracks[answer.face].person_id
            _require(answer.embedding, person, self._gallery, self._handles, when)


def match_faces(
    exemplars: Sequence[Exemplar],
    person: str,
    gallery: Gallery,
    handles: Mapping[str, str],
    *,
    name: str,
    embedder: Embedder | None = None,
) -> None:
    """Hold pictures that are said to be of one person to that person's enrolment.

    Some of them, evenly spread, are embedded. A single one may be odd; the middle one must be near.

    Raises `UnlistedFaceError` if they are somebody else's.
    """
    embedder = embedder or FaceEmbedder()
    steps = np.linspace(0, len(exemplars) - 1, min(len(exemplars), _LOOKS)).round().astype(int)
    looks = [exemplars[step] for step in steps.tolist()]
    embeddings = [embedder.embed_chip(embedder.chip(rgb, points)) for rgb, points in looks]
    ranked = sorted(embeddings, key=lambda each: nearest(each, {person: gallery[person]}).distance)
    _require(ranked[len(ranked) // 2], person, gallery, handles, name)


def exemplars_of(faces: FaceSet) -> list[Exemplar]:
    """Return a face set as exemplars."""
    return list(zip(faces.faces, faces.landmarks, strict=True))


def _require(
    embedding: NDArray[np.float32],
    person: str,
    gallery: Gallery,
    handles: Mapping[str, str],
    name: str,
) -> None:
    own = nearest(embedding, {person: gallery[person]}).distance
    best = nearest(embedding, gallery)
    if zone_of(own) is Zone.OTHER:
        raise UnlistedFaceError(
            f"{name}, doesn't show {handles[person]}: the face doesn't match their consent "
            f"statement ({explain(own)})",
            advice="Take the footage in again, or ask the one whom it shows for consent.",
        )
    # Of two who are nearly as near either may be meant: who it is was decided when it came in.
    if own - best.distance >= APART:
        raise UnlistedFaceError(
            f"{name}, shows {handles[best.name]} where {handles[person]} was to be",
            advice="Take the footage in again.",
        )
