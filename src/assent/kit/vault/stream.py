"""Encryption of data of any length in chunks that can be read at random (STREAM).

Chunks of 1 MiB under AES-256-GCM; the nonce is a random 7-byte prefix, the chunk's number as
big-endian uint32 and a byte that is 1 for the last chunk alone. So chunks can't be changed, left
out, swapped, cut off or appended. After Hoang, Reyhanitabar, Rogaway and Vizár, "Online
Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance" (2015), with Tink's field sizes.

Layout: prefix ‖ chunk ‖ tag ‖ chunk ‖ tag ...; empty data is one empty chunk.

>>> sealed = b"".join(encrypt_chunks([b"film"], key, b"header"))  # doctest: +SKIP
>>> DecryptingReader(io.BytesIO(sealed), key, b"header", name="film").read()  # doctest: +SKIP
b'film'
"""

import io
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assent.kit.disk import naming
from assent.kit.errors import IntegrityError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["CHUNK", "PREFIX", "TAG", "DecryptingReader", "Entropy", "encrypt_chunks"]

CHUNK = 1 << 20
"""Bytes of clear data in every chunk but the last."""

TAG = 16
"""Bytes that GCM adds to a chunk."""

PREFIX = 7
"""Bytes of the nonce that are random and stored in front."""

_CACHED_CHUNKS = 4

Entropy = Callable[[int], bytes]
"""Returns that many random bytes."""


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    """Return the 12-byte nonce of a chunk."""
    return prefix + number.to_bytes(4, "big") + bytes([last])


def encrypt_chunks(
    chunks: Iterable[bytes], key: bytes, header_aad: bytes, *, entropy: Entropy = os.urandom
) -> Iterator[bytes]:
    """Yield the ciphertext of data that comes in pieces of any size, in bounded memory.

    Args:
        chunks: the data; pieces needn't be of the size of a chunk.
        key: 32 bytes, never used for anything else.
        header_aad: authenticated with every chunk but not stored.
        entropy: where the nonce prefix comes from.
    """
    cipher = AESGCM(key)
    prefix = entropy(PREFIX)
    yield prefix
    for number, (data, last) in enumerate(_rechunk(chunks)):
        yield cipher.encrypt(_nonce(prefix, number, last=last), data, header_aad)


def _rechunk(pieces: Iterable[bytes]) -> Iterator[tuple[memoryview, bool]]:
    """Yield full chunks with False and then the last one, which may be empty, with True.

    All are views of one buffer, good until the next is asked for.
    """
    buffer = memoryview(bytearray(CHUNK))
    filled = 0
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            # A chunk is only let go once there is more: the last one must be known as such.
            if filled == CHUNK:
                yield buffer, False
                filled = 0
            part = rest[: CHUNK - filled]
            buffer[filled : filled + len(part)] = part
            filled += len(part)
            rest = rest[len(part) :]
    yield buffer[:filled], True


class DecryptingReader(io.RawIOBase):
    """The clear data of a ciphertext file, read-only and seekable, as PyAV wants it.

    Holds at most four chunks in memory. Opening checks the last chunk, hence the length; each
    other chunk is checked before any byte of it is returned. Closing it closes `source`. Not for
    several threads at once.

    Args:
        source: seekable ciphertext.
        key: 32 bytes.
        header_aad: what was authenticated with it.
        start: where in `source` the stream begins.
        name: what to call the file in messages.

    Raises:
        IntegrityError: when made or read: not what was encrypted under this key.
        StorageError: `source` can't be read.
    """

    def __init__(
        self, source: BinaryIO, key: bytes, header_aad: bytes, *, start: int = 0, name: str
    ) -> None:
        super().__init__()
        # First of all: whatever fails below, `close` must find these.
        self._source = source
        self._cache: dict[int, bytes] = {}
        self.name = name
        self._cipher = AESGCM(key)
        self._aad = header_aad
        self._first = start + PREFIX
        self._position = 0
        body = self._measure() - self._first
        self._count = max(1, -(-body // (CHUNK + TAG)))
        self._prefix = self._read_source(start, PREFIX)
        self.size = (self._count - 1) * CHUNK + len(self._chunk(self._count - 1))
        """Bytes of clear data."""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read at random."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` from the start, the position or the end; return the new position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("can't seek before the start")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill `buffer` as far as there is data and return how many bytes it got."""
        if self.closed:
            raise ValueError("the file is closed")
        target = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(target) and self._position < self.size:
            number, offset = divmod(self._position, CHUNK)
            piece = memoryview(self._chunk(number))[offset : offset + len(target) - filled]
            target[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._position += len(piece)
        return filled

    def readall(self) -> bytes:
        """Return all data from the position on."""
        data = bytearray(max(0, self.size - self._position))
        self.readinto(data)
        return bytes(data)

    def close(self) -> None:
        """Close the source and forget the clear data."""
        self._cache.clear()
        self._source.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        """Return a chunk's clear data, checked."""
        data = self._cache.get(number)
        if data is None:
            data = self._decrypt(number)
            if len(self._cache) >= _CACHED_CHUNKS:
                del self._cache[next(iter(self._cache))]
            self._cache[number] = data
        return data

    def _decrypt(self, number: int) -> bytes:
        """Read and check a chunk."""
        last = number == self._count - 1
        sealed = self._read_source(self._first + number * (CHUNK + TAG), CHUNK + TAG)
        try:
            data = self._cipher.decrypt(_nonce(self._prefix, number, last=last), sealed, self._aad)
        except (InvalidTag, ValueError, OverflowError) as error:
            raise IntegrityError(f"{self.name} was changed, cut off or extended") from error
        return data

    def _measure(self) -> int:
        """Return the length of the source in bytes."""
        with naming(self.name):
            return self._source.seek(0, io.SEEK_END)

    def _read_source(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes of ciphertext."""
        with naming(self.name):
            self._source.seek(offset)
            return self._source.read(length)
