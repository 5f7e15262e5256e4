"""Pose and expression of a face, read from its picture to a fraction of a pixel.

A mesh network places each picture's points anew, and they tremble. Here a person's pictures are
held against each other: unwrapped into one texture they must look alike, up to a few ways of
looking different. Pose and expression are moved until they do (active appearance models, Cootes,
Edwards and Taylor, IEEE PAMI 23(6), 2001; aligned as a batch as in Peng et al., "RASL", IEEE PAMI
34(11), 2012). Expressions are a handful of ways in which this person's points move together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats, Views, mean_shape, place, rigid_shape, similarity
from assent.kit.likeness.layout import layout_of

__all__ = ["PASSES", "Learner", "Motion", "Mover", "Sharpened", "sharpened"]

Small = NDArray[np.float32]

_SAMPLED: Final = 80  # side of the texture that pictures are compared in
_SOFTEN = 0.8  # px, before gradients are taken
_LOCAL, _WIDE = 0.07, 0.12  # shares of the picture's side: brightness, then contrast, made even
_FAINT: Final = 5.0  # grey levels of contrast that count as none
_STRAY: Final = 1.0  # how unlike a pixel is, in contrasts, before it counts half
_HOLD: Final = 0.5  # how firmly the mesh network's answer is held on to
_BASIS: Final = 24
_LOOKS: Final = 12
_WAYS: Final = (2, 2, 4, 4, 6, 6, 8)
_DEEPEN: Final = (4, 7)

PASSES: Final = len(_WAYS)
"""Passes over the pictures after which nothing more is learned."""


@dataclass(frozen=True, slots=True)
class Sharpened:
    """A picture with even contrast, and its slopes; each float32 [S, S]."""

    tone: Small
    slope_x: Small
    slope_y: Small


@dataclass(frozen=True, slots=True)
class Motion:
    """How a person moves in T pictures.

    Attributes:
        views: where the head is.
        expressions: float64 [T, K].
        strangeness: float32 [T], how unlike the person it looks, in contrasts; 0.05 is usual.
    """

    views: Views
    expressions: Floats
    strangeness: Small

    def __len__(self) -> int:
        return len(self.expressions)


@dataclass(frozen=True, kw_only=True, eq=False)
class Mover:
    """What a person's face can do, and how it looks while doing it.

    Attributes:
        shape: float64 [P, 3], the mean shape, unit size, looking straight ahead.
        basis: float64 [K, P, 3], offsets of one unit of each expression.
        spread: float64 [K], usual size of each expression.
        weights: float64 [P], how steady each point is.
        corners: int32 [M, 3], the points around each place that is compared.
        shares: float64 [M, 3], their weights.
        look: float32 [M], mean tone.
        looks: float32 [R, M], orthonormal ways of looking different.
    """

    shape: Floats
    basis: Floats
    spread: Floats
    weights: Floats
    corners: NDArray[np.int32]
    shares: Floats
    look: Small
    looks: Small

    def offsets(self, expressions: Floats) -> Floats:
        """Expressions [T, K] to offsets [T, P, 3] from the mean shape."""
        return np.tensordot(expressions, self.basis, 1)

    def meshes(self, motion: Motion) -> Floats:
        """The meshes [T, P, 3], pixels, of a motion."""
        return motion.views.project(self.shape + self.offsets(motion.expressions))

    def first_guess(self, meshes: Floats) -> Motion:
        """Pose and expression of meshes [T, P, 3], by least squares."""
        fits = [similarity(self.shape, mesh, self.weights) for mesh in meshes]
        views = Views(
            np.array([f.scale for f in fits]),
            np.array([f.rotation for f in fits]),
            np.array([f.shift[:2] for f in fits]),
        )
        views = place(meshes[..., :2], self.shape, views, self.weights, steps=2)
        local = _lifted(meshes[..., :2], self.shape, views)
        flat = self.basis.reshape(len(self.basis), -1)
        solved = np.linalg.lstsq(flat.T, local.reshape(len(local), -1).T, rcond=None)[0]
        expressions = np.asarray(solved.T, np.float64)
        return Motion(views, expressions, np.zeros(len(local), np.float32))

    def tones(self, pictures: Sequence[Sharpened], motion: Motion) -> Small:
        """The tones [T, M] of the compared places where a motion says that they are."""
        return np.stack(
            [self._tone(picture, _one(motion, t)) for t, picture in enumerate(pictures)]
        )

    def _tone(self, picture: Sharpened, motion: Motion) -> Small:
        views = motion.views
        turned = self._mixed(motion.expressions[0]) @ views.rotation[0, :2].T.astype(np.float32)
        spots = np.float32(views.scale[0]) * turned + views.shift.astype(np.float32)
        return _read(picture.tone, spots)

    def expected(self, tone: Small) -> Small:
        """The nearest that the person can look like: tone [M] or [T, M]."""
        rest = tone - self.look
        return np.asarray(self.look + (rest @ self.looks.T) @ self.looks, np.float32)

    def step(
        self, pictures: Sequence[Sharpened], motion: Motion, anchor: Motion, goals: Small
    ) -> Motion:
        """Move each picture's pose and expression nearer to what makes it look like its goal.

        Args:
            pictures: T of them.
            motion: where they are taken to stand.
            anchor: what the mesh network says; kept to, a little.
            goals: float32 [T, M], tones.
        """
        moved = [
            self._step_one(pictures[t], _one(motion, t), _one(anchor, t), goals[t])
            for t in range(len(motion))
        ]
        return _joined(moved)

    def follow(
        self, picture: Sharpened, mesh: Floats, steps: int = 4, *, hold: float = 1.0
    ) -> Motion:
        """The motion (of length 1) in a picture with the mesh network's points [P, 3].

        `hold` tells how many times as firmly as usual those points are kept to.
        """
        anchor = self.first_guess(mesh[None])
        motion = anchor
        for _ in range(steps):
            goal = self.expected(self._tone(picture, motion))
            motion = self._step_one(picture, motion, anchor, goal, hold)
        return motion

    def _step_one(
        self,
        picture: Sharpened,
        motion: Motion,
        anchor: Motion,
        goal: Small,
        hold: float = 1.0,
    ) -> Motion:
        views = motion.views
        scale, rotation = float(views.scale[0]), views.rotation[0].astype(np.float32)
        turned = self._mixed(motion.expressions[0]) @ rotation.T
        spots = scale * turned[:, :2] + views.shift.astype(np.float32)
        rest = _read(picture.tone, spots) - goal
        right, down = _read(picture.slope_x, spots), _read(picture.slope_y, spots)
        x, y, z = turned.T
        pose = np.stack(
            [
                -scale * z * down,
                scale * z * right,
                scale * (x * down - y * right),
                scale * (x * right + y * down),
                right,
                down,
            ]
        )
        ahead = scale * (rotation[:2].T @ np.stack([right, down]))
        shown = sum(self._mixed_basis[:, i] * ahead[i] for i in range(3))
        jacobian = np.concatenate([pose, shown])
        trust = 1 / (1 + (rest / _STRAY) ** 2)
        weighed = jacobian * trust
        stiffness = np.concatenate([[scale**2] * 4, [1, 1], 1 / self.spread**2]) * _HOLD * hold
        away = np.concatenate([_difference(motion, anchor), motion.expressions[0]])
        away[6:] -= anchor.expressions[0]
        normal = (weighed @ jacobian.T).astype(np.float64) + np.diag(stiffness)
        change = -np.linalg.solve(normal, weighed @ rest + stiffness * away)
        return Motion(
            Views(
                np.array([scale * np.exp(change[3])]),
                (cv2.Rodrigues(change[:3])[0] @ views.rotation[0])[None],
                views.shift + change[4:6],
            ),
            motion.expressions + change[6:],
            np.array([np.abs(rest).mean()], np.float32),
        )

    def _mixed(self, expressions: Floats) -> Small:
        """The places that are compared, in the face's frame: [M, 3]."""
        basis = self._mixed_basis.reshape(len(self.basis), -1)
        moved = (expressions.astype(np.float32) @ basis).reshape(3, -1).T
        return np.asarray(self._mixed_shape + moved, np.float32)

    @cached_property
    def _mixed_shape(self) -> Small:
        """[M, 3]."""
        mixed = np.einsum("mk,mki->mi", self.shares, self.shape[self.corners])
        return np.asarray(mixed, np.float32)

    @cached_property
    def _mixed_basis(self) -> Small:
        """The basis at the places that are compared: [K, 3, M]."""
        mixed = np.einsum("mk,nmki->nim", self.shares, self.basis[:, self.corners])
        return np.ascontiguousarray(mixed, np.float32)


