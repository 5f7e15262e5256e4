"""Find nudity in a picture: the content gate.

    gate = ContentGate()
    if is_explicit(gate.check(rgb)):
        ...

What the gate finds is a list of labelled boxes; which labels at which score count as explicit is
the caller's rule, passed to `is_explicit` (`EXPLICIT` is a cautious default). The same network also
labels faces, turned ones too, so `FACE_LABELS` gives a second opinion on whether a picture shows a
face that the tracker missed.

Model: NudeNet 320n (YOLOv8 nano), see `docs/models.md`. Nothing is written and nothing is fetched.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf

from assent.kit.faces.models import load

__all__ = [
    "EXPLICIT",
    "FACE_LABELS",
    "FLOOR",
    "LABELS",
    "ContentGate",
    "Finding",
    "decode",
    "is_explicit",
]

LABELS = (
    "FEMALE_GENITALIA_COVERED",
    "FACE_FEMALE",
    "BUTTOCKS_EXPOSED",
    "FEMALE_BREAST_EXPOSED",
    "FEMALE_GENITALIA_EXPOSED",
    "MALE_BREAST_EXPOSED",
    "ANUS_EXPOSED",
    "FEET_EXPOSED",
    "BELLY_COVERED",
    "FEET_COVERED",
    "ARMPITS_COVERED",
    "ARMPITS_EXPOSED",
    "FACE_MALE",
    "BELLY_EXPOSED",
    "MALE_GENITALIA_EXPOSED",
    "ANUS_COVERED",
    "FEMALE_BREAST_COVERED",
    "BUTTOCKS_COVERED",
)
"""The network's classes in its own order (the `names` of the ONNX file's metadata)."""

FACE_LABELS = frozenset({"FACE_FEMALE", "FACE_MALE"})
"""Labels of faces; which of the two is no statement about the person."""

EXPLICIT: Mapping[str, float] = MappingProxyType(
    {
        "ANUS_EXPOSED": 0.35,
        "FEMALE_GENITALIA_EXPOSED": 0.35,
        "MALE_GENITALIA_EXPOSED": 0.35,
        "FEMALE_BREAST_EXPOSED": 0.45,
        "BUTTOCKS_EXPOSED": 0.5,
    }
)
"""Labels that count as explicit, and the score from which they do.

NudeNet itself reports from 0.25. These are set a little above, lower where a miss is worse; they
were not fitted on explicit pictures.
"""

FLOOR = 0.2
"""Lowest score that is reported at all."""

_SIDE = 320
_OVERLAP = 0.45
_UNREADABLE = (Fail, InvalidGraph, InvalidProtobuf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One labelled part of a picture."""

    label: str
    score: float
    """0 to 1."""
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in pixels of the picture."""


class ContentGate:
    """NudeNet's detector on ONNX Runtime, one thread, loaded at first use (about 20 ms a picture).

    `network_file` names another network with the same inputs, outputs and classes (NudeNet 640m,
    say); without it the register's is used, its digest checked.
    """

    def __init__(self, network_file: Path | None = None) -> None:
        self._network_file = network_file

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return load(_open_session, self._network_file, "nudenet-320n", _UNREADABLE)

    def check(self, rgb: NDArray[np.uint8]) -> tuple[Finding, ...]:
        """What is found in a picture RGB uint8 [H, W, 3], best first."""
        session = self._session
        (output,) = session.run(None, {session.get_inputs()[0].name: _network_input(rgb)})
        return decode(output[0], (rgb.shape[0], rgb.shape[1]))


def _open_session(path: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def is_explicit(findings: Iterable[Finding], limits: Mapping[str, float] = EXPLICIT) -> bool:
    """Whether any finding carries a label of `limits` and reaches its score."""
    return any(
        finding.label in limits and finding.score >= limits[finding.label] for finding in findings
    )


def _network_input(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The picture as float32 [1, 3, 320, 320], 0 to 1, shrunk to fit the upper left corner."""
    height, width = rgb.shape[:2]
    scale = _SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((_SIDE, _SIDE, 3), np.float32)
    canvas[: size[1], : size[0]] = cv2.resize(rgb, size, interpolation=filter_)
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[None] / np.float32(255))


def decode(output: NDArray[np.float32], shape: tuple[int, int]) -> tuple[Finding, ...]:
    """Findings, best first, from the network's output for a picture of `shape` (height, width).

    `output` is float32 [4 + classes, anchors]: centre x, centre y, width and height of a box in
    pixels of the 320 x 320 input, then a score for each class. Where boxes of one class overlap by
    more than 0.45 the best stays; one class never hides another.
    """
    unit = max(shape) / _SIDE
    findings: list[Finding] = []
    for number, label in enumerate(LABELS):
        scores = output[4 + number]
        anchors = np.flatnonzero(scores >= FLOOR)
        boxes = _boxes(output[:4, anchors].T.astype(np.float64) * unit, shape)
        findings += [
            Finding(label=label, score=float(scores[anchors[i]]), box=tuple(boxes[i].tolist()))
            for i in _best_apart(boxes, scores[anchors])
        ]
    return tuple(sorted(findings, key=lambda finding: -finding.score))


def _boxes(centred: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """[n, 4] centre and size to corners, kept within the picture."""
    low, high = centred[:, :2] - centred[:, 2:] / 2, centred[:, :2] + centred[:, 2:] / 2
    height, width = shape
    edge = np.array([width, height, width, height], dtype=np.float64)
    return np.clip(np.hstack([low, high]), 0.0, edge)


def _best_apart(boxes: NDArray[np.float64], scores: NDArray[np.float32]) -> list[int]:
    """Non-maximum suppression: indices of boxes that no better one overlaps by much."""
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if all(_overlap(boxes[i], boxes[j]) <= _OVERLAP for j in kept):
            kept.append(i)
    return kept


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if (sides <= 0).any():
        return 0.0
    common = float(sides.prod())
    return common / (float((a[2:] - a[:2]).prod()) + float((b[2:] - b[:2]).prod()) - common)
