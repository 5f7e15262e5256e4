"""Landmarks moved by hand: a few points, and the mesh between them follows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from assent.create.repair.between import between, strength_at
from assent.create.repair.document import ShapeKey, ShapeRepair
from assent.kit.faces.align import align
from assent.kit.faces.mesh import LANDMARKS

__all__ = ["Moved", "moved_at", "moved_mesh"]

_REACH: Final = 0.22  # of the face: how far a point that is moved takes others along
_RIDGE: Final = 1e-4

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How a face is moved in one frame, in shares of its size (chin to brow).

    `turn` is in radians, clockwise as seen, `scale` a factor; `points` are moves of landmarks.
    """

    x: float
    y: float
    turn: float
    scale: float
    points: Mapping[int, tuple[float, float]]

    @classmethod
    def of(cls, key: ShapeKey) -> Self:
        """Take over a keyframe."""
        return cls(
            x=key.x / 1000,
            y=key.y / 1000,
            turn=math.radians(key.turn / 100),
            scale=key.scale / 1000,
            points={int(n): (x / 1000, y / 1000) for n, (x, y) in key.points.items()},
        )

    def mixed(self, other: "Moved", share: float) -> "Moved":
        """Return what lies that share of the way to another."""
        own = 1 - share
        nothing = (0.0, 0.0)
        numbers = sorted(self.points.keys() | other.points.keys())
        pairs = {n: (self.points.get(n, nothing), other.points.get(n, nothing)) for n in numbers}
        return Moved(
            x=own * self.x + share * other.x,
            y=own * self.y + share * other.y,
            turn=own * self.turn + share * other.turn,
            scale=self.scale**own * other.scale**share,
            points={
                n: (own * a[0] + share * b[0], own * a[1] + share * b[1])
                for n, (a, b) in pairs.items()
            },
        )

    @property
    def farthest(self) -> float:
        """How far any landmark moves at most, about, in shares of the face."""
        single = max((math.hypot(*move) for move in self.points.values()), default=0.0)
        grown = 0.5 * (abs(self.scale - 1) + abs(self.turn))
        return math.hypot(self.x, self.y) + grown + single


_STILL: Final = Moved(x=0.0, y=0.0, turn=0.0, scale=1.0, points={})


def moved_at(repair: ShapeRepair, frame: int) -> Moved | None:
    """Return how a repair moves the face in a frame; None if it doesn't."""
    strength = strength_at(repair, repair.ease, frame)
    if strength == 0:
        return None
    before, after, share = between(repair.frames(), frame, repair.blend)
    moved = Moved.of(repair.keys[before])
    if share > 0:
        moved = moved.mixed(Moved.of(repair.keys[after]), share)
    moved = moved if strength == 1 else _STILL.mixed(moved, strength)
    return None if moved.farthest == 0 else moved


def moved_mesh(
    mesh: NDArray[np.floating], landmarks: NDArray[np.floating], moved: Moved
) -> NDArray[np.float32]:
    """Return a mesh moved by hand.

    Args:
        mesh: [P, 3], pixels.
        landmarks: [68, 2], the same face's as it was found: they tell its size and which way is up.
        moved: how.

    Returns:
        float32 [P, 3], pixels; the landmarks that were moved are where they were put, and points
        near them went along.
    """
    matrix = align(landmarks, size=1, coverage=1.0)
    there = matrix[:, :2]
    back = np.linalg.inv(there)
    centre = np.asarray(landmarks, np.float64).mean(0)
    flat = np.asarray(mesh[:, :2], np.float64)
    if moved.points:
        flat = flat + _drawn_along(flat @ there.T, moved.points) @ back.T
    cos, sin = math.cos(moved.turn), math.sin(moved.turn)
    around = np.array([[cos, -sin], [sin, cos]]) * moved.scale
    flat = centre + (flat - centre) @ around.T + back @ (moved.x, moved.y)
    found = np.empty(mesh.shape, np.float32)
    found[:, :2] = flat
    found[:, 2] = mesh[:, 2] * moved.scale
    return found


def _drawn_along(points: _Floats, moves: Mapping[int, tuple[float, float]]) -> _Floats:
    """How each point [P, 2] goes along with the landmarks that are moved: [P, 2].

    Interpolation by Wendland's compact functions (Adv. Comput. Math. 4, 1995): smooth, exact at
    what is moved, and nothing beyond their reach.
    """
    handles = points[LANDMARKS[list(moves)]]
    goals = np.array(list(moves.values()))
    among = _near(handles, handles) + _RIDGE * np.eye(len(handles))
    return np.asarray(_near(points, handles) @ np.linalg.solve(among, goals), np.float64)


def _near(points: _Floats, handles: _Floats) -> _Floats:
    away = np.linalg.norm(points[:, None] - handles[None], axis=2) / _REACH
    return np.asarray(np.clip(1 - away, 0, None) ** 4 * (4 * away + 1), np.float64)
