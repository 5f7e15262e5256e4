"""How often chance looks like a mark: many decodes of pictures that carry none under the key.

    tally = count(100_000, films=[Path("clip.mp4")], workers=2)

What is decoded is what the reader decodes: for each picture the whole frame, straight and mirrored,
and the geometries that its search likes best under a key drawn for the purpose, refined, folded and
aligned. Unlike the reader, every one of them goes on to the payload, whatever its statistic: so the
statistic's gate and the CRC are measured apart.

Pictures are drawn in turn from noise of several kinds; from films, cut, scaled, turned and averaged
over up to sixteen frames; and from films marked under another key.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _pictures import fractal
from numpy.typing import NDArray

from assent.kit.media.picture import luma8
from assent.kit.media.read import read_pictures
from assent.kit.watermark.carriers import SHORT_SIDE, TILE, Carriers
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.frontend import DetailAverage
from assent.kit.watermark.geometry import fold
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.lines import Lines
from assent.kit.watermark.search import SimilarityFinder, StretchFinder, refine
from assent.kit.watermark.tile import align, read_identifier

__all__ = ["GATES", "KINDS", "Tally", "count", "derived_tail", "render", "report"]

Luma = NDArray[np.uint8]

KINDS = ("noise", "films", "other key")
# The reader's own gates.
GATES = {"near": 4.0, "search": 6.0}
# Places at which the pattern's origin is tried: half units of a tile, or a few around the corner.
_PLACES = {"near": 7**2, "search": (2 * TILE) ** 2}
_LEVELS = {"near": (2.0, 2.5, 3.0, 3.5, 4.0, 4.5), "search": (4.0, 4.5, 5.0, 5.5, 6.0, 6.5)}
# Words that a decode holds against the CRC at most: three models, a list of 32 each.
_WORDS = 96
_SIMILARITIES, _STRETCHES = 12, 6
A_PICTURE = 2 + _SIMILARITIES + _STRETCHES
_PICTURES_A_KEY = len(KINDS)
_KEPT_FRAMES = 24


@dataclass(slots=True)
class Tally:
    """What came of decodes: statistics by way of looking, and identifiers by kind of picture."""

    statistics: dict[str, list[float]] = field(default_factory=lambda: {w: [] for w in GATES})
    decodes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    right_crcs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    reported: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    def add(self, other: "Tally") -> None:
        """Take in another tally."""
        for way, values in other.statistics.items():
            self.statistics[way] += values
        for mine, theirs in (
            (self.decodes, other.decodes),
            (self.right_crcs, other.right_crcs),
            (self.reported, other.reported),
        ):
            for kind in KINDS:
                mine[kind] += theirs[kind]

    def share_above(self, way: str, z: float) -> float:
        """Return the share of decodes whose statistic was at least `z`."""
        return float(np.mean(np.asarray(self.statistics[way]) >= z))


def derived_tail(way: str, z: float) -> float:
    """Return the chance of a statistic of `z` or more, as derived; see docs/watermark.md.

    The keyed phases of the pilots make the score at one place a sum of many bounded terms of mean
    0, which is near normal; the best of several places is at most that many times as likely.
    """
    return min(1.0, _PLACES[way] * 0.5 * math.erfc(z / math.sqrt(2)))


def report(decodes: int, films: Sequence[Path], workers: int) -> dict[str, Any]:
    """Decode and return what was counted, beside what was derived."""
    tally = count(decodes, films, workers)
    return {
        "decodes": sum(tally.decodes.values()),
        "reported": sum(tally.reported.values()),
        "by_kind": {
            kind: {
                "decodes": tally.decodes[kind],
                "right_crcs": tally.right_crcs[kind],
                "reported": tally.reported[kind],
            }
            for kind in KINDS
        },
        "expected_right_crcs": sum(tally.decodes.values()) * _WORDS / 2**32,
        "tails": {
            way: [
                {"z": z, "measured": tally.share_above(way, z), "derived": derived_tail(way, z)}
                for z in _LEVELS[way]
            ]
            for way in GATES
        },
        "highest": {way: max(tally.statistics[way]) for way in GATES},
    }


def render(report: dict[str, Any]) -> str:
    """Return a report as tables."""
    lines = [f"{'pictures':<12}{'decodes':>9}{'CRC right':>11}{'reported':>10}"]
    for kind, row in report["by_kind"].items():
        lines.append(f"{kind:<12}{row['decodes']:>9}{row['right_crcs']:>11}{row['reported']:>10}")
    lines.append(f"expected by chance: {report['expected_right_crcs']:.5f} right CRCs")
    for way, rows in report["tails"].items():
        lines += ["", f"{way}: highest z {report['highest'][way]:.2f}, gate {GATES[way]}"]
        lines.append(f"{'z at least':<12}{'measured':>12}{'derived':>12}")
        lines += [f"{r['z']:<12}{r['measured']:>12.2e}{r['derived']:>12.2e}" for r in rows]
    return "\n".join(lines)


def count(decodes: int, films: Sequence[Path], workers: int) -> Tally:
    """Decode at least so many times and tally."""
    batches = range(-(-decodes // (A_PICTURE * _PICTURES_A_KEY)))
    total = Tally()
    if workers == 1:
        for number in batches:
            total.add(_batch(number, tuple(films)))
        return total
    with ProcessPoolExecutor(workers, get_context("spawn"), _settle) as pool:
        for tally in pool.map(_batch, batches, repeat(tuple(films))):
            total.add(tally)
    return total


def _batch(number: int, films: tuple[Path, ...]) -> Tally:
    """Decode a picture of each kind under a key of their own."""
    rng = np.random.default_rng([7, number])
    carriers = Carriers.derive(ReadingKey.from_bytes(rng.bytes(32)))
    finders = (SimilarityFinder(carriers), StretchFinder(carriers))
    tally = Tally()
    for index in range(_PICTURES_A_KEY):
        kind = KINDS[index % len(KINDS)]
        for way, z, found in _decode(_picture(kind, rng, films), carriers, finders):
            tally.statistics[way].append(z)
            tally.decodes[kind] += 1
            tally.right_crcs[kind] += found
            tally.reported[kind] += found and z >= GATES[way]
    return tally


def _decode(
    average: DetailAverage, carriers: Carriers, finders: tuple[SimilarityFinder, StretchFinder]
) -> Iterator[tuple[str, float, bool]]:
    """Yield the way of looking, the statistic, and whether a CRC was right."""
    detail = average.mean()
    height, width = detail.shape
    matrix = np.diag([1.0, 1.0]) * (min(width, height) / SHORT_SIDE)
    for side in (1, -1):
        straight = align(fold(np.ascontiguousarray(detail[:, ::side]), matrix), carriers, near=True)
        yield "near", straight.z, read_identifier(straight.spectrum, carriers) is not None
    lines = Lines.of(detail)
    candidates = finders[0].find(lines, _SIMILARITIES) + finders[1].find(lines, _STRETCHES)
    for candidate in candidates:
        refined = refine(lines, carriers, candidate.matrix)
        found = align(fold(detail, refined), carriers, near=False)
        yield "search", found.z, read_identifier(found.spectrum, carriers) is not None


def _picture(kind: str, rng: np.random.Generator, films: tuple[Path, ...]) -> DetailAverage:
    average = DetailAverage()
    if kind == "noise":
        average.add(_noise(rng))
        return average
    frames = _frames(films[int(rng.integers(len(films)))])
    if kind == "other key":
        frames = _marked(frames, rng)
    begin = int(rng.integers(len(frames)))
    view = _view(frames[0].shape, rng)
    for frame in frames[begin : begin + int(rng.integers(1, 17))]:
        average.add(_seen(frame, *view))
    return average


def _noise(rng: np.random.Generator) -> Luma:
    height, width = int(rng.integers(180, 700)), int(rng.integers(180, 900))
    choice = int(rng.integers(4))
    if choice == 0:
        return rng.integers(0, 256, (height, width)).astype(np.uint8)
    if choice == 1:
        plane = rng.normal(120, rng.uniform(1, 30), (height, width))
    else:
        noise = fractal(height, width, seed=int(rng.integers(1 << 31)), slope=rng.uniform(0.5, 2))
        plane = np.asarray(255 * noise, np.float64)
    whole = np.clip(plane, 0, 255).astype(np.uint8)
    if choice == 3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 95))]
        _, coded = cv2.imencode(".jpg", whole, quality)
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return whole


@cache
def _frames(film: Path) -> tuple[Luma, ...]:
    """Return frames spread over a film, 360 lines high."""
    planes = [luma8(picture) for picture in read_pictures(film, name=film.name)]
    step = max(1, len(planes) // _KEPT_FRAMES)
    height, width = planes[0].shape
    size = (max(256, round(width * 360 / height)), 360)
    return tuple(
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
        for plane in planes[::step]
    )


def _marked(frames: tuple[Luma, ...], rng: np.random.Generator) -> tuple[Luma, ...]:
    """Return the frames with another studio's mark."""
    height, width = frames[0].shape
    embedder = Embedder(
        width=width,
        height=height,
        bits=8,
        asset_id=int(rng.integers(1 << 62)),
        key=ReadingKey.from_bytes(rng.bytes(32)),
    )
    return tuple(np.asarray(embedder.mark(frame), np.uint8) for frame in frames)


def _view(
    shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Draw how a copy shows its original: often as it is, else cut, scaled, turned, mirrored."""
    height, width = shape
    if rng.random() < 0.3:
        return np.eye(2, 3), (width, height)
    scale, angle = rng.uniform(0.5, 1.8), rng.choice([0.0, rng.uniform(-0.3, 0.3)])
    matrix = np.zeros((2, 3))
    matrix[:, :2] = scale * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    matrix[:, 0] *= rng.choice([1, -1])
    size = int(rng.uniform(0.5, 1) * width), int(rng.uniform(0.6, 1) * height)
    matrix[:, 2] = np.array(size) / 2 - matrix[:, :2] @ (np.array([width, height]) / 2)
    return matrix, size


def _seen(frame: Luma, matrix: NDArray[np.float64], size: tuple[int, int]) -> Luma:
    reflect = cv2.BORDER_REFLECT
    return np.asarray(cv2.warpAffine(frame, matrix, size, borderMode=reflect), np.uint8)


def _settle() -> None:
    cv2.setNumThreads(1)
