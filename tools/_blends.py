"""Draw what a forensic network learns from: films of a face, and the same with the face replaced.

    takes = drawn(strips, np.random.default_rng(1))

After "Detecting Deepfakes with Self-Blended Images" (Shiohara and Yamasaki, CVPR 2022): the face
is taken out of a picture, changed a little in colour, sharpness, noise and place, and laid back, so
that what is to be learnt is the replacing and not a person or a method. Here sources are also other
moments of the same film, means of several of them, and other people. Everything then passes through
the same hands: other faces and light, a camera's noise, a background out of focus, things before
the face, labels, Assent's own watermark, resizing, codecs, once or twice.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from assent.kit.faces.align import hull_mask
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.key import ReadingKey

__all__ = ["Strip", "Take", "drawn"]

Rgb = NDArray[np.uint8]
Plane = NDArray[np.float32]
Points = NDArray[np.float32]
Chance = np.random.Generator
_AS_FILMED = 0.25
_Change = Callable[[Plane], Plane]


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Frames of one person: uint8 [T, H, W, 3], and their landmarks float32 [T, 68, 2]."""

    frames: NDArray[np.uint8]
    landmarks: Points


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A few frames that went through the same hands.

    Attributes:
        frames: uint8 [T, H, W, 3], as a viewer gets them.
        landmarks: float32 [T, 68, 2].
        foreign: float32 [T, H, W], 0..1: how much of each pixel came from elsewhere.
    """

    frames: NDArray[np.uint8]
    landmarks: Points
    foreign: Plane

    @property
    def is_fake(self) -> bool:
        """Whether a face was replaced."""
        return bool((self.foreign > 0.2).any())


def drawn(strips: Sequence[Strip], rng: Chance, *, frames: int = 3) -> Take:
    """Draw a take; every second one has its face replaced."""
    number = int(rng.integers(len(strips)))
    here = _stretch(strips[number], rng, frames)
    pictures, landmarks = _someone_else(*here, rng)
    foreign = np.zeros(pictures.shape[:3], np.float32)
    if rng.random() < 0.5:
        if rng.random() < 0.4:
            other = strips[int(rng.integers(len(strips)))]
            there = _someone_else(*_stretch(other, rng, frames), rng)
        else:
            there = (pictures, landmarks)
        pictures, foreign = _replaced(pictures, landmarks, there, rng)
    return _delivered(pictures, landmarks, foreign, rng)


def _stretch(strip: Strip, rng: Chance, frames: int) -> tuple[NDArray[np.uint8], Points]:
    step = int(rng.integers(1, 6))
    first = int(rng.integers(len(strip.frames) - step * (frames - 1)))
    chosen = slice(first, first + step * (frames - 1) + 1, step)
    return strip.frames[chosen], strip.landmarks[chosen]


# -- other people, other light


def _someone_else(
    frames: NDArray[np.uint8], landmarks: Points, rng: Chance
) -> tuple[NDArray[np.uint8], Points]:
    """The same performance by a face of another shape and colour, in other light, on a camera."""
    if rng.random() < _AS_FILMED:
        return frames, landmarks
    height, width = frames.shape[1:3]
    across, down = _bend(rng, height, width, 0.035 * width)
    if rng.random() < 0.5:
        frames, landmarks = frames[:, :, ::-1], _mirrored(landmarks, width)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    grade, grain = _grade(rng), _grain(rng)
    light, focus, skin = _light(rng, height, width), _focus(rng), _skin(rng)
    pictures = []
    for frame, marks in zip(frames, landmarks, strict=True):
        bent = cv2.remap(
            np.ascontiguousarray(frame), columns + across, rows + down, cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip
        own = skin(bent.astype(np.float32), marks)
        pictures.append(_bytes(grain(focus(grade(own) * light, marks))))
    x = np.clip(landmarks[..., 0].round().astype(int), 0, width - 1)
    y = np.clip(landmarks[..., 1].round().astype(int), 0, height - 1)
    moved = landmarks - np.stack([across[y, x], down[y, x]], -1)
    return np.stack(pictures), moved.astype(np.float32)


def _mirrored(landmarks: Points, width: int) -> Points:
    order = [
        *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42,
        47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62,
        61, 60, 67, 66, 65,
    ]  # fmt: skip
    flipped = landmarks[:, order].copy()
    flipped[..., 0] = width - 1 - flipped[..., 0]
    return flipped


def _bend(rng: Chance, height: int, width: int, far: float) -> tuple[Plane, Plane]:
    """A smooth displacement, up to about `far` pixels, the same for all frames."""
    coarse = rng.normal(0, far / 2, (2, 6, 6)).astype(np.float32)
    stretch = rng.normal(0, 0.06, 2)
    fields = [cv2.resize(each, (width, height), interpolation=cv2.INTER_CUBIC) for each in coarse]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    across = fields[0] + stretch[0] * (columns - width / 2)
    down = fields[1] + stretch[1] * (rows - height / 2)
    return across.astype(np.float32), down.astype(np.float32)


def _grade(rng: Chance) -> _Change:
    gamma = np.exp(rng.normal(0, 0.25))
    gains = np.exp(rng.normal(0, 0.09, 3)) * np.exp(rng.normal(0, 0.12))
    saturation = np.exp(rng.normal(0, 0.25))

    def grade(rgb: Plane) -> Plane:
        toned = 255 * np.clip(rgb / 255, 0, 1) ** gamma * gains
        grey = toned.mean(-1, keepdims=True)
        return np.asarray(grey + saturation * (toned - grey), np.float32)

    return grade


def _light(rng: Chance, height: int, width: int) -> Plane:
    if rng.random() < 0.4:
        return np.ones((height, width, 1), np.float32)
    coarse = np.exp(rng.normal(0, 0.2, (3, 3))).astype(np.float32)
    wide = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(wide[..., None], np.float32)


def _skin(rng: Chance) -> Callable[[Plane, Points], Plane]:
    """Skin of another tone and smoothness, from the brow to the neck: other people, all genuine."""
    changes = rng.random() < 0.65
    gamma, gains = np.exp(rng.normal(0, 0.4)), np.exp(rng.normal(0, 0.12, 3))
    detail, reach = rng.uniform(0.1, 1.3), rng.uniform(1.0, 3.0)

    def skin(rgb: Plane, marks: Points) -> Plane:
        if not changes:
            return rgb
        where = _skin_of(rgb, marks)[..., None]
        soft = cv2.GaussianBlur(rgb, (0, 0), reach)
        other = 255 * np.clip((soft + detail * (rgb - soft)) / 255, 0, 1) ** gamma * gains
        return np.asarray(rgb + where * (other - rgb), np.float32)

    return skin


def _skin_of(rgb: Plane, marks: Points) -> Plane:
    """How much each pixel is of the face's colour, 0..1."""
    colours = cv2.cvtColor(_bytes(rgb), cv2.COLOR_RGB2YCrCb)[..., 1:].astype(np.float32)
    face = hull_mask(marks[27:], rgb.shape[:2], 0.0) > 0
    near = face if face.any() else np.ones(face.shape, bool)
    middle = np.median(colours[near], axis=0)
    spread = 2 * colours[near].std(0) + 5
    away = (((cv2.GaussianBlur(colours, (0, 0), 2) - middle) / spread) ** 2).sum(-1)
    return np.asarray(cv2.GaussianBlur(np.exp(-(away**2) / 8), (0, 0), 2), np.float32)


