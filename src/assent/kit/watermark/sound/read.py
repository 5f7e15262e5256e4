"""Reading sound marks: `read_sound` listens to blocks of sound and reports numbers, or none.

    search = read_sound(blocks, rate=16000, key=key)      # blocks: float32 mono [n]
    for mark in search.marks:
        print(f"{mark.number:08x}", mark.spans)

The sound is looked at in stretches of 12 s that overlap: as a whole and in windows of 3 s,
first as it was marked, then faster and slower. A number is reported only if chance would
have made it look as good in less than one of 10^9 files, and no other number that the same sound
may spell comes near it (`statistics`): a second of sound often holds too little to tell.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.watermark.key import ReadingKey
from assent.kit.watermark.sound.code import CODE, message_of, number_of
from assent.kit.watermark.sound.levels import (
    HOP_SECONDS,
    broad_share,
    power_spectra,
)
from assent.kit.watermark.sound.pattern import PERIOD_SECONDS, PILOT, Pattern
from assent.kit.watermark.sound.statistics import (
    FALSE_PER_FILE,
    MISREAD,
    log10_chance,
    log10_misread,
    log10_trials,
)
from assent.kit.watermark.sound.synchronise import (
    PERIOD_HOPS,
    Candidate,
    Playing,
    Stretch,
    candidates,
    correlate,
    fold,
    steps,
)

__all__ = ["SoundMark", "SoundSearch", "read_sound"]

_LEAST_RATE = 8000
_STRETCH_PERIODS = 8
_SHARED_PERIODS = 2  # of two stretches
_LEAST_HOPS = PERIOD_HOPS // 2
_WINDOW_PERIODS = (8, 2)
_DECODED = 2  # candidates of each window
_LIST = 16
# Half of the budget goes to sounds played otherwise; the rest is kept for getting through.
_SEARCHING_SHARE = 0.5
_SURE_Z = 5.0  # by which a known mark stands out in one period, at any of 192 shifts
_ONE_SPAN = 1.0  # seconds between two periods of a mark that are told as one span
_FINEST = 0.0025
_FARTHEST = 10
# Film at 24 pictures a second shown at 25, and back.
_FILM = (25 / 24, 24 / 25)

Floats = NDArray[np.float64]
Block = NDArray[np.float32]
Clock = Callable[[], float]
Span = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundMark:
    """A mark that was read.

    `number` is what it spells (0 to 2**32 - 1); `log10_false` bounds, as log10, the chance that
    a search of a file without a mark would have come to report one as good; `tempo` and `pitch`
    are how many times as fast and as high as it was marked the sound is played; `spans` are the
    seconds (from, to) in which it was heard.
    """

    number: int
    log10_false: float
    tempo: float
    pitch: float
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundSearch:
    """What a reader listened to, and what it found.

    `marks` is empty when nothing passed the gate: that is no proof that there is no mark.
    `heard` is how many seconds of sound were looked at, `broad` in how many of them enough bands
    sounded for a mark, `seconds` how long it took, `searched` what was tried, in words.
    """

    marks: tuple[SoundMark, ...]
    heard: float
    broad: float
    seconds: float
    searched: tuple[str, ...]


def read_sound(
    blocks: Iterable[Block],
    *,
    rate: int,
    key: ReadingKey,
    budget_s: float = 12.0,
    clock: Clock = time.monotonic,
) -> SoundSearch:
    """Look for marks in sound, float32 mono blocks [n] at `rate` (8000 or more; 16000 is enough).

    About 12 s of sound are held at a time. No stretch is begun after `budget_s` seconds, and one
    takes about a second. Raises InputError for blocks that aren't mono, or too low a rate.
    """
    if rate < _LEAST_RATE:
        raise InputError(
            f"sound at {rate} samples a second is too coarse for a mark",
            advice=f"Give sound of at least {_LEAST_RATE} samples a second.",
        )
    return _Reader(Pattern.derive(key), rate, budget_s, clock).read(blocks)


class _Reader:
    """One search, from the first block to the report."""

    def __init__(self, pattern: Pattern, rate: int, budget_s: float, clock: Clock) -> None:
        self._pattern = pattern
        self._rate = rate
        self._budget = budget_s
        self._clock = clock
        self._start = clock()
        self._found: dict[int, SoundMark] = {}
        self._searched: dict[str, None] = {}
        self._heard = 0.0
        self._broad = 0.0

    def read(self, blocks: Iterable[Block]) -> SoundSearch:
        for number, (begin, samples) in enumerate(_stretches(blocks, self._rate)):
            if self._spent() >= 1:
                self._searched["stopped: the time was used up"] = None
                break
            self._listen(number, begin, samples)
        return SoundSearch(
            marks=tuple(self._found.values()),
            heard=self._heard,
            broad=self._broad,
            seconds=self._clock() - self._start,
            searched=tuple(self._searched) or ("nothing: there is no sound",),
        )

    def _listen(self, number: int, begin: float, samples: Block) -> None:
        count = int(len(samples) / self._rate / HOP_SECONDS)
        if count < _LEAST_HOPS:
            return
        stretch = Stretch(spectra=power_spectra(samples, self._rate, 0, count, 0), rate=self._rate)
        fresh = begin + len(samples) / self._rate - self._heard
        self._broad += broad_share(stretch.spectra, self._rate) * fresh
        self._heard += fresh
        if self._locate(stretch, begin):
            return
        ways = {"as it was marked": [Playing()]}
        if not self._found and self._spent() < _SEARCHING_SHARE:
            ways["faster, slower, higher and lower"] = _other_playings()
        for name, playings in ways.items():
            self._searched[name] = None
            if self._look(number, stretch, playings):
                self._locate(stretch, begin)
                return

    def _look(self, number: int, stretch: Stretch, playings: list[Playing]) -> bool:
        """Try these ways of playing in all windows of a stretch; keep the mark that passes."""
        windows = list(_windows(len(stretch.spectra), _WINDOW_PERIODS))
        best: list[list[Candidate]] = [[] for _ in windows]
        for playing in playings:
            seen = steps(stretch, playing)
            for kept, (first, last) in zip(best, windows, strict=True):
                folded = fold(seen[int(first * playing.tempo) : int(last * playing.tempo)])
                kept.extend(candidates(folded, self._pattern, playing, most=_DECODED))
                kept.sort(key=lambda candidate: -candidate.z)
                del kept[_DECODED:]
        trials = log10_trials(number, len(windows) * len(playings) * PERIOD_HOPS)
        found = (self._decode(candidate, trials) for kept in best for candidate in kept)
        mark = next((mark for mark in found if mark is not None), None)
        if mark is not None:
            self._found.setdefault(mark.number, mark)
        return mark is not None

    def _decode(self, candidate: Candidate, trials: float) -> SoundMark | None:
        sums = self._pattern.gather(candidate.tiles)
        pilots = (candidate.tiles * self._pattern.signs)[self._pattern.bits == PILOT]
        messages = CODE.decode(sums, paths=_LIST)
        words = np.array([1.0 - 2.0 * CODE.encode(message) for message in messages])
        totals = words @ sums
        likeliest = int(np.argmax(totals))
        sizes = np.abs(np.concatenate([sums, pilots]))
        log10_false = trials + log10_chance(sizes, float(totals[likeliest] + pilots.sum()))
        if log10_false > math.log10(FALSE_PER_FILE):
            return None
        rivals = np.delete(totals, likeliest)
        spelled = sums * words[likeliest]
        if log10_misread(spelled, pilots, totals[likeliest] - rivals) > math.log10(MISREAD):
            return None
        return SoundMark(
            number=number_of(messages[likeliest]),
            log10_false=log10_false,
            tempo=candidate.playing.tempo,
            pitch=candidate.playing.pitch,
            spans=(),
        )

    def _locate(self, stretch: Stretch, begin: float) -> bool:
        """Tell in which seconds the known marks sound; whether that is most of the stretch."""
        windows = list(_windows(len(stretch.spectra), (1,)))
        heard = 0
        for number, mark in self._found.items():
            tiles = self._pattern.spell(CODE.encode(message_of(number))).astype(np.float64)
            seen = steps(stretch, Playing(tempo=mark.tempo, pitch=mark.pitch))
            spans = list(mark.spans)
            for first, last in windows:
                folded = fold(seen[int(first * mark.tempo) : int(last * mark.tempo)])
                if float(correlate(folded, tiles).max()) >= _SURE_Z:
                    heard += 1
                    spans.append((begin + first * HOP_SECONDS, begin + last * HOP_SECONDS))
            self._found[number] = replace(mark, spans=_joined(spans))
        return 2 * heard > len(windows)

    def _spent(self) -> float:
        """Return the share of the budget that is used up."""
        return (self._clock() - self._start) / self._budget if self._budget > 0 else 1.0


def _stretches(blocks: Iterable[Block], rate: int) -> Iterator[tuple[float, Block]]:
    """Yield overlapping stretches of sound, each with the second in which it begins."""
    whole, step = (
        round(periods * PERIOD_SECONDS * rate)
        for periods in (_STRETCH_PERIODS, _STRETCH_PERIODS - _SHARED_PERIODS)
    )
    held, begin, fresh = np.zeros(0, np.float32), 0, False
    for block in blocks:
        if block.ndim != 1:
            raise InputError(
                f"a block of sound is float32 [n], not {list(block.shape)}",
                advice="Mix the channels down to one before reading.",
            )
        held, fresh = np.concatenate([held, block]), True
        while len(held) >= whole:
            yield begin / rate, held[:whole]
            held, begin, fresh = held[step:], begin + step, len(held) > whole
    if fresh:
        yield begin / rate, held


def _windows(hops: int, sizes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield the first hop and the one after the last of windows that overlap by half."""
    for size in sizes:
        length = size * PERIOD_HOPS
        if length >= hops and size != sizes[0]:
            continue
        last = max(hops - length, 0)
        for first in range(0, last + length // 2, length // 2):
            yield min(first, last), min(first, last) + min(length, hops)


def _other_playings() -> list[Playing]:
    """Return the ways in which a sound may be played otherwise than it was marked."""
    ratios = [1 + n * _FINEST for n in range(-_FARTHEST, _FARTHEST + 1) if n]
    together = [Playing(tempo=ratio, pitch=ratio) for ratio in (*ratios, *_FILM)]
    tempo_alone = [Playing(tempo=ratio) for ratio in (*ratios, *_FILM)]
    return together + tempo_alone


def _joined(spans: list[Span]) -> tuple[Span, ...]:
    """Join spans (seconds) that overlap or nearly meet."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1] + _ONE_SPAN:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return tuple(joined)
