"""The 64 bits that a mark carries: an identifier, and nothing else.

There is no checksum: what tells a mark from chance is how well the picture agrees with the whole
codeword (`evidence`), which proves more per bit.

>>> identifier_of(payload_bits(0x0123456789ABCDEF)) == 0x0123456789ABCDEF
True
"""

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.watermark.polar import PolarCode

__all__ = ["CODE", "PAYLOAD_BITS", "identifier_of", "payload_bits"]

PAYLOAD_BITS = 64
CODE = PolarCode(stages=9, carried=PAYLOAD_BITS)
"""What protects them: 512 code bits."""


def payload_bits(asset_id: int) -> NDArray[np.uint8]:
    """Spell an identifier (0 <= asset_id < 2**64) as uint8 [64] of 0 and 1, big end first.

    Raises InputError when the identifier doesn't fit into 64 bits.
    """
    if not 0 <= asset_id < 1 << PAYLOAD_BITS:
        raise InputError(
            f"identifier {asset_id} doesn't fit into 64 bits",
            advice="Use an identifier from 0 to 2**64 - 1.",
        )
    return np.unpackbits(np.frombuffer(asset_id.to_bytes(8, "big"), np.uint8))


def identifier_of(bits: NDArray[np.uint8]) -> int:
    """Return the identifier in uint8 [64] bits."""
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
