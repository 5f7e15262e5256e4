"""The 96 bits that a mark carries: a 64-bit identifier and its CRC-32.

>>> identifier_of(payload_bits(0x0123456789ABCDEF)) == 0x0123456789ABCDEF
True
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError

__all__ = ["PAYLOAD_BITS", "identifier_of", "payload_bits"]

PAYLOAD_BITS = 96
_PREFIX = b"AW1"


def payload_bits(asset_id: int) -> NDArray[np.uint8]:
    """Spell an identifier (0 <= asset_id < 2**64) as uint8 [96] of 0 and 1, big end first.

    Raises InputError when the identifier doesn't fit into 64 bits.
    """
    if not 0 <= asset_id < 1 << 64:
        raise InputError(
            f"identifier {asset_id} doesn't fit into 64 bits",
            advice="Use an identifier from 0 to 2**64 - 1.",
        )
    body = asset_id.to_bytes(8, "big")
    return np.unpackbits(np.frombuffer(body + _crc(body), np.uint8))


def identifier_of(bits: NDArray[np.uint8]) -> int | None:
    """Return the identifier in uint8 [96] bits, or None when the CRC doesn't match."""
    spelled = np.packbits(bits).tobytes()
    body, crc = spelled[:8], spelled[8:]
    return int.from_bytes(body, "big") if _crc(body) == crc else None


def _crc(body: bytes) -> bytes:
    # The prefix names the version: payloads of another version fail this check.
    return zlib.crc32(_PREFIX + body).to_bytes(4, "big")
