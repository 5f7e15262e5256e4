"""An encrypted file that grows at its end, and goes on growing after its process was killed.

Pieces of 1 MiB, each under AES-256-GCM with a random nonce of its own; what is authenticated with a
piece is the file's context, the piece's number and the size that the whole is to have. So pieces
can't be changed, left out, swapped or taken from another file. A piece that was cut off while it
was written is forgotten when the file is opened again. Fresh nonces, since after a cut other bytes
may come in its place.

Layout: nonce ‖ piece ‖ tag ‖ nonce ‖ piece ‖ tag ...; the last piece may be shorter.

>>> file = Growing(path, key, size=3, context=b"upload 7f")  # doctest: +SKIP
>>> file.append(b"abc")  # doctest: +SKIP
>>> file.open(name="abc").read()  # doctest: +SKIP
b'abc'
"""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assent.kit.disk import Disk
from assent.kit.errors import IntegrityError, NotFoundError, StorageError
from assent.kit.vault.stream import Entropy

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["PIECE", "Growing"]

PIECE = 1 << 20
"""Bytes of clear data in every piece but the last."""

_NONCE, _TAG = 12, 16
_SEALED = _NONCE + PIECE + _TAG
_CACHED = 4


class Growing:
    """A file of `size` bytes of clear data that comes piece by piece; one writer at a time.

    Args:
        path: where its ciphertext lies.
        key: 32 bytes, never used for anything else.
        size: bytes that it will have in the end.
        context: authenticated with every piece.
        disk: what reads and writes it.
        entropy: where nonces come from.

    Raises:
        StorageError: in every method, if the disk is full or failed; the file then ends with the
            last whole piece.
    """

    def __init__(
        self,
        path: Path,
        key: bytes,
        *,
        size: int,
        context: bytes,
        disk: Disk | None = None,
        entropy: Entropy = os.urandom,
    ) -> None:
        self._path = path
        self._cipher = AESGCM(key)
        self._context = context
        self._disk = disk or Disk()
        self._entropy = entropy
        self.size = size

    @property
    def offset(self) -> int:
        """Bytes of clear data that are there in whole pieces."""
        file = self._disk.reader(self._path)
        if file is None:
            return 0
        with file:
            sealed = file.seek(0, io.SEEK_END)
        return self.size if sealed == self._whole() else sealed // _SEALED * PIECE

    def append(self, piece: bytes | bytearray | memoryview) -> None:
        """Add a piece: of 1 MiB, or all that was missing; durable once `sync` returns.

        Raises `ValueError` for a piece of any other length.
        """
        offset = self.offset
        number, wanted = offset // PIECE, min(PIECE, self.size - offset)
        if len(piece) != wanted:
            raise ValueError(f"a piece of {wanted} bytes was to come, not of {len(piece)}")
        nonce = self._entropy(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, bytes(piece), self._told(number))
        with self._disk.appender(self._path) as file:
            # What a cut left behind the last whole piece.
            self._disk.truncate(file, number * _SEALED)
            try:
                self._disk.write_at(file, number * _SEALED, sealed)
            except StorageError:
                self._disk.truncate(file, number * _SEALED)
                raise

    def sync(self) -> None:
        """Wait until what was added is on the disk."""
        with self._disk.appender(self._path) as file:
            self._disk.sync(file)

    def open(self, *, name: str) -> io.BufferedReader:
        """Return the clear data, read-only and seekable, once it is all there.

        Reading raises `IntegrityError` where it was changed; `NotFoundError` if it isn't complete.
        """
        file = self._disk.reader(self._path)
        if file is None or self.offset < self.size:
            if file is not None:
                file.close()
            raise NotFoundError(f"{name} has not arrived yet", advice="Send the rest of it.")
        return io.BufferedReader(_Reader(self, file, name), PIECE)

    def piece(self, file: BinaryIO, number: int, *, name: str) -> bytes:
        """Return a piece's clear data, checked; raises `IntegrityError`."""
        sealed = self._disk.read_at(file, number * _SEALED, _SEALED)
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._told(number))
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(f"{name} was changed", advice="Send the file again.") from error

    def remove(self) -> None:
        """Remove the ciphertext."""
        self._disk.remove(self._path)

    def _whole(self) -> int:
        """Bytes of ciphertext in the end."""
        full, rest = divmod(self.size, PIECE)
        return full * _SEALED + (rest + _NONCE + _TAG if rest else 0)

    def _told(self, number: int) -> bytes:
        return self._context + number.to_bytes(8, "big") + self.size.to_bytes(8, "big")


class _Reader(io.RawIOBase):
    """The clear data of a whole file; holds a few pieces."""

    def __init__(self, whole: Growing, file: BinaryIO, name: str) -> None:
        super().__init__()
        self._whole, self._file = whole, file
        self.name = name
        self._held: dict[int, bytes] = {}
        self._position = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read at random."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` from the start, the position or the end; return the new position."""
        size = self._whole.size
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: size}[whence]
        if base + offset < 0:
            raise ValueError("can't seek before the start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill `buffer` as far as one piece goes and return how many bytes it got."""
        if self._position >= self._whole.size:
            return 0
        target = memoryview(buffer).cast("B")
        number, start = divmod(self._position, PIECE)
        part = memoryview(self._piece(number))[start : start + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        """Close the file and forget the clear data."""
        self._held.clear()
        self._file.close()
        super().close()

    def _piece(self, number: int) -> bytes:
        if number not in self._held:
            while len(self._held) >= _CACHED:
                del self._held[next(iter(self._held))]
            self._held[number] = self._whole.piece(self._file, number, name=self.name)
        return self._held[number]
