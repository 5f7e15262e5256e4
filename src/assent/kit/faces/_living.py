"""A track while it is being followed: its points, and the best face since the last embedding."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.calibration import SAME_PERSON
from assent.kit.faces.embed import CHIP, sharpness
from assent.kit.faces.frame import Image
from assent.kit.faces.geometry import Box, Landmarks, frontalness
from assent.kit.faces.mesh import Mesh, landmarks_of
from assent.kit.faces.tracks import Track, TrackPoint

__all__ = ["Embedder", "Living"]

_SHARP = 50.0

_PAUSE = 8
"""Frames for which a face that should look no better than the best so far isn't measured."""


class Embedder(Protocol):
    """Anything that embeds aligned faces."""

    def chip(self, image: Image, landmarks: Landmarks) -> NDArray[np.uint8]:
        """The aligned face, RGB uint8."""

    def embed_chip(self, chip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embedding float32 [128]."""


@dataclass(slots=True, kw_only=True, eq=False)
class Living:
    """One face being followed. `since` is when the present embedding window began, in seconds."""

    run: int
    box: Box
    mesh: Mesh | None
    score: float
    since: float
    presence: float = 1.0
    """How sure the mesh's network is of the face, 0 to 1."""
    misses: int = 0
    doubtful: bool = False
    points: list[TrackPoint] = field(default_factory=list)
    unsure: list[TrackPoint] = field(default_factory=list)
    """Points since the face was last missed; kept only if it is found again."""
    look: NDArray[np.float32] | None = None
    """Coarse look in the last frame in which the face was sure."""
    embeddings: list[NDArray[np.float32]] = field(default_factory=list)
    embedded_at: list[float] = field(default_factory=list)
    _fork: int | None = None
    """Number of points before the last doubt, until an embedding has settled it."""
    _chip: NDArray[np.uint8] | None = None
    _chip_seconds: float = 0.0
    _quality: float = -1.0
    _clarity: float = 1.0
    """Share of its promise that the last face measured kept."""
    _unmeasured: int = 0

    @property
    def landmarks(self) -> Landmarks | None:
        """The landmarks [68, 2] of the present frame; None if the face was lost."""
        return None if self.mesh is None else landmarks_of(self.mesh)

    def keep_best(self, image: Image, seconds: float, embedder: Embedder) -> None:
        """Keep this frame's face if it looks better than the window's best so far."""
        if (landmarks := self.landmarks) is None:
            return
        size = min(1.0, (self.box[2] - self.box[0]) / CHIP)
        promise = (0.05 + frontalness(landmarks)) * size
        self._unmeasured += 1
        dull = promise * self._clarity <= self._quality and self._unmeasured < _PAUSE
        if dull or promise <= self._quality:
            return
        chip = embedder.chip(image, landmarks)
        blur = sharpness(chip)
        self._clarity, self._unmeasured = blur / (blur + _SHARP), 0
        quality = promise * self._clarity
        if quality > self._quality:
            self._chip, self._chip_seconds, self._quality = chip, seconds, quality

    def doubt(self, seconds: float, embedder: Embedder) -> "Living | None":
        """Note that the face may be another's from here on; returns what `ask_who` returns."""
        self.doubtful = False
        before = self.ask_who(seconds, embedder)
        self._fork = len(self.points)
        return before

    def ask_who(self, seconds: float, embedder: Embedder) -> "Living | None":
        """Embed the window's best face and begin a new window at `seconds`.

        If that settles a doubt for another person, this track keeps the part since the doubt, and
        the part before it is returned.
        """
        self.since = seconds
        if self._chip is None:
            return None
        embedding = embedder.embed_chip(self._chip)
        before = self._split() if self._is_other(embedding) else None
        self.embeddings.append(embedding)
        self.embedded_at.append(self._chip_seconds)
        self._chip, self._quality, self._fork = None, -1.0, None
        return before

    def _is_other(self, embedding: NDArray[np.float32]) -> bool:
        """Whether the face is far from every look of the track so far.

        The last alone may have been half covered, and then so is this one, from the other side.
        """
        if not self._fork or not self.embeddings:
            return False
        apart = np.linalg.norm(np.stack(self.embeddings) - embedding, axis=1)
        return bool(apart.min() > SAME_PERSON)

    def _split(self) -> "Living":
        before = Living(run=self.run, box=self.box, mesh=None, score=self.score, since=self.since)
        before.points, self.points = self.points[: self._fork], self.points[self._fork :]
        before.embeddings, self.embeddings = self.embeddings, []
        before.embedded_at, self.embedded_at = self.embedded_at, []
        return before

    def finished(self, number: int) -> Track:
        """The track as a value."""
        return Track(
            id=number,
            points=tuple(self.points),
            embeddings=np.stack(self.embeddings),
            embedded_at=tuple(self.embedded_at),
        )
