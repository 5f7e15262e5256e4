"""Which release a stretch of a film is from, which part of it, and how sure that is.

Each view's codes are looked up; a release's hits that lie at one offset in time count together.
How much a hit counts follows from how many of the index's codes lie as near by chance.

    for found in match(probe, index):
        print(found.asset_id, found.at, found.length)
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from assent.kit.fingerprint.index import CodeIndex, Hits
from assent.kit.fingerprint.picture_code import Window
from assent.kit.fingerprint.probe import Probe, View

__all__ = ["ENOUGH", "SOUND_ENOUGH", "WITHIN", "Match", "match", "merge"]

WITHIN = 76
"""Bits up to which a code is looked at."""
ENOUGH = 15.0
"""Evidence in nats from which a match is told. docs/specs/fingerprints.md has the error rates."""

SOUND_ENOUGH = 24.0
"""The same for sound."""

# Two pictures of different films are this near with a chance of 10 ** -_CHANCE, a bit nearer
# with one smaller by 10 ** -_A_BIT: measured by benchmarks/fit_codes.py, with room.
_NEAR, _CHANCE, _A_BIT = 73.0, 5.0, 1 / 8.0
# Bits of the middling picture up to which a film was looked at as it has to be.
_CLEAR = 44
# How much each further picture counts: those of one shot are near each other anyway.
_FURTHER = 0.5
# Seconds, and a share of the time to the stretch's middle, that a picture may lie off.
_SLACK_S, _SPEED = 0.45, 0.07


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A part of a film that is a release's.

    Attributes:
        asset_id: of the release.
        begin, end: seconds of the film.
        at, length: seconds of the release, where the part begins and how long it is.
        view: how it had to be looked at: whole, bordered, cropped, inset or cut.
        window: the part of the picture that the release fills.
        mirrored: whether it is turned left to right.
        nats: the evidence.
        away: bits, of the middling picture that fits.
        pictures: how many fit.
    """

    asset_id: str
    begin: float
    end: float
    at: float
    length: float
    view: str
    window: Window
    mirrored: bool
    nats: float
    away: int
    pictures: int


def match(probe: Probe, index: CodeIndex, *, enough: float = ENOUGH) -> tuple[Match, ...]:
    """Return the releases that a stretch is from, best first, at most one match of each.

    Views are tried in turn, those of one kind together, until a release is clearly seen in one.
    Each is told as it is seen in the view that speaks most for it.
    """
    size = max(1, len(index))
    best: dict[str, Match] = {}
    for _, views in groupby(probe.views, key=lambda view: view.kind):
        for one in _match_views(probe, list(views), index, size):
            known = best.get(one.asset_id)
            if one.nats >= enough and (known is None or one.nats > known.nats):
                best[one.asset_id] = one
        if any(one.away <= _CLEAR for one in best.values()):
            break
    return tuple(sorted(best.values(), key=lambda found: -found.nats))


def _match_views(probe: Probe, views: list[View], index: CodeIndex, size: int) -> list[Match]:
    codes = np.concatenate([view.codes for view in views])
    hits = index.near(codes, within=WITHIN)
    starts = np.cumsum([0, *(len(view.codes) for view in views)])
    best: dict[str, Match] = {}
    for number, view in enumerate(views):
        inside = (hits.query >= starts[number]) & (hits.query < starts[number + 1])
        for found in _aligned(probe, view, hits, np.flatnonzero(inside), int(starts[number]), size):
            known = best.get(found.asset_id)
            if known is None or found.nats > known.nats:
                best[found.asset_id] = found
    return sorted(best.values(), key=lambda found: -found.nats)


def _aligned(
    probe: Probe, view: View, hits: Hits, rows: np.ndarray, start: int, size: int
) -> list[Match]:
    """Return each release that some of the hits are of, at the offset that most agree on."""
    by_asset: dict[str, list[int]] = defaultdict(list)
    for row in rows.tolist():
        by_asset[hits.assets[row]].append(row)
    found = []
    for asset_id, own in by_asset.items():
        kept = _agreeing(view, hits, own, start, probe)
        if kept:
            found.append(_told(asset_id, probe, view, hits, kept, start, size))
    return found


