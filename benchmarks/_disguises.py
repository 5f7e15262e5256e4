"""What may lie between a face and its enrolment: light, blur, make-up, glasses, a beard, a mask.

    harder = dict(DISGUISES)["glasses"](rgb, landmarks, 0)

Each takes one picture, RGB uint8 [H, W, 3], its face's landmarks [68, 2] in pixels (iBUG order) and
a number to draw chance from, and returns another picture of the same size; the same arguments give
the same picture.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from _changes import blurred, coloured, dark, graded, noisy, relit
from numpy.typing import NDArray

__all__ = ["DISGUISES", "Disguise", "morph"]

Rgb = NDArray[np.uint8]
Points = NDArray[np.floating]
Disguise = Callable[[Rgb, Points, int], Rgb]

_FACE_SHARE = 0.86  # of the landmarks' width that dlib's box of a face takes, roughly 1/1.16
_RIGHT_EYE, _LEFT_EYE = slice(36, 42), slice(42, 48)


def as_filmed(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
    """Nothing is changed."""
    return rgb


def _lamp(angle: float) -> Disguise:
    return lambda rgb, landmarks, index: relit(rgb, landmarks, angle=angle, ambient=0.35)


def _blur(share: float) -> Disguise:
    """Blur by a share of the face's width."""
    return lambda rgb, landmarks, index: blurred(rgb, share * _width(landmarks))


def _small(side: float) -> Disguise:
    """A face that was `side` pixels wide in the film."""

    def shrink(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
        factor = min(1.0, side / _width(landmarks))
        size = max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor))
        less = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        return _whole(cv2.resize(less, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC))

    return shrink


def _compressed(quality: int) -> Disguise:
    def compress(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
        _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        return _whole(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])

    return compress


