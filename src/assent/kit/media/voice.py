"""Hear whether somebody speaks: when there is a voice, not what it says.

heard = hear_voice(path, name="statement.webm")
heard.between(0.0, 6.0)        # seconds of voice in the first six

A voice is periodic, 70 to 400 times a second, louder than the quietest that the recording holds,
and made of syllables. Music and beeps can pass for one; silence, hiss, rumble and taps don't.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assent.kit.media._container import Source
from assent.kit.media.listen import listen

__all__ = ["Voice", "hear_voice", "voice_in"]

_RATE: Final = 8000
_FRAME: Final = 320
"""Samples, 40 ms: three periods of the lowest voice."""
_HOP: Final = 160
_LOWEST, _HIGHEST = 70, 400
_PERIODIC: Final = 0.45
"""Autocorrelation at the pitch from which a frame is voiced."""
_QUIET: Final = -55.0
"""dB of full scale under which nothing counts."""
_ABOVE: Final = 8.0
"""dB above the recording's quiet tenth."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Voice:
    """When there was a voice."""

    voiced: NDArray[np.bool_]
    """One flag every 20 ms."""
    level: float
    """dB of full scale of the voiced frames' median; -inf if there are none."""

    def between(self, begin: float, end: float) -> float:
        """Seconds of voice from `begin` to `end`, both in seconds."""
        step = _HOP / _RATE
        first, last = (max(round(moment / step), 0) for moment in (begin, end))
        return float(self.voiced[first:last].sum()) * step


def hear_voice(source: Source, *, name: str, longest: float) -> Voice:
    """Listen to the first `longest` seconds of a clip; nothing is heard where it has no sound.

    Raises as `listen`.
    """
    return voice_in(_first(listen(source, name=name, rate=_RATE), round(longest * _RATE)))


def voice_in(blocks: Iterable[NDArray[np.float32]]) -> Voice:
    """Find a voice in mono sound, float32 blocks [n] at 8000 a second."""
    measured = [_measure(frame) for frame in _frames(blocks)]
    if not measured:
        return Voice(voiced=np.zeros(0, bool), level=float("-inf"))
    levels, periodic = (np.array(column) for column in zip(*measured, strict=True))
    least = max(_QUIET, float(np.percentile(levels, 10)) + _ABOVE)
    if float(np.percentile(levels, 10)) > -30.0:
        # Somebody who speaks all the time leaves no quiet tenth.
        least = _QUIET
    voiced = (levels > least) & (periodic > _PERIODIC)
    level = float(np.median(levels[voiced])) if voiced.any() else float("-inf")
    return Voice(voiced=np.asarray(voiced), level=level)


def _first(blocks: Iterable[NDArray[np.float32]], most: int) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        yield block[:most]
        most -= len(block)
        if most <= 0:
            return


def _frames(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    held = np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= _FRAME:
            yield held[:_FRAME]
            held = held[_HOP:]


def _measure(frame: NDArray[np.float32]) -> tuple[float, float]:
    """Level in dB of full scale, and how periodic: 0 to 1."""
    # The difference of samples weakens hum and rumble, and leaves a voice its overtones.
    centred = np.diff(frame.astype(np.float64), append=float(frame[-1]))
    power = float((centred**2).mean())
    level = 10 * float(np.log10(max(power, 1e-12)))
    spectrum = np.abs(np.fft.rfft(centred * np.hanning(_FRAME), 2 * _FRAME)) ** 2
    window = np.abs(np.fft.rfft(np.hanning(_FRAME), 2 * _FRAME)) ** 2
    alike, taper = np.fft.irfft(spectrum)[:_FRAME], np.fft.irfft(window)[:_FRAME]
    if alike[0] <= 0:
        return level, 0.0
    lags = slice(_RATE // _HIGHEST, _RATE // _LOWEST + 1)
    return level, float((alike[lags] / alike[0] / (taper[lags] / taper[0])).max())
