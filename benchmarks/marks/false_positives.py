"""How often chance looks like a mark: many decodes of pictures that carry none under the key.

    tally = count(100_000, films=[Path("clip.mp4")], workers=2)

What is decoded is what the reader decodes: for each picture the whole frame, straight and mirrored,
and the geometries that its search likes best under a key drawn for the purpose, refined, folded and
aligned. Unlike the reader, every one of them is decoded, however faint its pilots. Beside what is
decoded, one fixed word is held against each: how many nats speak for it has a known tail.

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
from numpy.typing import NDArray

from assent.kit.media.picture import luma8
from assent.kit.media.read import read_pictures
from assent.kit.watermark.carriers import SHORT_SIDE, Carriers
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.frontend import DetailAverage
from assent.kit.watermark.geometry import fold
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.lines import Lines
from assent.kit.watermark.payload import CODE, payload_bits
from assent.kit.watermark.search import SimilarityFinder, StretchFinder, refine
from assent.kit.watermark.tile import Reading, align, follow, gains, prove, read_plain
from marks.pictures import fractal

__all__ = ["GATE", "KINDS", "WAYS", "Tally", "count", "derived_tail", "render", "report"]

Luma = NDArray[np.uint8]

KINDS = ("noise", "films", "other key")
WAYS = ("near", "search")
# The reader's own gate, in nats that speak for one word: 64 log 2, log 8 ways, and 12 log 10.
GATE = 64 * math.log(2) + math.log(8) + 12 * math.log(10)
_LEVELS = (2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
_WAYS_OF_WEIGHING = 8
# Any word drawn without a look at the picture will do.
_WORD = CODE.encode(payload_bits(0x0123456789ABCDEF))
_SIMILARITIES, _STRETCHES = 12, 6
A_PICTURE = 2 + _SIMILARITIES + _STRETCHES
_PICTURES_A_KEY = len(KINDS)
_KEPT_FRAMES = 24


@dataclass(slots=True)
class Tally:
    """What came of decodes: statistics by way of looking, and identifiers by kind of picture."""

    statistics: dict[str, list[float]] = field(default_factory=lambda: {w: [] for w in WAYS})
    decodes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    decoded: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    reported: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    def add(self, other: "Tally") -> None:
        """Take in another tally."""
        for way, values in other.statistics.items():
            self.statistics[way] += values
        for mine, theirs in (
            (self.decodes, other.decodes),
            (self.decoded, other.decoded),
            (self.reported, other.reported),
        ):
            for kind in KINDS:
                mine[kind] += theirs[kind]

    def share_above(self, way: str, nats: float) -> float:
        """Return the share of decodes whose statistic was at least `nats`."""
        return float(np.mean(np.asarray(self.statistics[way]) >= nats))


def derived_tail(nats: float) -> float:
    """Return the bound on the chance of so many nats for one word; see docs/specs/watermark.md."""
    return min(1.0, _WAYS_OF_WEIGHING * math.exp(-nats))


def report(decodes: int, films: Sequence[Path], workers: int) -> dict[str, Any]:
    """Decode and return what was counted, beside what was derived."""
    tally = count(decodes, films, workers)
    return {
        "decodes": sum(tally.decodes.values()),
        "reported": sum(tally.reported.values()),
        "by_kind": {
            kind: {
                "decodes": tally.decodes[kind],
                "decoded": tally.decoded[kind],
                "reported": tally.reported[kind],
            }
            for kind in KINDS
        },
        "tails": {
            way: [
                {"nats": n, "measured": tally.share_above(way, n), "derived": derived_tail(n)}
                for n in _LEVELS
            ]
            for way in WAYS
        },
        "highest": {way: max(tally.statistics[way]) for way in WAYS},
    }


def render(report: dict[str, Any]) -> str:
    """Return a report as tables."""
    lines = [f"{'pictures':<12}{'decodes':>9}{'decoded':>11}{'reported':>10}"]
    for kind, row in report["by_kind"].items():
        lines.append(f"{kind:<12}{row['decodes']:>9}{row['decoded']:>11}{row['reported']:>10}")
    for way, rows in report["tails"].items():
        lines += ["", f"{way}: at most {report['highest'][way]:.2f} nats, gate {GATE:.1f}"]
        lines.append(f"{'nats':<12}{'measured':>12}{'derived':>12}")
        lines += [f"{r['nats']:<12}{r['measured']:>12.2e}{r['derived']:>12.2e}" for r in rows]
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
        for way, nats, reading in _decode(_picture(kind, rng, films), carriers, finders):
            tally.statistics[way].append(nats)
            tally.decodes[kind] += 1
            # What a reader asks of a word to take the picture for marked.
            decoded = reading.log_chance < math.log(3e-13)
            tally.decoded[kind] += decoded
            tally.reported[kind] += decoded and reading.log_other < math.log(1e-4)
    return tally


def _decode(
    average: DetailAverage, carriers: Carriers, finders: tuple[SimilarityFinder, StretchFinder]
) -> Iterator[tuple[str, float, Reading]]:
    """Yield the way of looking, the nats that speak for one fixed word, and the decoded word."""
    detail = average.mean()
    height, width = detail.shape
    matrix = np.diag([1.0, 1.0]) * (min(width, height) / SHORT_SIDE)
    for side in (1, -1):
        straight = np.ascontiguousarray(detail[:, ::side])
        yield "near", *_read(gains(fold(straight, matrix), carriers), carriers, 1.0)
    lines = Lines.of(detail)
    candidates = finders[0].find(lines, _SIMILARITIES) + finders[1].find(lines, _STRETCHES)
    for candidate in candidates:
        refined = refine(lines, carriers, candidate.matrix)
        yield "search", *_read(gains(fold(detail, refined), carriers), carriers, None)


def _read(
    seen: NDArray[np.complex128], carriers: Carriers, reach: float | None
) -> tuple[float, Reading]:
    timeline = follow([seen], align(seen, carriers, reach=reach), carriers)
    return prove(timeline, carriers, _WORD), read_plain(timeline, carriers)


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