def _tilted(degrees: float) -> Disguise:
    def tilt(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
        middle = tuple(np.asarray(landmarks, float).mean(axis=0))
        turn = cv2.getRotationMatrix2D(middle, degrees, 1.0)
        return _whole(cv2.warpAffine(rgb, turn, rgb.shape[1::-1], borderMode=cv2.BORDER_REPLICATE))

    return tilt


def stretched(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
    """A tenth too wide, as a wrong pixel shape makes it."""
    width = rgb.shape[1]
    wide = cv2.resize(rgb, (round(1.1 * width), rgb.shape[0]), interpolation=cv2.INTER_CUBIC)
    middle = float(np.mean(landmarks[:, 0])) * 1.1
    left = int(np.clip(round(middle - width / 2), 0, wide.shape[1] - width))
    return _whole(wide[:, left : left + width])


def glasses(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
    """Thick dark rims."""
    drawn, thick = rgb.copy(), max(1, round(0.035 * _width(landmarks)))
    for middle, radius in _lenses(landmarks):
        cv2.ellipse(drawn, middle, radius, 0, 0, 360, (30, 25, 25), thick, cv2.LINE_AA)
    _bridge_and_arms(drawn, landmarks, thick)
    return drawn


def dark_glasses(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
    """Lenses that hide the eyes."""
    drawn, thick = rgb.copy(), max(1, round(0.035 * _width(landmarks)))
    for middle, radius in _lenses(landmarks):
        cv2.ellipse(drawn, middle, radius, 0, 0, 360, (18, 18, 22), -1, cv2.LINE_AA)
    _bridge_and_arms(drawn, landmarks, thick)
    return drawn


def aged(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
    """Make-up of age: furrows, bags under the eyes, spots, and paler skin."""
    rng = np.random.default_rng(index)
    width = _width(landmarks)
    shade = np.zeros(rgb.shape[:2], np.float32)
    thick = max(1, round(0.012 * width))
    for line in _furrows(np.asarray(landmarks, np.float64)):
        cv2.polylines(shade, [_whole_points(line)], False, 1.0, thick, cv2.LINE_AA)
    inside = _hull(landmarks, rgb.shape)
    for _ in range(45):
        spot = landmarks[rng.integers(0, 48)] * rng.uniform(0.3, 0.7)
        spot = spot + landmarks[rng.integers(0, 48)] * 0.5
        cv2.circle(shade, _whole_point(spot), max(1, round(0.008 * width)), 0.6, -1, cv2.LINE_AA)
    shade = cv2.GaussianBlur(shade, (0, 0), 0.006 * width + 0.3) * inside
    grey = rgb.mean(axis=2, keepdims=True)
    pale = rgb + 0.45 * inside[..., None] * (grey * 1.04 - rgb)
    return _whole(pale * (1 - 0.45 * shade[..., None]))


def made_up(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
    """Dark lips, shadow round the eyes, rouge."""
    paint, width = np.zeros((*rgb.shape[:2], 4), np.float32), _width(landmarks)
    cv2.fillPoly(paint, [_whole_points(landmarks[48:60])], (120, 12, 40, 0.75))
    for eye in (_RIGHT_EYE, _LEFT_EYE):
        middle = _whole_point(landmarks[eye].mean(axis=0) - (0, 0.03 * width))
        size = round(0.16 * width), round(0.11 * width)
        cv2.ellipse(paint, middle, size, 0, 0, 360, (60, 30, 90, 0.5), -1)
    for cheek, nose in ((2, 31), (14, 35)):
        middle = _whole_point(0.5 * (landmarks[cheek] + landmarks[nose]))
        cv2.circle(paint, middle, round(0.1 * width), (215, 70, 80, 0.4), -1)
    return _laid(rgb, paint, 0.012 * width)


def bearded(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
    """A full dark beard with a moustache."""
    rng = np.random.default_rng(index)
    rim = np.asarray(landmarks[2:15], np.float64)
    nose, width = np.asarray(landmarks[33], np.float64), _width(landmarks)
    inner = nose + 0.75 * (rim[::-1] - nose)
    inner[4:9] = nose + 0.25 * (rim[::-1][4:9] - nose)
    mask = np.zeros(rgb.shape[:2], np.float32)
    cv2.fillPoly(mask, [_whole_points(np.concatenate([_lower(rim, 0.04 * width), inner]))], 1.0)
    cv2.fillPoly(mask, [_whole_points(landmarks[48:60])], 0.0)
    hair = cv2.GaussianBlur(rng.normal(size=rgb.shape[:2]).astype(np.float32), (0, 0), 0.8)
    colour = np.array([52, 38, 30]) + 45 * hair[..., None]
    share = 0.85 * cv2.GaussianBlur(mask, (0, 0), 0.02 * width)[..., None]
    return _whole(rgb * (1 - share) + share * colour)


def masked(rgb: Rgb, landmarks: Points, index: int) -> Rgb:
    """A surgical mask over mouth and nose."""
    drawn = rgb.copy()
    rim = np.concatenate([landmarks[2:15], landmarks[[29]]])
    cv2.fillPoly(drawn, [_whole_points(rim)], (150, 185, 205), cv2.LINE_AA)
    return drawn


DISGUISES: Mapping[str, Disguise] = MappingProxyType(
    {
        "as filmed": as_filmed,
        "lamp from the left": _lamp(np.pi),
        "lamp from below": _lamp(np.pi / 2),
        "darkness and grain": lambda rgb, landmarks, index: dark(rgb, index),
        "noise": lambda rgb, landmarks, index: noisy(rgb, index, deviation=20.0),
        "coloured light": lambda rgb, landmarks, index: coloured(rgb),
        "film look": lambda rgb, landmarks, index: graded(rgb),
        "blur, 2 % of the face": _blur(0.02),
        "blur, 4 % of the face": _blur(0.04),
        "64 pixels wide": _small(64),
        "32 pixels wide": _small(32),
        "20 pixels wide": _small(20),
        "JPEG, quality 15": _compressed(15),
        "JPEG, quality 5": _compressed(5),
        "tilted by 20 degrees": _tilted(20),
        "a tenth too wide": stretched,
        "glasses": glasses,
        "dark glasses": dark_glasses,
        "age make-up": aged,
        "strong make-up": made_up,
        "beard": bearded,
        "surgical mask": masked,
    }
)


def morph(one: Rgb, theirs: Points, other: Rgb, others: Points, share: float) -> Rgb:
    """The face in `one` moved and mixed towards that in `other`: 0 is `one`, 1 `other`'s face.

    Both faces are brought onto the shape between them, triangle by triangle, and then mixed.
    """
    here, there = np.asarray(theirs, np.float64), np.asarray(others, np.float64)
    placed = _onto(there, here)
    between = (1 - share) * here + share * placed
    first = _warped(one, here, between)
    second = _warped(other, there, between)
    inside = cv2.GaussianBlur(_hull(between, one.shape), (0, 0), 0.03 * _width(between))[..., None]
    return _whole(first * (1 - share * inside) + second * share * inside)


def _warped(rgb: Rgb, old: Points, new: Points) -> NDArray[np.float64]:
    """The picture with the points moved; what lies outside of them follows the frame's edge."""
    height, width = rgb.shape[:2]
    frame = [(x, y) for x in (0, width / 2, width - 1) for y in (0, height / 2, height - 1)]
    rim = np.array([point for point in frame if point != (width / 2, height / 2)])
    source = np.concatenate([old, rim]).astype(np.float32)
    target = np.concatenate([new, rim]).astype(np.float32)
    target = np.clip(target, 0, [width - 1, height - 1]).astype(np.float32)
    mesh = cv2.Subdiv2D((0, 0, width, height))
    for point in target:
        mesh.insert((float(point[0]), float(point[1])))
    made = rgb.astype(np.float64)
    for corners in np.asarray(mesh.getTriangleList()).reshape(-1, 3, 2):
        picks = [int(np.linalg.norm(target - corner, axis=1).argmin()) for corner in corners]
        if np.linalg.norm(target[picks] - corners, axis=1).max() > 1:
            continue
        matrix = cv2.getAffineTransform(source[picks], target[picks])
        piece = cv2.warpAffine(
            rgb, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        where = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(where, _whole_points(target[picks]), 1)
        made[where > 0] = piece[where > 0]
    return made


def _onto(points: Points, base: Points) -> Points:
    """`points` turned, scaled and moved as a whole so that they fit `base`."""
    matrix, _ = cv2.estimateAffinePartial2D(points.astype(np.float32), base.astype(np.float32))
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def _lenses(landmarks: Points) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    width = _width(landmarks)
    radius = round(0.17 * width), round(0.13 * width)
    eyes = (landmarks[_RIGHT_EYE], landmarks[_LEFT_EYE])
    return [(_whole_point(_lower(eye.mean(axis=0), 0.01 * width)), radius) for eye in eyes]


def _bridge_and_arms(drawn: Rgb, landmarks: Points, thick: int) -> None:
    (right, (reach, _)), (left, _) = _lenses(landmarks)
    for start, end in (
        ((right[0] + reach, right[1]), (left[0] - reach, left[1])),
        ((right[0] - reach, right[1]), _whole_point(landmarks[0])),
        ((left[0] + reach, left[1]), _whole_point(landmarks[16])),
    ):
        cv2.line(drawn, start, end, (30, 25, 25), thick, cv2.LINE_AA)


def _furrows(points: Points) -> list[Points]:
    brows, width = points[17:27], _width(points)
    lines = [brows - (0, rise * width) for rise in (0.1, 0.16, 0.22)]
    for nose, mouth, chin in ((31, 48, 6), (35, 54, 10)):
        lines.append(
            np.stack([points[nose], points[mouth], 0.6 * points[mouth] + 0.4 * points[chin]])
        )
    for eye, outer in ((points[_RIGHT_EYE], points[36]), (points[_LEFT_EYE], points[45])):
        middle = eye.mean(axis=0)
        lines += [_lower(eye[3:], drop * width) for drop in (0.04, 0.07)]
        away = (outer - middle) / max(float(np.linalg.norm(outer - middle)), 1e-6)
        lines += [
            np.stack([outer + 0.03 * width * away, outer + 0.11 * width * away + (0, d * width)])
            for d in (-0.05, 0.0, 0.05)
        ]
    return lines


def _laid(rgb: Rgb, paint: NDArray[np.float32], soft: float) -> Rgb:
    """Paint of colour and cover [H, W, 4] over a picture, with soft edges."""
    share = cv2.GaussianBlur(paint[..., 3], (0, 0), soft)[..., None]
    return _whole(rgb * (1 - share) + share * paint[..., :3])


def _hull(landmarks: Points, shape: tuple[int, ...]) -> NDArray[np.float32]:
    points = np.asarray(landmarks, np.float64)
    brow = points[17:27] - (0, 0.2 * _width(points))
    inside = np.zeros(shape[:2], np.float32)
    hull = cv2.convexHull(_whole_points(np.concatenate([points, brow])))
    cv2.fillConvexPoly(inside, hull, 1.0)
    return inside


def _width(landmarks: Points) -> float:
    return max(float(np.linalg.norm(landmarks[16] - landmarks[0])), 1.0)


def _lower(points: Points, by: float) -> Points:
    return np.asarray(points + np.array([0.0, by]))


def _whole_points(points: Points) -> NDArray[np.int32]:
    return np.round(points).astype(np.int32)


def _whole_point(point: Points) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _whole(values: NDArray[Any]) -> Rgb:
    return np.ascontiguousarray(np.clip(np.round(values), 0, 255).astype(np.uint8))
