"""How a film is marked and read in the benchmark: as a release is, and as `assent verify` does.

    marked = embed(Path("in.mp4"), Path("out.mp4"), asset_id=7)
    reading = read(Path("out.mp4"))

This is the one place that calls the product. A film is marked on its way from decoder to encoder
(H.264, CRF 18), fitted to pictures spread over it; a reader gets up to 64 pictures, spread too.
What the product doesn't take for a film or still (GIF, MPEG program streams) is decoded here, and
the reading says so.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from assent.kit.ahead import side_by_side
from assent.kit.errors import AssentError
from assent.kit.media._encode import encode
from assent.kit.media.convert import fit_shortest_side, from_rgb, scale
from assent.kit.media.picture import Picture, luma8, with_luma
from assent.kit.media.probe import Clip, probe
from assent.kit.media.read import read_pictures
from assent.kit.media.still import read_still, still_type
from assent.kit.watermark.carriers import SEGMENT_S
from assent.kit.watermark.embed import Embedder
from assent.kit.watermark.key import ReadingKey, SecretKey
from assent.kit.watermark.known import Known
from assent.kit.watermark.mark import Search
from assent.kit.watermark.read import STRETCH_S, read_mark

__all__ = [
    "RELEASE_CRF",
    "Embedded",
    "Reading",
    "copy_plain",
    "embed",
    "mark_one",
    "marking_rate",
    "read",
    "size_of",
]

RELEASE_CRF = 18
_KEY = ReadingKey.from_bytes(bytes(range(32)))
_SECRET = SecretKey.from_bytes(bytes(range(100, 132)))
_FITTED_ON = 12
_FITTED_LINES = 512
_LOOKS = 64
_BUDGET_S = 12.0
_TIMED_ON = 48
_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What marking a film changed: luma PSNR in dB."""

    frames: int
    psnr_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader said: `confidence` 0..1 that an identifier is no accident; 0 without one."""

    asset_id: int | None
    confidence: float
    statistic: float
    seconds: float
    says: str


def embed(source: Path, target: Path, *, asset_id: int, crf: int = RELEASE_CRF) -> Embedded:
    """Mark a film and encode it."""
    clip = probe(source, name=source.name)
    embedder, _ = _fitted(source, clip, asset_id)
    tally = _Tally(embedder, clip.time_base)
    with target.open("wb+") as sink:
        pictures = (tally.mark(picture) for picture in read_pictures(source, name=source.name))
        encode(pictures, sink, like=clip, sound_from=None, crf=crf)
    return Embedded(
        frames=tally.frames,
        psnr_y=10 * math.log10(tally.peak**2 / max(tally.squares / tally.frames, 1e-9)),
    )


def mark_one(source: Path, number: int, *, asset_id: int) -> tuple[Picture, Picture]:
    """Return a film's picture, by its number, as it is and as it leaves for the encoder."""
    embedder, _ = _fitted(source, probe(source, name=source.name), asset_id)
    for index, picture in enumerate(read_pictures(source, name=source.name)):
        if index == number:
            return picture, with_luma(picture, embedder.mark(picture.y))
    raise IndexError(f"{source.name} has no picture {number}")


def _fitted(source: Path, clip: Clip, asset_id: int) -> tuple[Embedder, float]:
    """Return an embedder that is fitted to the film, and the seconds that took."""
    looks, times = zip(*_looks(source, clip), strict=True)
    began = time.perf_counter()
    embedder = Embedder(
        width=clip.width,
        height=clip.height,
        bits=clip.bits,
        asset_id=asset_id,
        key=_KEY,
        secret=_SECRET,
    )
    embedder.prepare(looks, seconds=times)
    return embedder, time.perf_counter() - began


