"""What happens to pictures on a set: light, grade, darkness, noise, things before the face.

    harder = relit(rgb, landmarks, angle=2.6)

Each function takes one picture, RGB uint8 [H, W, 3], and returns another; the same arguments give
the same picture. Landmarks are [68, 2] in pixels, iBUG order. Light is computed in linear light, a
power of 2.2. `write_clip` keeps a run of pictures as MP4.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ball",
    "blurred",
    "box",
    "coloured",
    "dark",
    "graded",
    "hand",
    "moving",
    "noisy",
    "relit",
    "scaled",
    "write_clip",
]

Rgb = NDArray[np.uint8]
Points = NDArray[np.floating]

_GAMMA = 2.2
_EXPOSURES = 9
_SKIN = (196, 150, 125)
_BROAD = 5  # SMPTE 170M / BT.601, which small clips without a tag are taken for


def relit(rgb: Rgb, landmarks: Points, *, angle: float, ambient: float = 0.5) -> Rgb:
    """A lamp from one side: the face as an ellipsoid, lit after Lambert, the set left as it is.

    Args:
        rgb: the picture.
        landmarks: of the face.
        angle: where the lamp stands, radians: 0 is the picture's right, pi / 2 its lower side.
        ambient: what remains in the shade, 1 being the light as it was.
    """
    across, down = _on_face(landmarks, (rgb.shape[0], rgb.shape[1]))
    radius = np.hypot(across, down)
    inner = np.minimum(radius, 1.0)
    outwards = inner / np.maximum(radius, 1e-6)
    depth = np.sqrt(1 - inner**2)
    lamp = np.array([np.cos(angle), np.sin(angle), 0.45]) / np.hypot(1, 0.45)
    facing = across * outwards * lamp[0] + down * outwards * lamp[1] + depth * lamp[2]
    gain = ambient + np.clip(facing, 0, None)
    there = np.clip((1.35 - radius) / 0.4, 0, 1)
    share = there * there * (3 - 2 * there)
    return _developed(_linear(rgb) * (1 + share * (gain - 1))[..., None])


def _on_face(landmarks: Points, shape: tuple[int, int]) -> tuple[Any, Any]:
    """Each pixel's place on the face, [H, W] twice: 1 is the rim, to its right and to its chin."""
    bridge, chin = np.asarray(landmarks[27], float), np.asarray(landmarks[8], float)
    long = max(float(np.linalg.norm(chin - bridge)), 1.0)
    axis = (chin - bridge) / long
    wide = max(0.62 * float(np.linalg.norm(landmarks[16] - landmarks[0])), 0.6 * long)
    middle = bridge + 0.12 * (chin - bridge)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    x, y = columns - middle[0], rows - middle[1]
    return (x * axis[1] - y * axis[0]) / wide, (x * axis[0] + y * axis[1]) / (0.95 * long)


def graded(rgb: Rgb) -> Rgb:
    """A film look: more contrast, shadows towards teal, lights towards orange."""
    tone = rgb / 255.0
    steep = tone * tone * (3 - 2 * tone)
    tone = 0.35 * tone + 0.65 * steep
    lights = tone.mean(-1, keepdims=True)
    tint = (1 - lights) * np.array([-0.05, 0.02, 0.05]) + lights * np.array([0.06, 0.01, -0.07])
    return _whole((tone + tint) * 255)


def dark(rgb: Rgb, index: int = 0, *, light: float = 0.06, grain: float = 3.0) -> Rgb:
    """The lamps nearly out: `light` of the light is left, and the sensor's grain."""
    dim = _developed(_linear(rgb) * light)
    return noisy(dim, index, deviation=grain)


def coloured(rgb: Rgb, light: tuple[float, float, float] = (1.25, 0.5, 0.85)) -> Rgb:
    """A lamp of one colour on everything: gains of red, green and blue."""
    return _developed(_linear(rgb) * np.array(light))


def noisy(rgb: Rgb, index: int, *, deviation: float = 14.0) -> Rgb:
    """A sensor's noise, grey levels; another for each `index`, the number of the frame."""
    noise = np.random.default_rng(1000 + index).normal(0, deviation, rgb.shape)
    return _whole(rgb + noise)


def blurred(rgb: Rgb, deviation: float) -> Rgb:
    """Out of focus: a Gaussian of that many pixels."""
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), deviation), np.uint8)


