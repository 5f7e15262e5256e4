"""How many decibels a tile may be made louder or softer without being heard.

Changing the loudness of a narrow band by d decibels adds to it a copy of itself that is
20 log10(10^(d/20) - 1) below. It isn't heard while it lies below what the sound around it masks
(Johnston, IEEE J. Sel. Areas Commun. 6, 1988): noise masks noise 6 dB below itself, a tone masks
noise only 15 dB and more below itself, and louder neighbours mask more.

>>> import numpy as np
>>> steady = np.full((40, 64), -30, np.float32)
>>> bool(np.median(allowed_db(steady, np.zeros(64, np.float32))) < 1)
True
"""

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.sound.pattern import band_centres

__all__ = ["allowed_db", "flatness_db"]

_NOISE_MASKS = 8.0  # dB below itself: 2 dB of reserve to the textbook's 6
_TONE_MASKS = (18.0, 24.0)  # of the lowest and the highest band: 14.5 + Bark, less at the top
_LEAST, _MOST = 0.3, 2.4
_TO_LOWER, _TO_HIGHER = 27.0, 12.0  # dB a Bark by which masking falls off
_TONE_WAVERS, _NOISE_WAVERS = 0.2, 1.2  # dB, of the second difference between frames
_AROUND = 6  # frames on both sides
_TONES_DB, _FILLED_DB = -8.0, -2.5  # flatness of chords and of noise
_NEIGHBOURS = 2  # bands on both sides
_NOTHING = 1e-14

Floats = NDArray[np.float32]


def allowed_db(level: Floats, flatness: Floats) -> Floats:
    """Return the greatest change of each frame and band in dB, float32 [frames, 64].

    `level` are the bands' levels in dB, float32 [frames, 64], `flatness` those of `flatness_db`,
    float32 [64]. A band is taken for a tone where its level doesn't waver from frame to frame as
    noise of its width would, or where the same few frequencies sound all the while.
    """
    below = np.linspace(*_TONE_MASKS, level.shape[1])
    below = below + (_NOISE_MASKS - below) * np.minimum(_noisiness(level), _fullness(flatness))
    room = np.minimum(_masking(level) - below - level, 0)
    return np.asarray(np.clip(20 * np.log10(1 + 10 ** (room / 20)), _LEAST, _MOST), np.float32)


def flatness_db(spectra: Floats, weights: Floats) -> Floats:
    """Return how even the mean spectrum is around each band, float32 [64]: 0 dB if it is flat.

    `spectra` are power spectra [frames, bins] of about half a second or more, `weights` the share
    of each bin in each band [bins, 64]. Moving voices and noise fill their bands; chords don't.
    """
    mean = spectra.mean(axis=0, dtype=np.float64) + _NOTHING
    around = np.abs(np.subtract.outer(np.arange(weights.shape[1]), np.arange(weights.shape[1])))
    bins = weights @ (around <= _NEIGHBOURS).astype(np.float32)
    count = np.maximum(bins.sum(axis=0), 1e-3)
    logs = 10 * np.log10(mean) @ bins / count
    return np.asarray(logs - 10 * np.log10(mean @ bins / count + _NOTHING), np.float32)


def _fullness(flatness: Floats) -> Floats:
    """Return 0 for bands in which a few steady tones sound to 1 for those that are filled."""
    place = (flatness - _TONES_DB) / (_FILLED_DB - _TONES_DB)
    return np.asarray(np.clip(place, 0, 1), np.float32)


def _masking(level: Floats) -> Floats:
    """Return the level in each band of the loudest neighbour, after the slope to it."""
    centres = band_centres()
    # Traunmueller, J. Acoust. Soc. Am. 88, 1990.
    barks = 26.81 * centres / (1960 + centres) - 0.53
    away = barks[:, None] - barks[None, :]
    slope = np.where(away > 0, -_TO_HIGHER * away, _TO_LOWER * away).astype(np.float32)
    return np.asarray((level[:, None, :] + slope[None]).max(axis=2), np.float32)


def _noisiness(level: Floats) -> Floats:
    """Return 0 for bands that are steady to 1 for those that waver like noise."""
    waver = np.abs(np.diff(level, n=2, axis=0, prepend=level[:1], append=level[-1:]))
    padded = np.pad(waver, ((_AROUND + 1, _AROUND), (0, 0)), mode="symmetric")
    total = np.cumsum(padded, axis=0, dtype=np.float64)
    mean = (total[2 * _AROUND + 1 :] - total[: -2 * _AROUND - 1]) / (2 * _AROUND + 1)
    place = (mean - _TONE_WAVERS) / (_NOISE_WAVERS - _TONE_WAVERS)
    return np.asarray(np.clip(place, 0, 1), np.float32)