def _focus(rng: Chance) -> Callable[[Plane, Points], Plane]:
    """A lens that sees the person sharp, and what is behind them not: no sign of a replacement."""
    blur = rng.uniform(0.8, 4) if rng.random() < 0.3 else 0.0

    def focus(rgb: Plane, marks: Points) -> Plane:
        if not blur:
            return rgb
        extent = float(np.ptp(marks, axis=0).max())
        person = hull_mask(marks, rgb.shape[:2], 0.35, 0.5)
        person[int(marks[8, 1]) :] = 1
        soft = cv2.GaussianBlur(person, (0, 0), 0.08 * extent)[..., None]
        return np.asarray(
            rgb + (1 - soft) * (cv2.GaussianBlur(rgb, (0, 0), blur) - rgb), np.float32
        )

    return focus


def _grain(rng: Chance) -> _Change:
    strength = rng.exponential(2.5) if rng.random() < 0.75 else 0.0
    soft = rng.uniform(0.3, 1.1)
    blur = rng.uniform(0.3, 1.2) if rng.random() < 0.4 else 0.0
    sharp = rng.uniform(0.2, 1.0) if rng.random() < 0.25 else 0.0

    def grain(rgb: Plane) -> Plane:
        if blur:
            rgb = cv2.GaussianBlur(rgb, (0, 0), blur)
        if strength:
            noise = rng.normal(0, 1, rgb.shape).astype(np.float32)
            noise = 0.6 * noise + 0.4 * noise.mean(-1, keepdims=True)
            noise = cv2.GaussianBlur(noise, (0, 0), soft) * (1 + 1.5 * soft)
            rgb = rgb + strength * noise * np.sqrt(np.clip(rgb, 8, 255) / 128)
        if sharp:
            rgb = rgb + sharp * (rgb - cv2.GaussianBlur(rgb, (0, 0), 1.2))
        return np.asarray(rgb, np.float32)

    return grain


