"""A piece of an upload, read from a connection: bounded, in time, and held to its digest.

A piece is small and is kept whole or not at all; so whoever is cut off sends one piece again, and
a connection that trickles holds a few mebibytes for a minute, not for ever.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from assent.kit.errors import InputError, IntegrityError

__all__ = ["LARGEST_PIECE", "Patience", "TooSlowError", "read_piece"]

LARGEST_PIECE = 8 << 20


class TooSlowError(InputError):
    """What was to come did not come in time."""

    advice = "Ask for the offset, and send from there; smaller pieces help on a slow line."


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How slow a sender may be: `idle_s` between two words, and in all a piece within `whole_s`."""

    idle_s: float = 20.0
    whole_s: float = 120.0


async def read_piece(
    stream: AsyncIterator[bytes],
    *,
    sha256: str | None = None,
    patience: Patience | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """Return what comes; `sha256` is its digest in hex, if the sender gave one.

    Raises `TooSlowError`, `InputError` for more than `LARGEST_PIECE`, `IntegrityError` if it is not
    what the sender's digest says.
    """
    patience = patience or Patience()
    ends, piece = clock() + patience.whole_s, bytearray()
    while True:
        left = min(patience.idle_s, ends - clock())
        if left <= 0:
            raise TooSlowError("the piece took too long")
        try:
            part = await asyncio.wait_for(anext(stream, None), left)
        except TimeoutError as error:
            raise TooSlowError("the piece took too long") from error
        if part is None:
            break
        piece += part
        if len(piece) > LARGEST_PIECE:
            raise InputError("the piece is too large", advice="Send at most 8 MiB at once.")
    if sha256 is not None and hashlib.sha256(piece).hexdigest() != sha256.lower():
        raise IntegrityError("the piece was changed on its way", advice="Send it again.")
    return bytes(piece)
