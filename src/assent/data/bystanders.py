"""Hide the faces of those who were not named, for good, before anything of a clip is kept.

    plan = find_bystanders(path, clip, gallery, ruling, Tools(), progress)
    with hide(studio, path, clip, plan, progress) as film:
        ...  # a clip without their faces, in an encrypted scratch file

Every place where a stranger's face was seen is hidden, and it stays hidden a while before and
after, and through the moments in between in which no network saw it. What the vault gets is the
film without their faces: no clear picture of them is kept, so nothing later can show one.
"""

import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.data.doubts import Ruling, Span
from assent.data.faces import FaceCutter
from assent.data.look import Glimpse, Tools, look
from assent.data.openable import Openable
from assent.kit.faces.frame import PictureFrame
from assent.kit.faces.geometry import Box
from assent.kit.faces.identity import Gallery, TrackIdentity, Verdict, assign
from assent.kit.faces.mesh import Mesh, landmarks_of
from assent.kit.faces.shots import Change, ShotWatch
from assent.kit.faces.tracks import Track
from assent.kit.imaging.anonymise import Hidden, Oval, anonymise
from assent.kit.media._encode import encode
from assent.kit.media.picture import Picture
from assent.kit.media.probe import Clip
from assent.kit.media.read import read_pictures
from assent.kit.progress import Progress
from assent.kit.store.studio import Studio
from assent.kit.vault.scratch import Scratch

__all__ = ["HidingPlan", "find_bystanders", "hide", "plan_hiding"]

