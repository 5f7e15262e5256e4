"""A performance: what a performer does frame by frame, and the donor doing it.

    performance = Performance(portrait)
    for number, picture in enumerate(pictures):
        performance.see(number, run, crop, mesh, matrix)
        # AHEAD frames later
        face = performance.face(number - AHEAD)

Frames come in order, some before they are painted and some after, so that light and choice of
exemplars are steadied without lag; older ones are forgotten, so that memory doesn't grow.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats, normals
from assent.kit.likeness.light import GAMMA, colours, light_on, relit, shading
from assent.kit.likeness.mixing import Mixer, Shares
from assent.kit.likeness.motion import Motion, sharpened
from assent.kit.likeness.painting import rim
from assent.kit.likeness.portrait import Portrait

__all__ = ["AHEAD", "Face", "Performance"]

AHEAD: Final = 12
"""Frames that must be seen before and after one that is painted, if there are any."""

_CHOICE: Final = 2.0  # frames: one standard deviation of what choices are steadied over
_LIGHT: Final = 5.0  # frames: the same for light
_SOFT: Final = 0.023  # share of the texture's side that changes of light are smoothed over
_NEAR, _FAR = 0.25, 0.45  # radians beyond the nearest exemplar: painted fully, not at all
_HIDDEN: Final = (0.5, 0.9)  # how unlike skin, as a share: surely skin, surely something before it
_HIDING: Final = 0.04  # share of the texture's side that edges of what hides it are smoothed over


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """The donor's face for one frame.

    Attributes:
        texture: float32 [S, S, 3], 0..255, in the frame's light.
        share: float32 [S, S], 0..1, how much of it shows where.
        mesh: float64 [P, 3], pixels of the frame.
        turn: float64 [3], rotation vector of the head.
        away: radians between the head's turn and the nearest exemplar's.
        hidden: 0..1, how much of the face something hides.
        strangeness: how unlike the performer the frame looks (`Motion.strangeness`).
    """

    texture: NDArray[np.float32]
    share: NDArray[np.float32]
    mesh: Floats
    turn: Floats
    away: float
    hidden: float
    strangeness: float


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    run: int
    motion: Motion
    offsets: Floats
    turn: Floats
    light: Floats
    hiding: NDArray[np.float32]
    shares: Shares
    matrix: Floats


class Performance:
    """Follows a performer, and has the donor do the same."""

    def __init__(self, portrait: Portrait) -> None:
        self._portrait = portrait
        self._mixer = Mixer(portrait)
        self._rim = rim(portrait.layout)
        self._seen: dict[int, _Seen] = {}
        soft = self._soft(portrait.layout.mask.astype(np.float32), _SOFT)
        self._even = soft[..., None] + np.float32(1e-3)

    def see(
        self,
        number: int,
        run: int,
        crop: NDArray[np.uint8],
        mesh: Floats,
        matrix: Floats,
    ) -> None:
        """Take in the next frame.

        Args:
            number: of the frame; rising.
            run: which unbroken run of frames it belongs to.
            crop: uint8 [S, S, 3], the performer's face.
            mesh: [P, 3], the mesh network's points, pixels of the crop.
            matrix: float64 [2, 3], frame pixels to crop pixels.
        """
        portrait = self._portrait
        motion = portrait.performer.follow(sharpened(crop), mesh)
        placed = portrait.performer.meshes(motion)
        seen = colours(crop, placed[0])
        triangles = portrait.layout.triangles
        light = light_on(portrait.skin, seen[None], placed, triangles)[0]
        offsets = portrait.performer.offsets(motion.expressions)[0]
        turn = motion.views.turns()[0]
        self._seen[number] = _Seen(
            run=run,
            motion=motion,
            offsets=offsets,
            turn=turn,
            light=light,
            hiding=self._hiding(seen, light, placed),
            shares=self._mixer.choose(turn, offsets),
            matrix=matrix,
        )

    def face(self, number: int) -> Face | None:
        """The donor's face for a frame that has been seen; None if there was no face in it."""
        for old in [known for known in list(self._seen) if known < number - AHEAD]:
            del self._seen[old]
        here = self._seen.get(number)
        if here is None:
            return None
        portrait = self._portrait
        light = _mean([(near.light, part) for near, part in self._near(number, _LIGHT)])
        around = self._near(number, _CHOICE)
        shares = {
            name: _mean([(near.shares[name], part) for near, part in around])
            for name in here.shares
        }
        placed = here.motion.views.project((portrait.shape + here.offsets)[None])
        texture, shade = self._mixer.mix(shares)
        ratio = relit(shade, shading(light[None], placed, portrait.layout.triangles)[0])
        texture *= self._soft(portrait.layout.spread(ratio.astype(np.float32)), _SOFT) / self._even
        hiding = here.hiding
        away = float(np.linalg.norm(portrait.turns - here.turn, axis=1).min())
        shown = float(np.clip((_FAR - away) / (_FAR - _NEAR), 0, 1))
        return Face(
            texture=texture,
            share=self._rim * self._uncovered(hiding) * np.float32(shown),
            mesh=_in_frame(placed[0], here.matrix),
            turn=here.turn,
            away=away,
            hidden=float(hiding.mean()),
            strangeness=float(here.motion.strangeness[0]),
        )

    def _near(self, number: int, frames: float) -> list[tuple[_Seen, float]]:
        """The frames around one in its run, and how much each is to count."""
        run = self._seen[number].run
        reach = min(AHEAD, round(3 * frames))
        found = [
            (seen, float(np.exp(-0.5 * ((near - number) / frames) ** 2)))
            for near in range(number - reach, number + reach + 1)
            if (seen := self._seen.get(near)) is not None and seen.run == run
        ]
        total = sum(part for _, part in found)
        return [(seen, part / total) for seen, part in found]

    def _hiding(self, seen: Floats, light: Floats, placed: Floats) -> NDArray[np.float32]:
        """How sure it is that something is before each point of the face: float32 [P], 0..1."""
        portrait = self._portrait
        shade = shading(light[None], placed, portrait.layout.triangles)[0]
        wanted = (portrait.skin.colour * shade) ** (1 / GAMMA)
        unlike = np.abs(seen ** (1 / GAMMA) - wanted).max(1) / wanted.mean(1)
        low, high = _HIDDEN
        facing = -normals(placed[0], portrait.layout.triangles)[:, 2] > 0.2
        return np.asarray(np.clip((unlike - low) / (high - low), 0, 1) * facing, np.float32)

    def _uncovered(self, hiding: NDArray[np.float32]) -> NDArray[np.float32]:
        if hiding.max() < 0.1:
            return np.ones_like(self._rim)
        field = self._portrait.layout.spread(hiding.astype(np.float32)[:, None])[..., 0]
        return np.asarray(1 - np.clip(3 * self._soft(field, _HIDING) - 0.5, 0, 1), np.float32)

    def _soft(self, field: NDArray[np.float32], share: float) -> NDArray[np.float32]:
        width = 2 * round(share * len(field) * 0.88) + 1
        for _ in range(3):
            field = np.asarray(cv2.blur(field, (width, width)), np.float32)
        return field


def _mean(parts: list[tuple[Floats, float]]) -> Floats:
    return np.asarray(sum(values * part for values, part in parts), np.float64)


def _in_frame(mesh: Floats, matrix: Floats) -> Floats:
    """A mesh in a crop's pixels to its frame's."""
    back = np.linalg.inv(matrix[:, :2])
    flat = (mesh[:, :2] - matrix[:, 2]) @ back.T
    return np.concatenate([flat, mesh[:, 2:] * np.sqrt(abs(np.linalg.det(back)))], axis=1)