class Learner:
    """Learns how one person moves and looks from pictures of them, pass by pass.

    Args:
        pictures: T of one size.
        meshes: [T, P, 3], the mesh network's points in them.
    """

    def __init__(self, pictures: Sequence[Sharpened], meshes: Floats) -> None:
        self._pictures = pictures
        shape, views, weights = mean_shape(meshes)
        self.mover, self.motion = _with_basis(_sampled(shape, weights), meshes, views)
        self.anchor = self.motion
        self.passes = 0

    @property
    def done(self) -> bool:
        """Whether another pass would teach nothing."""
        return self.passes >= PASSES

    def advance(self) -> float:
        """Go over the pictures once more; returns their mean strangeness.

        Each pass allows for more ways of looking different, so that movement is explained as
        movement first.
        """
        tones = self.mover.tones(self._pictures, self.motion)
        self.mover = _looking(self.mover, tones, _WAYS[self.passes])
        goals = self.mover.expected(tones)
        self.motion = self.mover.step(self._pictures, self.motion, self.anchor, goals)
        self.passes += 1
        if self.passes in _DEEPEN:
            self._deepen()
        return float(self.motion.strangeness.mean())

    def learned(self) -> tuple[Mover, Motion]:
        """What was learned so far, ready to follow the person in other pictures."""
        if self.passes not in _DEEPEN:
            self._deepen()
        tones = self.mover.tones(self._pictures, self.motion)
        return _looking(self.mover, tones, _LOOKS), self.motion

    def _deepen(self) -> None:
        """Depth from how points move as the head turns, not from what a network takes it for."""
        self.mover, self.motion = _deepened(self.mover, self.motion)
        self.anchor = self.motion


