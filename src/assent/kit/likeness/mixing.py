"""Which exemplars to mix, how much of each, and the texture that they make.

Mouth, eyes and the rest are chosen apart: a smile is looked up among smiles, a blink among blinks.
What is chosen changes smoothly with pose and expression.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.likeness.geometry import Floats
from assent.kit.likeness.layout import Layout
from assent.kit.likeness.portrait import Portrait

__all__ = ["Mixer", "Shares"]

_MOUTH: Final = (
    61, 291, 0, 17, 13, 14, 78, 308, 37, 267, 84, 314, 40, 270, 91, 321, 80, 82, 312, 310, 88, 87,
    317, 318,
)  # fmt: skip
_RIGHT_EYE: Final = (33, 133, 159, 145, 158, 153, 160, 144, 468)
_LEFT_EYE: Final = (263, 362, 386, 374, 385, 380, 387, 373, 473)
_BROWS: Final = (105, 66, 107, 63, 70, 334, 296, 336, 293, 300)

_CRISPEST: Final = 1.08  # most that fine detail is strengthened to make up for mixing
_FINE, _COARSE = 0.7, 4.0  # px, between which detail counts as fine
_GREY: Final = np.full((1, 3), 1 / 3, np.float32)
_LEAST: Final = 2e-3  # share of an exemplar that isn't worth mixing

Shares = Mapping[str, Floats]
"""For each region the share of each exemplar, summing up to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """A part of the texture that is looked up for itself.

    Attributes:
        points: whose offsets tell its expression.
        heed: how much expression counts beside pose.
        neighbours: how many exemplars at most are mixed in one frame.
        steady: frames, one standard deviation of what choices are to be steadied over; a mouth
            that speaks is done with one shape before a cheek is.
        box: x0, y0, x1, y1 in the texture.
        mask: float32 [y1 - y0, x1 - x0, 1], its share of each pixel.
    """

    points: NDArray[np.int64]
    heed: float
    neighbours: int
    steady: float
    box: tuple[int, int, int, int]
    mask: NDArray[np.float32]


class Mixer:
    """Mixes a portrait's exemplars."""

    def __init__(self, portrait: Portrait) -> None:
        self._portrait = portrait
        self._regions = _regions(portrait.layout)
        self._known = {
            name: portrait.offsets[:, region.points].reshape(len(portrait.turns), -1)
            for name, region in self._regions.items()
        }

        self._rim = cv2.erode(
            portrait.layout.mask.astype(np.uint8), np.ones((15, 15), np.uint8)
        ).astype(np.float32)
        self._detail = np.array([self._energy(_fine(t)) for t in portrait.textures])

    @property
    def steady(self) -> Mapping[str, float]:
        """For each region how many frames its choices are to be steadied over."""
        return {name: region.steady for name, region in self._regions.items()}

    def choose(self, turn: Floats, offsets: Floats) -> Shares:
        """How much of each exemplar to take for each region.

        Args:
            turn: float64 [3], rotation vector of the head.
            offsets: float64 [P, 3], the expression.
        """
        turned = ((self._portrait.turns - turn) ** 2).sum(1)
        chosen = {}
        for name, region in self._regions.items():
            wanted = offsets[region.points].ravel().astype(np.float32)
            unlike = ((self._known[name] - wanted) ** 2).sum(1) / len(region.points)
            chosen[name] = _soft_nearest(turned + region.heed * unlike, region.neighbours)
        return chosen

    def mix(self, shares: Shares) -> tuple[NDArray[np.float32], Floats]:
        """The texture, float32 [S, S, 3], 0..255, and the shading [P, 3] that it was taken in."""
        which, share = _worth(shares["rest"])
        bank = self._portrait.textures
        texture = _blend(bank, which, share)
        shade = np.asarray(np.tensordot(share, self._portrait.shades[which], 1), np.float64)
        for name, region in self._regions.items():
            if name == "rest":
                continue
            x0, y0, x1, y1 = region.box
            picked, part = _worth(shares[name])
            there = texture[y0:y1, x0:x1]
            there += region.mask * (_blend(bank[:, y0:y1, x0:x1], picked, part) - there)
        return self._crisp(texture, shares["rest"]), shade

    def _crisp(self, texture: NDArray[np.float32], shares: Floats) -> NDArray[np.float32]:
        """Give back the fine detail that mixing has averaged away, as much as exemplars have."""
        fine = _fine(texture)
        lost = float(shares @ self._detail) / max(self._energy(fine), 1e-6)
        more = np.float32(np.clip(np.sqrt(lost), 1, _CRISPEST) - 1)
        return np.asarray(texture + (more * fine)[..., None], np.float32)

    def _energy(self, fine: NDArray[np.float32]) -> float:
        inner = (fine * self._rim).ravel()
        return float(inner @ inner)


