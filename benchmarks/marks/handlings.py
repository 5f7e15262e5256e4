"""What is done to a marked film picture by picture: cameras, screens, and people who mean harm.

Each function takes a film and writes another: `handling(source, target)`. The same film gives the
same result. Colours are RGB uint8 [H, W, 3].
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from marks.pictures import fractal

__all__ = [
    "bend",
    "caption",
    "film_with_camera",
    "pick_still",
    "put_into_picture",
    "read_film",
    "record_screen",
    "regenerate",
    "remake",
    "subtract_average",
]

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WORDS = [
    "nobody",
    "knew",
    "how",
    "long",
    "the",
    "rain",
    "had",
    "fallen",
    "on",
    "the",
    "roofs",
    "of",
    "the",
    "old",
    "town",
]


def read_film(source: Path) -> Iterator[Rgb]:
    """Yield a film's pictures."""
    with av.open(str(source)) as film:
        film.streams.video[0].codec_context.thread_count = 1
        for frame in film.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def remake(source: Path, target: Path, change: Callable[[Rgb, int], Rgb], *, crf: int = 23) -> None:
    """Change every picture, and encode with H.264 at the film's own rate."""
    with av.open(str(source)) as film:
        rate = film.streams.video[0].average_rate or 25
    coder: subprocess.Popen[bytes] | None = None
    for number, rgb in enumerate(read_film(source)):
        changed = change(rgb, number)
        # Players need even sides.
        height, width = (side // 2 * 2 for side in changed.shape[:2])
        coder = coder or _start(target, f"{width}x{height}", str(rate), str(crf))
        assert coder.stdin is not None  # noqa: S101 - it was started with a pipe
        coder.stdin.write(np.ascontiguousarray(changed[:height, :width]).tobytes())
    if coder is not None:
        coder.communicate()
    if coder is None or coder.returncode:
        raise RuntimeError(f"{target.name} could not be made")


def _start(target: Path, size: str, rate: str, crf: str) -> "subprocess.Popen[bytes]":
    """Start an encoder that takes RGB pictures; with one thread it makes the same of the same."""
    words = (
        "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", rate,
        "-i", "-", "-c:v", "libx264", "-preset", "veryfast", "-crf", crf, "-pix_fmt", "yuv420p",
        "-threads", "1", str(target),
    )  # fmt: skip
    return subprocess.Popen([imageio_ffmpeg.get_ffmpeg_exe(), *words], stdin=subprocess.PIPE)


def pick_still(source: Path, target: Path, *, share: float = 0.4, quality: int = 0) -> None:
    """Write the picture at `share` of the film; as JPEG of `quality` if the name ends so."""
    pictures = list(read_film(source))
    rgb = pictures[int(share * (len(pictures) - 1))]
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if target.suffix == ".jpg" else []
    cv2.imwrite(str(target), rgb[..., ::-1], options)


def put_into_picture(source: Path, target: Path, *, share: float) -> None:
    """Show the film at `share` of each side within another that moves."""
    scene: list[Floats] = []

    def change(rgb: Rgb, number: int) -> Rgb:
        height, width = rgb.shape[:2]
        if not scene:
            noise = fractal(height, width + 400, seed=81, slope=1.3)
            scene.append(noise[..., None] * np.array([150, 190, 210], np.float32) + 20)
        left = min(2 * number, 400)
        frame = _whole(scene[0][:, left : left + width])
        small = _shrunk(rgb, share)
        y, x = int(0.6 * (height - small.shape[0])), int(0.7 * (width - small.shape[1]))
        frame[y : y + small.shape[0], x : x + small.shape[1]] = small
        return frame

    remake(source, target, change)


def caption(source: Path, target: Path) -> None:
    """Lay two lines of words over the lower part, others each second, and a clock at the top."""

    def change(rgb: Rgb, number: int) -> Rgb:
        height, width = rgb.shape[:2]
        frame, size = rgb.copy(), min(height, width) / 512
        second = number // 25
        for line in range(2):
            text = " ".join(_WORDS[(5 * second + 3 * line + n) % len(_WORDS)] for n in range(4))
            place = (width // 10, height - round((64 - 32 * line) * size))
            for ink, wide in (((0, 0, 0), 4), ((255, 255, 255), 2)):
                cv2.putText(frame, text, place, _FONT, 0.8 * size, ink, wide, cv2.LINE_AA)
        cv2.putText(frame, f"00:{second:02d}", (8, 28), _FONT, 0.7, (240, 220, 60), 2, cv2.LINE_AA)
        return frame

    remake(source, target, change)


def record_screen(source: Path, target: Path) -> None:
    """Record a desktop on which the film plays in a window, a pointer moving over it."""

    def change(rgb: Rgb, number: int) -> Rgb:
        height, width = rgb.shape[:2]
        desk = np.full((height, width, 3), (52, 76, 104), np.uint8)
        small = _shrunk(rgb, 0.82)
        high, wide = small.shape[:2]
        y, x = (height - high) // 2 + 6, (width - wide) // 2
        cv2.rectangle(desk, (x - 4, y - 24), (x + wide + 4, y + high + 6), (222, 222, 226), -1)
        place = (x + 6, y - 8)
        cv2.putText(desk, "Player", place, _FONT, 0.45, (40, 40, 40), 1)
        desk[y : y + high, x : x + wide] = small
        cv2.rectangle(desk, (0, height - 14), (width, height), (30, 32, 40), -1)
        tip = np.array([width * (0.3 + 0.003 * number), height * (0.4 + 0.002 * number)])
        arrow = (tip + np.array([[0, 0], [0, 20], [6, 15], [15, 15]])).astype(np.int32)
        cv2.fillPoly(desk, [arrow], (250, 250, 250))
        return desk

    remake(source, target, change, crf=27)


def film_with_camera(
    source: Path, target: Path, *, slant: float = 0.05, noise: float = 4.0, blur: float = 0.9
) -> None:
    """Film a screen by hand: perspective, a hand's unrest, moire, blur, gamma, fall-off, noise.

    Corners lie up to `slant` of the sides inside or outside of the frame; `noise` is in grey
    levels, `blur` in pixels of a film of 512 lines.
    """
    rng = np.random.default_rng(91)
    corner = rng.uniform(-slant, slant, (4, 2))
    unrest = np.zeros(2)

    def change(rgb: Rgb, number: int) -> Rgb:
        nonlocal unrest
        height, width = rgb.shape[:2]
        size = np.array([width, height])
        unrest = 0.9 * unrest + rng.normal(0, 0.0008, 2)
        square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
        seen = (square + corner + unrest) * size
        matrix = cv2.getPerspectiveTransform(
            (square * size).astype(np.float32), seen.astype(np.float32)
        )
        wall = (38, 36, 34)
        frame = cv2.warpPerspective(rgb, matrix, (width, height), borderValue=wall)
        frame = cv2.GaussianBlur(frame, (0, 0), blur * min(width, height) / 512)
        light = 255 * (frame / 255.0) ** 1.15 * _screen(height, width, number)
        return _whole(light + rng.normal(0, noise, (height, width, 3)))

    remake(source, target, change, crf=26)


def _screen(height: int, width: int, number: int) -> Floats:
    """Return the gain of a screen through a lens: the pixel grid's moire, and the fall-off."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    grid = 0.03 * np.sin(0.41 * x + 0.06 * y + 0.3 * number) + 0.02 * np.sin(0.33 * y - 0.05 * x)
    from_middle = np.hypot(y / height - 0.5, x / width - 0.5)
    return np.asarray((1 + grid) * (1 - 0.35 * from_middle**2), np.float32)[..., None]


def bend(source: Path, target: Path, *, most: float, still: bool = True) -> None:
    """Bend the picture at random, by up to `most` thousandths of the shorter side.

    The bending is smooth, on a grid of five by five; if not `still` it wanders with time.
    """
    rng = np.random.default_rng(95)
    knots = rng.uniform(-1, 1, (2, 2, 5, 5)).astype(np.float32)

    def change(rgb: Rgb, number: int) -> Rgb:
        height, width = rgb.shape[:2]
        turn = 0.0 if still else number / 20
        mixed = (np.cos(turn) * knots[0] + np.sin(turn) * knots[1]).astype(np.float32)
        reach = np.float32(most / 1000 * min(height, width))
        y, x = np.mgrid[:height, :width].astype(np.float32)
        dx, dy = (
            reach * cv2.resize(knot, (width, height), interpolation=cv2.INTER_CUBIC)
            for knot in mixed
        )
        reflect = cv2.BORDER_REFLECT
        return np.asarray(
            cv2.remap(rgb, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=reflect), np.uint8
        )

    remake(source, target, change)


def subtract_average(source: Path, target: Path, *, share: float = 1.0) -> None:
    """Take what stays still in the fine detail for the mark, and subtract it."""
    still: Any = 0.0
    count = 0
    for rgb in read_film(source):
        still = still + _fine(rgb)
        count += 1
    # What is far stronger than a mark may be is the set's own.
    guess = np.clip(still / count, -6, 6) * share
    remake(source, target, lambda rgb, _: _whole(rgb - guess))


def _fine(rgb: Rgb) -> Floats:
    """Return the detail that a mark could sit in, [H, W, 1] grey levels."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = cv2.bilateralFilter(grey, 7, 12, 2.5)
    return np.asarray(grey - smooth, np.float32)[..., None]


def regenerate(source: Path, target: Path, *, strength: float) -> None:
    """Make the pictures anew from less: what an autoencoder with a narrow waist does.

    Chroma and luma pass a third of the resolution, quantised, and are brought back sharp along
    edges; `strength` 1 keeps one sample in four by sides of two, 2 one in nine.
    """

    def change(rgb: Rgb, _: int) -> Rgb:
        height, width = rgb.shape[:2]
        sides = 1 + strength
        waist = (max(16, round(width / sides)), max(16, round(height / sides)))
        small = cv2.resize(rgb, waist, interpolation=cv2.INTER_AREA)
        small = cv2.bilateralFilter(small, 5, 10, 2)
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        sharp = cv2.addWeighted(large, 1.7, cv2.GaussianBlur(large, (0, 0), sides), -0.7, 0)
        return np.asarray(sharp, np.uint8)

    remake(source, target, change)


def _shrunk(rgb: Rgb, share: float) -> Rgb:
    height, width = (round(side * share / 2) * 2 for side in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _whole(values: NDArray[Any]) -> Rgb:
    return np.asarray(np.clip(np.round(values), 0, 255), np.uint8)
