"""Sound as levels: how loud each band is, every 8 ms, and what of that is unexpected.

A frame is 40 ms of sound under a Hann window; frames begin 8 ms apart, frame `i` with its centre
at `i * HOP_SECONDS`. Nothing depends on the sample rate.
"""

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.sound.pattern import band_edges

__all__ = [
    "HOP_SECONDS",
    "WINDOW_SECONDS",
    "above_floor",
    "band_weights",
    "broad_share",
    "levels",
    "power_spectra",
    "surprise",
]

HOP_SECONDS = 0.008
WINDOW_SECONDS = 0.04
_QUIET = 1e-10  # power of a frame's band below which nothing is heard: about -100 dBFS

# The neighbourhoods within which a level is expected to be alike.
_TREND_HOPS = 13
_TREND_BANDS = 7
_SPREAD_HOPS = 15
_SPREAD_BANDS = 5
_MOST_DB = 8.0
_FLOOR_DB2 = 0.5
# What is a band's floor, and from where on above it sound counts for nothing else.
_FLOOR_PERCENT, _FLOOR_DB, _LEAST_SHARE = 10, (2.0, 12.0), 0.1
# A mark needs some bands that are neither too quiet nor far below the loudest.
_AUDIBLE_DB, _DEEP_DB, _BROAD_BANDS = -75.0, 45.0, 24

Floats = NDArray[np.float32]


def power_spectra(samples: Floats, rate: int, first: int, count: int, start: int) -> Floats:
    """Return the power spectra of frames `first` to `first + count - 1`, float32 [count, bins].

    `samples` float32 [n] begin at sample number `start`; what lies outside of them is silence.
    The power is normalised so that a sine of amplitude 1 has about 1 in its bin.
    """
    width = round(WINDOW_SECONDS * rate)
    window = np.hanning(width + 1)[:-1].astype(np.float32) * (2 / (width / 2))
    centres = np.round((first + np.arange(count)) * HOP_SECONDS * rate).astype(np.intp)
    begins = centres - width // 2 - start
    before = max(0, -int(begins[0]))
    after = max(0, int(begins[-1]) + width - len(samples))
    padded = np.pad(samples, (before, after))
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[begins + before]
    spectra = np.fft.rfft(frames * window, axis=1)
    return np.asarray(spectra.real**2 + spectra.imag**2, np.float32)


def band_weights(rate: int, bins: int, *, pitch: float = 1.0) -> Floats:
    """Return float32 [bins, 64]: the share of each spectral bin in each band.

    `pitch` is how many times as high as it was marked the sound is played.
    """
    width = round(WINDOW_SECONDS * rate) / rate
    bin_low = ((np.arange(bins) - 0.5) / width)[:, None]
    edges = band_edges() * pitch
    covered = np.minimum(bin_low + 1 / width, edges[1:]) - np.maximum(bin_low, edges[:-1])
    return np.asarray(np.clip(covered * width, 0, 1), np.float32)


def levels(spectra: Floats, weights: Floats) -> Floats:
    """Return the bands' levels in dB, float32 [frames, 64]."""
    return np.asarray(10 * np.log10(spectra @ weights + np.float32(_QUIET)), np.float32)


def broad_share(spectra: Floats, rate: int) -> float:
    """Return the share of frames in which enough bands sound for a mark: 0 for a tone or hush."""
    level = levels(spectra, band_weights(rate, spectra.shape[1]))
    loud = level > np.maximum(level.max(axis=1, keepdims=True) - _DEEP_DB, _AUDIBLE_DB)
    return float((loud.sum(axis=1) >= _BROAD_BANDS).mean())


def surprise(level: Floats) -> tuple[Floats, Floats]:
    """Return how far levels [frames, 64] differ from their surroundings, weighted, and the weights.

    The mean over time (about 0.1 s) and then that over bands is taken away; what is left is
    divided by its local power, which makes it a likelihood ratio: a steady tone says more in half
    a decibel than noise in two. Both are float32 [frames, 64].
    """
    trend = level - _mean(level, _TREND_HOPS)
    trend -= _mean(trend.T, _TREND_BANDS).T
    trend = np.clip(trend, -_MOST_DB, _MOST_DB)
    spread = _mean(trend**2, _SPREAD_HOPS)
    spread = _mean(spread.T, _SPREAD_BANDS).T
    weight = np.asarray(1 / (spread + _FLOOR_DB2), np.float32)
    return trend * weight, weight


def above_floor(level: Floats) -> Floats:
    """Return how far levels [frames, 64] stand above each band's quietest tenth: 0.1 to 1.

    A mark lies in the sound, not in the noise under it: what is near the floor says little.
    """
    floor = np.percentile(level, _FLOOR_PERCENT, axis=0)
    place = (level - floor - _FLOOR_DB[0]) / (_FLOOR_DB[1] - _FLOOR_DB[0])
    return np.asarray(np.clip(place, _LEAST_SHARE, 1), np.float32)


def _mean(a: Floats, size: int) -> Floats:
    """Return the running mean over `size` (odd) rows, reflected at the ends."""
    half = size // 2
    padded = np.pad(a, ((half + 1, half), (0, 0)), mode="symmetric")
    total = np.cumsum(padded, axis=0, dtype=np.float64)
    return np.asarray((total[size:] - total[:-size]) / size, np.float32)
