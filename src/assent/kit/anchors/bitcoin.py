"""Bitcoin block headers, as far as one can be checked on its own: 80 bytes and the work in them.

A header shows how much work it took, not that it is part of the chain that everybody follows: that
has to come from who hands it over. So little work is worth little, whoever hands it over.

>>> genesis = "01000000" + 32 * "00" + ROOT + "29ab5f49ffff001d1dac2b7c"  # doctest: +SKIP
>>> parse_header(bytes.fromhex(genesis)).difficulty  # doctest: +SKIP
1.0
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from assent.kit.errors import InputError, IntegrityError

__all__ = ["MAINNET_DIFFICULTY", "Header", "parse_header", "read_headers"]

MAINNET_DIFFICULTY = 1e13
"""Less than Bitcoin's chain has asked of any block since 2020; a header below proves nothing."""

_SIZE = 80
_EASIEST = 0xFFFF << 208
_LINE = re.compile(r"([0-9]{1,8})[ \t:,]+([0-9a-fA-F]{160})")
_MOST_LINES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header whose hash is as small as it says that it must be.

    Attributes:
        hash: in the order that explorers show.
        merkle_root: in the order of the header's bytes.
        time: by the miner's clock; the network lets it be two hours ahead.
        difficulty: times the work that the easiest block takes.
    """

    hash: str
    merkle_root: bytes
    time: datetime
    difficulty: float


def parse_header(data: bytes) -> Header:
    """Return a header; raises `IntegrityError` if it is none or lacks the work that it claims."""
    if len(data) != _SIZE:
        raise IntegrityError(f"a Bitcoin header has {_SIZE} bytes, not {len(data)}")
    target = _target(int.from_bytes(data[72:76], "little"))
    hashed = sha256(sha256(data).digest()).digest()
    if int.from_bytes(hashed, "little") > target:
        raise IntegrityError("a Bitcoin header lacks the work that it claims")
    return Header(
        hash=hashed[::-1].hex(),
        merkle_root=data[36:68],
        time=datetime.fromtimestamp(int.from_bytes(data[68:72], "little"), UTC),
        difficulty=_EASIEST / target,
    )


def read_headers(text: str) -> dict[int, Header]:
    """Return headers by height from lines of a height and 160 hexadecimal digits.

    Raises:
        InputError: a line is none of these.
        IntegrityError: a header lacks its work.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]
    if len(lines) > _MOST_LINES:
        raise InputError(f"more than {_MOST_LINES} headers", advice="Give those that are needed.")
    headers = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(
                "a line of the headers is not a height and a header",
                advice="Write one header a line: its height, a space and 160 hexadecimal digits.",
            )
        headers[int(match[1])] = parse_header(bytes.fromhex(match[2]))
    return headers


def _target(bits: int) -> int:
    """Return the number that a block's hash must not exceed, from its compact form."""
    size, digits = bits >> 24, bits & 0x7FFFFF
    target = digits << 8 * (size - 3) if size >= 3 else digits >> 8 * (3 - size)
    if bits & 0x800000 or size > 32 or not 0 < target <= _EASIEST:
        raise IntegrityError("a Bitcoin header asks for an impossible amount of work")
    return target