def sharpened(rgb: NDArray[np.uint8]) -> Sharpened:
    """Make a crop, uint8 [S, S, 3], comparable: brightness and contrast even everywhere."""
    side = rgb.shape[0]
    plain = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = np.asarray(cv2.GaussianBlur(plain, (0, 0), _SOFTEN), np.float32)
    flat = grey - _smooth(grey, _LOCAL * side)
    contrast = np.sqrt(_smooth(flat * flat, _WIDE * side)) + _FAINT
    tone = np.asarray(flat / contrast, np.float32)
    return Sharpened(tone, _slope(tone, 1, 0), _slope(tone, 0, 1))


def _slope(tone: Small, right: int, down: int) -> Small:
    return np.asarray(cv2.Sobel(tone, cv2.CV_32F, right, down, ksize=3, scale=1 / 8), np.float32)


def _joined(motions: Sequence[Motion]) -> Motion:
    """Motions one after the other."""
    return Motion(
        Views(
            np.concatenate([m.views.scale for m in motions]),
            np.concatenate([m.views.rotation for m in motions]),
            np.concatenate([m.views.shift for m in motions]),
        ),
        np.concatenate([m.expressions for m in motions]),
        np.concatenate([m.strangeness for m in motions]),
    )


def _sampled(shape: Floats, weights: Floats) -> Mover:
    """A mover without expressions yet."""
    _, _, corners, shares = layout_of(shape, _SAMPLED).samples
    nothing = np.zeros((0, len(corners)), np.float32)
    return Mover(
        shape=shape,
        basis=np.zeros((0, *shape.shape)),
        spread=np.zeros(0),
        weights=weights,
        corners=corners,
        shares=shares,
        look=np.zeros(len(corners), np.float32),
        looks=nothing,
    )


