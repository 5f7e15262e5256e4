"""What a codeword's agreement with a picture proves, as a bound that needs no measuring.

The signs of a mark's components are drawn from the key, so a picture that knows nothing of the key
meets each of them like a fair coin. For fair coins s and any fixed sizes y,
P(sum(s y) >= t) <= exp(-max over m of (m t - sum(log cosh(m y)))): Chernoff's bound, exact for
whatever the picture is (Boucheron, Lugosi, Massart, Concentration Inequalities, 2013, 2.2).

>>> bool(140 > nats(np.ones(200), np.array([200.0]))[0] > 130)  # 200 coins agree: 200 log 2
True
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["nats"]

# Multiples of one over the sizes' root mean square.
_TILTS = np.geomspace(0.05, 12.0, 20)

Floats = NDArray[np.float64]


def nats(sizes: Floats, agreements: Floats) -> Floats:
    """Return minus the log of the bound for each of float [m] agreements, [m], never below 0.

    `sizes` [n] are the absolute values of what was received; an agreement is their sum, with the
    sign + where a component agrees with a word and - where it doesn't.
    """
    spread = float(np.sqrt(np.mean(sizes**2)))
    if spread <= 0:
        return np.zeros(len(agreements))
    tilts = _TILTS / spread
    tilted = np.outer(tilts, sizes)
    # log cosh x = x + log(1 + exp(-2 x)) - log 2
    cost = (tilted + np.log1p(np.exp(-2 * tilted)) - np.log(2.0)).sum(1)
    best: Floats = np.maximum(np.outer(agreements, tilts) - cost, 0.0).max(1)
    return best
