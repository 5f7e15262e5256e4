"""Footage of many kinds, as much of it as is wanted, drawn by code from a seed.

    film = make_film(7)
    film.picture(1.5, width=320)          # RGB uint8 [180, 320, 3], what is shown at 1.5 s

A film has one to four shots, each of a kind: talking heads, landscapes, cartoons, water, streets,
crowds, pages of text, slides, nights, with a camera that stands, pans, zooms or shakes. The same
seed gives the same film at any size and at any time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from marks.pictures import fractal
from numpy.typing import NDArray

__all__ = ["FITTED", "KINDS", "UNSEEN", "Film", "make_film"]

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]
Rng = np.random.Generator
Draw = Callable[[Floats, float], Floats]
"""Draws things that move on a canvas, float32 [360, 640, 3], at a time in seconds."""

_WIDTH, _HEIGHT = 640, 360


@dataclass(frozen=True, slots=True)
class _Shot:
    begin: float
    end: float
    canvas: Floats
    draw: Draw
    camera: Callable[[float], NDArray[np.float64]]
    grain: float
    seed: int


@dataclass(frozen=True, slots=True)
class Film:
    """Shots one after another, `seconds` long together."""

    seed: int
    kinds: tuple[str, ...]
    seconds: float
    shots: tuple[_Shot, ...]

    def picture(self, at: float, *, width: int = _WIDTH) -> Rgb:
        """Return what is shown at second `at`, `width` pixels wide, 16:9."""
        shot = next((s for s in self.shots if s.begin <= at < s.end), self.shots[-1])
        drawn = shot.draw(shot.canvas, at - shot.begin)
        scale = width / _WIDTH
        size = (width, round(_HEIGHT * scale))
        matrix = np.diag([scale, scale]) @ shot.camera(at - shot.begin)
        seen = cv2.warpAffine(
            drawn, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        if shot.grain:
            noise = np.random.default_rng((shot.seed, round(at * 1000)))
            seen = seen + noise.normal(0, shot.grain, (*seen.shape[:2], 1)).astype(np.float32)
        return np.clip(seen, 0, 255).astype(np.uint8)


def make_film(seed: int, *, kinds: tuple[str, ...] = (), seconds: float = 0.0) -> Film:
    """Return the film of a seed, of these kinds only if any are named, 8 to 20 s long."""
    rng = np.random.default_rng((seed, 77))
    seconds = seconds or float(rng.uniform(8, 20))
    count = int(rng.choice([1, 2, 3, 4], p=[0.4, 0.25, 0.2, 0.15]))
    cuts = [0.0, *sorted(float(c) for c in rng.uniform(0.15, 0.85, count - 1) * seconds), seconds]
    chosen = [str(rng.choice(kinds or tuple(KINDS))) for _ in range(count)]
    shots = tuple(
        _shot(kind, begin, end, np.random.default_rng((seed, number)))
        for number, (kind, begin, end) in enumerate(zip(chosen, cuts, cuts[1:], strict=False))
    )
    return Film(seed=seed, kinds=tuple(chosen), seconds=seconds, shots=shots)


def _shot(kind: str, begin: float, end: float, rng: Rng) -> _Shot:
    canvas, draw = KINDS[kind](rng)
    grain = float(rng.choice([0.0, 1.5, 4.0, 12.0], p=[0.4, 0.35, 0.15, 0.1]))
    return _Shot(begin, end, canvas, draw, _camera(rng), grain, int(rng.integers(1 << 30)))


def _camera(rng: Rng) -> Callable[[float], NDArray[np.float64]]:
    """Stand, pan, zoom or shake."""
    way = str(rng.choice(["stand", "stand", "pan", "zoom", "shake"]))
    speed = rng.uniform(-30, 30, 2) if way == "pan" else np.zeros(2)
    pull = float(rng.uniform(-0.04, 0.04)) if way == "zoom" else 0.0
    shake = float(rng.uniform(2, 6)) if way == "shake" else 0.0
    beat = rng.uniform(1, 4, 2)
    base = float(rng.uniform(1.0, 1.15))

    def matrix(t: float) -> NDArray[np.float64]:
        zoom = base * np.exp(pull * t)
        x, y = speed * t + shake * np.sin(beat * t * 2)
        return np.array(
            [
                [zoom, 0, _WIDTH / 2 * (1 - zoom) - x],
                [0, zoom, _HEIGHT / 2 * (1 - zoom) - y],
            ]
        )

    return matrix


@cache
def _field(seed: int, slope: float) -> Floats:
    return fractal(_HEIGHT, _WIDTH, seed=seed, slope=slope)


def _noise(rng: Rng, low: float, high: float) -> Floats:
    """One of a few hundred fields, turned and stretched, so that none costs a transform."""
    field = _field(int(rng.integers(64)), round(float(rng.uniform(low, high)) * 4) / 4)
    if rng.random() < 0.5:
        field = field[:, ::-1]
    if rng.random() < 0.5:
        field = field[::-1]
    x, y = int(rng.integers(_WIDTH)), int(rng.integers(_HEIGHT))
    field = np.roll(field, (y, x), (0, 1))
    zoom = float(rng.uniform(1, 3))
    return np.asarray(
        cv2.resize(field[: int(_HEIGHT / zoom), : int(_WIDTH / zoom)], (_WIDTH, _HEIGHT)),
        np.float32,
    )


def _tint(rng: Rng, field: Floats) -> Floats:
    low, high = rng.uniform(0, 150, 3), rng.uniform(90, 255, 3)
    return np.asarray(low + field[..., None] * (high - low), np.float32)


def _colour(rng: Rng) -> tuple[float, float, float]:
    r, g, b = rng.uniform(0, 255, 3)
    return float(r), float(g), float(b)


def _still(canvas: Floats, t: float) -> Floats:
    return canvas


def _landscape(rng: Rng) -> tuple[Floats, Draw]:
    canvas = _tint(rng, _noise(rng, 1.25, 2))
    for ridge in range(int(rng.integers(1, 4))):
        line = _noise(rng, 1.5, 2)[int(rng.integers(_HEIGHT))]
        top = rng.uniform(0.3, 0.8) * _HEIGHT + 120 * (line - 0.5)
        ground = _tint(rng, _noise(rng, 0.75, 1.5)) * float(0.4 + 0.2 * ridge)
        canvas = np.where((np.arange(_HEIGHT)[:, None] > top)[..., None], ground, canvas)
    return np.asarray(canvas, np.float32), _still


def _room(rng: Rng) -> Floats:
    """A wall with a few plain things on it, out of focus."""
    room = _tint(rng, _noise(rng, 1.75, 2))
    for _ in range(int(rng.integers(0, 6))):
        x, y = int(rng.integers(_WIDTH)), int(rng.integers(_HEIGHT))
        across, down = int(rng.integers(30, 220)), int(rng.integers(30, 200))
        cv2.rectangle(room, (x, y), (x + across, y + down), _colour(rng), -1)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), float(rng.uniform(0.8, 7))), np.float32)


def _head(rng: Rng) -> tuple[Floats, Draw]:
    """A head and shoulders that nod and speak."""
    skin, hair, cloth = (float(v) for v in rng.uniform(60, 230, 3)), _colour(rng), _colour(rng)
    tone = np.array(tuple(skin))
    middle = np.array([rng.uniform(150, 490), rng.uniform(130, 210)])
    size = float(rng.uniform(45, 105))
    beat, sway = rng.uniform(1, 3, 3), rng.uniform(1, 7, 2)

    def draw(canvas: Floats, t: float) -> Floats:
        frame = canvas.copy()
        x, y = middle + sway * np.sin(beat[:2] * t)
        at = (round(x), round(y))
        wide, tall = round(size * 0.75), round(size)
        body = (at[0], round(y + 2.4 * size))
        cv2.ellipse(frame, body, (2 * wide, tall + 30), 0, 0, 360, cloth, -1)
        cv2.ellipse(frame, (at[0], at[1] - tall // 5), (wide + 9, tall + 8), 0, 0, 360, hair, -1)
        cv2.ellipse(frame, at, (wide, tall), 0, 0, 360, tone.tolist(), -1)
        for side in (-1, 1):
            eye = (at[0] + side * wide // 3, at[1] - tall // 6)
            cv2.circle(frame, eye, max(2, tall // 12), (20, 20, 20), -1)
        mouth = round(tall / 14 * (1 + np.sin(7 * beat[2] * t)))
        lips = (at[0], at[1] + tall // 2)
        cv2.ellipse(frame, lips, (wide // 3, 2 + mouth), 0, 0, 360, (90, 30, 40), -1)
        return frame

    return _room(rng), draw


def _cartoon(rng: Rng) -> tuple[Floats, Draw]:
    """Flat colours with outlines; figures that walk."""
    canvas = np.full((_HEIGHT, _WIDTH, 3), _colour(rng), np.float32)
    horizon = int(rng.integers(160, 300))
    cv2.rectangle(canvas, (0, horizon), (_WIDTH, _HEIGHT), _colour(rng), -1)
    for _ in range(int(rng.integers(2, 7))):
        at = (int(rng.integers(_WIDTH)), int(rng.integers(60, _HEIGHT)))
        axes = (int(rng.integers(30, 150)), int(rng.integers(20, 110)))
        cv2.ellipse(canvas, at, axes, 0, 0, 360, _colour(rng), -1, cv2.LINE_AA)
        cv2.ellipse(canvas, at, axes, 0, 0, 360, (20, 20, 20), 3, cv2.LINE_AA)
    return canvas, _balls(rng, int(rng.integers(1, 4)), 60)


def _balls(rng: Rng, count: int, largest: int) -> Draw:
    begins, speeds = rng.uniform(0, 1, (count, 2)), rng.uniform(-90, 90, (count, 2))
    sizes = rng.uniform(0.25, 1, count) * largest
    colours = [_colour(rng) for _ in range(count)]
    box = np.array([_WIDTH, _HEIGHT])

    def draw(canvas: Floats, t: float) -> Floats:
        frame = canvas.copy()
        for begin, speed, size, colour in zip(begins, speeds, sizes, colours, strict=True):
            x, y = np.abs((begin * box + speed * t + box) % (2 * box) - box)
            cv2.circle(frame, (round(x), round(y)), round(size), colour, -1, cv2.LINE_AA)
            cv2.circle(frame, (round(x), round(y)), round(size), (20, 20, 20), 2, cv2.LINE_AA)
        return frame

    return draw


def _crowd(rng: Rng) -> tuple[Floats, Draw]:
    return _tint(rng, _noise(rng, 1, 2)), _balls(rng, int(rng.integers(12, 40)), 30)


def _street(rng: Rng) -> tuple[Floats, Draw]:
    """Fronts with windows that sweep by."""
    canvas = _tint(rng, _noise(rng, 0.75, 1.5))
    x = 0
    while x < _WIDTH:
        across, top = int(rng.integers(40, 120)), int(rng.integers(20, 220))
        cv2.rectangle(canvas, (x, top), (x + across, _HEIGHT), _colour(rng), -1)
        lit = _colour(rng)
        for wy in range(top + 12, _HEIGHT - 10, int(rng.integers(22, 46))):
            for wx in range(x + 8, x + across - 12, int(rng.integers(18, 34))):
                if rng.random() < 0.7:
                    cv2.rectangle(canvas, (wx, wy), (wx + 10, wy + 14), lit, -1)
        x += across
    speed = float(rng.uniform(-120, 120))

    def draw(seen: Floats, t: float) -> Floats:
        return np.roll(seen, round(speed * t), 1)

    return canvas, draw


def _text(rng: Rng) -> tuple[Floats, Draw]:
    """Windows of text, one of them scrolling."""
    bright = rng.random() < 0.6
    paper, ink = ((244, 244, 240), (30, 30, 36)) if bright else ((28, 30, 36), (200, 204, 200))
    page = np.full((2 * _HEIGHT, _WIDTH, 3), paper, np.uint8)
    step, size = int(rng.integers(14, 34)), float(rng.uniform(0.35, 0.9))
    margin = int(rng.integers(10, 160))
    for y in range(20, 2 * _HEIGHT, step):
        if rng.random() < 0.15:
            continue
        letters = "".join(rng.choice(list("abcdefghi  klmnop rstuvw "), int(rng.integers(10, 70))))
        cv2.putText(page, letters, (margin + 20 * int(rng.integers(3)), y), 0, size, ink, 1, 16)
    for _ in range(int(rng.integers(0, 4))):
        x, y = int(rng.integers(_WIDTH)), int(rng.integers(2 * _HEIGHT))
        corner = (x + int(rng.integers(60, 300)), y + int(rng.integers(30, 160)))
        cv2.rectangle(page, (x, y), corner, _colour(rng), -1)
    speed = float(rng.choice([0.0, 12.0, 30.0]))

    def draw(canvas: Floats, t: float) -> Floats:
        top = round(speed * t) % _HEIGHT
        return canvas[top : top + _HEIGHT]

    return page.astype(np.float32), draw


def _slides(rng: Rng) -> tuple[Floats, Draw]:
    """A title, a few boxes, a chart that grows."""
    canvas = np.full((_HEIGHT, _WIDTH, 3), _colour(rng), np.uint8)
    cv2.putText(canvas, "".join(rng.choice(list("ABCDEFGH "), 12)), (40, 70), 0, 1.4,
                _colour(rng), 3, 16)  # fmt: skip
    for _ in range(int(rng.integers(1, 5))):
        x, y = int(rng.integers(20, 480)), int(rng.integers(90, 300))
        corner = (x + int(rng.integers(60, 260)), y + int(rng.integers(20, 150)))
        cv2.rectangle(canvas, (x, y), corner, _colour(rng), -1)
    bars, colour = rng.uniform(30, 180, 6), _colour(rng)
    left = int(rng.integers(60, 400))

    def draw(seen: Floats, t: float) -> Floats:
        frame = seen.copy()
        for number, tall in enumerate(bars):
            x = left + 34 * number
            top = 340 - round(tall * min(1, 0.2 + t / 8))
            cv2.rectangle(frame, (x, top), (x + 24, 340), colour, -1)
        return frame

    return canvas.astype(np.float32), draw


def _night(rng: Rng) -> tuple[Floats, Draw]:
    """Little above black; lamps, and the lights of a car."""
    walls = (8 + 22 * _noise(rng, 1, 1.75))[..., None] * np.array([1.0, 0.9, 0.75], np.float32)
    lamps = rng.uniform(0, 1, (int(rng.integers(2, 7)), 2)) * (_WIDTH, _HEIGHT)
    y, x = np.mgrid[:_HEIGHT, :_WIDTH].astype(np.float32)
    for across, down in lamps:
        glow = 1 / (1 + ((x - across) ** 2 + (y - down) ** 2) / float(rng.uniform(80, 900)))
        walls = walls * (1 + 2 * glow[..., None]) + 120 * glow[..., None]
    speed, level = float(rng.uniform(20, 160)), float(rng.uniform(200, 330))

    def draw(canvas: Floats, t: float) -> Floats:
        frame = canvas.copy()
        at = (round(speed * t) % (_WIDTH + 80) - 40, round(level))
        cv2.circle(frame, at, 14, (235, 230, 200), -1, cv2.LINE_AA)
        cv2.circle(frame, (at[0] - 40, at[1]), 8, (170, 40, 30), -1, cv2.LINE_AA)
        return frame

    return np.asarray(walls, np.float32), draw


def _water(rng: Rng) -> tuple[Floats, Draw]:
    """Two fields that drift across each other under a shore."""
    under, over = _noise(rng, 1, 1.75), _noise(rng, 0.75, 1.5)
    drift = rng.uniform(-25, 25, (2, 2))
    shore = _tint(rng, _noise(rng, 1, 1.75))
    level = int(rng.integers(60, 250))
    low, high = rng.uniform(10, 90, 3), rng.uniform(120, 240, 3)

    def draw(canvas: Floats, t: float) -> Floats:
        frame = canvas.copy()
        one, two = (
            np.roll(field, (round(dy * t), round(dx * t)), (0, 1))
            for field, (dx, dy) in zip((under, over), drift, strict=True)
        )
        surface = (one + two)[..., None] / 2
        frame[level:] = (low + surface * (high - low))[level:]
        return frame

    return shore, draw


KINDS: dict[str, Callable[[Rng], tuple[Floats, Draw]]] = {
    "landscape": _landscape,
    "head": _head,
    "cartoon": _cartoon,
    "crowd": _crowd,
    "street": _street,
    "text": _text,
    "slides": _slides,
    "night": _night,
    "water": _water,
}
"""What a shot may show, by name."""

UNSEEN = ("cartoon", "street", "water", "night")
"""The kinds that nothing is fitted on."""

FITTED = tuple(kind for kind in KINDS if kind not in UNSEEN)