_BUFFER = 1 << 20
_WIDER, _TALLER, _RISE = 1.36, 1.42, 0.12
"""A head around a face's mesh, which reaches from chin to hairline: ears and hair are hidden too,
and its middle lies higher by this share of the face's half height."""
_FACE: Final = 1.08
"""The face itself, hidden even where somebody who may be seen is before it."""
_OF_BOX: Final = 0.72
"""Half a head beside the side of the box in which a network saw a face from the side."""
_HELD: Final = 0.6
"""Seconds for which a place stays hidden before a face was first seen there and after the last."""
_BRIDGED: Final = 2.0
"""Seconds without sight of a face after which it may still be the same that comes back."""
_NEARBY: Final = 1.5
"""Ovals' widths that it may have moved meanwhile."""
_LOOSER: Final = 0.35
"""How much larger an oval gets in a second in which it is guessed where the face is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HidingPlan:
    """What is hidden in each frame, by its number, and whose faces stay."""

    hidden: Mapping[int, Sequence[Hidden]]
    spared: Mapping[int, Sequence[Oval]]
    people: int
    """How many runs of a stranger's face there are."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """Where a stranger's head was in one frame; `face` is None where that was guessed."""

    index: int
    oval: Oval
    face: Oval | None


def find_bystanders(
    path: Openable, clip: Clip, gallery: Gallery, ruling: Ruling, tools: Tools, progress: Progress
) -> HidingPlan:
    """Look through a clip for the faces of everyone who isn't in the gallery.

    A face of which it isn't sure whose it is is one of them only if a person decided so.
    """
    cuts: list[int] = []
    with path.open("rb") as file:
        pictures = _noting_cuts(read_pictures(file, name=clip.name), cuts)
        seen = look(pictures, clip, tools, FaceCutter(most=1), progress, thorough=True)
    pairs = list(zip(assign(seen.tracks, gallery).identities, seen.tracks, strict=True))
    return plan_hiding(
        [track for one, track in pairs if _is_stranger(one, track, ruling)],
        [track for one, track in pairs if one.verdict is Verdict.LISTED],
        seen.strays,
        cuts=cuts,
        frames=seen.frames,
        rate=float(clip.frame_rate),
    )


def plan_hiding(
    strangers: Iterable[Track],
    listed: Iterable[Track],
    strays: Iterable[Glimpse],
    *,
    cuts: Collection[int],
    frames: int,
    rate: float,
) -> HidingPlan:
    """Plan what to hide.

    Args:
        strangers: the tracks of those who were not named.
        listed: the tracks of those who were.
        strays: faces that were seen but not followed.
        cuts: numbers of the frames that begin a shot.
        frames: how many there are.
        rate: frames a second.
    """
    runs = [_sights(track) for track in strangers]
    runs += [[_Sight(glimpse.index, _around(glimpse.box), None)] for glimpse in strays]
    starts = np.array(sorted({0, *cuts}), np.int64)
    chains = _chained(runs, starts, rate)
    hidden: dict[int, list[Hidden]] = defaultdict(list)
    for chain in chains:
        shot = _shot_of(chain[0].index, starts, frames)
        for sight in _held(_bridged(chain, rate), shot, rate):
            hidden[sight.index].append(Hidden(oval=sight.oval, face=sight.face))
    spared: dict[int, list[Oval]] = defaultdict(list)
    for track in listed:
        for point in track.points:
            spared[point.index].append(_face_in(point.mesh))
    return HidingPlan(hidden=hidden, spared=spared, people=len(chains))


def _is_stranger(one: TrackIdentity, track: Track, ruling: Ruling) -> bool:
    if one.verdict is Verdict.UNSURE:
        return ruling.forbids(Span.of(one, track))
    return one.verdict is not Verdict.LISTED


@contextmanager
def hide(
    studio: Studio, path: Openable, clip: Clip, plan: HidingPlan, progress: Progress
) -> Iterator[io.BufferedRandom]:
    """Give the clip with the plan carried out, in an encrypted scratch file of its own.

    Nothing is lost but what is hidden: it is encoded without loss, sound is copied.
    """
    with (
        io.BufferedRandom(Scratch(studio.vault_folder, disk=studio.disk), _BUFFER) as film,
        path.open("rb") as pictures,
        path.open("rb") as sound,
    ):
        encode(
            _hidden(read_pictures(pictures, name=clip.name), plan),
            film,
            like=clip,
            sound_from=sound if clip.sound else None,
            lossless=True,
            on_frame=lambda done: progress("hiding bystanders", done, clip.frames),
        )
        film.flush()
        film.seek(0)
        yield film


def _noting_cuts(pictures: Iterable[Picture], cuts: list[int]) -> Iterator[Picture]:
    """Pass pictures on, and note the numbers of those that begin a shot."""
    watch = ShotWatch()
    for number, picture in enumerate(pictures):
        if watch.see(PictureFrame(picture)) is Change.CUT:
            cuts.append(number)
        yield picture


def _hidden(pictures: Iterator[Picture], plan: HidingPlan) -> Iterator[Picture]:
    for number, picture in enumerate(pictures):
        yield anonymise(picture, plan.hidden.get(number, ()), plan.spared.get(number, ()))


def _sights(track: Track) -> list[_Sight]:
    heads = [_head_of(point.mesh) for point in track.points]
    steadied = _steadied(heads)
    return [
        _Sight(point.index, oval, _face_in(point.mesh))
        for point, oval in zip(track.points, steadied, strict=True)
    ]


def _head_of(mesh: Mesh) -> Oval:
    oval = _extent(mesh)
    rise = _RISE * oval.down
    return replace(
        oval,
        x=oval.x + rise * float(np.sin(oval.turn)),
        y=oval.y - rise * float(np.cos(oval.turn)),
        across=max(oval.across * _WIDER, 0.8 * oval.down * _WIDER),
        down=oval.down * _TALLER,
    )


def _face_in(mesh: Mesh) -> Oval:
    return _extent(mesh).grown(_FACE)


def _extent(mesh: Mesh) -> Oval:
    """The oval around a mesh, turned as its eyes are."""
    landmarks = landmarks_of(mesh)
    line = landmarks[42:48].mean(axis=0) - landmarks[36:42].mean(axis=0)
    turn = float(np.arctan2(line[1], line[0]))
    cos, sin = np.cos(turn), np.sin(turn)
    points = np.asarray(mesh[:, :2], np.float64) @ np.array([[cos, -sin], [sin, cos]])
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    return Oval(
        x=float(middle[0] * cos - middle[1] * sin),
        y=float(middle[0] * sin + middle[1] * cos),
        across=float(half[0]),
        down=float(half[1]),
        turn=turn,
    )


def _around(box: Box) -> Oval:
    x0, y0, x1, y1 = box
    half = _OF_BOX * max(x1 - x0, y1 - y0)
    return Oval(x=(x0 + x1) / 2, y=(y0 + y1) / 2, across=half, down=1.15 * half)


def _steadied(ovals: Sequence[Oval]) -> list[Oval]:
    """The ovals without their trembling, each still as large as any a few frames around it."""
    table = np.array([(o.x, o.y, o.across, o.down, o.turn) for o in ovals])
    table[:, 4] = np.unwrap(table[:, 4])
    calm = table.copy()
    reach = 4
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / 2.0) ** 2)
    padded = np.pad(table, ((reach, reach), (0, 0)), mode="edge")
    for column in (0, 1, 4):
        calm[:, column] = np.convolve(padded[:, column], weights / weights.sum(), mode="valid")
    for column in (2, 3):
        around = [padded[k : k + len(table), column] for k in range(2 * reach + 1)]
        calm[:, column] = np.max(around, axis=0)
    # What steadying moved it by, it must be larger by.
    calm[:, 2:4] += np.linalg.norm(table[:, :2] - calm[:, :2], axis=1)[:, None]
    return [_oval(row) for row in calm]


def _oval(row: NDArray[np.float64]) -> Oval:
    x, y, across, down, turn = row.tolist()
    return Oval(x=x, y=y, across=across, down=down, turn=turn)


def _chained(
    runs: Sequence[list[_Sight]], starts: NDArray[np.int64], rate: float
) -> list[list[_Sight]]:
    """Runs that may be one face's, one after the other in one shot, put together."""
    chains: list[list[_Sight]] = []
    for run in sorted(runs, key=lambda sights: sights[0].index):
        chain = next((each for each in chains if _follows(each[-1], run[0], starts, rate)), None)
        if chain is None:
            chains.append(list(run))
        else:
            chain += run
    return chains


