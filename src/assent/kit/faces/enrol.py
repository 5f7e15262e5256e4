"""Learn a person's face from footage that shows nobody else.

The embeddings that come out are a gallery entry for `identity.assign`. They are biometric data
(GDPR, article 9): the caller keeps them encrypted under the subject's key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import MediaError
from assent.kit.faces.calibration import SAME_PERSON
from assent.kit.faces.detect import FaceDetector
from assent.kit.faces.frame import Image
from assent.kit.faces.geometry import Box, Landmarks
from assent.kit.faces.track import Embedder

__all__ = ["Enrolment", "LandmarkFitter", "enrol"]


class LandmarkFitter(Protocol):
    """Anything that places 68 landmarks."""

    def fit(self, image: Image, box: Box) -> Landmarks:
        """Landmarks float32 [68, 2] of the face in the box."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Enrolment:
    """A person's face as learnt from one clip."""

    embeddings: NDArray[np.float32]
    """[n, 128], n >= 1, in order of time."""
    frames_seen: int
    frames_with_face: int
    """Frames with exactly one face."""
    spread: float
    """Largest distance between any two embeddings; up to about 0.55 over strong expressions."""


def enrol(
    pictures: Iterable[tuple[float, NDArray[np.uint8]]],
    detector: FaceDetector,
    landmarks: LandmarkFitter,
    embedder: Embedder,
    *,
    name: str,
    most: int = 24,
) -> Enrolment:
    """Learn the one face in `pictures`: (seconds, RGB uint8 [H, W, 3]), a few a second at most.

    Every picture is searched; at most `most` faces, evenly spread over the pictures with a face,
    are embedded (about 0.1 s each). `name` names the clip in messages. Raises MediaError if no
    picture shows a face, if one shows several, or if it isn't the same person throughout.
    """
    chips = _Thinned(2 * most)
    seen = 0
    for seconds, rgb in pictures:
        seen += 1
        faces = detector.find(rgb)
        if len(faces) > 1:
            raise MediaError(
                f"{name} shows {len(faces)} faces at {seconds:.1f} s.",
                advice="Enrol with footage of one person alone; trim or crop the clip.",
            )
        if faces:
            chips.add(seconds, embedder.chip(rgb, landmarks.fit(rgb, faces[0].box)))
    if not chips.kept:
        raise MediaError(
            f"No face was found in {name} ({seen} pictures searched).",
            advice="Use a clip in which the face is lit, unhidden and turned to the camera.",
        )
    chosen = chips.spaced(most)
    embeddings = np.stack([embedder.embed_chip(chip) for _, chip in chosen])
    apart = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2)
    _check_one_person(apart, [seconds for seconds, _ in chosen], name)
    return Enrolment(
        embeddings=embeddings,
        frames_seen=seen,
        frames_with_face=chips.count,
        spread=float(apart.max()),
    )


class _Thinned:
    """Aligned faces of a stream of unknown length, evenly thinned to at most `room`."""

    def __init__(self, room: int) -> None:
        self.kept: list[tuple[float, NDArray[np.uint8]]] = []
        self.count = 0
        self._room = room
        self._step = 1

    def add(self, seconds: float, chip: NDArray[np.uint8]) -> None:
        if self.count % self._step == 0:
            self.kept.append((seconds, chip))
        self.count += 1
        if len(self.kept) > self._room:
            self.kept = self.kept[::2]
            self._step *= 2

    def spaced(self, most: int) -> list[tuple[float, NDArray[np.uint8]]]:
        """At most `most` of the faces kept, the first and the last among them."""
        steps = np.linspace(0, len(self.kept) - 1, min(len(self.kept), most))
        return [self.kept[i] for i in steps.round().astype(int).tolist()]


def _check_one_person(apart: NDArray[np.float32], seconds: list[float], name: str) -> None:
    """Every face must be near the most central one; `apart` [n, n] holds their distances."""
    central = int(apart.sum(axis=1).argmin())
    strangest = int(apart[central].argmax())
    if apart[central, strangest] >= SAME_PERSON:
        raise MediaError(
            f"{name} doesn't show the same person throughout: "
            f"compare {seconds[central]:.1f} s with {seconds[strangest]:.1f} s.",
            advice="Enrol with footage of one person alone; leave out frames that are dark, "
            "blurred or turned far away.",
        )
