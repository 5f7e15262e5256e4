"""Draw what may stand before a face, and light that may fall on it, for `train_hiding.py`.

    stage = Stage(np.random.default_rng(1), frames)
    crop, alpha = stage.play(crop, mesh)

Everything is drawn at random: hands of fingers and palms in the face's own colours, strands of
hair, boxes, sticks, blobs, cloth; with shading, texture, shadows and blur of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Stage", "worn"]

Rgb = NDArray[np.float32]
Field = NDArray[np.float32]
Mask = NDArray[np.uint8]
Floats = NDArray[np.float64]

_HAIR = (
    (30, 20, 15), (92, 58, 38), (150, 110, 70), (60, 50, 50), (190, 170, 150), (15, 12, 12),
    (120, 60, 30),
)  # fmt: skip
_FINE = 16  # parts of a pixel that shapes are drawn with


@dataclass(frozen=True, slots=True)
class Stage:
    """Puts things before faces.

    Attributes:
        rng: where chance comes from.
        frames: uint8 [H, W, 3], pictures whose parts serve as texture.
    """

    rng: np.random.Generator
    frames: Sequence[NDArray[np.uint8]]

    def play(self, crop: NDArray[np.uint8], mesh: Floats) -> tuple[NDArray[np.uint8], Field]:
        """A crop in some light with something before the face, or nothing; and how much covers it.

        Args:
            crop: uint8 [S, S, 3].
            mesh: [P, 3], the face's.
        """
        alpha = np.zeros(crop.shape[:2], np.float32)
        rgb = crop.astype(np.float32)
        if self._chance(0.5):
            rgb = _bytes(self._lit(rgb, mesh)).astype(np.float32)
        if self._chance(0.72):
            rgb, alpha = self._cover(rgb, mesh)
            if self._chance(0.25):
                rgb, more = self._cover(rgb, mesh)
                alpha = np.maximum(alpha, more)
        return _bytes(rgb), alpha

    def _cover(self, rgb: Rgb, mesh: Floats) -> tuple[Rgb, Field]:
        low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
        middle, width = self.rng.uniform(low, high), float(high[0] - low[0])
        kinds = [self._hand] * 5 + [self._strands] * 2 + [self._thing] * 4
        make: Callable[[Rgb, Floats, Floats, float], tuple[Rgb, Field]]
        make = kinds[self.rng.integers(len(kinds))]
        thing, alpha = make(rgb, mesh, middle, width)
        if self._chance(0.25):
            rgb = self._shadowed(rgb, alpha)
        if self._chance(0.8):
            alpha = _blurred(alpha, self._any(0.4, 1.1))
        if self._chance(0.2):
            thing, alpha = self._smeared(thing, alpha)
        share = alpha[..., None]
        return np.asarray(rgb * (1 - share) + np.clip(thing, 0, 255) * share, np.float32), alpha

    def _hand(self, rgb: Rgb, mesh: Floats, middle: Floats, width: float) -> tuple[Rgb, Field]:
        size = width * self._any(0.25, 0.7)
        base = self._surface(rgb, mesh, like_skin=0.97)
        alpha = np.zeros(rgb.shape[:2], np.float32)
        thing = np.zeros_like(rgb)
        for part in self._hand_parts(len(rgb), middle, size):
            shape = part.astype(np.float32) / 255
            if self._chance(0.25):
                shade = _blurred(shape, 0.06 * size) * 0.5 + 0.5
            else:
                shade = self._rounded(part, size * self._any(0.09, 0.2))
            thing = np.where(shape[..., None] > 0.02, base * shade[..., None], thing)
            alpha = np.maximum(alpha, shape)
            if self._chance(0.5):
                edge = cv2.morphologyEx(part, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
                crease = _blurred(edge.astype(np.float32) / 255, 0.8) * shape
                thing = thing * (1 - 0.25 * self._any(0, 1) * crease[..., None])
        return thing.astype(np.float32), alpha

    def _hand_parts(self, n: int, middle: Floats, size: float) -> list[Mask]:
        angle = self._any(0, 2 * np.pi)
        ahead = np.array([np.cos(angle), np.sin(angle)])
        aside = np.array([-ahead[1], ahead[0]])
        parts = []
        if self._chance(0.75):
            ways = np.array([middle, middle - 4 * size * ahead])
            parts.append(_line(n, ways, [size * self._any(0.5, 1)]))
        if self._chance(0.85):
            turn = np.linspace(0, 2 * np.pi, 14)[:-1, None]
            long, broad = size * self._any(0.35, 0.6), size * self._any(0.3, 0.5)
            uneven = 1 + 0.15 * self.rng.uniform(-1, 1, (13, 2))
            rim = long * np.cos(turn) * uneven[:, :1] * ahead
            parts.append(_filled(n, middle + rim + broad * np.sin(turn) * uneven[:, 1:] * aside))
        count, spread = int(self.rng.integers(1, 6)), self._any(0, 0.35)
        for place in np.arange(count) - (count - 1) / 2:
            root = middle + ahead * size * self._any(0.1, 0.35)
            root = root + aside * place * size * self._any(0.18, 0.27)
            towards = angle + place * spread + self._any(-0.08, 0.08)
            length, broad = size * self._any(0.45, 1), size * self._any(0.13, 0.24)
            parts.append(self._finger(n, root, towards, length, broad))
        if self._chance(0.4):
            root = middle + aside * size * 0.3 * np.sign(self._any(-1, 1))
            towards, length = angle + self._any(-1.2, 1.2), size * self._any(0.4, 0.7)
            parts.append(self._finger(n, root, towards, length, size * self._any(0.16, 0.24)))
        return parts

    def _finger(self, n: int, root: Floats, angle: float, length: float, broad: float) -> Mask:
        steps, bend = 8, self._any(-0.6, 0.6)
        angles = angle + bend / steps * np.arange(1, steps + 1)
        ways = np.cumsum(np.stack([np.cos(angles), np.sin(angles)], 1) * length / steps, 0)
        widths = np.linspace(broad, broad * self._any(0.65, 0.95), steps)
        return _line(n, np.concatenate([root[None], root + ways]), widths)

    def _strands(self, rgb: Rgb, mesh: Floats, middle: Floats, width: float) -> tuple[Rgb, Field]:
        n = len(rgb)
        colour = np.array(_HAIR[self.rng.integers(len(_HAIR))]) * self._any(0.6, 1.3)
        low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
        top = np.array([self._any(low[0], high[0]), low[1] - self._any(-0.1, 0.3) * width])
        mask = np.zeros((n, n), np.uint8)
        for _ in range(self.rng.integers(1, 14)):
            start = top + np.array([self.rng.normal() * width * 0.25, 0])
            fall = np.array([self.rng.normal() * 0.25, self._any(0.2, 1.3)]) * width
            bent = start + fall / 2 + self.rng.normal(size=2) * width * 0.12
            t = np.linspace(0, 1, 24)[:, None]
            ways = (1 - t) ** 2 * start + 2 * t * (1 - t) * bent + t * t * (start + fall)
            broad = self._any(0.8, 6)
            mask |= _line(n, ways, np.linspace(broad, broad * self._any(0.3, 1), 23))
        alpha = _blurred(mask.astype(np.float32) / 255, self._any(0.3, 0.9)) * self._any(0.8, 1.1)
        hair = colour * (1 + self._waves(n, 60, 0.2)[..., None])
        return hair.astype(np.float32), np.clip(alpha, 0, 1)

    def _thing(self, rgb: Rgb, mesh: Floats, middle: Floats, width: float) -> tuple[Rgb, Field]:
        n = len(rgb)
        base = self._surface(rgb, mesh, like_skin=0.75)
        shapes = [self._box, self._blob, self._stick, self._cloth]
        mask = shapes[self.rng.integers(4)](n, middle, width)
        if self._chance(0.2):
            stripe = self._box(n, middle, width * 0.3)
            base = np.where(stripe[..., None] > 127, self.rng.uniform(0, 255, 3), base)
        if self._chance(0.7):
            base = base * self._rounded(mask, width * self._any(0.05, 0.3))[..., None]
        if self._chance(0.3):
            base = 0.3 * base + 0.7 * self._patch(n)
        return base.astype(np.float32), mask.astype(np.float32) / 255

    def _box(self, n: int, middle: Floats, width: float) -> Mask:
        sides = width * self._any(0.15, 1), width * self._any(0.15, 1.5)
        place = (float(middle[0]), float(middle[1])), sides, self._any(0, 180)
        return _filled(n, np.asarray(cv2.boxPoints(place), np.float64))

    def _blob(self, n: int, middle: Floats, width: float) -> Mask:
        count = int(self.rng.integers(5, 11))
        turn = np.linspace(0, 2 * np.pi, count + 1)[:-1]
        away = width * self._any(0.08, 0.4) * self.rng.uniform(0.7, 1.3, count)
        fine = np.linspace(0, 2 * np.pi, 60)
        round_ = np.interp(fine, [*turn, 2 * np.pi], [*away, away[0]])
        return _filled(n, middle + np.stack([np.cos(fine), np.sin(fine)], 1) * round_[:, None])

    def _stick(self, n: int, middle: Floats, width: float) -> Mask:
        angle, broad = self._any(0, 2 * np.pi), width * self._any(0.02, 0.14)
        far = middle + 2 * width * np.array([np.cos(angle), np.sin(angle)])
        mask = _line(n, np.array([middle, far]), [broad])
        if self._chance(0.6):
            spot = np.round(middle * _FINE).astype(int).tolist()
            ball = int(_FINE * broad * self._any(0.7, 2))
            cv2.circle(mask, spot, ball, 255, -1, cv2.LINE_AA, 4)
        return mask

    def _cloth(self, n: int, middle: Floats, width: float) -> Mask:
        beyond = self._side(n, middle) + self._waves(n, 5, width * 0.06)
        return np.asarray((beyond > width * self._any(0, 0.3)) * 255, np.uint8)

    def _side(self, n: int, middle: Floats) -> Field:
        """How far each pixel lies on one side of a line."""
        angle = self._any(0, 2 * np.pi)
        down, right = np.mgrid[:n, :n].astype(np.float32)
        return (right - middle[0]) * np.cos(angle) + (down - middle[1]) * np.sin(angle)

    def _surface(self, rgb: Rgb, mesh: Floats, *, like_skin: float) -> Rgb:
        """A surface in a colour of the face, or any."""
        n = len(rgb)
        if self._chance(like_skin):
            right, down = mesh[self.rng.integers(len(mesh)), :2].round().astype(int).clip(6, n - 7)
            near = rgb[down - 5 : down + 6, right - 5 : right + 6].reshape(-1, 3)
            colour = np.median(near, 0) * self._any(0.7, 1.2)
            colour = colour * (1 + self.rng.normal(size=3) * 0.025)
        else:
            colour = self.rng.uniform(5, 245, 3)
        base = np.ones((n, n, 3), np.float32) * colour
        if self._chance(0.35):
            patch = self._patch(n)
            base *= np.clip(patch / (patch.mean((0, 1)) + 1), 0.3, 2) ** self._any(0.1, 1)
        base *= 1 + self._waves(n, int(self.rng.integers(2, 7)), self._any(0, 0.12))[..., None]
        if self._chance(0.5):
            fine = self._waves(n, int(self.rng.integers(30, 90)), self._any(0, 0.05))
            base *= 1 + fine[..., None]
        return base.astype(np.float32)

    def _patch(self, n: int) -> Rgb:
        """Some part of some frame."""
        frame = self.frames[int(self.rng.integers(len(self.frames)))]
        side = int(self._any(40, 200))
        down, right = (self.rng.integers(0, length - side + 1) for length in frame.shape[:2])
        return cv2.resize(frame[down : down + side, right : right + side], (n, n)).astype(
            np.float32
        )

    def _rounded(self, mask: Mask, depth: float) -> Field:
        """Shading as if a shape were round, lit from somewhere."""
        inner = cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3)
        away = 1 - np.clip(inner / depth, 0, 1)
        height = _blurred((np.sqrt(1 - away**2) * depth).astype(np.float32), max(0.8, depth * 0.12))
        right, down = (cv2.Sobel(height, cv2.CV_32F, *way, scale=1 / 8) for way in ((1, 0), (0, 1)))
        light = np.array([self._any(-0.7, 0.7), self._any(-0.9, 0.3), 1])
        light /= np.linalg.norm(light)
        facing = (light[2] - right * light[0] - down * light[1]) / np.sqrt(1 + right**2 + down**2)
        ambient = self._any(0.25, 0.8)
        return np.asarray(ambient + (1 - ambient) * np.clip(facing, 0, 1.2), np.float32)

    def _shadowed(self, rgb: Rgb, alpha: Field) -> Rgb:
        """What covers a face throws a shadow on it."""
        moved = np.roll(alpha, self.rng.integers(-6, 7, size=2), (0, 1))
        shadow = _blurred(moved, self._any(1.5, 8))
        return np.asarray(rgb * (1 - self._any(0.1, 0.5) * shadow[..., None]), np.float32)

    def _smeared(self, thing: Rgb, alpha: Field) -> tuple[Rgb, Field]:
        """Blurred by movement."""
        side, angle = int(self._any(3, 11)), self._any(0, np.pi)
        kernel = np.zeros((side, side), np.float32)
        way = side / 2 * np.array([np.cos(angle), np.sin(angle)])
        ends = [
            np.clip(side // 2 + sign * way, 0, side - 1).astype(int).tolist() for sign in (-1, 1)
        ]
        cv2.line(kernel, ends[0], ends[1], 1)
        kernel /= kernel.sum()
        share = cv2.filter2D(alpha, -1, kernel)
        colour = cv2.filter2D(thing * alpha[..., None], -1, kernel)
        return colour / np.maximum(share, 1e-3)[..., None], share

    def _lit(self, rgb: Rgb, mesh: Floats) -> Rgb:
        """Another light, a cast shadow, a grade: what covers nothing."""
        n = len(rgb)
        if self._chance(0.5):
            slope = self._side(n, np.full(2, n / 2)) / n
            rgb = rgb * np.exp(self._any(0, 1.8) * slope)[..., None]
        if self._chance(0.3):
            waves = self._waves(n, int(self.rng.integers(2, 5)), self._any(0, 0.25))
            rgb = rgb * np.exp(waves)[..., None]
        if self._chance(0.25):
            edge = self._side(n, mesh[self.rng.integers(len(mesh)), :2]) + self._waves(n, 6, 10)
            dark = 1 / (1 + np.exp(-np.clip(edge / self._any(1.5, 10), -50, 50)))
            tint = 1 + self.rng.normal(size=3) * 0.04
            rgb = rgb * (1 - self._any(0.1, 0.6) * dark[..., None] * tint)
        if self._chance(0.4):
            rgb = rgb * np.exp(self.rng.normal(size=3) * 0.12)
        if self._chance(0.4):
            rgb = 255 * np.clip(rgb / 255, 0, 1) ** self._any(0.75, 1.4)
        if self._chance(0.3):
            rgb = rgb * self._any(0.15, 1.1)
        return rgb.astype(np.float32)

    def _waves(self, n: int, cells: int, size: float) -> Field:
        coarse = self.rng.normal(size=(cells, cells)).astype(np.float32) * np.float32(size)
        return np.asarray(cv2.resize(coarse, (n, n), interpolation=cv2.INTER_CUBIC), np.float32)

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def _any(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))


def worn(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A crop as a worse camera and a worse codec would show it, or as it is."""
    rgb = crop.astype(np.float32)
    size = (crop.shape[1], crop.shape[0])
    if rng.random() < 0.25:
        rgb = _blurred(rgb, rng.uniform(0.5, 2.2))
    if rng.random() < 0.15:
        share = rng.uniform(0.25, 0.8)
        small = cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        rgb = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.float32)
    if rng.random() < 0.35:
        rgb = rgb + rng.normal(size=rgb.shape) * rng.uniform(1, 9)
    found = _bytes(rgb)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(15, 80))]
        found = cv2.imdecode(cv2.imencode(".jpg", found, quality)[1], cv2.IMREAD_COLOR)
    return np.asarray(found, np.uint8)


def _line(n: int, ways: Floats, widths: Sequence[float] | Floats) -> Mask:
    mask = np.zeros((n, n), np.uint8)
    points = np.round(ways * _FINE).astype(int).tolist()
    for start, end, width in zip(points[:-1], points[1:], widths, strict=True):
        cv2.line(mask, start, end, 255, max(1, round(float(width))), cv2.LINE_AA, 4)
    return mask


def _filled(n: int, rim: Floats) -> Mask:
    mask = np.zeros((n, n), np.uint8)
    cv2.fillPoly(mask, [np.round(rim * _FINE).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask


def _blurred(field: Field, deviation: float) -> Field:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), deviation), np.float32)


def _bytes(rgb: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(rgb, 0, 255).astype(np.uint8)
