"""A performance: what a performer does frame by frame, and the donor doing it.

    performance = Performance(portrait)
    for number, picture in enumerate(pictures):
        performance.see(number, run, crop, mesh, matrix)
        # AHEAD frames later
        face = performance.face(number - AHEAD)
        performance.forget(number - AHEAD)

Frames come in order, some before they are painted and some after, so that light and choice of
exemplars are steadied without lag; who paints says what may be forgotten, so that memory doesn't
grow. One thread may show frames while others ask for several faces at once.
"""

from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.imaging.colour import Colour, map_colours
from assent.kit.likeness.focus import Filmed, Sight, look_at, wanted
from assent.kit.likeness.geometry import Floats, normals
from assent.kit.likeness.hiding import Hiding, unwrapped
from assent.kit.likeness.light import GAMMA, colours, light_on, relit, shade_of
from assent.kit.likeness.mixing import Mixer, Shares
from assent.kit.likeness.motion import Motion, Mover, sharpened
from assent.kit.likeness.painting import rim
from assent.kit.likeness.portrait import Portrait

__all__ = ["AFRESH", "AHEAD", "Face", "Finish", "Performance"]

AHEAD: Final = 12
"""Frames that must be seen before and after one that is painted, if there are any."""
AFRESH: Final = 32
"""At frames whose number this divides, all that went before is forgotten but for steadying: whoever
begins at one of them, `AHEAD` frames or more before the first that is painted, gets the same."""

_GLANCE: Final = 3
"""Of so many frames one is looked at for what hides the face; the others only where something does
in one of the two around them, or one is missing."""
_LIGHT: Final = 5.0  # frames: one standard deviation of what light is steadied over
_FOCUS: Final = 3.0  # frames: the same of focus
_FRONTAL: Final = -0.4  # the z of normals of points that are seen well
_SOFT: Final = 0.023  # share of the texture's side that changes of light are smoothed over
_NEAR, _FAR = 0.25, 0.45  # radians beyond the nearest exemplar: painted fully, not at all
_FIRM: Final = 30.0
"""How many times as firmly as usual points are kept to that a person has put where they are."""


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
        filmed: how softly the performer was filmed.
    """

    texture: NDArray[np.float32]
    share: NDArray[np.float32]
    mesh: Floats
    turn: Floats
    away: float
    hidden: float
    strangeness: float
    filmed: Filmed


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    run: int
    motion: Motion
    offsets: Floats
    turn: Floats
    light: Floats
    explained: float
    facing: Floats
    texture: NDArray[np.uint8]
    covering: NDArray[np.float32] | None  # known of each third frame
    shares: Shares
    matrix: Floats
    middle: Floats
    sight: Sight
    beyond: Floats | None  # what of a move by hand no pose and expression explains


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How a face is finished.

    Attributes:
        colour: how the donor's face gets its colours: how bright and how warm the donor's footage
            was can't be told from the donor's skin.
        strength: how far it goes to them, 0..1.
        feather: how wide its rim falls, in shares of what is usual.
        grow: by how much further out that begins, as a share of the texture's side.
    """

    colour: Colour = Colour.TOUCH
    strength: float = 1.0
    feather: float = 1.0
    grow: float = 0.0


