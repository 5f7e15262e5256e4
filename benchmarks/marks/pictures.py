"""Films of all kinds, made by code: what a mark is tried on besides the sample performers.

    make_films(Path("clips"))

Each lasts five to six seconds at 25 a second; the same code gives the same pictures. They are told
apart by what is hard about them: nothing to hide a mark in (cartoon, sky, screen, dark), much that
drowns it (grain, landscape), and what people look at (talking heads).
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _changes import write_clip
from numpy.typing import NDArray

from assent.kit.media.picture import to_rgb
from assent.kit.media.read import read_pictures

__all__ = ["FILMS", "fractal", "make_films"]

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]

SAMPLES = Path(__file__).parents[2] / "samples"
_FRAMES = 150


def make_films(folder: Path, only: Iterable[str] = ()) -> list[Path]:
    """Write the films, or those named in `only`, into `folder`; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = set(only) or set(FILMS)
    return [
        write_clip(folder / f"{name}.mp4", film(), quality=14)
        for name, film in FILMS.items()
        if name in wanted
    ]


def fractal(height: int, width: int, *, seed: int, slope: float = 1.0) -> Floats:
    """Return noise whose amplitude falls with frequency to the power `slope`, [H, W] in 0..1."""
    noise = np.random.default_rng(seed).normal(size=(height, width))
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    radius = np.maximum(np.hypot(fy, fx), 1 / max(height, width))
    field = np.fft.irfft2(np.fft.rfft2(noise) / radius**slope, (height, width))
    low, high = np.percentile(field, [0.5, 99.5])
    return np.asarray(np.clip((field - low) / (high - low), 0, 1), np.float32)


def _head(name: str) -> Iterator[Rgb]:
    """A sample performer as filmed."""
    for picture in islice(read_pictures(SAMPLES / name, name=name), _FRAMES):
        yield to_rgb(picture)


def _broadcast() -> Iterator[Rgb]:
    """1920x1080: a talking head before a soft background, with a camera's faint noise."""
    noise = np.random.default_rng(3)
    for rgb in islice(_head("ben_train.mp4"), 125):
        head = cv2.resize(rgb, (1080, 1080), interpolation=cv2.INTER_LANCZOS4)
        soft = cv2.GaussianBlur(cv2.resize(rgb, (96, 54), interpolation=cv2.INTER_AREA), (0, 0), 2)
        wide = cv2.resize(soft, (1920, 1080), interpolation=cv2.INTER_CUBIC)
        edge = np.clip(np.minimum(np.arange(1080), np.arange(1080)[::-1]) / 160, 0, 1)
        share = np.asarray(edge, np.float32)[None, :, None]
        wide[:, 420:1500] = (share * head + (1 - share) * wide[:, 420:1500]).astype(np.uint8)
        grain = noise.normal(0, 1.5, (1080, 1920, 1)).astype(np.float32)
        yield _whole(wide + grain)


def _phone() -> Iterator[Rgb]:
    """540x960 upright: a head, as a phone films it, shaking a little."""
    rng = np.random.default_rng(5)
    shake = np.cumsum(rng.normal(0, 0.8, (_FRAMES, 2)), 0)
    shake -= cv2.blur(shake.astype(np.float64), (1, 51))
    room = fractal(960, 540, seed=6, slope=1.6)
    wall = np.stack([110 + 70 * room, 96 + 60 * room, 88 + 50 * room], -1)
    for rgb, (dx, dy) in zip(_head("cleo_train.mp4"), shake, strict=False):
        frame = wall.copy()
        frame[210:750] = cv2.resize(rgb, (540, 540), interpolation=cv2.INTER_CUBIC)
        moved = cv2.warpAffine(
            frame, np.array([[1.04, 0, dx - 10], [0, 1.04, dy - 18]]), (540, 960)
        )
        yield _whole(moved + rng.normal(0, 2.5, (960, 540, 1)))