def _follows(last: _Sight, first: _Sight, starts: NDArray[np.int64], rate: float) -> bool:
    gap = first.index - last.index
    together = np.searchsorted(starts, [last.index, first.index], side="right")
    near = _NEARBY * 2 * max(last.oval.across, first.oval.across)
    away = float(np.hypot(first.oval.x - last.oval.x, first.oval.y - last.oval.y))
    return 0 < gap <= _BRIDGED * rate and together[0] == together[1] and away <= near


def _bridged(chain: Sequence[_Sight], rate: float) -> list[_Sight]:
    """The chain with a guess in each frame between its sights."""
    filled = [chain[0]]
    for last, first in pairwise(chain):
        gap = first.index - last.index
        for step in range(1, gap):
            share = step / gap
            doubt = 1 + _LOOSER * min(step, gap - step) / rate
            filled.append(_Sight(last.index + step, _between(last, first, share, doubt), None))
        filled.append(first)
    return filled


def _between(last: _Sight, first: _Sight, share: float, doubt: float) -> Oval:
    one, other = last.oval, first.oval
    # Wherever it is on its way, it must be inside.
    slack = 0.5 * float(np.hypot(other.x - one.x, other.y - one.y)) * share * (1 - share) * 4
    return Oval(
        x=one.x + share * (other.x - one.x),
        y=one.y + share * (other.y - one.y),
        across=max(one.across, other.across) * doubt + slack,
        down=max(one.down, other.down) * doubt + slack,
        turn=one.turn if share < 0.5 else other.turn,
    )


def _held(chain: list[_Sight], shot: tuple[int, int], rate: float) -> Iterator[_Sight]:
    """The chain, and a while before and after it within its shot."""
    frames = round(_HELD * rate)
    first, last = chain[0], chain[-1]
    for ahead in range(1, frames + 1):
        if first.index - ahead >= shot[0]:
            grown = first.oval.grown(1 + _LOOSER * ahead / rate)
            yield _Sight(first.index - ahead, grown, None)
    yield from chain
    for after in range(1, frames + 1):
        if last.index + after < shot[1]:
            grown = last.oval.grown(1 + _LOOSER * after / rate)
            yield _Sight(last.index + after, grown, None)


def _shot_of(index: int, starts: NDArray[np.int64], frames: int) -> tuple[int, int]:
    """The first frame of the shot that a frame is in, and the first after it."""
    place = int(np.searchsorted(starts, index, side="right"))
    end = int(starts[place]) if place < len(starts) else frames
    return int(starts[place - 1]), end
