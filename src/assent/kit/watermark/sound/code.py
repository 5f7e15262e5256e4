"""The error-correcting code of the sound mark: a polar code of 256 bits that carries 32.

>>> message = message_of(0xC0FFEE)
>>> llr = 4.0 - 8.0 * CODE.encode(message)       # positive means 0
>>> hex(number_of(CODE.decode(llr, paths=4)[0]))
'0xc0ffee'

It is built as the code of the picture mark is (docs/specs/watermark-sound.md, section 2). What is
right is told by how well a whole codeword fits, see `statistics`.
"""

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError
from assent.kit.watermark.polar import PolarCode

__all__ = ["CODE", "MESSAGE_BITS", "TILES_PER_BIT", "message_of", "number_of", "short_number"]

MESSAGE_BITS = 32
TILES_PER_BIT = 5
"""Tiles of a period that spell one code bit."""
CODE = PolarCode(stages=8, carried=MESSAGE_BITS)

Bits = NDArray[np.uint8]


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