class Performance:
    """Follows a performer, and has the donor do the same.

    Args:
        portrait: of the donor, for that performer.
        finish: how faces are finished.
    """

    def __init__(self, portrait: Portrait, finish: Finish = Finish()) -> None:
        self._portrait = portrait
        self._finish = finish
        self._mixer = Mixer(portrait)
        self._hiding = Hiding(portrait.layout, portrait.look)
        self.rim = rim(portrait.layout, feather=finish.feather, grow=finish.grow)
        """How much of a face shows where nothing hides it: float32 [S, S], 0..1."""
        self._seen: dict[int, _Seen] = {}
        self._last: tuple[int, _Seen] | None = None
        self._even = _soft(portrait.layout.half.mask.astype(np.float32))[..., None] + 1e-3

    def see(
        self,
        number: int,
        run: int,
        crop: NDArray[np.uint8],
        mesh: Floats,
        matrix: Floats,
        moved: Floats | None = None,
    ) -> None:
        """Take in the next frame.

        Args:
            number: of the frame; rising.
            run: which unbroken run of frames it belongs to.
            crop: uint8 [S, S, 3], the performer's face.
            mesh: [P, 3], the mesh network's points, pixels of the crop.
            matrix: float64 [2, 3], frame pixels to crop pixels.
            moved: [P, 2], pixels of the crop by which a person has moved the points to where they
                are in `mesh`; they are kept to firmly then.
        """
        portrait = self._portrait
        hold = 1.0 if moved is None else _FIRM
        motion = portrait.performer.follow(sharpened(crop), mesh, hold=hold)
        beyond = None if moved is None else _unexplained(portrait.performer, mesh, moved)
        placed = portrait.performer.meshes(motion)
        if beyond is not None:
            placed[..., :2] += beyond
        seen = colours(crop, placed[0])
        facing = normals(placed[0], portrait.layout.triangles)
        light, explained = light_on(portrait.skin, seen, facing, self._before(number, run))
        offsets = portrait.performer.offsets(motion.expressions)[0]
        turn = motion.views.turns()[0]
        texture = unwrapped(portrait.layout, crop, placed[0])
        glanced = number % _GLANCE == 0
        here = _Seen(
            run=run,
            motion=motion,
            offsets=offsets,
            turn=turn,
            light=light,
            explained=explained,
            facing=facing,
            texture=texture,
            covering=self._hiding.covering(texture, facing) if glanced else None,
            shares=self._mixer.choose(turn, offsets),
            matrix=matrix,
            middle=_in_frame(placed[0], matrix)[:, :2].mean(0),
            sight=look_at(crop, placed[0]),
            beyond=beyond,
        )
        self._seen[number], self._last = here, (number, here)

    def forget(self, number: int) -> None:
        """Drop what no face after that of frame `number` needs: they are asked for no more."""
        for old in [known for known in list(self._seen) if known <= number - AHEAD]:
            del self._seen[old]

    def knows(self, number: int) -> bool:
        """Tell whether a frame was seen and not forgotten."""
        return number in self._seen

    def keep(self, first: int, last: int) -> None:
        """Drop what was seen of all frames but those from `first` to `last`."""
        self._seen = {n: seen for n, seen in self._seen.items() if first <= n <= last}

    def finished(self, finish: Finish, changed: Collection[int]) -> "Performance":
        """Return this with faces finished otherwise, and some frames forgotten."""
        other = copy(self)
        other._finish = finish  # noqa: SLF001 - its own kind
        other.rim = rim(self._portrait.layout, feather=finish.feather, grow=finish.grow)
        other._seen = {n: seen for n, seen in self._seen.items() if n not in changed}  # noqa: SLF001
        return other

    def face(self, number: int) -> Face | None:
        """The donor's face for a frame that has been seen; None if there was no face in it."""
        here = self._seen.get(number)
        if here is None:
            return None
        portrait = self._portrait
        light = self._light(number)
        shares = {
            name: _mean([(near.shares[name], part) for near, part in self._near(number, frames)])
            for name, frames in self._mixer.steady.items()
        }
        placed = here.motion.views.project((portrait.shape + here.offsets)[None])
        if here.beyond is not None:
            placed[..., :2] += here.beyond
        texture, shade = self._mixer.mix(shares)
        facing = normals(placed[0], portrait.layout.triangles)
        ratio = relit(shade, shade_of(facing, light))
        texture *= self._spread_softly(ratio.astype(np.float32))
        texture = self._coloured(texture, here.facing, light)
        covering = self._covering(number)
        uncovered = 1 - covering if covering is not None else np.float32(1)
        away = float(np.linalg.norm(portrait.turns - here.turn, axis=1).min())
        shown = float(np.clip((_FAR - away) / (_FAR - _NEAR), 0, 1))
        return Face(
            texture=texture,
            share=self.rim * uncovered * np.float32(shown),
            mesh=_in_frame(placed[0], here.matrix),
            turn=here.turn,
            away=away,
            hidden=0.0 if covering is None else float(covering[portrait.layout.mask].mean()),
            strangeness=float(here.motion.strangeness[0]),
            filmed=self._filmed(number),
        )

    def _coloured(
        self, texture: NDArray[np.float32], facing: Floats, light: Floats
    ) -> NDArray[np.float32]:
        """A texture in colours nearer to those that the performer's skin has in this light."""
        shown = facing[:, 2] < _FRONTAL
        columns, rows = np.round(self._portrait.layout.points[shown]).astype(int).T
        skin = self._portrait.skin.colour[shown] * shade_of(facing, light)[shown]
        theirs = np.clip(255 * skin ** (1 / GAMMA), 1, 255)
        own = texture[rows, columns].astype(np.float64) + 1
        mapped = map_colours(own, theirs, self._finish.colour)
        return mapped.weaker(self._finish.strength).apply(texture)

    def _covering(self, number: int) -> NDArray[np.float32] | None:
        """What hides the performer's face."""
        here, past = self._seen[number], number % _GLANCE
        if past == 0:
            return here.covering
        around = [self._seen.get(near) for near in (number - past, number - past + _GLANCE)]
        if all(near and near.run == here.run and near.covering is None for near in around):
            return None
        return self._hiding.covering(here.texture, here.facing)

    def _before(self, number: int, run: int) -> Floats | None:
        """The light in the frame before, if it was of the same run; it is forgotten at times."""
        if self._last is not None and self._last[0] >= number:
            # Who looks at a frame again does so after the one before it.
            earlier = [known for known in self._seen if known < number]
            self._last = (max(earlier), self._seen[max(earlier)]) if earlier else None
        if self._last is None or self._last[0] // AFRESH != number // AFRESH:
            return None
        last = self._last[1]
        return last.light if last.run == run else None

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

    def _light(self, number: int) -> Floats:
        """The light over the frames around; those that explain most of a face count most."""
        near = self._near(number, _LIGHT)
        sure = sum(part * seen.explained**2 for seen, part in near) + 1e-9
        return _mean([(seen.light, part * seen.explained**2 / sure) for seen, part in near])

    def _filmed(self, number: int) -> Filmed:
        """How softly: focus over the frames around, movement from the frame itself."""
        here = self._seen[number]
        seen = sum(part * near.sight.fineness for near, part in self._near(number, _FOCUS))
        beside = [
            (near.middle - here.middle) * side
            for side in (-1, 1)
            if (near := self._seen.get(number + side)) is not None and near.run == here.run
        ]
        return Filmed(
            fineness=wanted(seen, self._portrait.finer),
            steep=here.sight.steep,
            way=np.mean(beside, axis=0) if beside else np.zeros(2),
            matrix=here.matrix,
            size=self._portrait.layout.size,
        )

    def _spread_softly(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values at the points [P, 3], which change slowly, to the texture's pixels."""
        layout = self._portrait.layout
        field = _soft(layout.half.spread(values)) / self._even
        whole = cv2.resize(field, (layout.size, layout.size), interpolation=cv2.INTER_LINEAR)
        return np.asarray(whole, np.float32)


def _unexplained(performer: Mover, mesh: Floats, moved: Floats) -> Floats:
    """What of a move by hand, [P, 2], the performer's own poses and expressions can't do."""
    before = np.array(mesh, np.float64)
    before[:, :2] -= moved
    done = [
        performer.meshes(performer.first_guess(each[None]))[0, :, :2] for each in (mesh, before)
    ]
    return np.asarray(moved - (done[0] - done[1]), np.float64)


def _soft(field: NDArray[np.float32]) -> NDArray[np.float32]:
    width = 2 * round(_SOFT * len(field) * 0.88) + 1
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
