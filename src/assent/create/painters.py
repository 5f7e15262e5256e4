"""Painters: each puts the donor's face into frames, by one of the engines.

A painter may want to see frames around one that it paints: it is shown each frame as it comes, in
order, and asked for its patch `ahead` frames later. Several frames may be painted at once, each in
a thread, while another thread shows the painter what comes next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from assent.create.composite import CompositeConfig, composite, cut, reach, smooth
from assent.create.engine import FaceEngine
from assent.create.lit import LightSeen
from assent.create.patches import Patch
from assent.create.patches import cut as cut_patch
from assent.create.quality import FrameQuality
from assent.data.matching import Exemplar
from assent.data.tracks import PersonTrack
from assent.kit.faces.align import align, scale_of, transform
from assent.kit.faces.mesh import landmarks_of
from assent.kit.imaging.colour import Colour
from assent.kit.imaging.grain import match_grain
from assent.kit.likeness.focus import in_focus
from assent.kit.likeness.painting import paint
from assent.kit.likeness.performance import AHEAD, Face, Performance
from assent.kit.likeness.portrait import Portrait
from assent.kit.media.picture import Picture, crop, paste_rgb

__all__ = ["Painter", "is_portrait", "painter_for"]

# Chroma samples at the edge of what is changed reach a little beyond it.
_RIM = 4
_ARCHIVE: Final = b"PK"
# Alpha from which a pixel is the donor's when the scene's grain is measured.
_SHOWN = 0.5


class Painter(Protocol):
    """Anything that paints faces."""

    @property
    def ahead(self) -> int:
        """How many frames beyond one that is painted it must have seen, if there are any."""

    def exemplars(self) -> Sequence[Exemplar]:
        """Return the donor's pictures that the model holds, if it holds any."""

    def see(self, number: int, picture: Picture) -> None:
        """Take in the next frame."""

    def paint(self, number: int, picture: Picture) -> tuple[Patch, FrameQuality | None]:
        """Return the patch of a frame that was seen, empty where the face isn't in it.

        Several threads may ask at once.
        """

    def forget(self, number: int) -> None:
        """Hear that no frame up to this one will be asked for again."""


def painter_for(model: bytes, tracks: Sequence[PersonTrack], config: CompositeConfig) -> Painter:
    """Return the painter that a model's bytes want.

    Args:
        model: of either engine.
        tracks: the performer's, in the clip.
        config: how an autoencoder's face is set in; a portrait's takes its colours alone.

    Raises:
        IntegrityError: the bytes aren't a face model.
    """
    if is_portrait(model):
        return PortraitPainter(Portrait.from_bytes(model), tracks, config.colour)
    # Frames are painted side by side, which fills the cores better than threads within one.
    engine = FaceEngine(model, threads=1)
    return AutoencoderPainter(engine=engine, landmarks=_landmarks(tracks), config=config)


def is_portrait(model: bytes) -> bool:
    """Tell which engine a model's bytes are of."""
    return model.startswith(_ARCHIVE)


