"""Identifiers that a reader has heard of: a log's, say.

To tell which of a thousand known words a faint mark spells takes much less evidence than to tell
which of all 2**64, so a reader that is given a list finds marks that can't be read bit by bit.

>>> known = Known([3, 5, 8])
>>> best, margin = known.likeliest(1.0 - 2.0 * CODE.encode(payload_bits(5)))
>>> known.asset_ids[best], margin > 100
(5, True)
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from assent.kit.watermark.payload import CODE, PAYLOAD_BITS, payload_bits

__all__ = ["Known"]

_AT_ONCE = 8192  # words that are turned to numbers at a time: 16 MB


class Known:
    """A list of identifiers (0 <= each < 2**64), ready to be compared; 512 bytes each.

    `asset_ids` are in the order given, each once.
    """

    def __init__(self, asset_ids: Iterable[int]) -> None:
        self.asset_ids = tuple(dict.fromkeys(asset_ids))
        bits = [payload_bits(asset_id) for asset_id in self.asset_ids]
        self._words = CODE.encode(np.array(bits, np.uint8).reshape(-1, PAYLOAD_BITS))

    def __len__(self) -> int:
        return len(self.asset_ids)

    def word(self, place: int) -> NDArray[np.uint8]:
        """Return one identifier's codeword, uint8 [512]."""
        return np.asarray(self._words[place], np.uint8)

    def likeliest(self, llr: NDArray[np.float64]) -> tuple[int, float]:
        """Return the place in the list that fits best, and by how many nats it beats the next.

        `llr` is float [512], log(P(0) / P(1)) of each code bit. The list must not be empty; with
        one identifier the margin is infinite.
        """
        fits = np.concatenate(
            [
                -self._words[start : start + _AT_ONCE].astype(np.float64) @ llr
                for start in range(0, len(self._words), _AT_ONCE)
            ]
        )
        best = int(fits.argmax())
        others = np.delete(fits, best)
        return best, float(fits[best] - others.max()) if len(others) else float("inf")
