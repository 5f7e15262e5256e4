import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from assent.apps.work.receiving import LARGEST_PIECE, Patience, TooSlowError, read_piece
from assent.kit.errors import InputError, IntegrityError


async def parts(*given: bytes, wait: float = 0.0) -> AsyncIterator[bytes]:
    for part in given:
        await asyncio.sleep(wait)
        yield part


def test_a_piece_comes_in_parts() -> None:
    assert asyncio.run(read_piece(parts(b"ab", b"", b"c"))) == b"abc"
    digest = hashlib.sha256(b"abc").hexdigest().upper()
    assert asyncio.run(read_piece(parts(b"abc"), sha256=digest)) == b"abc"


def test_one_that_was_changed_on_its_way_is_refused() -> None:
    with pytest.raises(IntegrityError, match="changed on its way"):
        asyncio.run(read_piece(parts(b"abd"), sha256=hashlib.sha256(b"abc").hexdigest()))


def test_one_that_is_too_large_is_refused_while_it_comes() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1 << 20)

    with pytest.raises(InputError, match="too large"):
        asyncio.run(read_piece(endless()))
    assert taken == (LARGEST_PIECE >> 20) + 1


def test_silence_ends_it() -> None:
    with pytest.raises(TooSlowError):
        asyncio.run(read_piece(parts(b"a", wait=5), patience=Patience(idle_s=0.05)))


def test_a_trickle_ends_it_too() -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1.0
        return now

    with pytest.raises(TooSlowError):
        asyncio.run(read_piece(parts(*[b"a"] * 1000), patience=Patience(whole_s=30.0), clock=clock))
    assert now < 40
