"""What `recording` judges, measured: one number for each thing that is looked at."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from assent.consent.challenge import Challenge, Turn
from assent.kit.errors import MediaError
from assent.kit.faces.frame import Frame, PictureFrame
from assent.kit.faces.liveness import jumps, longest_repeat, longest_standstill, mouth_openings
from assent.kit.faces.turns import depth, narrowing, parallax, reference_of
from assent.kit.faces.watch import Tools, Watched, watch
from assent.kit.media.probe import Clip, probe
from assent.kit.media.read import read_pictures
from assent.kit.media.stamps import Stamps, read_stamps
from assent.kit.media.voice import Voice, hear_voice

__all__ = ["Followed", "Measured", "follow", "measure"]

_MOST_PICTURES_A_SECOND: Final = 70
_LONGEST_SIDE: Final = 2048

_REPEATED: Final = 0.02
"""Share of pictures that may bear another's time; Chromium's VP8 has one in hundreds."""

_NEAR: Final = 0.35
"""Seconds before and after a prompt in which the face should look ahead."""
_TURNED: Final = 0.12
"""Parallax of a head turned by some 15 degrees."""
_BACK: Final = 0.5
"""Share of a turn within which the head must be around the prompts, and to the other side."""
_IN, _OUT = 0.3, 0.6
"""Shares of a turn between which the head may waver: it turns once, it isn't shaken."""
_BEFORE: Final = 0.35
_AFTER: Final = 0.9
"""Seconds around a prompt at some moment of which the head must be there."""
_AT_PEAK: Final = 3
"""Frames that are averaged where a turn is furthest."""
_CHANGED: Final = 0.02
"""Grey levels; no two pictures that a camera takes are nearer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One number for each thing; NaN where there was nothing to measure."""

    seconds: float
    rate: float
    longest_gap: float
    untimed: float
    """Time stamps that are missing or go back, and those repeated beyond what browsers do."""
    seen: float
    others: float
    perhaps: float
    """Shares of all frames: with the face, with another besides, with what may be another."""
    spread: float
    """Largest distance of an embedding to the most central one."""
    followed: "Followed"
    mouth: float
    """Movements a second while the sentence was read."""
    cuts: int
    leap: float
    repeated: float
    frozen: float
    light: float
    sharpness: float
    size: float
    """Pixels from one side of the face to the other."""
    voice: float
    """Seconds of voice while the sentence was read."""
    embeddings: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How the turns were followed."""

    seen: tuple[Turn | None, ...]
    """Where the head turned after each prompt; None: nowhere, to both sides, or not from the
    middle and back."""
    depth: float
    """Median of what the turns say of the nose's depth."""


def measure(
    source: BinaryIO,
    challenge: Challenge,
    prompts: Sequence[int],
    *,
    name: str,
    largest: int,
    longest: float,
    tools: Tools | None,
) -> Measured:
    """Measure a recording; raises `MediaError` if it can't be read to its end or is too long."""
    if source.seek(0, 2) > largest:
        raise MediaError(
            f"{name} is larger than {largest >> 20} MB", advice="Record it again, shorter."
        )
    clip = probe(source, name=name)
    if max(clip.width, clip.height) > _LONGEST_SIDE:
        raise MediaError(
            f"{name} is {clip.width}x{clip.height}; at most {_LONGEST_SIDE} pixels a side are read",
            advice="Record with the page's own camera settings.",
        )
    stamps = read_stamps(source, name=name, most=round(longest * _MOST_PICTURES_A_SECOND))
    watched = watch(_frames(source, name, clip), name=name, longest=longest, tools=tools)
    reading = prompts[0] / 1000
    return _sum_up(
        watched,
        stamps,
        hear_voice(source, name=name, longest=reading),
        follow(watched.seconds, watched.meshes, challenge, prompts),
        reading,
    )