# -- the replacing


def _replaced(
    pictures: NDArray[np.uint8],
    landmarks: Points,
    there: tuple[NDArray[np.uint8], Points],
    rng: Chance,
) -> tuple[NDArray[np.uint8], Plane]:
    """Lay a changed face over each frame; returns the frames and what came from elsewhere."""
    change, shape = _source_change(rng), _mask_drawer(rng, pictures.shape[1:3])
    kind = rng.choice(("same", "moment", "mean"), p=(0.4, 0.25, 0.35))
    if there[0] is not pictures and kind == "same":
        kind = "moment"
    match = rng.uniform(0.3, 1.0) if rng.random() < 0.7 else 0.0
    poisson = rng.random() < 0.12
    strength = float(rng.choice((1.0, 1.0, 1.0, 0.85, 0.7)))
    out, masks = [], []
    for number, (frame, marks) in enumerate(zip(pictures, landmarks, strict=True)):
        source = _source(kind, number, marks, there, rng)
        source = change(_coloured_like(source, frame, marks, match))
        mask = shape(marks) * strength
        if poisson:
            out.append(_seamless(_bytes(source), frame, mask))
        else:
            out.append(_bytes(frame + mask[..., None] * (source - frame)))
        masks.append(mask)
    return np.stack(out), np.stack(masks)


def _source(
    kind: str,
    number: int,
    marks: Points,
    there: tuple[NDArray[np.uint8], Points],
    rng: Chance,
) -> Plane:
    """The picture that a face is taken from, laid onto the place of the other."""
    pictures, landmarks = there
    if kind == "same":
        return pictures[number].astype(np.float32)
    count = len(pictures)
    chosen = [(number + 1) % count] if kind == "moment" else range(count)
    laid = [_laid(pictures[n], landmarks[n], marks, rng) for n in chosen]
    return np.asarray(np.mean(laid, axis=0), np.float32)


def _laid(picture: Rgb, own: Points, marks: Points, rng: Chance) -> Plane:
    """A picture moved so that its face lies on `marks`, bent by what remains."""
    height, width = picture.shape[:2]
    fit, _ = cv2.estimateAffine2D(marks, own, method=cv2.LMEDS)
    if fit is None:
        return picture.astype(np.float32)
    rest = own - (marks @ fit[:, :2].T + fit[:, 2])
    rows, columns = np.mgrid[:height:4, :width:4].astype(np.float32)
    grid = np.stack([columns.ravel(), rows.ravel()], 1)
    near = 0.02 * np.ptp(marks, axis=0).max() ** 2
    weights = np.exp(-((grid[:, None] - marks[None]) ** 2).sum(-1) / near) + 1e-9
    bend = (weights @ rest) / (weights.sum(1, keepdims=True) + 0.05)
    to = (grid @ fit[:, :2].T + fit[:, 2] + bend).reshape(*rows.shape, 2).astype(np.float32)
    whole = cv2.resize(to, (width, height), interpolation=cv2.INTER_LINEAR)
    how = int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    laid = cv2.remap(picture, whole[..., 0], whole[..., 1], how, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(laid, np.float32)


def _coloured_like(source: Plane, frame: Rgb, marks: Points, share: float) -> Plane:
    """The source in the frame's mean and contrast of each channel, by a share."""
    where = hull_mask(marks, frame.shape[:2], 0.0) > 0
    if where.sum() < 50:
        return source
    a, b = source[where], frame[where].astype(np.float32)
    gain = b.std(0) / np.maximum(a.std(0), 1.0)
    matched = (source - a.mean(0)) * np.clip(gain, 0.5, 2) + b.mean(0)
    return np.asarray(source + share * (matched - source), np.float32)


def _source_change(rng: Chance) -> _Change:
    """What a method does to a face: colour, sharpness, noise, a place a little beside."""
    steps = [make(rng) for make, share in _CHANGES if rng.random() < share]
    steps = steps or [_shifted(rng)]

    def change(rgb: Plane) -> Plane:
        for step in steps:
            rgb = np.asarray(step(np.asarray(rgb, np.float32)), np.float32)
        return rgb

    return change


def _tinted(rng: Chance) -> _Change:
    offset, gain = rng.normal(0, 4, 3), np.exp(rng.normal(0, 0.05, 3))
    return lambda rgb: np.asarray(rgb * gain + offset, np.float32)


def _blurred(rng: Chance) -> _Change:
    blur = rng.uniform(0.4, 1.4)
    return lambda rgb: np.asarray(cv2.GaussianBlur(rgb, (0, 0), blur), np.float32)


def _sharpened(rng: Chance) -> _Change:
    sharp = rng.uniform(0.3, 1.2)
    return lambda rgb: np.asarray(
        rgb + sharp * (rgb - cv2.GaussianBlur(rgb, (0, 0), 1.0)), np.float32
    )


def _smoothed(rng: Chance) -> _Change:
    spread = rng.uniform(12, 24)
    return lambda rgb: np.asarray(cv2.bilateralFilter(rgb, 5, spread, 3), np.float32)


def _noisy(rng: Chance) -> _Change:
    strength = rng.uniform(0.5, 4)
    return lambda rgb: np.asarray(rgb + rng.normal(0, strength, rgb.shape), np.float32)


def _pressed(rng: Chance) -> _Change:
    quality = int(rng.integers(40, 90))
    return lambda rgb: _jpeg(_bytes(rgb), quality).astype(np.float32)


def _other_skin(rng: Chance) -> _Change:
    """Of another tone altogether, which a wide soft border hides badly."""
    gamma, gains = np.exp(rng.normal(0, 0.3)), np.exp(rng.normal(0, 0.1, 3))

    def tone(rgb: Plane) -> Plane:
        return np.asarray(255 * np.clip(rgb / 255, 0, 1) ** gamma * gains, np.float32)

    return tone


def _resampled(rng: Chance) -> _Change:
    factor, how = rng.uniform(0.35, 0.9), int(rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC)))

    def resample(rgb: Plane) -> Plane:
        size = rgb.shape[1::-1]
        small = max(8, round(size[0] * factor)), max(8, round(size[1] * factor))
        less = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(less, size, interpolation=how), np.float32)

    return resample