def _landscape() -> Iterator[Rgb]:
    """1280x720: ridges, woods and cloud, all of them noise at many scales, the camera panning."""
    height, width, travel = 720, 1280, 300
    wide = width + travel
    clouds, woods = fractal(height, wide, seed=11, slope=1.7), fractal(height, wide, seed=12)
    picture = np.empty((height, wide, 3), np.float32)
    picture[:] = _mix((120, 160, 210), (235, 238, 240), clouds)
    rows = np.arange(height)[:, None]
    for number, (shade, tops) in enumerate((((96, 112, 130), 300), ((58, 78, 52), 430))):
        line = fractal(2, wide, seed=20 + number, slope=1.9)[0]
        ridge = rows > tops + 160 * (line[None, :] - 0.5)
        ground = np.array(shade, np.float32) * (0.45 + 1.1 * woods)[..., None]
        picture = np.where(ridge[..., None], ground, picture)
    for index in range(_FRAMES):
        yield _view(picture, index * travel / _FRAMES, 0, width, height)


def _sky() -> Iterator[Rgb]:
    """1920x1080: a clear evening sky over a skyline, panned slowly: nothing hides anything."""
    height, width, travel = 1080, 1920, 90
    wide = width + travel
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None] * np.ones((1, wide), np.float32)
    picture = _mix((92, 140, 205), (236, 214, 190), down)
    rng = np.random.default_rng(31)
    x = 0
    while x < wide:
        across, top = int(rng.integers(50, 130)), int(rng.integers(820, 980))
        picture[top:, x : x + across] = rng.integers(40, 70, 3)
        for y in range(top + 12, height - 8, 22):
            for column in range(x + 8, min(x + across, wide) - 10, 16):
                if rng.random() < 0.4:
                    picture[y : y + 9, column : column + 7] = (214, 190, 120)
        x += across
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.float32)
    for index in range(125):
        yield _view(picture, index * travel / 125, 0, width, height)