def _fine(texture: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """A texture's fine detail in brightness: float32 [S, S]."""
    grey = cv2.transform(texture.astype(np.float32, copy=False), _GREY)
    return np.asarray(
        cv2.GaussianBlur(grey, (0, 0), _FINE) - cv2.GaussianBlur(grey, (0, 0), _COARSE), np.float32
    )


def _soft_nearest(distance: Floats, neighbours: int) -> Floats:
    """Shares [N] that fall smoothly with distance, over at most so many neighbours."""
    count = min(neighbours, len(distance))
    nearest = np.argpartition(distance, count - 1)[:count]
    near = distance[nearest]
    scale = np.sort(near)[count // 4] + 1e-4
    shares = np.zeros(len(distance))
    shares[nearest] = np.exp(-(near - near.min()) / scale)
    return np.asarray(shares / shares.sum(), np.float64)


def _worth(shares: Floats) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    which = np.flatnonzero(shares > _LEAST)
    return which, (shares[which] / shares[which].sum()).astype(np.float32)


def _blend(
    bank: NDArray[np.uint8], which: NDArray[np.int64], shares: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The weighted mean of some of the pictures [N, h, w, 3]."""
    mean = np.zeros(bank.shape[1:], np.float32)
    sums = np.cumsum(shares, dtype=np.float64)
    for number, share, total in zip(which, shares, sums, strict=True):
        cv2.accumulateWeighted(bank[number], mean, float(share / total))
    return mean


def _regions(layout: Layout) -> dict[str, _Region]:
    everywhere = np.ones((layout.size, layout.size, 1), np.float32)
    eyes = np.array(_RIGHT_EYE + _LEFT_EYE)
    return {
        "rest": _Region(
            np.array(_MOUTH + _RIGHT_EYE + _LEFT_EYE + _BROWS),
            30.0,
            48,
            2.0,
            (0, 0, layout.size, layout.size),
            everywhere,
        ),
        "mouth": _region(layout, np.array(_MOUTH), np.array(_MOUTH), 120.0, 6),
        "right eye": _region(layout, np.array(_RIGHT_EYE), eyes, 200.0, 12),
        "left eye": _region(layout, np.array(_LEFT_EYE), eyes, 200.0, 12),
    }


def _region(
    layout: Layout,
    around: NDArray[np.int64],
    points: NDArray[np.int64],
    heed: float,
    neighbours: int,
) -> _Region:
    mask = np.zeros((layout.size, layout.size), np.uint8)
    hull = cv2.convexHull(np.round(layout.points[around]).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 255)
    grown = round(0.055 * layout.size) | 1
    wide = cv2.dilate(mask, np.ones((grown, grown), np.uint8)).astype(np.float32) / 255
    soft = np.asarray(cv2.GaussianBlur(wide, (0, 0), grown / 3), np.float32)
    rows, columns = np.nonzero(soft > 0.004)
    box = int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1
    inside = soft[box[1] : box[3], box[0] : box[2], None]
    return _Region(points, heed, neighbours, 1.0, box, inside)
