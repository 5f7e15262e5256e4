"""The keys of a mark, and the stream of numbers drawn from one.

Everything about a mark that isn't its identifier (which frequencies carry it, with which
phases and signs) is drawn from a `ReadingKey`. The key is public by design: whoever holds it
can detect and read marks. What only a `SecretKey` tells is in `secret`.

>>> key = ReadingKey.from_bytes(bytes(range(32)))
>>> numbers = key.stream("example")
>>> [numbers.below(10) for _ in range(8)]
[2, 0, 6, 2, 1, 4, 7, 0]

The stream is HMAC-SHA-256 (RFC 2104) in counter mode, after NIST SP 800-108r1, section 4.1,
so that a reader can be written in any language: see docs/specs/watermark.md, section 3.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from assent.kit.errors import InputError

__all__ = ["KEY_BYTES", "KeyStream", "ReadingKey", "SecretKey"]

KEY_BYTES = 32
_LABEL = b"assent-watermark-2/"


@dataclass(frozen=True, slots=True)
class _Key:
    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) != KEY_BYTES:
            raise InputError(
                f"a key of a mark has {KEY_BYTES} bytes, not {len(self.value)}",
                advice="Use the reading key that the studio publishes.",
            )

    @classmethod
    def from_bytes(cls, b: bytes) -> Self:
        """Make a key of exactly 32 bytes; raises InputError for any other length."""
        return cls(bytes(b))

    def stream(self, label: str) -> "KeyStream":
        """Start the stream of numbers named `label` (ASCII): same key and label, same numbers."""
        return KeyStream(self.value, _LABEL + label.encode("ascii"))


class ReadingKey(_Key):
    """32 public bytes that say where a mark lies in the pictures."""

    __slots__ = ()


class SecretKey(_Key):
    """32 bytes that never leave the studio: they say where the second layer lies."""

    __slots__ = ()


class KeyStream:
    """Unbiased integers from HMAC-SHA-256(key, label || 00 || counter), counter = 0, 1, 2, ..."""

    def __init__(self, key: bytes, label: bytes) -> None:
        self._words = _words(key, label)

    def below(self, n: int) -> int:
        """Draw an integer from 0 to n - 1 (1 <= n <= 2**32), all equally likely."""
        limit = (1 << 32) // n * n
        word = next(self._words)
        while word >= limit:
            word = next(self._words)
        return word % n

    def bits(self, count: int) -> list[int]:
        """Take `count` bits: all 32 of each next word, from the most significant down."""
        words = (next(self._words) for _ in range(-(-count // 32)))
        return [word >> place & 1 for word in words for place in range(31, -1, -1)][:count]

    def permutation(self, n: int) -> list[int]:
        """Shuffle 0..n-1 by Fisher and Yates, from the last place down (Knuth, Algorithm P)."""
        order = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.below(i + 1)
            order[i], order[j] = order[j], order[i]
        return order


def _words(key: bytes, label: bytes) -> Iterator[int]:
    counter = 0
    while True:
        message = label + b"\x00" + counter.to_bytes(8, "big")
        block = hmac.new(key, message, hashlib.sha256).digest()
        for start in range(0, len(block), 4):
            yield int.from_bytes(block[start : start + 4], "big")
        counter += 1