def _shifted(rng: Chance) -> _Change:
    shift, zoom = rng.normal(0, 1.6, 2), np.exp(rng.normal(0, 0.015))

    def move(rgb: Plane) -> Plane:
        height, width = rgb.shape[:2]
        matrix = np.array(
            [
                [zoom, 0, shift[0] + (1 - zoom) * width / 2],
                [0, zoom, shift[1] + (1 - zoom) * height / 2],
            ]
        )
        moved = cv2.warpAffine(rgb, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(moved, np.float32)

    return move


_CHANGES: tuple[tuple[Callable[[Chance], _Change], float], ...] = (
    (_tinted, 0.7), (_other_skin, 0.35), (_resampled, 0.6), (_blurred, 0.35), (_sharpened, 0.25),
    (_smoothed, 0.25), (_noisy, 0.25), (_pressed, 0.3), (_shifted, 0.6),
)  # fmt: skip


def _mask_drawer(rng: Chance, shape: tuple[int, int]) -> Callable[[Points], Plane]:
    """Draws the same kind of mask for each frame: hull or part of it, bent, soft."""
    part = rng.choice(("whole", "inner", "lower", "ellipse"), p=(0.5, 0.2, 0.12, 0.18))
    grow, forehead = rng.uniform(0, 0.08), rng.uniform(0, 0.35)
    soft = np.exp(rng.uniform(np.log(0.004), np.log(0.16)))
    height, width = shape
    bend = _bend(rng, height, width, 0.012 * width)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)

    def draw(marks: Points) -> Plane:
        extent = float(np.ptp(marks, axis=0).max())
        if part == "ellipse":
            mask = _ellipse(marks, shape, extent)
        elif part == "whole":
            mask = hull_mask(marks, shape, grow, forehead)
        else:
            mask = hull_mask(marks[17:] if part == "inner" else marks[27:], shape, grow)
        mask = cv2.remap(mask, columns + bend[0], rows + bend[1], cv2.INTER_LINEAR)
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.6, soft * extent)), np.float32)

    return draw


def _ellipse(marks: Points, shape: tuple[int, int], extent: float) -> Plane:
    mask = np.zeros(shape, np.uint8)
    middle = marks[17:].mean(0)
    axes = round(0.36 * extent), round(0.46 * extent)
    cv2.ellipse(mask, (round(middle[0]), round(middle[1])), axes, 0, 0, 360, 1, -1)
    return mask.astype(np.float32)