class PortraitPainter:
    """Has the donor's portrait do what the performer does."""

    ahead = AHEAD

    def __init__(
        self,
        portrait: Portrait,
        tracks: Sequence[PersonTrack],
        colour: Colour = Colour.TOUCH,
    ) -> None:
        self._portrait = portrait
        self._performance = Performance(portrait, colour)
        self._donor_light = LightSeen(portrait)
        self._where = {
            int(number): (run, track, place)
            for run, track in enumerate(tracks)
            for place, number in enumerate(track.index)
        }

    def exemplars(self) -> Sequence[Exemplar]:
        """The donor's textures, which show the face from the front."""
        points = self._portrait.layout.points
        flat = np.column_stack([points, np.zeros(len(points))]).astype(np.float32)
        landmarks = landmarks_of(flat)
        return [(texture, landmarks) for texture in self._portrait.textures]

    def see(self, number: int, picture: Picture) -> None:
        """Follow the performer's pose, expression and light."""
        if number not in self._where:
            return
        run, track, place = self._where[number]
        size = self._portrait.layout.size
        mesh, landmarks = track.meshes[place], track.landmarks[place]
        matrix = align(landmarks, size, self._portrait.coverage)
        crop = cut(picture, landmarks, size, self._portrait.coverage)
        there = np.empty(mesh.shape)
        there[:, :2] = transform(mesh[:, :2], matrix)
        there[:, 2] = mesh[:, 2] * scale_of(matrix)
        self._performance.see(number, run, crop, there, matrix)

    def paint(self, number: int, picture: Picture) -> tuple[Patch, FrameQuality | None]:
        """Paint the donor's face as it would look in this frame."""
        face = self._performance.face(number)
        if face is None:
            return Patch(pts=picture.pts), None
        quality = self._judge(number, face)
        size = picture.height, picture.width
        painted = paint(face.texture, face.share, face.mesh, self._portrait.layout, size)
        if painted is None or not painted.alpha.any():
            return Patch(pts=picture.pts), quality
        painted = in_focus(painted, face.mesh, face.filmed)
        height, width = painted.alpha.shape
        x, y = painted.x, painted.y
        luma = picture.y[y : y + height, x : x + width]
        level = np.float32(1 / (1 << picture.bits - 8))
        rgb = match_grain(painted.rgb, luma * level, painted.alpha > _SHOWN, seed=number)
        # Only what is around the face is copied and changed.
        found = crop(picture, (x - _RIM, y - _RIM, x + width + _RIM, y + height + _RIM))
        if found is None:
            return Patch(pts=picture.pts), quality
        part, (left, top) = found
        changed = paste_rgb(part, rgb, painted.alpha, x - left, y - top)
        planes = changed.y, changed.u, changed.v
        return Patch(pts=picture.pts, x=left, y=top, planes=planes), quality

    def forget(self, number: int) -> None:
        """Let go of what was seen and is no longer needed."""
        self._performance.forget(number)

    def _judge(self, number: int, face: Face) -> FrameQuality:
        """Tell how well the donor's pictures fit what this frame asks for."""
        turns = self._portrait.turns
        nearest = turns[np.linalg.norm(turns - face.turn, axis=1).argmin()]
        _, track, place = self._where[number]
        size, coverage = self._portrait.layout.size, self._portrait.coverage
        return FrameQuality.of(
            number,
            face,
            nearest=nearest,
            scale=1 / scale_of(align(track.landmarks[place], size, coverage)),
            relit=self._donor_light.away(face.texture),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoencoderPainter:
    """Paints the donor's face with a network, and sets it in."""

    engine: FaceEngine
    landmarks: Mapping[int, NDArray[np.float32]]
    config: CompositeConfig
    ahead: int = 0

    def exemplars(self) -> Sequence[Exemplar]:
        """None: it paints from memory."""
        return ()

    def see(self, number: int, picture: Picture) -> None:
        """Each frame is painted for itself."""

    def paint(self, number: int, picture: Picture) -> tuple[Patch, FrameQuality | None]:
        """Paint one frame; how well can't be told."""
        points = self.landmarks.get(number)
        if points is None:
            return Patch(pts=picture.pts), None
        coverage = self.engine.coverage
        crop = cut(picture, points, self.engine.size, coverage)
        swapped = self.engine.swap(crop[None])
        painted = composite(
            picture,
            points,
            swapped.faces[0],
            swapped.masks[0],
            coverage=coverage,
            config=self.config,
        )
        x0, y0, x1, y1 = reach(points, self.config)
        return cut_patch(painted, (x0 - _RIM, y0 - _RIM, x1 + _RIM, y1 + _RIM)), None

    def forget(self, number: int) -> None:
        """Nothing was kept."""


def _landmarks(tracks: Sequence[PersonTrack]) -> dict[int, NDArray[np.float32]]:
    """Return the performer's steadied landmarks by frame number."""
    return {
        int(index): points
        for track in tracks
        for index, points in zip(track.index, smooth(track.landmarks), strict=True)
    }