def moving(rgb: Rgb, before: Points, after: Points, *, open_for: float = 0.6) -> Rgb:
    """What an open shutter makes of a moving face: the picture follows the face.

    Args:
        rgb: the picture.
        before: landmarks [68, 2] of the frame before.
        after: of the frame after.
        open_for: how long the shutter is open, as a share of the time from frame to frame.
    """
    step, _ = cv2.estimateAffinePartial2D(before, after)
    still = np.eye(2, 3)
    size = rgb.shape[1], rgb.shape[0]
    total = np.zeros(rgb.shape)
    for place in np.linspace(-0.25, 0.25, _EXPOSURES) * open_for:
        way = still + place * (step - still)
        total += cv2.warpAffine(
            rgb, way, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    return _whole(total / _EXPOSURES)


def box(rgb: Rgb, place: float, *, width: float = 0.18) -> Rgb:
    """A parcel carried past the camera: its middle at `place` of the picture's width."""
    height, wide = rgb.shape[:2]
    left, right = (round((place + side * width / 2) * wide) for side in (-1, 1))
    sheet = rgb.copy()
    top = height // 6
    cv2.rectangle(sheet, (left, top), (right, height - top), (146, 110, 72), -1)
    cv2.rectangle(sheet, (left, top), (right, height - top), (96, 70, 44), 3)
    cv2.line(sheet, ((left + right) // 2, top), ((left + right) // 2, height - top), (188, 160), 9)
    return sheet


def hand(rgb: Rgb, middle: tuple[float, float], size: float) -> Rgb:
    """A palm and four fingers pointing up, `size` pixels wide."""
    x, y = middle
    shape = np.zeros(rgb.shape[:2], np.uint8)
    cv2.ellipse(shape, _at(x, y + 0.35 * size), _at(0.42 * size, 0.5 * size), 0, 0, 360, 255, -1)
    for number, length in enumerate((0.62, 0.8, 0.85, 0.7)):
        root = x + (number - 1.5) * 0.23 * size
        tip = root + (number - 1.5) * 0.05 * size, y - length * size
        cv2.line(shape, _at(root, y + 0.2 * size), _at(*tip), 255, round(0.19 * size))
    soft = cv2.GaussianBlur(shape, (0, 0), 1.2)[..., None] / 255.0
    shade = cv2.GaussianBlur(shape, (0, 0), 0.12 * size)[..., None] / 255.0
    return _whole(rgb * (1 - soft) + np.array(_SKIN) * (0.55 + 0.45 * shade) * soft)


def ball(rgb: Rgb, middle: tuple[float, float], size: float) -> Rgb:
    """A microphone on a stick that comes from below, `size` pixels wide."""
    x, y = middle
    sheet = rgb.copy()
    cv2.line(sheet, _at(x, y), _at(x + size, rgb.shape[0]), (40, 40, 44), round(0.4 * size))
    cv2.circle(sheet, _at(x, y), round(size / 2), (62, 62, 66), -1)
    cv2.circle(sheet, _at(x - 0.12 * size, y - 0.15 * size), round(size / 6), (104, 104, 110), -1)
    return sheet


def scaled(rgb: Rgb, factor: float) -> Rgb:
    """Shot from nearer or further away; the sides stay even."""
    height, width = (2 * round(side * factor / 2) for side in rgb.shape[:2])
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=way), np.uint8)


def write_clip(
    path: Path,
    pictures: Iterable[Rgb],
    *,
    quality: int = 12,
    rotation: int = 0,
    sound_from: Path | None = None,
) -> Path:
    """Write `pictures`, all of one size, as H.264 with 25 a second, and return `path`.

    Args:
        path: of the file to make.
        pictures: as a player shall show them.
        quality: the encoder's rate factor: 12 is hardly worn, 40 a bad stream.
        rotation: clockwise degrees (0, 90, 180, 270) that a player must turn the picture by, as
            a phone that lay on its side writes it.
        sound_from: a clip whose sound goes along, as it is.
    """
    with av.open(str(path), "w") as film:
        video = film.add_stream(
            "libx264", rate=25, options={"crf": str(quality), "x264-params": "cpu-independent=1"}
        )
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        video.codec_context.colorspace, video.codec_context.color_range = _BROAD, 1
        old = av.open(str(sound_from)) if sound_from else None
        heard = film.add_stream_from_template(old.streams.audio[0]) if old else None
        number = -1
        for number, rgb in enumerate(pictures):
            coded = np.ascontiguousarray(np.rot90(rgb, rotation // 90))
            if number == 0:
                video.height, video.width = coded.shape[:2]
                if rotation:
                    # FFmpeg counts counter-clockwise.
                    video.set_display_rotation(-rotation)
            film.mux(video.encode(_frame(coded, number)))
        film.mux(video.encode(None))
        if old is not None:
            _copy_sound(old, heard, film, until=(number + 1) / 25)
    return path


def _frame(rgb: Rgb, number: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
    frame = frame.reformat(format="yuv420p", dst_colorspace=_BROAD, dst_color_range=1)
    frame.pts, frame.time_base = number, Fraction(1, 25)
    return frame


def _copy_sound(old: Any, heard: Any, film: Any, *, until: float) -> None:  # noqa: ANN401 - PyAV
    with old:
        for packet in old.demux(audio=0):
            if packet.dts is not None and float(packet.pts * packet.time_base) < until:
                packet.stream = heard
                film.mux(packet)


def _linear(rgb: Rgb) -> NDArray[np.float64]:
    return (rgb / 255.0) ** _GAMMA


def _developed(light: NDArray[np.float64]) -> Rgb:
    return _whole(np.clip(light, 0, 1) ** (1 / _GAMMA) * 255)


def _whole(values: NDArray[np.float64]) -> Rgb:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _at(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)
