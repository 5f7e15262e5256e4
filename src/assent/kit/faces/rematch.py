"""Ask once a second whose the faces of a clip are, when it is known where they should be.

    rematch = Rematch(DlibDetector(), MeshFinder(), FaceEmbedder())
    for frame_number, (seconds, frame) in enumerate(frames):
        for answer in rematch.see(seconds, frame, faces, near=boxes):
            ...

The footage was followed and accepted before; this holds what is seen now to what was found then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces._living import Embedder, Living
from assent.kit.faces.detect import FaceDetector
from assent.kit.faces.frame import Image
from assent.kit.faces.geometry import Box, box_of_landmarks, covered
from assent.kit.faces.mesh import LOST, Mesh, landmarks_of
from assent.kit.faces.track import MeshFitter

__all__ = ["Answer", "Rematch"]

_EVERY = 1.0
_KNOWN = 0.5
"""Share of a found face that lies on one that is known of, or the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What one second of a face looked like, or a face that nobody knew of (`face` is None)."""

    seconds: float
    face: int | None
    embedding: NDArray[np.float32] | None


class Rematch:
    """Embeds the best-looking picture of each second of each face, and looks for further faces."""

    def __init__(self, detector: FaceDetector, fitter: MeshFitter, embedder: Embedder) -> None:
        self._detector = detector
        self._fitter = fitter
        self._embedder = embedder
        self._living: dict[int, Living] = {}
        self._next_look = float("-inf")

    def see(
        self, seconds: float, image: Image, faces: Mapping[int, Mesh], *, near: Sequence[Box]
    ) -> list[Answer]:
        """Take the next frame.

        Args:
            seconds: its time.
            image: the frame.
            faces: the mesh of each face that is known to be in it.
            near: boxes of the faces that are known of in this frame and those around it.
        """
        answers = [self._ask(face) for face in self._living.keys() - faces.keys()]
        for face, mesh in faces.items():
            living = self._living.get(face) or self._begin(face, mesh, seconds)
            living.mesh, living.box = mesh, box_of_landmarks(landmarks_of(mesh))
            living.keep_best(image, seconds, self._embedder)
            if seconds - living.since >= _EVERY:
                answers.append(self._ask(face, seconds))
        if seconds >= self._next_look:
            self._next_look = seconds + _EVERY
            answers += [Answer(seconds=seconds, face=None, embedding=None)] * self._strays(
                image, near
            )
        return [answer for answer in answers if answer is not None]

    def finish(self) -> list[Answer]:
        """Take the end of the clip; returns what is left to be told."""
        answers = [self._ask(face) for face in tuple(self._living)]
        return [answer for answer in answers if answer is not None]

    def _begin(self, face: int, mesh: Mesh, seconds: float) -> Living:
        box = box_of_landmarks(landmarks_of(mesh))
        self._living[face] = Living(run=0, box=box, mesh=mesh, score=0.0, since=seconds)
        return self._living[face]

    def _ask(self, face: int, go_on: float | None = None) -> Answer | None:
        """Embed the face's best picture since it was last asked; it ends unless it goes on."""
        living = self._living[face] if go_on is not None else self._living.pop(face)
        asked = len(living.embeddings)
        living.ask_who(living.since if go_on is None else go_on, self._embedder)
        if len(living.embeddings) == asked:
            return None
        return Answer(seconds=living.embedded_at[-1], face=face, embedding=living.embeddings[-1])

    def _strays(self, image: Image, near: Sequence[Box]) -> int:
        """Count the faces that two networks see where none is known of."""
        return sum(
            self._fitter.fit(image, found.box).score >= LOST
            for found in self._detector.find(image)
            if not any(_same_place(found.box, box) for box in near)
        )


def _same_place(one: Box, other: Box) -> bool:
    return max(covered(one, other), covered(other, one)) > _KNOWN