def marking_rate(source: Path, *, asset_id: int) -> float:
    """Return how many pictures a second are marked in a whole segment, fitting included.

    Without codec, in two threads, as the product does it.
    """
    clip = probe(source, name=source.name)
    embedder, fitting_s = _fitted(source, clip, asset_id)
    some = [picture.y for picture in islice(read_pictures(source, name=source.name), _TIMED_ON)]
    planes = [some[number % len(some)] for number in range(_TIMED_ON)]
    began = time.perf_counter()
    with side_by_side(embedder.mark, planes, workers=_THREADS, depth=2 * _THREADS) as marked:
        count = sum(1 for _ in marked)
    each = (time.perf_counter() - began) / count
    return 1 / (each + fitting_s / (SEGMENT_S * float(clip.frame_rate)))


def copy_plain(source: Path, target: Path, *, crf: int) -> None:
    """Encode a film as `embed` does, without a mark."""
    clip = probe(source, name=source.name)
    with target.open("wb+") as sink:
        encode(read_pictures(source, name=source.name), sink, like=clip, sound_from=None, crf=crf)


def size_of(path: Path) -> str:
    """Return a film's width and height in words."""
    clip = probe(path, name=path.name)
    return f"{clip.width}x{clip.height}"


def read(
    path: Path, *, clock: Callable[[], float] = time.monotonic, known: Known | None = None
) -> Reading:
    """Read the mark of any film or still; `clock` gives its time and limits it.

    With `known` identifiers, one of them may be told that can't be read bit by bit.
    """
    began = clock()
    refusal = ""
    try:
        planes = _planes(path)
        first = next(planes)
    except AssentError as error:
        refusal = f"; refused: {error}"
        planes = _decode_anything(path)
        first = next(planes)
    search = read_mark(
        chain([first], planes), key=_KEY, known=known, budget_s=_BUDGET_S, clock=clock
    )
    reading = _reading(search, clock() - began)
    return replace(reading, says=reading.says + refusal)


def _reading(search: Search, seconds: float) -> Reading:
    mark = search.mark
    if mark is None:
        says = search.searched[-1] if search.searched else ""
        return Reading(asset_id=None, confidence=0, statistic=0, seconds=seconds, says=says)
    return Reading(
        asset_id=mark.asset_id,
        confidence=mark.confidence,
        statistic=mark.z,
        seconds=seconds,
        says=mark.geometry,
    )


def _planes(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield luma of a still, or of a film's pictures spread over its length."""
    with path.open("rb") as file:
        head = file.read(16)
    if still_type(head):
        yield luma8(from_rgb(read_still(path.read_bytes(), name=path.name)))
        return
    clip = probe(path, name=path.name)
    looked_at = min(float(clip.frames), STRETCH_S * float(clip.frame_rate))
    step = max(1, round(looked_at / _LOOKS))
    for index, picture in enumerate(read_pictures(path, name=path.name)):
        if index % step == 0:
            yield luma8(picture)


def _decode_anything(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield the luma of what FFmpeg can open at all."""
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
    step = max(1, len(frames) // _LOOKS)
    yield from (np.asarray(frame, np.uint8) for frame in frames[::step])


def _looks(source: Path, clip: Clip) -> Iterator[tuple[NDArray[np.uint8], float]]:
    """Yield pictures spread over each segment, and when they are shown."""
    size = fit_shortest_side(clip.width, clip.height, _FITTED_LINES)
    segment = min(float(clip.frames), SEGMENT_S * float(clip.frame_rate))
    step = max(1, math.ceil(segment / _FITTED_ON))
    for index, picture in enumerate(read_pictures(source, name=source.name)):
        if index % step == 0:
            yield luma8(scale(picture, *size)), float(picture.pts * clip.time_base)


class _Tally:
    """Marks pictures, and adds up what that changed."""

    def __init__(self, embedder: Embedder, time_base: Fraction) -> None:
        self._embedder = embedder
        self._time_base = time_base
        self.frames = 0
        self.squares = 0.0
        self.peak = 255

    def mark(self, picture: Picture) -> Picture:
        seconds = float(picture.pts * self._time_base)
        marked = self._embedder.mark(picture.y, seconds=seconds)
        change = marked.astype(np.float32) - picture.y
        self.squares += float(np.mean(change * change))
        self.frames += 1
        self.peak = (1 << picture.bits) - 1
        return with_luma(picture, marked)
