"""Painters: each puts the donor's face into frames, by one of the engines.

A painter may want to see frames around one that it paints: it is shown each frame as it comes, in
order, and asked for its patch `ahead` frames later. Several frames may be painted at once, each in
a thread, while another thread shows the painter what comes next.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from assent.create.composite import (
    Box,
    CompositeConfig,
    Corrected,
    composite,
    cut,
    reach,
    smooth,
)
from assent.create.engine import FaceEngine
from assent.create.lit import LightSeen
from assent.create.patches import Patch
from assent.create.patches import cut as cut_patch
from assent.create.quality import FrameQuality
from assent.create.repair.brush import corrected
from assent.create.repair.mending import Mending
from assent.data.matching import Exemplar
from assent.data.tracks import PersonTrack
from assent.kit.faces.align import align, scale_of, transform
from assent.kit.faces.mesh import landmarks_of
from assent.kit.imaging.detail import sharpen
from assent.kit.imaging.grain import match_grain
from assent.kit.imaging.warp import read_at
from assent.kit.likeness.focus import in_focus
from assent.kit.likeness.painting import laid, paint
from assent.kit.likeness.performance import AHEAD, Face, Finish, Performance
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

    def keep(self, first: int, last: int) -> None:
        """Let go of all frames but these."""

    def unseen(self, numbers: Iterable[int]) -> list[int]:
        """Return those of some frames that it should be shown."""

    def mended(
        self,
        tracks: Sequence[PersonTrack],
        config: CompositeConfig,
        mending: Mending,
        changed: Collection[int],
    ) -> "Painter":
        """Return a painter for other repairs that has seen the same, but for `changed` frames."""


def painter_for(
    model: bytes,
    tracks: Sequence[PersonTrack],
    config: CompositeConfig,
    mending: Mending | None = None,
) -> Painter:
    """Return the painter that a model's bytes want.

    Args:
        model: of either engine.
        tracks: the performer's, in the clip, after all repairs.
        config: how a face is set in.
        mending: what was corrected by hand, if anything was.

    Raises:
        IntegrityError: the bytes aren't a face model.
    """
    if is_portrait(model):
        return PortraitPainter(Portrait.from_bytes(model), tracks, config, mending)
    # Frames are painted side by side, which fills the cores better than threads within one.
    engine = FaceEngine(model, threads=1)
    return AutoencoderPainter(
        engine=engine, landmarks=_landmarks(tracks, mending), config=config, mending=mending
    )


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
        config: CompositeConfig | None = None,
        mending: Mending | None = None,
        *,
        performance: Performance | None = None,
    ) -> None:
        config = config or CompositeConfig()
        self._portrait = portrait
        self._config = config
        self._mending = mending
        self._performance = performance or Performance(portrait, _finish(config, portrait))
        self._donor_light = LightSeen(portrait)
        self._where = _places(tracks)

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
        move = self._mending.moved(number) if self._mending else None
        moved = None if move is None else np.asarray(move[:, :2] @ matrix[:, :2].T, np.float64)
        self._performance.see(number, run, crop, there, matrix, moved)

    def paint(self, number: int, picture: Picture) -> tuple[Patch, FrameQuality | None]:
        """Paint the donor's face as it would look in this frame."""
        face = None if _skipped(self._mending, number) else self._performance.face(number)
        if face is None:
            return Patch(pts=picture.pts), None
        quality = self._judge(number, face)
        size = picture.height, picture.width
        share = self._corrected(number, face.share)
        painted = paint(face.texture, share, face.mesh, self._portrait.layout, size)
        if painted is None or not painted.alpha.any():
            return Patch(pts=picture.pts), quality
        painted = in_focus(painted, face.mesh, face.filmed)
        if self._config.sharpen > 0:
            finest = max(1.0, 1 / scale_of(face.filmed.matrix))
            sharp = sharpen(painted.rgb / np.float32(255), self._config.sharpen, finest)
            painted = replace(painted, rgb=sharp * np.float32(255))
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

    def keep(self, first: int, last: int) -> None:
        """Let go of all frames but these."""
        self._performance.keep(first, last)

    def unseen(self, numbers: Iterable[int]) -> list[int]:
        """Those with the face in them that it hasn't seen."""
        return [n for n in numbers if n in self._where and not self._performance.knows(n)]

    def mended(
        self,
        tracks: Sequence[PersonTrack],
        config: CompositeConfig,
        mending: Mending,
        changed: Collection[int],
    ) -> "PortraitPainter":
        """The same for other repairs."""
        performance = self._performance.finished(_finish(config, self._portrait), changed)
        return PortraitPainter(self._portrait, tracks, config, mending, performance=performance)

    def _corrected(self, number: int, share: NDArray[np.float32]) -> NDArray[np.float32]:
        """How much of the face shows after what somebody painted and erased."""
        field = self._mending.field(number) if self._mending else None
        if field is None:
            return share
        right, down = self._chart
        there = read_at(field, right, down)
        return corrected(share, self._performance.rim, there)

    @cached_property
    def _chart(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For each pixel of the texture its place in the chart, right and down."""
        assert self._mending is not None  # noqa: S101 - asked for with a field in hand
        places = self._portrait.layout.places(self._mending.chart.points)
        return np.ascontiguousarray(places[..., 0]), np.ascontiguousarray(places[..., 1])

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
    mending: Mending | None = None
    ahead: int = 0

    def exemplars(self) -> Sequence[Exemplar]:
        """None: it paints from memory."""
        return ()

    def see(self, number: int, picture: Picture) -> None:
        """Each frame is painted for itself."""

    def paint(self, number: int, picture: Picture) -> tuple[Patch, FrameQuality | None]:
        """Paint one frame; how well can't be told."""
        points = self.landmarks.get(number)
        if points is None or _skipped(self.mending, number):
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
            corrected=self._correction(number),
        )
        x0, y0, x1, y1 = reach(points, self.config)
        return cut_patch(painted, (x0 - _RIM, y0 - _RIM, x1 + _RIM, y1 + _RIM)), None

    def forget(self, number: int) -> None:
        """Nothing was kept."""

    def keep(self, first: int, last: int) -> None:
        """Nothing was kept."""

    def unseen(self, numbers: Iterable[int]) -> list[int]:
        """Each frame is painted for itself."""
        return []

    def mended(
        self,
        tracks: Sequence[PersonTrack],
        config: CompositeConfig,
        mending: Mending,
        changed: Collection[int],
    ) -> "AutoencoderPainter":
        """The same for other repairs."""
        landmarks = _landmarks(tracks, mending)
        return replace(self, landmarks=landmarks, config=config, mending=mending)

    def _correction(self, number: int) -> Corrected | None:
        """What somebody painted and erased in a frame, laid over the face as it lies there."""
        mending = self.mending
        field = mending.field(number) if mending else None
        mesh = mending.mesh(number) if mending and field is not None else None
        if mending is None or field is None or mesh is None:
            return None

        def change(alpha: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
            there = laid(field, mesh - np.array([*box[:2], 0]), mending.chart, alpha.shape)
            return corrected(alpha, np.ones_like(alpha), there)

        return change


def _finish(config: CompositeConfig, portrait: Portrait) -> Finish:
    return Finish(
        colour=config.colour,
        strength=config.strength,
        feather=config.softer,
        grow=config.wider * portrait.coverage,
    )


def _places(tracks: Sequence[PersonTrack]) -> dict[int, tuple[int, PersonTrack, int]]:
    """Where a frame's face is found: number of its run, the run, and the place in it."""
    return {
        int(number): (run, track, place)
        for run, track in enumerate(tracks)
        for place, number in enumerate(track.index)
    }


def _skipped(mending: Mending | None, number: int) -> bool:
    return mending is not None and mending.skipped(number)


def _landmarks(
    tracks: Sequence[PersonTrack], mending: Mending | None
) -> dict[int, NDArray[np.float32]]:
    """Return the performer's steadied landmarks by frame number.

    What was moved by hand is moved after steadying, so that it changes no other frame.
    """
    found = {
        int(index): points
        for track in (mending.unmoved if mending else tracks)
        for index, points in zip(track.index, smooth(track.landmarks), strict=True)
    }
    for number in mending.moved_frames if mending else ():
        move = mending.moved(number) if mending else None
        if move is not None:
            found[number] = found[number] + landmarks_of(move)
    return found