def _seamless(source: Rgb, frame: Rgb, mask: Plane) -> Rgb:
    """Poisson blending (Perez, Gangnet and Blake, 2003)."""
    binary = (mask > 0.5).astype(np.uint8) * 255
    binary[:2], binary[-2:], binary[:, :2], binary[:, -2:] = 0, 0, 0, 0
    if binary.sum() < 255 * 200:
        return frame
    x, y, w, h = cv2.boundingRect(binary)
    middle = x + w // 2, y + h // 2
    return np.asarray(cv2.seamlessClone(source, frame, binary, middle, cv2.NORMAL_CLONE), np.uint8)


# -- on the way to the viewer


def _delivered(pictures: NDArray[np.uint8], landmarks: Points, foreign: Plane, rng: Chance) -> Take:
    if rng.random() < 0.25:
        pictures = _covered(pictures, foreign, rng)
    if rng.random() < 0.2:
        pictures = _marked(pictures, rng)
    factor = float(np.exp(rng.uniform(np.log(0.5), np.log(1.4))))
    factor = 1.0 if rng.random() < _AS_FILMED else factor
    height, width = pictures.shape[1:3]
    size = round(width * factor) // 2 * 2, round(height * factor) // 2 * 2
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    frames = np.stack([cv2.resize(each, size, interpolation=how) for each in pictures])
    masks = np.stack([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in foreign])
    for _ in range(1 + (rng.random() < 0.25)):
        frames = _coded(frames, rng)
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    astray = rng.normal(0, 0.006, 2) * np.ptp(landmarks[0], axis=0).max()
    return Take(frames, (landmarks + astray.astype(np.float32)) * scale, masks)


@cache
def _embedder(width: int, height: int, number: int) -> Embedder:
    key = ReadingKey.from_bytes(bytes([number]) * 32)
    return Embedder(width=width, height=height, bits=8, asset_id=number + 1, key=key)


def _marked(pictures: NDArray[np.uint8], rng: Chance) -> NDArray[np.uint8]:
    """The pictures with Assent's watermark, which says nothing of whether a face was replaced."""
    height, width = pictures.shape[1:3]
    embedder = _embedder(width, height, int(rng.integers(4)))
    marked = []
    for each in pictures:
        luma = cv2.cvtColor(each, cv2.COLOR_RGB2GRAY)
        change = embedder.mark(luma).astype(np.float32) - luma
        marked.append(_bytes(each + change[..., None]))
    return np.stack(marked)


def _covered(pictures: NDArray[np.uint8], foreign: Plane, rng: Chance) -> NDArray[np.uint8]:
    """Something of another make before or beside the face: a caption, a thing, a label."""
    height, width = pictures.shape[1:3]
    out = pictures.copy()
    x, y = rng.integers(0, width), rng.integers(0, height)
    colour = tuple(int(each) for each in rng.integers(0, 255, 3))
    if rng.random() < 0.5:
        for each in out:
            at = (int(x) - 60, int(y))
            cv2.putText(each, "AI+MODIFIED", at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 2)
        return out
    mask = np.zeros((height, width), np.float32)
    axes = int(rng.integers(10, 60)), int(rng.integers(10, 60))
    cv2.ellipse(mask, (int(x), int(y)), axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.8)
    texture = cv2.GaussianBlur(rng.normal(0, 30, (height, width, 3)), (0, 0), rng.uniform(0.8, 4))
    thing = np.clip(np.array(colour) + texture * 2, 0, 255)
    foreign *= 1 - mask
    return np.stack([_bytes(each + mask[..., None] * (thing - each)) for each in out])


def _coded(frames: NDArray[np.uint8], rng: Chance) -> NDArray[np.uint8]:
    if rng.random() < 0.2:
        quality = int(rng.integers(50, 97))
        return np.stack([_jpeg(each, quality) for each in frames])
    codec, crf = ("libx265", (20, 36)) if rng.random() < 0.12 else ("libx264", (15, 35))
    options = {"crf": str(int(rng.integers(*crf))), "preset": "veryfast", "threads": "1"}
    if codec == "libx265":
        options |= {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"}
    return _filmed(frames, codec, options)


def _filmed(frames: NDArray[np.uint8], codec: str, options: dict[str, str]) -> NDArray[np.uint8]:
    sink = io.BytesIO()
    height, width = frames.shape[1:3]
    with av.open(sink, "w", format="matroska") as film:
        stream: Any = film.add_stream(codec, rate=Fraction(25), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for each in frames:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(each, format="rgb24")))
        film.mux(stream.encode(None))
    sink.seek(0)
    with av.open(sink) as film:
        return np.stack([each.to_ndarray(format="rgb24") for each in film.decode(video=0)])


def _jpeg(rgb: Rgb, quality: int) -> Rgb:
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])


def _bytes(values: NDArray[Any]) -> Rgb:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
