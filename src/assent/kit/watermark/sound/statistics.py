"""The gate: how likely chance alone would have fitted a codeword this well.

Without a mark (or under another key) the keyed signs have nothing to do with the sound, so each
code bit's sum is as likely to be +a as -a, whatever the sound is, and so is each pilot tile. For
one codeword at one place the total is then a sum of independent signs times known numbers a, and
Chernoff's bound on its tail holds exactly:

    P(total >= s) <= min over u of exp(-u s) * product of cosh(u a)

(Hoeffding's exp(-s**2 / (2 sum a**2)), J. Amer. Stat. Assoc. 58, 1963, is never less.) Every
codeword and every place that was looked at counts as a trial of its own.

That says that there is a mark. Whether it spells this number and no other is asked besides: in
sound that is too short or too noisy, a codeword that shares most bits with the true one fits nearly
as well, and passes the first gate on what it shares (`log10_misread`).

>>> import numpy as np
>>> log10_chance(np.ones(512), 256.0) < -28
True
"""

import math

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.sound.code import MESSAGE_BITS, TILES_PER_BIT

__all__ = ["FALSE_PER_FILE", "MISREAD", "log10_chance", "log10_misread", "log10_trials"]

FALSE_PER_FILE = 1e-9
"""Chance, at most, that the search of a file without a mark reports one, however long it is."""

MISREAD = 1e-3
"""Chance, at most, that a reported number is another than the one that was marked."""

_STEPS = 20
_STEEPEST = 2.0**12

Floats = NDArray[np.float64]


def log10_chance(sizes: Floats, total: float) -> float:
    """Bound, as log10, the chance that signs alone give `total` or more; at most 0.

    `sizes` are the absolute values that were added with signs, float [n] >= 0.
    """
    energy = float(sizes @ sizes)
    if energy <= 0 or total <= 0:
        return 0.0
    # Any u gives a valid bound. The best one isn't below total / energy; bisect for it.
    low = total / energy
    high = low * _STEEPEST
    for _ in range(_STEPS):
        middle = math.sqrt(low * high)
        if float(sizes @ np.tanh(middle * sizes)) < total:
            low = middle
        else:
            high = middle
    x = low * sizes
    # log(cosh(x)) without overflow
    exponent = float(np.sum(np.logaddexp(x, -x) - math.log(2))) - low * total
    return min(0.0, exponent / math.log(10))


def log10_misread(spelled: Floats, pilots: Floats, leads: Floats) -> float:
    """Estimate, as log10, the chance that a rival is what was marked and not the codeword ahead.

    `spelled` are the code bits' sums with the signs of the codeword ahead, float [256], `pilots`
    the pilots' values with theirs, and `leads` by how much its total is ahead of each rival's.

    Each sum is taken for the mark's size plus Gaussian noise: the odds of a rival that is behind by
    d are then exp(-d * size / variance). Both are estimated twice, from bits and from pilots, and
    the less favourable is taken. An estimate, no bound: a mark is fitted to the sound it is in.

    >>> log10_misread(np.array([4.0, 6.0]), np.array([0.9, 1.1]), np.array([100.0])) < -6
    True
    """
    tiles = TILES_PER_BIT
    size = min(float(spelled.mean()), tiles * float(pilots.mean()))
    variance = max(float(spelled.var()), tiles * float(pilots.var()))
    if size <= 0 or not len(leads):
        return 0.0
    odds = -leads * (size / max(variance, 1e-12))
    return min(0.0, float(np.logaddexp.reduce(odds)) / math.log(10))


def log10_trials(stretch: int, places: int) -> float:
    """Return, as log10, what a chance is multiplied with to hold for a whole file.

    Counts 2**32 codewords at each of the `places` that one way of looking tries in stretch number
    `stretch` (0, 1, ...). Stretch n is given 3 / (pi (n + 1))**2 of all errors, and so is the
    second way of looking at it, which adds up to 1 over any number of stretches.
    """
    share = 3 / (math.pi * (stretch + 1)) ** 2
    return MESSAGE_BITS * math.log10(2) + math.log10(places / share)