def _agreeing(view: View, hits: Hits, rows: list[int], start: int, probe: Probe) -> list[int]:
    """Return for each picture its nearest hit, of those at the offset with most evidence."""
    middle = (probe.begin + probe.end) / 2
    shown = view.times[hits.query[rows] - start]
    slack = _SLACK_S + _SPEED * np.abs(shown - middle)
    low = hits.begins[rows] / 1000 - shown - slack
    high = hits.ends[rows] / 1000 - shown + slack
    worth = WITHIN + 1 - hits.away[rows]
    best: tuple[float, list[int]] = (0.0, [])
    for offset in np.unique(low):
        nearest: dict[int, int] = {}
        for place in np.flatnonzero((low <= offset) & (high >= offset)):
            query = int(hits.query[rows[place]])
            if query not in nearest or worth[place] > worth[nearest[query]]:
                nearest[query] = int(place)
        weight = float(sum(worth[place] for place in nearest.values()))
        if weight > best[0]:
            best = weight, [rows[place] for place in nearest.values()]
    return best[1]


def _told(
    asset_id: str, probe: Probe, view: View, hits: Hits, rows: list[int], start: int, size: int
) -> Match:
    shown = view.times[hits.query[rows] - start]
    offsets = (hits.begins[rows] + hits.ends[rows]) / 2000 - shown
    low = float(np.max(hits.begins[rows] / 1000 - shown))
    high = float(np.min(hits.ends[rows] / 1000 - shown))
    offset = (low + high) / 2 if low <= high else float(np.median(offsets))
    begin, end = _reach(probe, view, shown)
    return Match(
        asset_id=asset_id,
        begin=begin,
        end=end,
        at=max(0.0, begin + offset),
        length=end - begin,
        view=view.kind,
        window=view.window,
        mirrored=view.mirrored,
        nats=_evidence(hits.away[rows].tolist(), size),
        away=int(np.median(hits.away[rows])),
        pictures=len(rows),
    )


def _reach(probe: Probe, view: View, shown: np.ndarray) -> tuple[float, float]:
    """Return from when to when it fits: half way to the pictures that don't, or to the ends."""
    before = view.times[view.times < shown.min()]
    after = view.times[view.times > shown.max()]
    begin = (before.max() + shown.min()) / 2 if len(before) else probe.begin
    end = (after.min() + shown.max()) / 2 if len(after) else probe.end
    return float(begin), float(end)


def _evidence(away: list[int], size: int) -> float:
    """Return how many nats speak for a release whose pictures are so far `away`."""
    chance = math.log(10) * (_CHANCE + (_NEAR - np.sort(away)) * _A_BIT)
    each = np.maximum(0.0, chance - math.log(size))
    return float(each[:1].sum() + _FURTHER * each[1:6].sum())


def merge(found: Sequence[Match]) -> tuple[Match, ...]:
    """Return matches of stretches that follow each other, at one offset of one release, as one."""
    merged: list[Match] = []
    for one in sorted(found, key=lambda each: (each.asset_id, each.begin)):
        last = merged[-1] if merged else None
        if last is not None and _follows(last, one):
            merged[-1] = _joined(last, one)
        else:
            merged.append(one)
    return tuple(sorted(merged, key=lambda each: (each.begin, each.asset_id)))


def _follows(last: Match, one: Match) -> bool:
    drift = abs((one.at - one.begin) - (last.at - last.begin))
    near = one.begin - last.end <= 2.0
    slack = 2 * _SLACK_S + 2 * _SPEED * (one.end - last.begin)
    return one.asset_id == last.asset_id and near and drift <= slack


def _joined(last: Match, one: Match) -> Match:
    better = one if one.nats > last.nats else last
    return Match(
        asset_id=one.asset_id,
        begin=last.begin,
        end=one.end,
        at=last.at,
        length=one.end - last.begin,
        view=better.view,
        window=better.window,
        mirrored=better.mirrored,
        nats=better.nats,
        away=min(last.away, one.away),
        pictures=last.pictures + one.pictures,
    )
