"""The error-correcting code of the sound mark: a polar code of 256 bits that carries 32.

>>> message = message_of(0xC0FFEE)
>>> llr = 4.0 - 8.0 * encode(message)       # positive means 0
>>> hex(number_of(decode(llr, paths=4)[0]))
'0xc0ffee'

It is built as the code of the picture mark is (docs/specs/watermark-sound.md, section 2), but
carries no check bits: what is right is told by how well a whole codeword fits, see `statistics`.
Decoding: successive cancellation list (Tal and Vardy, IEEE Trans. Inf. Theory 61, 2015) with the
min-sum rule.
"""

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError

__all__ = [
    "CODE_BITS",
    "MESSAGE_BITS",
    "decode",
    "encode",
    "information_places",
    "message_of",
    "number_of",
    "short_number",
]

_STAGES = 8
CODE_BITS = 1 << _STAGES
MESSAGE_BITS = 32

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]
Places = NDArray[np.intp]


def message_of(number: int) -> Bits:
    """Spell a number (0 <= number < 2**32) as uint8 [32], big end first.

    Raises InputError when it doesn't fit into 32 bits.
    """
    if not 0 <= number < 1 << MESSAGE_BITS:
        raise InputError(
            f"the number {number} doesn't fit into 32 bits",
            advice="A sound mark carries the low 32 bits of an identifier.",
        )
    return np.unpackbits(np.frombuffer(number.to_bytes(4, "big"), np.uint8))


def number_of(message: Bits) -> int:
    """Return the number that uint8 [32] message bits spell."""
    return int.from_bytes(np.packbits(message).tobytes(), "big")


def short_number(asset_id: int) -> int:
    """Return what the sound says of a 64-bit identifier: its low 32 bits."""
    return asset_id & ((1 << MESSAGE_BITS) - 1)


def information_places() -> Places:
    """Return the 32 places in 0..255 that carry message bits, ascending.

    They have the greatest weights sum(bit j of the place * 2**(j / 4)) (beta-expansion: He et
    al., GLOBECOM 2017).
    """
    places = np.arange(CODE_BITS)
    stages = np.arange(_STAGES)
    weights = ((places[:, None] >> stages) & 1) @ 2.0 ** (stages / 4)
    best = np.argsort(-weights, kind="stable")[:MESSAGE_BITS]
    return np.asarray(np.sort(best), np.intp)


def encode(message: Bits) -> Bits:
    """Encode uint8 [32] message bits to the uint8 [256] codeword."""
    u = np.zeros(CODE_BITS, np.uint8)
    u[information_places()] = message
    return np.asarray(_transform(u[None])[0], np.uint8)


def decode(llr: Floats, *, paths: int = 16) -> Bits:
    """List the most likely messages, uint8 [paths, 32], best first.

    `llr` is float [256], log(P(0) / P(1)) of each code bit, at any scale.
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
    """Multiply each row of uint8 [n, 256] by the eighth Kronecker power of [[1, 0], [1, 1]]."""
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
        frozen = self._frozen[first : first + size]
        if frozen.all():
            self.penalty = self.penalty - np.minimum(llr, 0).sum(1)
            return np.zeros(llr.shape, np.uint8), np.arange(len(llr))
        if frozen[:-1].all():
            return self._repeat(llr)
        a, b = llr[:, : size // 2], llr[:, size // 2 :]
        left, kept = self.decode(
            np.copysign(np.minimum(np.abs(a), np.abs(b)), a) * np.where(b < 0, -1.0, 1.0), first
        )
        a, b = a[kept], b[kept]
        right, kept_later = self.decode(b + np.where(left == 1, -a, a), first + size // 2)
        left = left[kept_later]
        return np.concatenate([left ^ right, right], axis=1), kept[kept_later]

    def _repeat(self, llr: Floats) -> tuple[Bits, Places]:
        """Fork all paths over one message bit, which all code bits of this subtree repeat."""
        alive, size = llr.shape
        zero = self.penalty - np.minimum(llr, 0).sum(1)
        one = self.penalty + np.maximum(llr, 0).sum(1)
        both = np.concatenate([zero, one])
        kept = np.sort(np.argsort(both, kind="stable")[: self._paths])
        self.penalty = both[kept]
        bits = (kept >= alive).astype(np.uint8)
        return np.repeat(bits[:, None], size, axis=1), kept % alive
