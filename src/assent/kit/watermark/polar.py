"""Error-correcting codes of the marks: polar codes of any power of two of bits.

>>> import numpy as np
>>> code = PolarCode(stages=9, carried=64)
>>> message = np.arange(64, dtype=np.uint8) % 2
>>> llr = 4.0 - 8.0 * code.encode(message)       # positive means 0
>>> bool((code.decode(llr, paths=4)[0] == message).all())
True

Construction: Arikan, "Channel Polarization", IEEE Trans. Inf. Theory 55 (2009), without the
bit reversal; the information places by beta-expansion (He et al., GLOBECOM 2017). Decoding:
successive cancellation list (Tal and Vardy, IEEE Trans. Inf. Theory 61, 2015) on log-likelihood
ratios with the min-sum rule; subtrees that carry nothing or one bit in one step (Hashemi et al.,
ICASSP 2016).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["PolarCode"]

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class PolarCode:
    """A code of 2**`stages` bits that carries `carried` of them."""

    stages: int
    carried: int

    @property
    def bits(self) -> int:
        """How many bits a codeword has."""
        return 1 << self.stages

    @cached_property
    def information_places(self) -> Places:
        """The places of a codeword that carry message bits, ascending: intp [carried].

        They have the greatest weights sum(bit j of the place * 2**(j / 4)).
        """
        places = np.arange(self.bits)
        stages = np.arange(self.stages)
        weights = ((places[:, None] >> stages) & 1) @ 2.0 ** (stages / 4)
        best = np.argsort(-weights, kind="stable")[: self.carried]
        return np.asarray(np.sort(best), np.intp)

    def encode(self, message: Bits) -> Bits:
        """Encode uint8 [..., carried] message bits to uint8 [..., bits] codewords."""
        u = np.zeros((message.size // self.carried, self.bits), np.uint8)
        u[:, self.information_places] = message.reshape(-1, self.carried)
        return np.asarray(_transform(u).reshape(*message.shape[:-1], self.bits), np.uint8)

    def decode(self, llr: Floats, *, paths: int) -> Bits:
        """List the most likely messages, best first: uint8 [paths, carried].

        `llr` is float [bits], log(P(0) / P(1)) of each code bit, at any scale.
        """
        frozen = np.ones(self.bits, bool)
        frozen[self.information_places] = False
        decoder = _ListDecoder(frozen, paths)
        codewords, _ = decoder.decode(llr[None].astype(np.float64), 0)
        best_first = np.argsort(decoder.penalty, kind="stable")
        # The transform is its own inverse over GF(2).
        messages = _transform(codewords[best_first])[:, self.information_places]
        return np.asarray(messages, np.uint8)


def _transform(u: Bits) -> Bits:
    """Multiply each row of uint8 [n, 2**m] by the m-th Kronecker power of [[1, 0], [1, 1]]."""
    x = u.copy()
    half = 1
    while half < x.shape[1]:
        pairs = x.reshape(len(x), x.shape[1] // (2 * half), 2, half)
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
        frozen = self._frozen[first : first + size]
        if frozen.all():
            self.penalty = self.penalty - np.minimum(llr, 0).sum(1)
            return np.zeros(llr.shape, np.uint8), np.arange(len(llr))
        if frozen[:-1].all():
            return self._fork(llr)
        a, b = llr[:, : size // 2], llr[:, size // 2 :]
        left, kept = self.decode(
            np.copysign(np.minimum(np.abs(a), np.abs(b)), a) * np.where(b < 0, -1.0, 1.0), first
        )
        a, b = a[kept], b[kept]
        right, kept_later = self.decode(b + np.where(left == 1, -a, a), first + size // 2)
        left = left[kept_later]
        return np.concatenate([left ^ right, right], axis=1), kept[kept_later]

    def _fork(self, llr: Floats) -> tuple[Bits, Places]:
        """Fork all paths over one message bit, which all code bits of this subtree repeat."""
        alive, size = llr.shape
        zero = self.penalty - np.minimum(llr, 0).sum(1)
        one = self.penalty + np.maximum(llr, 0).sum(1)
        both = np.concatenate([zero, one])
        kept = np.sort(np.argsort(both, kind="stable")[: self._paths])
        self.penalty = both[kept]
        bits = (kept >= alive).astype(np.uint8)
        return np.repeat(bits[:, None], size, axis=1), kept % alive
