"""The error-correcting code: a polar code of 512 bits that carries 64.

>>> import numpy as np
>>> message = np.arange(64, dtype=np.uint8) % 2
>>> codeword = encode(message)
>>> llr = 4.0 - 8.0 * codeword       # positive means 0
>>> bool((decode(llr, paths=4)[0] == message).all())
True

Construction: Arikan, "Channel Polarization", IEEE Trans. Inf. Theory 55 (2009), without the
bit reversal; the information places by beta-expansion (He et al., GLOBECOM 2017). Decoding:
successive cancellation list (Tal and Vardy, IEEE Trans. Inf. Theory 61, 2015) on log-likelihood
ratios with the min-sum rule, all-frozen subtrees in one step (Hashemi et al., ICASSP 2016).
"""

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.payload import PAYLOAD_BITS

__all__ = ["CODE_BITS", "decode", "encode", "information_places"]

_STAGES = 9
CODE_BITS = 1 << _STAGES

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]
Places = NDArray[np.intp]


def information_places() -> Places:
    """Return the 64 places in 0..511 that carry message bits, ascending.

    They have the greatest weights sum(bit j of the place * 2**(j / 4)).
    """
    places = np.arange(CODE_BITS)
    stages = np.arange(_STAGES)
    weights = ((places[:, None] >> stages) & 1) @ 2.0 ** (stages / 4)
    best = np.argsort(-weights, kind="stable")[:PAYLOAD_BITS]
    return np.asarray(np.sort(best), np.intp)


def encode(message: Bits) -> Bits:
    """Encode uint8 [..., 64] message bits to uint8 [..., 512] codewords."""
    u = np.zeros((message.size // PAYLOAD_BITS, CODE_BITS), np.uint8)
    u[:, information_places()] = message.reshape(-1, PAYLOAD_BITS)
    return np.asarray(_transform(u).reshape(*message.shape[:-1], CODE_BITS), np.uint8)


def decode(llr: Floats, *, paths: int = 32) -> Bits:
    """List the most likely messages, best first.

    `llr` is float [512], log(P(0) / P(1)) of each code bit. Returns uint8 [paths, 64].
    """
    frozen = np.ones(CODE_BITS, bool)
    places = information_places()
    frozen[places] = False
    decoder = _ListDecoder(frozen, paths)
    codewords, _ = decoder.decode(llr[None].astype(np.float64), 0)
    best_first = np.argsort(decoder.penalty, kind="stable")
    # The transform is its own inverse over GF(2).
    return np.asarray(_transform(codewords[best_first])[:, places], np.uint8)


def _transform(u: Bits) -> Bits:
    """Multiply each row of uint8 [n, 512] by the ninth Kronecker power of [[1, 0], [1, 1]]."""
    x = u.copy()
    half = 1
    while half < CODE_BITS:
        pairs = x.reshape(len(x), -1, 2, half)
        pairs[:, :, 0] ^= pairs[:, :, 1]
        half *= 2
    return x


class _ListDecoder:
    """Walks the code tree once; `penalty` is float [paths alive], smaller is likelier."""

    def __init__(self, frozen: NDArray[np.bool_], paths: int) -> None:
        self._frozen = frozen
        self._paths = paths
        self.penalty: Floats = np.zeros(1)

    def decode(self, llr: Floats, first: int) -> tuple[Bits, Places]:
        """Decode the subtree at places first..first+m for all paths alive, `llr` [alive, m].

        Returns its code bits [alive after, m] and, for each path alive after, the row of the
        path that it came from.
        """
        size = llr.shape[1]
        if self._frozen[first : first + size].all():
            self.penalty = self.penalty - np.minimum(llr, 0).sum(1)
            return np.zeros(llr.shape, np.uint8), np.arange(len(llr))
        if size == 1:
            return self._fork(llr[:, 0])
        a, b = llr[:, : size // 2], llr[:, size // 2 :]
        left, kept = self.decode(
            np.copysign(np.minimum(np.abs(a), np.abs(b)), a) * np.where(b < 0, -1.0, 1.0), first
        )
        a, b = a[kept], b[kept]
        right, kept_later = self.decode(b + np.where(left == 1, -a, a), first + size // 2)
        left = left[kept_later]
        return np.concatenate([left ^ right, right], axis=1), kept[kept_later]

    def _fork(self, llr: Floats) -> tuple[Bits, Places]:
        alive = len(llr)
        zero = self.penalty + np.maximum(-llr, 0)
        one = self.penalty + np.maximum(llr, 0)
        both = np.concatenate([zero, one])
        kept = np.sort(np.argsort(both, kind="stable")[: self._paths])
        self.penalty = both[kept]
        return (kept >= alive).astype(np.uint8)[:, None], kept % alive
