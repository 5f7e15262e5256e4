"""A scratch file for media being made: random access, and gone with its process.

The file has no name from the start, and every 64 KiB sector is encrypted with AES-256-XTS
(IEEE 1619, the sector's number as tweak) under a key that lives only in the object. A killed
process leaves nothing readable behind. XTS hides data but doesn't vouch for it: this is no place
to keep anything.

>>> with Scratch(folder) as file:  # doctest: +SKIP
...     file.write(b"film")
4
"""

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import XTS

from assent.kit.disk import Disk
from assent.kit.errors import StorageError
from assent.kit.vault.stream import Entropy

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["SECTOR", "Scratch"]

SECTOR = 1 << 16
"""Bytes that are encrypted as one."""

_HOLE = bytes(SECTOR)


class Scratch(io.RawIOBase):
    """A read-write file in `folder` that only this object can read.

    Reads and writes are complete: they stop short only at the end of the file. What was never
    written reads as zeros. One sector is held in clear in memory, so small writes in a row are
    quick. Closing it discards everything. Not for several threads at once.

    Args:
        folder: where the space is taken from.
        disk: what reads and writes the file.
        entropy: where the key comes from.

    Raises:
        StorageError: the folder can't be written; in read, write and truncate, the disk is full
            or failed (what a failed write had put so far isn't defined, all else is unharmed).
    """

    def __init__(
        self, folder: Path, *, disk: Disk | None = None, entropy: Entropy = os.urandom
    ) -> None:
        super().__init__()
        # First of all: whatever fails below, `close` must find it.
        self._held = ExitStack()
        self._disk = disk or Disk()
        self._file = self._held.enter_context(self._disk.scratch(folder))
        self._algorithm = AES(entropy(64))
        self._position = 0
        self._size = 0
        self._stored = 0
        self._page = bytearray(SECTOR)
        self._page_index = 0
        self._page_dirty = False

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def seekable(self) -> bool:
        """Tell that it has random access."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` from the start, the position or the end; return the new position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("can't seek before the start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill `buffer` as far as there is data and return how many bytes it got."""
        self._check_open()
        target = memoryview(buffer).cast("B")
        target = target[: max(0, self._size - self._position)]
        for index, offset, part in self._parts(target):
            if len(part) == SECTOR and index != self._page_index:
                part[:] = self._load(index)
            else:
                self._turn_to(index)
                part[:] = memoryview(self._page)[offset : offset + len(part)]
        return len(target)

    def readall(self) -> bytes:
        """Return all data from the position on."""
        data = bytearray(max(0, self._size - self._position))
        self.readinto(data)
        return bytes(data)

    def write(self, data: "ReadableBuffer") -> int:
        """Write all of `data` at the position and return its length in bytes."""
        self._check_open()
        source = memoryview(data).cast("B")
        for index, offset, part in self._parts(source):
            if len(part) == SECTOR and index != self._page_index:
                self._store(index, part)
            else:
                self._turn_to(index)
                self._page[offset : offset + len(part)] = part
                self._page_dirty = True
        return len(source)

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend the file to `size` bytes (the position by default) and return that."""
        self._check_open()
        size = self._position if size is None else size
        if size < 0:
            raise ValueError("a file's size isn't negative")
        last, used = divmod(size, SECTOR)
        if size < self._size:
            self._turn_to(last)
            self._page[used:] = bytes(SECTOR - used)
            self._page_dirty = True
            self._shrink(last)
        self._size = size
        return size

    def close(self) -> None:
        """Discard the file and forget the clear sector."""
        self._held.close()
        self._page = bytearray()
        super().close()

    def _parts(self, view: memoryview) -> Iterator[tuple[int, int, memoryview]]:
        """Yield sector, offset in it and piece of `view`, moving the position past each."""
        done = 0
        while done < len(view):
            index, offset = divmod(self._position, SECTOR)
            part = view[done : done + SECTOR - offset]
            yield index, offset, part
            # Only now: a piece that failed hasn't been written and doesn't count.
            done += len(part)
            self._position += len(part)
            self._size = max(self._size, self._position)

    def _turn_to(self, index: int) -> None:
        """Make a sector the one that is held in clear, putting away the one that was."""
        if index == self._page_index:
            return
        if self._page_dirty:
            self._store(self._page_index, self._page)
            self._page_dirty = False
        self._page[:] = self._load(index)
        self._page_index = index

    def _load(self, index: int) -> bytes:
        """Read and decrypt a sector."""
        sealed = self._disk.read_at(self._file, index * SECTOR, SECTOR)
        # Sectors that were skipped read as zeros, which no encrypted sector does.
        if not sealed or sealed == _HOLE:
            return _HOLE
        return self._cipher(index).decryptor().update(sealed)

    def _store(self, index: int, sector: bytearray | memoryview) -> None:
        """Encrypt and write a sector."""
        sealed = self._cipher(index).encryptor().update(sector)
        try:
            self._disk.write_at(self._file, index * SECTOR, sealed)
        except StorageError:
            # A piece of a sector at the end would later read as noise instead of zeros.
            with suppress(StorageError):
                self._disk.truncate(self._file, self._stored * SECTOR)
            raise
        self._stored = max(self._stored, index + 1)

    def _shrink(self, count: int) -> None:
        """Give back the space of all but the first `count` sectors."""
        self._disk.truncate(self._file, count * SECTOR)
        self._stored = min(self._stored, count)

    def _cipher(self, index: int) -> Cipher[XTS]:
        """Return the cipher of a sector."""
        return Cipher(self._algorithm, XTS(index.to_bytes(16, "little")))

    def _check_open(self) -> None:
        """Raise `ValueError` if the file is closed."""
        if self.closed:
            raise ValueError("the scratch file is closed")