def _cartoon() -> Iterator[Rgb]:
    """854x480: flat colours and black outlines, a figure that walks and bounces."""
    for index in range(_FRAMES):
        frame = np.full((480, 854, 3), (142, 205, 240), np.uint8)
        cv2.rectangle(frame, (0, 350), (854, 480), (122, 190, 90), -1)
        for hill in range(3):
            middle = (150 + 290 * hill - index // 3, 370)
            cv2.ellipse(frame, middle, (180, 70), 0, 180, 360, (96, 160, 76), -1)
            cv2.ellipse(frame, middle, (180, 70), 0, 180, 360, (30, 40, 30), 3, cv2.LINE_AA)
        cv2.circle(frame, (740, 80), 46, (255, 226, 100), -1, cv2.LINE_AA)
        x, y = 60 + 5 * index, 300 - round(60 * abs(np.sin(index / 8)))
        x = x % 940 - 40
        for centre, radius, colour in (
            ((x, y), 58, (226, 84, 70)),
            ((x, y - 84), 40, (250, 214, 180)),
        ):
            cv2.circle(frame, centre, radius, colour, -1, cv2.LINE_AA)
            cv2.circle(frame, centre, radius, (24, 20, 24), 4, cv2.LINE_AA)
        for eye in (-14, 14):
            cv2.circle(frame, (x + eye, y - 90), 6, (24, 20, 24), -1, cv2.LINE_AA)
        yield frame


def _dark() -> Iterator[Rgb]:
    """1280x720: a street at night, a few lamps, a car's lights passing; little above black."""
    rng = np.random.default_rng(41)
    walls = 14 + 16 * fractal(720, 1280, seed=42, slope=1.3)
    lamps = [(200, 210), (560, 260), (900, 240), (1130, 200)]
    y, x = np.mgrid[:720, :1280].astype(np.float32)
    glow = np.zeros((720, 1280), np.float32)
    for across, down in lamps:
        glow += 1 / (1 + ((x - across) ** 2 + (y - down) ** 2) / 900)
    for index in range(_FRAMES):
        head = 1 / (1 + ((x - 9 * index) ** 2 + 2 * (y - 560) ** 2) / 700)
        light = walls * (1 + 3 * glow) + 150 * np.minimum(glow, 1) + 170 * np.minimum(head, 1)
        frame = light[..., None] * np.array([1.0, 0.9, 0.72], np.float32)
        yield _whole(frame + rng.normal(0, 1.2, (720, 1280, 1)))


def _grain() -> Iterator[Rgb]:
    """960x540: a scene with the coarse grain of a fast film, new in every frame."""
    rng = np.random.default_rng(51)
    scene = _mix((60, 52, 48), (214, 200, 184), fractal(540, 1060, seed=52, slope=1.6))
    for index in range(_FRAMES):
        frame = scene[:, index // 2 : index // 2 + 960].copy()
        cv2.circle(frame, (200 + 3 * index, 270), 90, (150, 92, 84), -1, cv2.LINE_AA)
        coarse = cv2.GaussianBlur(rng.normal(0, 30, (540, 960)), (0, 0), 1.1)
        yield _whole(frame + coarse[..., None])


def _screen() -> Iterator[Rgb]:
    """1280x720: windows of text on white and on black, one of them scrolling."""
    light = _page(2400, 700, (250, 250, 250), (30, 30, 34), seed=61)
    night = _page(720, 500, (30, 32, 38), (190, 205, 190), seed=62)
    for index in range(_FRAMES):
        frame = np.full((720, 1280, 3), (58, 84, 118), np.uint8)
        top = 3 * index
        frame[60:690, 40:740] = light[top : top + 630]
        frame[60:690, 760:1260] = night[:630]
        cv2.rectangle(frame, (40, 28), (740, 60), (214, 216, 220), -1)
        cv2.rectangle(frame, (760, 28), (1260, 60), (70, 72, 80), -1)
        if index // 12 % 2:
            cv2.rectangle(frame, (780, 640), (790, 660), (190, 205, 190), -1)
        yield frame


def _page(height: int, width: int, paper: tuple[int, ...], ink: tuple[int, ...], seed: int) -> Rgb:
    """A sheet filled with lines of made-up words."""
    rng = np.random.default_rng(seed)
    page = np.full((height, width, 3), paper, np.uint8)
    letters = list("abcdefghiklmnoprstuvw")
    for y in range(28, height, 22):
        words = ["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(width // 62)]
        place = (16 + 20 * int(rng.integers(0, 3)), y)
        text = " ".join(words)
        cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, 1, cv2.LINE_AA)
    return page


def _street() -> Iterator[Rgb]:
    """640x360: textured fronts sweeping by at speed, with motion blur."""
    front = _mix((70, 58, 50), (210, 190, 170), fractal(360, 1400, seed=71, slope=1.1))
    for x in range(30, 1400, 90):
        cv2.rectangle(front, (x, 90), (x + 44, 190), (48, 56, 70), -1)
        cv2.rectangle(front, (x, 90), (x + 44, 190), (226, 220, 210), 3)
    swept = np.asarray(cv2.blur(front, (5, 1)), np.float32)
    for index in range(_FRAMES):
        yield _view(swept, 5.0 * index, 4 * np.sin(index / 9), 640, 352)


FILMS: dict[str, Callable[[], Iterator[Rgb]]] = {
    "head-384": lambda: _head("scene1_ada.mp4"),
    "head-phone-540x960": _phone,
    "head-1080p": _broadcast,
    "landscape-720p": _landscape,
    "sky-1080p": _sky,
    "cartoon-480p": _cartoon,
    "dark-720p": _dark,
    "grain-540p": _grain,
    "screen-720p": _screen,
    "street-352p": _street,
}
"""Each film's pictures, RGB uint8 [H, W, 3], by name."""


def _view(picture: Floats, x: float, y: float, width: int, height: int) -> Rgb:
    """Cut a view out of a wider picture, at a fraction of a pixel."""
    matrix = np.array([[1, 0, -x], [0, 1, -y]])
    border = cv2.BORDER_REFLECT
    return _whole(cv2.warpAffine(picture, matrix, (width, height), borderMode=border))


def _mix(low: tuple[int, ...], high: tuple[int, ...], share: Floats) -> Floats:
    ends = np.array(low, np.float32), np.array(high, np.float32)
    return np.asarray(ends[0] + share[..., None] * (ends[1] - ends[0]), np.float32)


def _whole(values: NDArray[Any]) -> Rgb:
    return np.asarray(np.clip(np.round(values), 0, 255), np.uint8)