def follow(
    seconds: NDArray[np.float64],
    meshes: NDArray[np.floating],
    challenge: Challenge,
    prompts: Sequence[int],
) -> Followed:
    """How a face [n, 478, 2], NaN where it wasn't seen, followed the prompts (milliseconds)."""
    begins = [prompt / 1000 for prompt in prompts]
    ends = [*begins[1:], begins[-1] + challenge.pauses[-1] / 1000]
    here = ~np.isnan(meshes[:, 0, 0])
    near = here & np.any([abs(seconds - moment) < _NEAR for moment in (*begins, ends[-1])], axis=0)
    if not near.any():
        return Followed(seen=(None,) * len(begins), depth=float("nan"))
    middle = reference_of(meshes[near])
    series = np.array([parallax(middle, mesh) for mesh in meshes])
    homes = [_home(seconds, series, moment) for moment in (*begins, ends[-1])]
    seen: list[Turn | None] = []
    depths: list[float] = []
    for begin, end in itertools.pairwise(homes):
        turn, peak = _turn_within(series, begin, end)
        seen.append(turn)
        depths += [depth(series[i], narrowing(middle, meshes[i])) for i in peak]
    return Followed(seen=tuple(seen), depth=float(np.median(depths)) if depths else float("nan"))


def _home(seconds: NDArray[np.float64], series: NDArray[np.float64], moment: float) -> int | None:
    """The frame near a moment in which the head looks ahead most; None if no face was seen."""
    near = (seconds > moment - _BEFORE) & (seconds < moment + _AFTER) & ~np.isnan(series)
    where = np.flatnonzero(near)
    return int(where[abs(series[where]).argmin()]) if len(where) else None


def _turn_within(
    series: NDArray[np.float64], begin: int | None, end: int | None
) -> tuple[Turn | None, list[int]]:
    """Where the head went between two frames, and the frames in which it had gone furthest.

    A subject's left is the picture's right: cameras don't mirror, previews do.
    """
    if begin is None or end is None or end - begin < 2 * _AT_PEAK:
        return None, []
    within = begin + np.flatnonzero(~np.isnan(series[begin:end]))
    ranked = within[np.argsort(series[within])]
    low, high = ranked[:_AT_PEAK], ranked[-_AT_PEAK:]
    right, left = -float(series[low].mean()), float(series[high].mean())
    far, other = max(left, right), min(left, right)
    if far < _TURNED:
        return None, []
    side = 1 if left > right else -1
    peak = (high if left > right else low).tolist()
    home = max(abs(float(series[begin])), abs(float(series[end])))
    if max(other, home) > _BACK * far or _rises(side * series[within] / far) != 1:
        return None, peak
    return (Turn.LEFT if left > right else Turn.RIGHT), peak


def _rises(series: NDArray[np.float64]) -> int:
    """How often a series rises above `_OUT`, having been under `_IN` before."""
    count, low = 0, True
    for value in series.tolist():
        if low and value > _OUT:
            count, low = count + 1, False
        low = low or value < _IN
    return count


def _sum_up(
    watched: Watched, stamps: Stamps, voice: Voice, followed: Followed, reading: float
) -> Measured:
    seen = watched.seen
    spans = watched.meshes[seen, :, 0]
    leaps = jumps(watched.seconds, watched.meshes)
    return Measured(
        seconds=float(watched.seconds[-1]),
        rate=stamps.rate,
        longest_gap=stamps.longest_gap,
        untimed=stamps.missing
        + stamps.backward
        + max(stamps.repeated - _REPEATED * stamps.pictures, 0.0),
        seen=float(seen.mean()),
        others=float((watched.others > 0).mean()),
        perhaps=float((watched.perhaps > 0).mean()),
        spread=_spread(watched.embeddings),
        followed=followed,
        mouth=mouth_openings(watched.meshes[watched.seconds < reading]) / reading,
        cuts=len(watched.cuts),
        leap=float(leaps.max()),
        repeated=longest_repeat(watched.seconds, watched.meshes),
        frozen=longest_standstill(watched.seconds, watched.changes, under=_CHANGED),
        light=_median(watched.light),
        sharpness=_median(watched.sharpness),
        size=_median(spans.max(axis=1) - spans.min(axis=1)) if seen.any() else float("nan"),
        voice=voice.between(0.0, reading),
        embeddings=watched.embeddings,
    )


def _spread(embeddings: NDArray[np.float32]) -> float:
    if not len(embeddings):
        return float("nan")
    apart = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2)
    return float(apart[apart.sum(axis=1).argmin()].max())


def _median(values: NDArray[np.floating]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _frames(source: BinaryIO, name: str, clip: Clip) -> Iterator[tuple[float, Frame]]:
    """Frames with their seconds since the first."""
    unit = float(clip.time_base)
    first: int | None = None
    for picture in read_pictures(source, name=name):
        first = picture.pts if first is None else first
        yield (picture.pts - first) * unit, PictureFrame(picture)