def _with_basis(mover: Mover, meshes: Floats, views: Views) -> tuple[Mover, Motion]:
    """Find the ways in which points move together."""
    local = _lifted(meshes[..., :2], mover.shape, views)
    centre = local.mean(0)
    flat = (local - centre).reshape(len(local), -1)
    values, vectors = np.linalg.eigh(flat @ flat.T)
    kept = min(_BASIS, max(1, len(local) - 1))
    strongest = vectors[:, ::-1][:, :kept]
    sizes = np.sqrt(np.maximum(values[::-1][:kept], 1e-12))
    basis = (strongest.T @ flat / sizes[:, None]).reshape(kept, *mover.shape.shape)
    expressions = strongest * sizes
    changed = replace(
        mover,
        shape=mover.shape + centre,
        basis=basis,
        spread=expressions.std(0) + 1e-6,
    )
    return changed, Motion(views, expressions, np.zeros(len(local), np.float32))


def _deepened(mover: Mover, motion: Motion) -> tuple[Mover, Motion]:
    meshes = mover.meshes(motion)
    shape, views = rigid_shape(meshes[..., :2], mover.shape, motion.views, mover.weights)
    return _with_basis(replace(mover, shape=shape), meshes, views)


def _lifted(points: Floats, shape: Floats, views: Views) -> Floats:
    """Offsets [T, P, 3] from the shape, of points [T, P, 2], parallel to the picture's plane."""
    ahead = views.rotation[:, :2]
    flat = (points - views.shift[:, None]) / views.scale[:, None, None]
    flat = flat - np.einsum("pj,tij->tpi", shape, ahead)
    return np.asarray(np.einsum("tpi,tij->tpj", flat, ahead), np.float64)


def _looking(mover: Mover, tones: Small, ways: int) -> Mover:
    """Learn the mean tone, and in how many ways to differ from it."""
    mean = tones.mean(0)
    rest = tones - mean
    kept = min(ways, max(0, len(tones) - 1))
    _, vectors = np.linalg.eigh(rest @ rest.T)
    strongest = vectors[:, ::-1][:, :kept].T @ rest
    strongest /= np.linalg.norm(strongest, axis=1, keepdims=True) + 1e-9
    return replace(mover, look=mean.astype(np.float32), looks=strongest.astype(np.float32))


def _one(motion: Motion, t: int) -> Motion:
    views = motion.views
    return Motion(
        Views(views.scale[t : t + 1], views.rotation[t : t + 1], views.shift[t : t + 1]),
        motion.expressions[t : t + 1],
        motion.strangeness[t : t + 1],
    )


def _difference(motion: Motion, anchor: Motion) -> Floats:
    """How far a view is from another: turn (3), growth, shift (2)."""
    turn = cv2.Rodrigues(motion.views.rotation[0] @ anchor.views.rotation[0].T)[0][:, 0]
    growth = np.log(motion.views.scale[0] / anchor.views.scale[0])
    return np.concatenate([turn, [growth], (motion.views.shift - anchor.views.shift)[0]])


def _read(field: Small, spots: Small) -> Small:
    """Values at spots [M, 2], between pixels linearly."""
    right, down = spots[:, None, 0], spots[:, None, 1]
    read = cv2.remap(field, right, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(read[:, 0], np.float32)


def _smooth(field: Small, sigma: float) -> Small:
    """Three boxes in place of a wide Gaussian, whose cost grows with its width."""
    width = 2 * round(sigma * 0.88) + 1
    for _ in range(3):
        field = np.asarray(
            cv2.blur(field, (width, width), borderType=cv2.BORDER_REFLECT), np.float32
        )
    return field
